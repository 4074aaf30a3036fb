"""Each paper that a method, encoder or strategy names is a reference of CITATION.cff."""

from pathlib import Path

import pytest
import yaml

from relatask.core.registry import catalogue


@pytest.mark.parametrize("kind", ["methods", "encoders", "balancing"])
def test_every_paper_is_a_reference(kind: str, root: Path) -> None:
    references = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))["references"]
    keys = [reference["notes"].removeprefix("key: ") for reference in references]
    assert len(set(keys)) == len(keys)
    assert all({"title", "authors", "year"} <= set(reference) for reference in references)
    assert {one.paper for one in catalogue(kind).values() if one.paper} <= set(keys)
