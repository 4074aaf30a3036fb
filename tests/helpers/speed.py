"""Which tests are quick and which are slow, by the place of their file; tests/README.md says how measured."""

from pathlib import PurePath

QUICK = (
    *("balancing", "config", "core", "data", "encoders", "evaluation", "grouping"),
    *("freshness", "inputs", "journal", "nn", "plan", "publishing", "extending/test_contributing.py"),
)
NEITHER = (  # in folders of quick tests
    *("data/test_split_schemes.py", "grouping/test_active.py", "grouping/test_online.py"),
    *("publishing/test_figures.py", "publishing/test_tables.py"),
)
SLOW = (  # whole studies with real training, and CPU time against the number of molecules
    *("workflow/test_demo.py", "workflow/test_few_shot.py", "workflow/test_grouping.py"),
    *("workflow/test_known_labels.py", "workflow/test_real_slice.py", "workflow/test_series.py"),
    "workflow/test_train.py",
    "data/test_scale.py",
)
MARKS = {**dict.fromkeys(QUICK, "quick"), **dict.fromkeys(NEITHER, ""), **dict.fromkeys(SLOW, "slow")}


def mark_of(place: PurePath) -> str:
    """Mark of a test whose file lies at `place` below tests/, or ""; the longest entry decides."""
    found = [entry for entry in MARKS if place.is_relative_to(entry)]
    return MARKS[max(found, key=len)] if found else ""
