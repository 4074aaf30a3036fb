"""Methods, encoders and balancing strategies are found by reading their files, not by importing them.

Planning happens while Snakemake parses the workflow, where importing torch would cost seconds and
650 MB. So each such file states what it is in one literal, ``CAPABILITIES = {...}``, which is read from
its source text; the module is imported only where it trains. Adding a method is adding a file: nothing
lists them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.records import PACKAGE, checked_options, import_file, read_record, suggest


@dataclass(frozen=True)
class Capabilities:
    """What a method, encoder or balancing needs and offers; each field is a key of its ``CAPABILITIES``."""

    name: str  # the file's name
    file: str  # from the package's folder, e.g. methods/sgnn/sgnn_ebm.py
    summary: str  # one line for tables and --help
    label: str  # short name in tables and figures
    paper: str | None = None  # citation key, see CITATION.cff; None for textbook methods
    inputs: tuple[str, ...] = (
        "graph",
    )  # of encoders: graph, ecfp, series, image; of methods without one: what they read
    loop: str = "supervised"  # methods: the module that trains it, in the method's folder or engine/loops
    per_task: bool = False  # one independent model per task; its runs may be cut into parts
    uses_encoder: bool = True
    needs_relations: bool = False
    uses_prior: bool = False  # may start from the predictions of another method's run
    uses_known_labels: bool = False  # reads other tasks' labels of the same item at inference
    label_kinds: tuple[str, ...] = ("binary",)
    cost_in_tasks: str = "O(1)"
    # Of one core, with default options. Encoders: per item and epoch; methods with an encoder: what they add
    # to it, per item, epoch and task; methods without: per item and task.
    microseconds: float = 0.0
    cost_options: tuple[str, ...] = ()  # options the cost is proportional to; twice for a square
    # Encoders with a twin `_stacked_{name}.py` that encodes for several runs at once: device type -> how wide
    # the runs may be together. A device that is absent trains run by run, because that is faster there.
    side_by_side: Mapping[str, int] = field(default_factory=dict)
    passes_per_task: float = 0.0  # balancing: further passes through the encoder a step, in shares of a step
    options: Mapping[str, Any] = field(default_factory=dict)  # name -> default, which also fixes the type
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # option -> its only values
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # option -> least, greatest value


def read_capabilities(path: Path) -> Capabilities:
    """Return the ``CAPABILITIES`` literal of the module at `path` without importing it.

    Raises:
        RelataskError: there is none, it is not a literal, or a key is unknown.
    """
    return read_record(path, "CAPABILITIES", Capabilities)


@lru_cache
def catalogue(kind: str) -> dict[str, Capabilities]:
    """Return name -> capabilities of every file of ``methods``, ``encoders`` or ``balancing``, by name.

    Files that hold no entry of their own (helpers) start with an underscore. A method may also be a folder,
    where every file with a ``CAPABILITIES`` is an entry.
    """
    files = [*(PACKAGE / kind).glob("[!_]*.py")]
    files += [path for path in (PACKAGE / kind).glob("*/[!_]*.py") if _is_entry(path)]
    return {path.stem: read_capabilities(path) for path in sorted(files, key=lambda path: path.stem)}


def _is_entry(path: Path) -> bool:
    return "\nCAPABILITIES" in path.read_text(encoding="utf-8")


def loop_file(method: str) -> str:
    """Return the file of the loop that trains a method: beside it in its folder, else in engine/loops."""
    ability = capabilities("methods", method)
    own = Path(ability.file).with_name(f"{ability.loop}.py").as_posix()
    return own if (PACKAGE / own).is_file() else f"engine/loops/{ability.loop}.py"


def load_loop(method: str) -> ModuleType:
    """Import the loop that trains a method."""
    return import_file(loop_file(method))


def capabilities(kind: str, name: str) -> Capabilities:
    """Return the capabilities of one entry of a kind; an unknown name is a `RelataskError`."""
    found = catalogue(kind)
    if name not in found:
        hint = _as_option(found.values(), name) or suggest(name, found)
        raise RelataskError(f"there is no {_one(kind)} {name!r} in relatask.{kind}.{hint}")
    return found[name]


def _one(kind: str) -> str:
    """What messages call an entry of a kind: method, encoder, balancing."""
    return kind.removesuffix("s")


def _as_option(entries: Iterable[Capabilities], name: str) -> str:
    """Return " It is ..." where a name is the value of an option of an entry, as pcgrad is, else ""."""
    for entry in entries:
        for option, values in entry.choices.items():
            if name.lower() in values:
                return f" It is {entry.name!r} with the option {option}: {name.lower()}."
    return ""


def load(kind: str, name: str) -> ModuleType:
    """Import the module of an entry (this is where torch comes in)."""
    return import_file(capabilities(kind, name).file)


def complete_options(kind: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of an entry of a kind overridden by `given`.

    Raises:
        RelataskError: an option is unknown, of another type than its default, or none of its values.
    """
    return checked_options(f"{_one(kind)} {name!r}", capabilities(kind, name), given)
