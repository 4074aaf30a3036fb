"""Kernel ridge regression on pairs of a molecule and a task (Jacob and Vert, 2008).

The kernel of two pairs is that of their molecules, Tanimoto's of ECFP, times that of their tasks (Jacob and
Vert, 2008, eq. 4; the same model is the mean of the multi-task Gaussian process of Bonilla et al., 2008). A
labelled cell of training is an example and a missing one is none. With y the labels, less their task's mean
and divided by its deviation, a solves (R (K_m x K_t) R^T + penalty I) a = y, and a molecule x has in task t
the value mean_t + deviation_t sum_ij K_m(x, i) a_ij K_t(j, t).

With weights the penalty of a cell is divided by its weight, so a label of weight 2 is two equal labels; only
how labels of tasks correlate counts each label once.

Labels of 0 and 1 are treated like measured values: so tasks of both kinds share one scale, a molecule unlike
any in training gets the task's prevalence, and what has the least squared error of a label of 0 and 1 is its
probability. Values that leave [0, 1] are bent back, in their order; see `probabilities`. Nothing is fitted to
validation but the choice among kernels and penalties.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.checkpoint import Checkpoint
from relatask.engine.problem import Progress
from relatask.methods.pairwise_kernel.conjugate_gradients import solve
from relatask.methods.pairwise_kernel.tanimoto import ROWS, packed, tanimoto, unpacked
from relatask.methods.pairwise_kernel.task_kernels import NAMES, SHARES, kernels

CAPABILITIES = {
    "summary": "kernel ridge regression, Tanimoto kernel of molecules x kernel of tasks",
    "label": "PairwiseKernel",
    "paper": "jacob_2008",
    "inputs": ("ecfp",),
    "loop": "kernel_ridge",
    "random": False,
    "encoders": "none",
    "kinds": ("binary", "real"),
    "weights": ("items", "classes", "tasks"),
    "cost_in_tasks": "O(T)",
    "microseconds": 3000.0,
    # task_kernel: "chosen" mixes the three by validation. penalty: 0 chooses it by validation.
    "options": {"task_kernel": "chosen", "penalty": 0.0, "max_gigabytes": 2.0},
    "choices": {"task_kernel": ("chosen", "own", "all", "correlation")},
    "limits": {"penalty": (0.0, 1e6), "max_gigabytes": (0.001, 10_000.0)},
    "saves": {
        "task_kernels": {
            "own": "float64",
            "all": "float64",
            "correlation": "float64",
            "penalty": "float64",
            "valid_metric": "float64?",
        }
    },
}
PENALTIES = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1)  # noise of the labels in variances of theirs, strongest first
ROUGH, EXACT = 1e-2, 1e-8  # tolerances of a candidate and of the model
EDGE = 0.02  # probabilities nearer to 0 or 1 are bent
Shares = tuple[float, ...]  # of the kernels of tasks, in the order of their names


@dataclass(frozen=True)
class Examples:
    """What is learned from: bits float32 [n, d] of molecules, and for T tasks what their labels are.

    Attributes:
        bits: of molecules.
        labels: float64 [n, T], NaN where missing.
        mean: float64 [T], what a molecule unlike any other has.
        deviation: float64 [T], above 0.
        real: bool [T], measured values and not 0 and 1.
        weights: float64 [n, T], above 0; None: all labels count alike.
    """

    bits: Tensor
    labels: Tensor
    mean: Tensor
    deviation: Tensor
    real: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Candidate:
    """Shares of the kernels of tasks, a penalty, what they are worth on validation, and their solution."""

    shares: Shares
    penalty: float
    value: float
    solution: Tensor


class PairwiseKernel:
    """A kernel of tasks, or which to choose from, and a penalty, 0 to choose it."""

    def __init__(self, task_kernel: str, penalty: float, max_gigabytes: float):
        alone = tuple(float(name == task_kernel) for name in NAMES)
        self.shares: Sequence[Shares] = SHARES if task_kernel == "chosen" else (alone,)
        self.penalties = (penalty,) if penalty else PENALTIES
        self.max_gigabytes = max_gigabytes
        self.weights: dict[str, Tensor] = {}

    def fit(
        self,
        examples: Examples,
        valid: Tensor,
        value_of: Callable[[Tensor], float],
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> Candidate:
        """Learn, and return what was chosen by validation.

        A penalty is lowered until validation gets worse. Of equals the first is taken: independent tasks
        before others, and the stronger penalty.

        Args:
            examples: of training.
            valid: bits float32 [B, d] of the molecules of validation.
            value_of: how good scores [B, T] of validation are, higher is better; NaN where that is undefined.
            checkpoint: holds what was chosen so far.
            progress: receives the share that is done, and what is tried.

        Raises:
            RelataskError: there are too many molecules, or conjugate gradients do not come to an end.
        """
        self._require_memory(len(examples.bits), len(valid))
        progress(0.0, "kernel of molecules")
        items, asked = tanimoto(examples.bits, examples.bits), tanimoto(valid, examples.bits)
        standard = (examples.labels - examples.mean) / examples.deviation
        labels, known = standard.nan_to_num(0.0), (~standard.isnan()).to(standard)
        of_tasks = kernels(standard)
        self.weights = {
            "bits": packed(examples.bits),
            **{name: getattr(examples, name) for name in ("mean", "deviation", "real")},
        }

        def noise(penalty: float) -> float | Tensor:
            return penalty if examples.weights is None else penalty / examples.weights

        def attempt(shares: Shares, penalty: float, start: Tensor | None) -> Candidate:
            tasks = _mixed(of_tasks, shares)
            solution = solve(items, tasks, labels, known, noise(penalty), ROUGH, start)
            value = value_of(self._scores(asked @ (solution @ tasks)))
            return Candidate(shares, penalty, value, solution)

        shares = self.shares if labels.shape[1] > 1 else self.shares[:1]  # of one task all are the same
        chosen = self._choose(shares, attempt, checkpoint, progress)
        progress(len(shares) / (len(shares) + 1), f"solution for the penalty {chosen.penalty:g}")
        tasks = _mixed(of_tasks, chosen.shares)
        exact = solve(items, tasks, labels, known, noise(chosen.penalty), EXACT, chosen.solution.to(labels))
        self.weights["coefficients"] = (exact @ tasks).float()
        return chosen

    def _choose(
        self,
        every: Sequence[Shares],
        attempt: Callable[[Shares, float, Tensor | None], Candidate],
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> Candidate:
        """Return the best candidate; each starts from the solution for the next stronger penalty.

        The checkpoint gets the best one whenever a kernel of tasks is done, the last one included.
        """
        chosen, done = None, 0
        if checkpoint.in_flight is not None:
            chosen, done = Candidate(**checkpoint.in_flight["chosen"]), checkpoint.in_flight["kernels"]
        for number, shares in enumerate(every[done:], start=done):
            before: Candidate | None = None
            for penalty in self.penalties:
                what = f"kernel of tasks {number + 1}/{len(every)}, penalty {penalty:g}"
                progress(number / (len(every) + 1), what)
                one = attempt(shares, penalty, before.solution if before else None)
                if chosen is None or one.value > chosen.value:
                    chosen = one
                if before and not one.value > before.value:
                    break
                before = one
            assert chosen is not None
            if checkpoint.due():
                checkpoint.save({"kernels": number + 1, "chosen": vars(chosen)})
        assert chosen is not None
        return chosen

    def _require_memory(self, n_known: int, n_asked: int) -> None:
        """Raise where the kernels of training and validation take more than `max_gigabytes`."""
        gigabytes = 8e-9 * n_known * (n_known + n_asked)
        if gigabytes > self.max_gigabytes:
            raise RelataskError(
                f"the kernel of {n_known:,} training and {n_asked:,} validation molecules takes "
                f"{gigabytes:.1f} GB, more than `max_gigabytes`, {self.max_gigabytes:g}; raise it if the "
                "machine has as much, or take a method without a kernel, such as random_forest."
            )

    def predict(self, bits: Tensor) -> Tensor:
        """Return the scores float32 [B, T] of molecules of bits float32 [B, d]."""
        known, coefficients = unpacked(self.weights["bits"]), self.weights["coefficients"].double()
        parts = [self._scores(tanimoto(rows, known) @ coefficients) for rows in bits.split(ROWS)]
        return torch.cat(parts).float()

    def _scores(self, outputs: Tensor) -> Tensor:
        """Return values in the unit of their task, and probabilities of label 1."""
        values = self.weights["mean"] + self.weights["deviation"] * outputs
        return torch.where(self.weights["real"], values, probabilities(values))

    def state(self) -> dict[str, Tensor]:
        """Return all that was learned."""
        return self.weights

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take what another model has learned."""
        self.weights = state


def probabilities(values: Tensor) -> Tensor:
    """Return values as probabilities: as they are from `EDGE` to 1 - `EDGE`, bent into (0, 1) beyond.

    The value that lies t `EDGE`s beyond becomes `EDGE` / (1 + t), or 1 less that: without a jump of value or
    slope, and strictly rising. As slow as this, and unlike an exponential function, it keeps molecules apart
    in float32 too, those of values up to 2 if they differ by 0.0003.
    """
    low = EDGE / (1 + (EDGE - values).clamp(min=0) / EDGE)
    high = 1 - EDGE / (1 + (values - (1 - EDGE)).clamp(min=0) / EDGE)
    return torch.where(values < EDGE, low, torch.where(values > 1 - EDGE, high, values))


def _mixed(of_tasks: Tensor, shares: Shares) -> Tensor:
    """Return the kernels [3, T, T] by their shares, [T, T]."""
    return torch.einsum("kij,k->ij", of_tasks, of_tasks.new_tensor(shares))


def build(task_kernel: str, penalty: float, max_gigabytes: float) -> PairwiseKernel:
    """Return the untrained model; it draws nothing."""
    return PairwiseKernel(task_kernel, penalty, max_gigabytes)
