"""calibration.json: what is read is what was written, and a damaged file is one sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relatask.core.errors import RelataskError
from relatask.evaluation.calibration import calibration_of
from relatask.evaluation.conformal import MOST
from relatask.evaluation.coverage import cross_fitted, per_task, with_parts
from relatask.models import calibration
from relatask.models.calibration import CALIBRATION, content_of, read_calibration
from relatask.models.wanted import Wanted
from tests.helpers.out_of_fold import values


@pytest.fixture(scope="module")
def content() -> bytes:
    frame = values(2 * MOST)
    found = calibration_of(frame, {"a": "real", "none": "binary"})
    return content_of(found, per_task(cross_fitted(with_parts(frame), {"a": "real"})))


def test_a_file_holds_a_bounded_number_of_scores_and_says_the_same(content: bytes, tmp_path: Path) -> None:
    (tmp_path / CALIBRATION).write_bytes(content)
    read, written = read_calibration(tmp_path), calibration_of(values(2 * MOST), {"a": "real"})
    assert len(json.loads(content)["tasks"]["a"]["scores"]) == MOST
    similarity = np.array([0.1, 0.5, 0.9])
    for level in (0.5, 0.9, 0.99):
        np.testing.assert_allclose(
            read.tasks["a"].half_widths(level, read.relative("real", similarity), 3),
            written.tasks["a"].half_widths(level, written.relative("real", similarity), 3),
            rtol=1e-4,
        )
    assert read.limit == pytest.approx(written.limit, rel=1e-4)
    assert read.tasks["none"].lacks(0.9) == "no label was predicted out of fold"
    checked = json.loads(content)["checked"]["a"]
    assert checked["coverage_90"] == pytest.approx(0.9, abs=0.03)
    assert checked["ece"] is None


def changed(content: bytes, path: list[str], value: Any) -> bytes:
    whole = inner = json.loads(content)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["format"], 9, "has format 9"),
        (["tasks"], [], "'tasks' is"),
        (["tasks", "a", "scores"], [1.0], "is damaged"),
        (["tasks", "a", "scores"], ["x"] * MOST, "is damaged"),
        (["tasks", "a", "scaled"], [float("nan")] * MOST, "is damaged"),
        (["tasks", "a", "kind"], "other", "is damaged"),
        (["tasks", "a", "coefficients"], [1, -1, 0], "is damaged"),
        (["tasks", "a", "counts"], [[1, 2]], "is damaged"),
        (["tasks", "a"], None, "is damaged"),
        (["curves", "real", "relative"], [0.0], "is damaged"),
        (["limit"], {}, "is damaged"),
    ],
)
def test_a_damaged_file_is_one_sentence(
    content: bytes, tmp_path: Path, path: list[str], value: Any, said: str
) -> None:
    (tmp_path / CALIBRATION).write_bytes(changed(content, path, value))
    with pytest.raises(RelataskError, match=said):
        read_calibration(tmp_path)


def test_a_file_that_is_too_large_is_not_read(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / CALIBRATION).write_bytes(content)
    monkeypatch.setattr(calibration, "MOST_BYTES", 10)
    with pytest.raises(RelataskError, match="more than 10 bytes"):
        read_calibration(tmp_path)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(RelataskError, match="name one between 0 and 1"):
        Wanted(level)
