"""Folders that tests use."""

from pathlib import Path

ROOT = Path(__file__).parents[2]  # the project
SNIPPETS = ROOT / "tests" / "extending" / "snippets"  # additions that CONTRIBUTING.md shows
RECORDED = ROOT / "tests" / "recorded"  # files as other programs wrote them
