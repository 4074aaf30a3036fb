"""The authors' tables of gains: what they hold, and the curves that their notebooks print."""

from pathlib import Path

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.grouping.averages import average_over_partners, pairs_of_estimate
from relatask.grouping.gains import GainTable
from relatask.grouping.group_search import Limits, choose_groups
from relatask.grouping.published_gains import FILES, TASKS, read_published
from relatask.grouping.random_groups import random_gains

# Mean test gain in per cent for budgets 1, 2, ..., from the authors' tables; equal to what they print.
CURVES = {
    ("taskonomy", "oracle"): (3.4694, 13.8752, 17.7636, 18.3484, 18.3484),
    ("taskonomy", "hoa"): (3.4694, 12.1660, 16.7168, 16.9330, 16.9330),
    ("taskonomy", "tag"): (3.4694, -17.3196, 4.8824, 4.8824, 4.8824),
    ("ettm1", "oracle"): (2.720, 14.753, 15.787, 16.251, 16.190, 15.119, 15.119),
    ("ettm1", "hoa"): (2.720, 9.693, 8.734, 9.291, 7.947, 8.291, 5.907),
    ("ettm1", "tag"): (2.720, 4.984, 6.301, 3.644, -0.901, 1.790, 1.064),
    # nobody printed these: they are ours, from the same files by the same beam search
    ("mimic", "oracle"): (5.4926, 6.4085, 7.2833, 7.7556, 7.8526, 8.1548, 8.2778, 8.3889, 8.4885, 8.5589),
    ("mimic", "hoa"): (5.4926, 5.3476, 6.2550, 5.8701, 5.1520, 5.0445, 5.1939, 4.8671, 5.2739, 5.3720),
    ("mimic", "tag"): (5.4926, 5.2291, 5.2047, 2.7878, 2.5674, 2.4300, 2.4893, 2.4377, 1.8114, -7.5486),
}


@pytest.fixture(scope="module")
def folder(mirror: Path) -> Path:
    return mirror / "mtg"


def _read(folder: Path, name: str) -> tuple[GainTable, dict[str, np.ndarray]]:
    gains, estimates = read_published(folder, name)
    return gains, {**estimates, "oracle": gains.valid}


@pytest.mark.parametrize(("name", "strategy"), CURVES)
def test_the_curves_are_the_authors(folder: Path, name: str, strategy: str) -> None:
    gains, estimates = _read(folder, name)
    rounding = 5.1e-4 if name == "ettm1" else 5.1e-5
    for budget, expected in enumerate(CURVES[name, strategy], 1):
        found = choose_groups(estimates[strategy], Limits(budget), exact=name == "taskonomy")
        assert 100 * found.served(gains.test).mean() == pytest.approx(expected, abs=rounding)


def test_the_best_groups_of_ettm1(folder: Path) -> None:
    gains, _ = _read(folder, "ettm1")
    two = choose_groups(gains.valid, Limits(2), exact=True)
    assert ["".join(map(str, gains.sets[row].astype(int))) for row in two.rows] == ["0111100", "1111011"]
    three = choose_groups(gains.valid, Limits(3), exact=True)
    assert 100 * three.value == pytest.approx(15.477, abs=5e-4)
    assert 100 * three.served(gains.test).mean() == pytest.approx(14.974, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "expected", "tolerance"),
    [
        ("taskonomy", (3.4694, 4.4499, 6.2826, 8.1556), 0.3),  # by trying all choices; three standard errors
        ("ettm1", (2.720, 6.285, 6.639, 7.199, 7.876, 8.246, 8.745), 0.25),
    ],
)
def test_random_groups_are_worth_what_was_found(
    folder: Path, name: str, expected: tuple[float, ...], tolerance: float
) -> None:
    gains, _ = _read(folder, name)
    found = [100 * random_gains(gains, budget, 5000, 0).test.mean() for budget in range(1, len(expected) + 1)]
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_the_notebook_of_taskonomy_lets_tasks_keep_zero(folder: Path) -> None:
    gains, _ = _read(folder, "taskonomy")
    found = [
        100 * random_gains(gains, budget, 5000, 0, outside="as_zero").test.mean() for budget in range(1, 6)
    ]
    np.testing.assert_allclose(found, (3.47, 7.12, 8.53, 9.66, 10.60), atol=0.25)


