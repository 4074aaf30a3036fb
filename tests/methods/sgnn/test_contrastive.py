"""The contrastive loop: what the energy learns, which noise it sees, and that a checkpoint loses nothing."""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from relatask.data.prepared import PreparedDataset
from relatask.engine import checkpoint as checkpoints
from relatask.engine import networks
from relatask.engine.checkpoint import Checkpoint, tensor_bytes
from relatask.engine.kinds import mean_metric
from relatask.engine.problem import Problem, problems_of
from relatask.methods.sgnn.contrast import ContrastSettings
from relatask.methods.sgnn.contrastive import Training
from relatask.methods.sgnn.energy import log_softmax_factors
from relatask.nn.contract import MultiTaskModel
from tests.helpers.contrast_settings import contrast_settings
from tests.helpers.prepared_dataset import make_spec, random_labels, write_dataset
from tests.helpers.training_results import Killed, without_seconds
from tests.oracles import ebm_oracle as oracle

N_TASKS = 4
Make = Callable[..., Problem]


class TinyEnergy(MultiTaskModel):
    """A hidden layer on fingerprints, then scores of each node and edge, on a chain of tasks."""

    def __init__(self, n_tasks: int, contrast: ContrastSettings, share: float):
        super().__init__()
        self.contrast, self.share = contrast, share  # of what it sees of the molecule
        self.edge_index = torch.stack([torch.arange(n_tasks - 1), torch.arange(1, n_tasks)])
        self.hidden = torch.nn.Sequential(
            torch.nn.Linear(2048, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.2)
        )
        self.node = torch.nn.Linear(8, n_tasks * 2)
        self.edge = torch.nn.Linear(8, (n_tasks - 1) * 4)

    def log_z(self) -> None:
        """Z is 1."""

    def energies(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.share * self.hidden(x)
        return log_softmax_factors(
            self.node(hidden).unflatten(1, (-1, 2)), self.edge(hidden).unflatten(1, (-1, 2, 2))
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("small"), random_labels(80, N_TASKS))


@pytest.fixture
def problem_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(
        prior: torch.Tensor | None = None, training: dict | None = None, share: float = 1.0, **options
    ) -> Problem:
        def build(problem: Problem) -> TinyEnergy:
            torch.manual_seed(problem.seed("initialisation"))
            return TinyEnergy(len(problem.columns), contrast_settings(**options), share)

        monkeypatch.setattr(networks, "build_model", build)
        spec = make_spec(training=training or {})
        data = PreparedDataset.load(folder, "scaffold-0", inputs="ecfp")
        return problems_of(spec, data, False, prior)[0]

    return make


def random_prior() -> torch.Tensor:
    return torch.rand(80, N_TASKS, generator=torch.Generator().manual_seed(3))


def train(problem: Problem, folder: Path):
    return Training(problem).fit(Checkpoint(folder / "none.pt", ""), lambda share, text: None)


def trained(problem: Problem) -> Training:
    training = Training(problem)
    while not training.is_over():
        training.run_epoch(lambda: None)
    return training


def result_bytes(problem: Problem, folder: Path) -> bytes:
    result = train(problem, folder)
    history = without_seconds(result.history)
    return tensor_bytes({"scores": result.scores, "weights": result.weights, "history": history})


@pytest.mark.parametrize("objective", ["paper", "untilted", "pseudo_likelihood"])
def test_a_task_is_predicted_from_the_one_it_is_related_to(problem_of, tmp_path, objective):
    """Tasks 0 and 1 have equal labels; the backbone knows those of task 0, the energy sees no molecule."""
    problem = problem_of(
        None, {"epochs": 20, "learning_rate": 0.1}, 0.0, edge_weight=1.0, objective=objective
    )
    labels = (torch.rand(80, N_TASKS, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    labels[:, 1] = labels[:, 0]
    prior = torch.full((80, N_TASKS), 0.5)
    prior[:, 0] = 0.1 + 0.8 * labels[:, 0]
    problem = replace(problem, data=replace(problem.data, labels=labels), prior=prior)
    scores, test = train(problem, tmp_path).scores["test"], problem.rows("test")
    assert mean_metric("roc_auc", labels[test, 1:2], scores[:, 1:2]) > 0.9
    assert mean_metric("roc_auc", labels[test, 3:4], scores[:, 3:4]) < 0.8  # nothing tells of task 3
    blind = replace(problem, prior=torch.full_like(prior, 0.5))
    scores = train(blind, tmp_path).scores["test"]
    assert mean_metric("roc_auc", labels[test, 1:2], scores[:, 1:2]) < 0.8


def test_scores_are_the_exact_marginals_of_the_trained_model(problem_of):
    prior = random_prior()
    training = trained(problem_of(prior, edge_weight=1.0, burn_in=20, sweeps=400))
    rows = training.problem.rows("test")
    scores = training.probabilities(rows)
    training.model.eval()
    with torch.no_grad():
        node, edge = training.model.energies(training.problem.data.x(rows))
    edges = tuple(map(tuple, training.model.edge_index.t().tolist()))
    for k, row in enumerate(rows.tolist()):
        problem = oracle.Problem(node[k], edge[k], edges, 1.0, tuple(prior[row].tolist()))
        assert scores[k].tolist() == pytest.approx(oracle.marginals(problem), abs=0.02)


def test_scores_of_a_molecule_do_not_depend_on_the_others(problem_of):
    training = trained(problem_of(random_prior()))
    rows = training.problem.rows("test")
    torch.testing.assert_close(training.predict(rows.flip(0)).flip(0), training.predict(rows))
    assert training.predict(rows[:0]).shape == (0, N_TASKS)


def test_adaptive_noise_that_is_never_updated_is_fixed_noise(problem_of, tmp_path):
    def run(**options) -> bytes:
        return result_bytes(problem_of(random_prior(), training={"epochs": 6}, **options), tmp_path)

    fixed = run(noise="fixed")
    assert run(noise="adaptive", noise_every=0) == fixed
    assert run(noise="adaptive", noise_every=7) == fixed
    assert run(noise="adaptive", noise_every=1, fixed_noise_epochs=6) == fixed  # updated once all is done
    assert run(noise="adaptive", noise_every=2) != fixed
    assert run(noise="gibbs") != fixed


def test_adaptive_noise_is_the_models_marginals_on_training_molecules(problem_of):
    prior = random_prior()
    training = Training(problem_of(prior, noise="adaptive", noise_every=1, noise_mixing=0.25))
    training.run_epoch(lambda: None)
    rows = training.rows
    expected = 0.75 * prior[rows] + 0.25 * training.predict(rows)
    torch.testing.assert_close(training.noise[rows], expected)
    assert torch.equal(training.noise[training.valid], prior[training.valid])
    assert torch.equal(training.backbone, prior)


def test_without_a_prior_the_backbone_is_uniform(problem_of, tmp_path):
    uniform = torch.full((80, N_TASKS), 0.5)
    assert result_bytes(problem_of(), tmp_path) == result_bytes(problem_of(uniform), tmp_path)
    assert result_bytes(problem_of(random_prior()), tmp_path) != result_bytes(problem_of(uniform), tmp_path)


def test_a_certain_prior_trains(problem_of, tmp_path):
    for noise in ("fixed", "adaptive", "gibbs"):
        problem = problem_of(random_prior().round(), noise=noise, noise_every=1, gibbs="released")
        result = train(problem, tmp_path)
        assert all(math.isfinite(row["train_loss"]) for row in result.history)


def test_a_run_of_some_tasks_sees_their_columns_of_the_prior(problem_of):
    problem, prior = problem_of(), random_prior()
    some = problems_of(replace(problem.spec, tasks=("task1", "task3")), problem.data, False, prior)[0]
    assert torch.equal(some.prior, prior[:, [1, 3]])
    assert torch.equal(trained(some).backbone, prior[:, [1, 3]])


def test_the_epoch_with_the_best_validation_is_restored(problem_of, tmp_path):
    problem = problem_of(random_prior(), training={"epochs": 8, "learning_rate": 0.05})
    result = train(problem, tmp_path)
    valid = [row["valid_metric"] for row in result.history]
    best = valid.index(max(valid))
    assert best < 7, "the last epoch is the best one: the test shows nothing"
    training = Training(problem)
    for _ in range(best + 1):
        training.run_epoch(lambda: None)
    assert torch.equal(training.predict(problem.rows("test")), result.scores["test"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(problem_of, tmp_path):
    problem = problem_of(random_prior())
    assert result_bytes(problem, tmp_path) == result_bytes(problem, tmp_path)
    other = replace(problem, spec=replace(problem.spec, seed=1))
    assert result_bytes(problem, tmp_path) != result_bytes(other, tmp_path)


@pytest.mark.parametrize("noise", ["fixed", "adaptive", "gibbs"])
def test_going_on_after_any_step_gives_the_same_bytes(problem_of, noise):
    problem = problem_of(random_prior(), noise=noise, noise_every=1, noise_samples=2, sweeps=3, burn_in=1)
    states: list[bytes] = []
    training = Training(problem)
    while not training.is_over():
        training.run_epoch(lambda: states.append(tensor_bytes(training.state())))
    assert len(states) == 9  # 3 epochs of 3 steps
    for state in states:
        torch.manual_seed(99)  # whatever the new process drew before
        resumed = Training(problem)
        resumed.restore(torch.load(io.BytesIO(state), weights_only=True))
        while not resumed.is_over():
            resumed.run_epoch(lambda: None)
        assert tensor_bytes(resumed.selections[0].weights) == tensor_bytes(training.selections[0].weights)
        assert torch.equal(resumed.noise, training.noise)
        assert without_seconds(resumed.selections[0].history) == without_seconds(
            training.selections[0].history
        )


@pytest.mark.parametrize("calls", [2, 5, 8])
def test_a_run_killed_at_any_call_of_progress_ends_with_the_same_bytes(
    problem_of, tmp_path, monkeypatch, calls
):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_WORK", 0)
    problem = problem_of(random_prior(), noise="adaptive", noise_every=1)
    undisturbed, path, shares = result_bytes(problem, tmp_path), tmp_path / "checkpoint.pt", []

    def kill(share: float, text: str) -> None:
        shares.append(share)
        if len(shares) == calls:
            raise Killed

    with pytest.raises(Killed):
        Training(problem).fit(Checkpoint(path, "digests"), kill)
    resumed: list[float] = []
    result = Training(problem).fit(Checkpoint(path, "digests"), lambda share, text: resumed.append(share))
    assert resumed[0] >= shares[-2] > 0, "it started over instead of going on"
    history = without_seconds(result.history)
    again = {"scores": result.scores, "weights": result.weights, "history": history}
    assert tensor_bytes(again) == undisturbed
