"""calibration.json of a folder of models: what `evaluation.calibration` found, in numbers."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json, read_fields
from relatask.core.kinds import KINDS
from relatask.evaluation.calibration import Calibration, TaskCalibration
from relatask.evaluation.conformal import MOST
from relatask.evaluation.error_curve import BINS, ErrorCurve

FORMAT = 1
CALIBRATION = "calibration.json"
MOST_BYTES = 200_000_000  # of the file; 10,000 tasks have a tenth of it


def content_of(found: Calibration, checked: pd.DataFrame) -> bytes:
    """Return the content of calibration.json; numbers have six digits.

    Args:
        found: what it is to say.
        checked: how well that holds, as `evaluation.coverage.per_task` returns it; for readers.
    """
    value = {
        "format": FORMAT,
        "tasks": {task: asdict(one) for task, one in found.tasks.items()},
        "curves": {kind: asdict(curve) for kind, curve in found.curves.items()},
        "limit": found.limit,
        "against_mean": found.against_mean and asdict(found.against_mean),
        "checked": {row.pop("task_id"): row for row in checked.to_dict("records")},
    }
    return f"{canonical_json(_plain(value))}\n".encode()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers rounded, None for what is no number, "inf" for infinity."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else "inf" if math.isinf(value) else float(f"{value:.6g}")
    return int(value) if isinstance(value, np.integer) else value


def read_calibration(folder: Path) -> Calibration:
    """Read calibration.json.

    Raises:
        RelataskError: it is absent, damaged, too large, or of a format that is not read.
    """
    path = folder / CALIBRATION
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise RelataskError(f"{path} has more than {MOST_BYTES:,} bytes; get the model anew.")
    content = read_fields(path, format=int, tasks=dict, curves=dict)
    if content["format"] != FORMAT:
        raise RelataskError(
            f"{path} has format {content['format']}; load it with another version of relatask."
        )
    try:
        limit = content["limit"]
        return Calibration(
            {task: _task(one) for task, one in content["tasks"].items()},
            {kind: _curve(curve) for kind, curve in content["curves"].items()},
            limit=math.inf if limit == "inf" else None if limit is None else float(limit),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RelataskError(f"{path} is damaged ({error}); get the model anew, or train it again.") from None


def _task(given: dict[str, Any]) -> TaskCalibration:
    """Return what the file says of a task.

    Raises:
        ValueError, TypeError: it is not as it is written.
    """
    found = TaskCalibration(
        kind=given["kind"],
        n=int(given["n"]),
        why_not=str(given["why_not"]),
        coefficients=None if given["coefficients"] is None else tuple(map(float, given["coefficients"])),  # type: ignore[arg-type]
        scores=_rising(given["scores"]),
        scaled=_rising(given["scaled"]),
        counts=tuple((int(one), int(other), int(n)) for one, other, n in given["counts"]),
        error=math.nan if given["error"] is None else float(given["error"]),
    )
    kept = min(found.n, MOST) if found.kind == "real" else 0
    wrong = (
        found.kind not in KINDS
        or found.n < 0
        or len(found.scores) != kept
        or len(found.scaled) not in {0, kept}
        or (found.coefficients is not None and not _are_coefficients(found.coefficients))
        or any(min(row) < 0 for row in found.counts)
    )
    if wrong:
        raise ValueError(f"a task of kind {found.kind!r} is not as it is written")
    return found


def _are_coefficients(given: tuple[float, ...]) -> bool:
    return len(given) == 3 and all(map(math.isfinite, given)) and min(given[:2]) >= 0


def _rising(given: Any) -> np.ndarray:
    values = np.array(given, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (np.diff(values) < 0).any() or (values < 0).any():
        raise ValueError("scores are no rising numbers")
    return values


def _curve(given: dict[str, Any]) -> ErrorCurve:
    curve = ErrorCurve(
        _rising(given["similarity"]), np.array(given["relative"], np.float64), np.array(given["n"], np.int64)
    )
    shape = curve.similarity.shape
    if not 0 < shape[0] <= BINS or curve.relative.shape != shape or curve.n.shape != shape:
        raise ValueError("a curve has other numbers than it is written with")
    if not (np.isfinite(curve.relative).all() and (curve.relative > 0).all()):
        raise ValueError("a curve is not above 0")
    return curve
