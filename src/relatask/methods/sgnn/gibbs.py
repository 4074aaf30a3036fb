"""Marginals of the tilting distribution by Gibbs sampling (SGNN-EBM, section 5.4.2, eq. 14).

One chain per item starts from labels drawn from the backbone; a sweep goes through the tasks colour by
colour. Tasks of one colour have no relation, so updating them at once is updating them in turn.

The paper does not say how many sweeps there are, nor how they make a marginal. Of the choices for
`marginals`, ``conditionals`` averages each task's conditional probability over the sweeps (Rao-Blackwell: the
mean of the next one with less variance and without ties), ``labels`` is the share of sweeps with label 1,
``last`` the conditional of the last sweep. The authors' code (``gibbs: released``) starts from the backbone's
likelier labels, has the factors' probabilities where eq. 14 has their logarithms, and multiplies by the
backbone's probability of label 1 without normalising; it does 2 sweeps in random order and takes the last.
"""

import torch
from torch import Tensor

from relatask.methods.sgnn.colouring import Colour, Schedule
from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.energy import edge_weights, fields
from relatask.nn.draws import uniforms

START = 0  # number of the draws that chains start from; sweeps count from 1


class Chains:
    """B chains over the labels of T tasks, one per item.

    States and conditionals are [T, B], rows in the order of `Schedule.tasks`: a colour is a slice, and an
    update is one gather, one product and one sum over the colour's relations for all items at once.

    Args:
        schedule: of the relation graph.
        node: f_i [B, T, 2].
        edge: f_ij [B, E, 2, 2].
        edge_index: int64 [2, E], that of the schedule.
        backbone: q(y_i = 1 | x) [B, T], inside (0, 1).
        settings: `edge_weight`, `degree_normalised` and `gibbs` are read.
    """

    def __init__(
        self,
        schedule: Schedule,
        node: Tensor,
        edge: Tensor,
        edge_index: Tensor,
        backbone: Tensor,
        settings: ContrastSettings,
    ):
        self.schedule = schedule
        self.prior = backbone.t()[schedule.tasks]
        self.released = settings.gibbs == "released"
        if self.released:
            node, edge = node.exp(), edge.exp()
        weight = edge_weights(node, edge_index, settings.edge_weight, settings.degree_normalised)
        field, coupling = fields(node, edge, edge_index, weight)
        self.field, self.coupling = field[schedule.tasks], coupling[schedule.edges]
        if not self.released:
            self.field += self.prior.double().logit().to(field.dtype)

    def start(self, draws: Tensor) -> Tensor:
        """Return the states [T, B] that chains start from; `draws` are uniform, [T, B]."""
        return ((0.5 if self.released else draws) < self.prior).to(self.field.dtype)

    def conditional(self, colour: Colour, states: Tensor) -> Tensor:
        """Return the probability [n, B] of label 1 for the tasks of a colour, given all other labels."""
        messages = states[colour.neighbours]
        messages *= self.coupling[colour.directions]
        logits = self.field[colour.tasks].index_add(0, colour.owners, messages)
        # In float64: rounded back, it does not tell which cells a batch put into one vector of the processor.
        probability = logits.double().sigmoid().to(logits.dtype)
        return probability * self.prior[colour.tasks] if self.released else probability

    def sweep(self, states: Tensor, draws: Tensor) -> Tensor:
        """Update `states` [T, B] in place, each label once, and return the conditionals [T, B] they had.

        Args:
            states: labels 0 and 1.
            draws: uniform in [0, 1).
        """
        conditionals = torch.empty_like(states)
        for colour in self.schedule.colours:
            conditionals[colour.tasks] = probability = self.conditional(colour, states)
            states[colour.tasks] = (draws[colour.tasks] < probability).to(states.dtype)
        return conditionals


@torch.no_grad()
def gibbs_marginals(
    chains: Chains, settings: ContrastSettings, seed: int, items: Tensor, tasks: Tensor
) -> Tensor:
    """Return the estimated probability of label 1, [B, T], of each task.

    Draws depend on the seed, the item's and the task's number, and the sweep: an item's marginals are
    the same in whatever batch it comes.

    Args:
        chains: of B items.
        settings: `burn_in`, `sweeps` and `marginals` are read.
        seed: of the draws.
        items: int64 [B], a number that belongs to each item.
        tasks: int64 [T], a number that belongs to each task.
    """
    keys = (items, tasks[chains.schedule.tasks, None])
    states = chains.start(uniforms(seed, START, *keys))
    total = torch.zeros_like(states)
    for number in range(1, settings.burn_in + settings.sweeps + 1):
        conditionals = chains.sweep(states, uniforms(seed, number, *keys))
        if settings.marginals == "last":
            total = conditionals
        elif number > settings.burn_in:
            total += conditionals if settings.marginals == "conditionals" else states
    count = 1 if settings.marginals == "last" else settings.sweeps
    return (total / count)[chains.schedule.places].t()
