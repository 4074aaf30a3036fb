"""Task embeddings before training: the loss as it is written, and what it does to related tasks."""

import torch

from relatask.methods.sgnn.layers import SGNNSettings
from relatask.methods.sgnn.link_prediction import link_loss, pretrained
from relatask.methods.sgnn.sgnn import StateNetwork
from tests.helpers.sgnn_networks import EDGES, N_TASKS, SMALL, NoEncoder, context

OWNER = torch.tensor([i for i, _ in EDGES] + [j for _, j in EDGES])
OTHER = torch.tensor([j for _, j in EDGES] + [i for i, _ in EDGES])


def test_the_loss_and_its_gradient_equal_the_loops():
    torch.manual_seed(0)
    z = torch.randn(N_TASKS, 4, dtype=torch.float64, requires_grad=True)
    negatives = torch.randint(N_TASKS, (len(OWNER), 3))
    loss = link_loss(z, OWNER, OTHER, negatives)
    expected = torch.zeros((), dtype=torch.float64)
    for d in range(len(OWNER)):
        i, j = int(OWNER[d]), int(OTHER[d])
        expected = expected - torch.log(1 / (1 + torch.exp(-(z[i] @ z[j])))) / len(OWNER)
        for k in negatives[d].tolist():
            expected = expected - torch.log(1 / (1 + torch.exp(z[i] @ z[k]))) / len(OWNER)
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-12)
    (found,), (wanted,) = torch.autograd.grad(loss, [z]), torch.autograd.grad(expected, [z])
    torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-10)


def test_related_tasks_come_closer_than_others_and_no_other_draw_is_disturbed():
    """Five families of eight tasks, all related, and a task without relations."""
    torch.manual_seed(1)
    family = torch.arange(41) // 8
    related = (family[:, None] == family) & ~torch.eye(41, dtype=torch.bool)
    owner, other = related.nonzero().T
    start = torch.randn(41, 8)
    state = torch.random.get_rng_state()
    after = pretrained(start, owner, other, 400, seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(after, pretrained(start, owner, other, 400, seed=3))
    assert not torch.equal(after, pretrained(start, owner, other, 400, seed=4))
    scores, others = after @ after.T, family[:, None] != family
    assert scores[related].mean() > scores[others].mean() + 1
    assert torch.equal(after[40], start[40])  # neither end nor negative


def test_a_network_starts_from_such_embeddings_and_all_else_as_without():
    plain, first = (
        StateNetwork(NoEncoder(), context(), SGNNSettings(**{**SMALL, "task_pretraining": epochs}))
        for epochs in (0, 20)
        if torch.manual_seed(0)
    )
    for (name, one), other in zip(plain.state_dict().items(), first.state_dict().values(), strict=True):
        assert torch.equal(one, other) == (name != "sgnn.tasks.embedding"), name
