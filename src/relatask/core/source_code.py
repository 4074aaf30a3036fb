"""Which files of the package a step runs, found by reading imports and not by importing.

Snakemake does not see imported code. Each rule passes a digest of these files as a param, so that an
edit re-runs the steps it concerns and no other.
"""

import re
from functools import lru_cache
from pathlib import Path

from relatask.core.files import source_digest

PACKAGE = Path(__file__).parents[1]
# Imports of the package's own modules. Parsing 150 files for them would take most of the workflow's start.
IMPORT = re.compile(r"^[ \t]*import (relatask[\w.]+)", re.MULTILINE)
FROM = re.compile(r"^[ \t]*from (relatask[\w.]*|\.[\w.]*) import (\([^)]*\)|[^(\n]+)", re.MULTILINE)
COMMENT = re.compile(r"#[^\n]*")
# A step's block of the config is a param of its rule; the models that check it decide no result.
LEFT_OUT = {"core/errors.py", "core/blocks.py", "core/source_block.py", "config/__init__.py"}


# They move bytes and find files; a new table or capability in them must not train anything again.
COLUMNS = {f"core/columns/{kind}.py" for kind in ("data", "runs")}
MOVING = (
    "tables",
    "outputs",
    "records",
    "plugins",
    "layout",
    "estimators",
    "atomic",
    "processes",
    "files",
    "registry",
    "search_space",
    "source_code",
    "code_at_start",
    "workflow_files",
)
PLUMBING = COLUMNS | {f"core/{name}.py" for name in MOVING}


def code_of(*parts: str) -> str:
    """Digest (16 hex digits) of `parts`, e.g. ``"steps/merge_runs.py"``, with all they import."""
    return source_digest(*imported_by(*parts))


def imported_by(*parts: str) -> list[str]:
    """Paths, relative to the package, of `parts` and of every module they import, also inside functions.

    Modules that are found by name at run time, as methods and encoders are, must be given in `parts`.
    """
    found: set[str] = set()
    todo = list(parts)
    while todo:
        part = todo.pop()
        if part not in found and part not in LEFT_OUT:
            found.add(part)
            todo += _imports(part)
    return sorted(found)


@lru_cache
def _imports(part: str) -> list[str]:
    """Files of the package that the file `part` imports itself."""
    text = (PACKAGE / part).read_text(encoding="utf-8")
    names = IMPORT.findall(text)
    for given, imported in FROM.findall(text):
        module = _absolute(given, part)
        parts = COMMENT.sub("", imported.strip("()")).split(",")
        names += [module, *(f"{module}.{part.split()[0]}" for part in parts if part.strip())]
    paths = ["/".join(name.split(".")[1:]) for name in names if name.startswith("relatask.")]
    files = [file for path in paths for file in (f"{path}.py", f"{path}/__init__.py")]
    return sorted({file for file in files if (PACKAGE / file).is_file()})


def _absolute(module: str, part: str) -> str:
    """Return the name of a module that the file `part` imports, also of one given from there, as `.other`."""
    name = module.lstrip(".")
    if not (dots := len(module) - len(name)):
        return module
    folders = Path(part).parts[:-1]
    return ".".join(filter(None, ["relatask", *folders[: len(folders) - dots + 1], name]))