@pytest.mark.parametrize(
    ("name", "entries", "mean", "positive", "extremes"),
    [
        ("ettm1", 441, 0.0107, 0.528, (-0.345, 0.005, 0.325)),
        ("mimic", 38495, -0.0251, 0.394, (-0.854, -0.015, 0.503)),
        ("taskonomy", 75, 0.0158, 0.627, (-0.988, 0.020, 0.443)),
    ],
)
def test_the_gains_are_distributed_as_known(
    folder: Path, name: str, entries: int, mean: float, positive: float, extremes: tuple[float, ...]
) -> None:
    gains, _ = _read(folder, name)
    values = gains.valid[gains.sets & (gains.sizes > 1)[:, None]]
    assert len(values) == entries
    assert values.mean() == pytest.approx(mean, abs=5e-5)
    assert (values > 0).mean() == pytest.approx(positive, abs=5e-4)
    np.testing.assert_allclose(np.quantile(values, (0, 0.5, 1)), extremes, atol=5.1e-4)


@pytest.mark.parametrize(("name", "deviation"), [("taskonomy", 1.4e-3), ("ettm1", 5.1e-5), ("mimic", 5.3e-5)])
def test_their_estimates_are_averages_over_pairs(folder: Path, name: str, deviation: float) -> None:
    gains, estimates = _read(folder, name)
    hoa = average_over_partners(gains.pair_gains(), gains.sets)
    assert np.nanmax(np.abs(hoa - estimates["hoa"])) < deviation  # their rounding
    tag = average_over_partners(pairs_of_estimate(estimates["tag"], gains.sets), gains.sets)
    assert np.nanmax(np.abs(tag - estimates["tag"])) < 1e-4


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Files of Taskonomy's form with three sets."""
    rows = {"sets": "1,0,0,0,0\n0,1,1,1,1\n1,1,1,1,1\n"}
    for what in ("valid", "hoa", "tag"):
        rows[what] = "0 0 0 0 0\n0 .1 .2 .3 .4\n.5 .6 .7 .8 .9\n"
    for what, text in rows.items():
        (tmp_path / FILES["taskonomy"][what]).write_text(text)
    return tmp_path


def test_files_are_read_as_written(written: Path) -> None:
    gains, estimates = read_published(written, "taskonomy")
    assert gains.tasks == list(TASKS["taskonomy"])
    assert gains.sets.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 1, 1], [1] * 5]
    np.testing.assert_array_equal(gains.valid[1], [np.nan, 0.1, 0.2, 0.3, 0.4])
    assert set(estimates) == {"hoa", "tag"}


@pytest.mark.parametrize(
    ("what", "text", "said"),
    [
        ("sets", "1,0,0,0\n", "must be a table of finite numbers, 5 in each row"),
        ("sets", "2,0,0,0,0\n" * 3, "must hold 0 and 1"),
        ("sets", "1,0,0,0,0\n1,1,1,1,1\n1,1,1,1,1\n", "holds a task set twice"),
        ("valid", "0 0 0 0 0\n", "has 1 rows, but .* has 3"),
        ("valid", "0 1 0 0 0\n0 1 1 1 1\n1 1 1 1 1\n", "row 1: a task outside the set has a gain"),
        ("hoa", "x\n", "must be a table of numbers"),
        ("tag", "nan 0 0 0 0\n" * 3, "must be a table of finite numbers"),
    ],
)
def test_other_files_are_refused(written: Path, what: str, text: str, said: str) -> None:
    (written / FILES["taskonomy"][what]).write_text(text)
    with pytest.raises(RelataskError, match=said):
        read_published(written, "taskonomy")


def test_a_missing_file_is_named(written: Path) -> None:
    (written / "taskonomy_HOA.csv").unlink()
    with pytest.raises(RelataskError, match=r"taskonomy_HOA\.csv cannot be read"):
        read_published(written, "taskonomy")
