"""CONTRIBUTING shows the files that these tests use."""

from pathlib import Path

import pytest

from tests.helpers.paths import SNIPPETS


@pytest.mark.parametrize("name", ["hardest_tasks", "seed_spread", "best_partner"])
def test_a_snippet_is_shown_as_it_is_tested(name: str, root: Path) -> None:
    shown = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"```python\n{(SNIPPETS / f'{name}.py').read_text(encoding='utf-8')}```" in shown
