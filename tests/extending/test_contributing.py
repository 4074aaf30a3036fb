"""CONTRIBUTING shows the files that these tests add, each whole and once, shortest first."""

import re
from pathlib import Path

import pytest

from tests.extending.additions import ADDITIONS
from tests.helpers.paths import SNIPPETS

PLACE = (
    r"(?:`|<code>)(src/relatask/[\w/]+\.py)(?:`:|</code>[^\n]*)"  # the line before, or head of a folded part
)
SHOWN = re.compile(PLACE + r"\n\n```python\n(.*?)```\n", re.DOTALL)


@pytest.fixture(scope="module")
def sections(root: Path) -> dict[str, str]:
    """Heading -> text, of the parts of CONTRIBUTING.md about additions."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    parts = text.split("\n### ")[1:]
    return {heading: body.split("\n## ")[0] for heading, body in (part.split("\n", 1) for part in parts)}


def length(files: dict[str, str]) -> int:
    """Lines of an addition."""
    return sum(len((SNIPPETS / name).read_text(encoding="utf-8").splitlines()) for name in files.values())


def test_every_addition_has_a_section_shortest_first(sections: dict[str, str]) -> None:
    assert list(sections) == list(ADDITIONS)
    lengths = [length(files) for files in ADDITIONS.values()]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("heading", ADDITIONS)
def test_a_section_shows_the_files_that_are_tested(heading: str, sections: dict[str, str]) -> None:
    shown = dict(SHOWN.findall(sections[heading]))
    assert shown == {
        f"src/relatask/{place}": (SNIPPETS / name).read_text(encoding="utf-8")
        for place, name in ADDITIONS[heading].items()
    }
    assert sections[heading].count("```python") == len(shown)


def test_the_list_names_the_files_and_lines_of_each(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(.+)\]\(#[\w-]+\) \| (.+) \| (\d+) \|$", text, re.MULTILINE)
    assert [(name.lower(), places, int(lines)) for name, places, lines in rows] == [
        (heading.lower(), ", ".join(f"`{place}`" for place in files), length(files))
        for heading, files in ADDITIONS.items()
    ]


def test_an_addition_is_at_most_two_files_and_every_snippet_belongs_to_one() -> None:
    assert all(1 <= len(files) <= 2 for files in ADDITIONS.values())
    names = [name for files in ADDITIONS.values() for name in files.values()]
    assert sorted(names) == sorted(path.name for path in SNIPPETS.glob("*.py"))
