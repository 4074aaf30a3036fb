"""Methods, loops, encoders and balancing strategies, found by reading their files and not by importing them.

Each such file states what it is in one literal, ``CAPABILITIES = {...}`` or, of a loop, ``LOOP = {...}``; see
`relatask.core.records`. The module is imported only where it trains.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from relatask.core.errors import RelataskError
from relatask.core.kinds import KINDS, WEIGHTS
from relatask.core.plugins import form_of
from relatask.core.records import (
    DERIVED,
    PACKAGE,
    Options,
    checked_options,
    import_file,
    read_record,
    records,
    suggest,
)
from relatask.core.search_space import checked_space


@dataclass(frozen=True)
class LoopRecord(Options):
    """What a training loop does and needs; each field but the file is a key of its ``LOOP``.

    Its options are options of every method that it trains. One that a method lists too has the method's
    default, choices and limits, and is handed to the method as well.
    """

    file: str = ""  # from the package's folder, e.g. engine/loops/supervised.py
    balances: bool = False  # weighs the losses of tasks by the run's balancing
    imputes: bool = False  # one model scores any cell, by its `predictor`
    second_derivatives: bool = False  # differentiates through a gradient
    forecasts: bool = False  # items are points in time, and encoders read windows before them
    episodes: bool = False  # items have one class each, and classes of the held-out folds are others
    # Options at whose values some tasks have no label in training.
    holds_out_tasks: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    # Options at whose values the score of an item depends on the items that are scored with it.
    scores_together: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def is_held_out(self, options: Mapping[str, Any]) -> bool:
        """Whether a run with `options` holds out tasks."""
        return any(options.get(name) in values for name, values in self.holds_out_tasks.items())

    def is_scored_together(self, options: Mapping[str, Any]) -> bool:
        """Whether in a run with `options` scores of items depend on each other."""
        return any(options.get(name) in values for name, values in self.scores_together.items())


@dataclass(frozen=True)
class Capabilities(Options):
    """What a method, encoder or balancing needs and offers; each field is a key of its ``CAPABILITIES``."""

    name: str = ""  # the file's name
    file: str = ""  # from the package's folder, e.g. methods/sgnn/sgnn_ebm.py
    summary: str = ""  # one line for tables and --help
    label: str = ""  # short name in tables and figures
    paper: str | None = None  # citation key, see CITATION.cff; None for textbook methods
    # Of encoders, and of methods without one: forms of what they read, first the one of rows that name no
    # `inputs`. Who reads "vectors" reads the table of any flat input, and of several beside each other.
    inputs: tuple[str, ...] = ("graph",)
    extra: str = ""  # of pyproject.toml, and the package of that name, which it imports; empty: none

    # Option -> which of its values a search may choose, see core/search_space.py; others stay as they are.
    space: Mapping[str, Any] = field(default_factory=dict)
    # Values of options that do not go together, each with a sentence that says why and the way out:
    # (option -> its values, sentence), refused where all of them meet.
    contradictions: tuple[tuple[Mapping[str, Any], str], ...] = ()
    # Of methods: options that no random draw depends on, so that rows that differ in them alone are compared
    # in pairs. Option -> the value that stands for all of its values in the seeds of a run; None: it has no
    # place in them, as one that is younger than published numbers.
    draws_alike: Mapping[str, Any] = field(default_factory=dict)

    # Of methods:
    loop: str = "supervised"  # the module that trains it, in the method's folder or engine/loops
    encoders: str = "shared"  # what it builds: one "shared" encoder, one "per task", or "none"
    form: str = ""  # the only form of a batch that its encoder may read; empty: any
    copies: tuple[str, ...] = ()  # options that say how many encoders it builds in the place of each
    trunk: bool | None = None  # whether its model has a trunk; default: where it has a shared encoder
    kinds: tuple[str, ...] = ("binary",)  # of labels that it learns: binary, real, class
    weights: tuple[str, ...] = ()  # of labels that it reads: items, classes, tasks
    random: bool = True  # whether a run draws random numbers, so that another one differs
    per_task: bool = False  # one independent model per task; its runs may be cut into parts
    needs_relations: bool = False
    uses_prior: bool = False  # may start from the predictions of another method's run
    uses_known_labels: bool = False  # reads other tasks' labels of the same item at inference
    second_derivatives: bool = False  # differentiates through a gradient
    # Tables that a run leaves behind besides predictions: name -> {column: type as in core.columns}.
    saves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    own_options: tuple[
        str, ...
    ] = ()  # names of those that stand in the method's file, not in its loop's alone

    # Of methods and balancing strategies: whether runs can be trained side by side in one pass. A method's
    # outputs must be heads(encoder(x)), and a strategy must read the losses alone.
    stacks: bool = False

    # Of encoders:
    # What `build` gets besides its options: attributes of the input as training items taught it, e.g. the
    # vocabulary of the training texts.
    from_input: tuple[str, ...] = ()
    initial: tuple[str, ...] = ()  # options that say where weights start; a trained model does not read them
    twice_differentiable: bool = False  # has second derivatives, by plain operations where a loop needs them
    # Encoders with a twin `_stacked_{name}.py` that encodes for several runs at once: device type -> how wide
    # the runs may be together. A device that is absent trains run by run, because that is faster there.
    side_by_side: Mapping[str, int] = field(default_factory=dict)

    # Of balancing strategies:
    needs_trunk: bool = False  # reads the trunk's parameters or output
    passes_per_task: float = 0.0  # further passes through the encoder a step, in shares of a step

    cost_in_tasks: str = "O(1)"
    # Of one core, with default options. Encoders: per item and epoch; methods with an encoder: what they add
    # to it, per item, epoch and task; methods without: per item and task.
    microseconds: float = 0.0
    cost_options: tuple[str, ...] = ()  # options that multiply the cost; twice if it grows with the square

    @property
    def uses_encoder(self) -> bool:
        """Of methods: whether it trains a network."""
        return self.encoders != "none"

    @property
    def has_trunk(self) -> bool:
        """Of methods: whether all tasks share a module that balancing strategies can read."""
        return self.encoders == "shared" if self.trunk is None else self.trunk


NO_KEYS = DERIVED | {"own_options"}
ENCODERS = ("shared", "per task", "none")
TYPES = ("category", "string", "bool", "int8", "int16", "int32", "int64", "float32", "float64")  # of columns
NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_capabilities(path: Path) -> Capabilities:
    """Return the ``CAPABILITIES`` literal of the module at `path` without importing it.

    Raises:
        RelataskError: there is none, it is not a literal, or a key or one of its words is unknown.
    """
    return _checked(read_record(path, "CAPABILITIES", Capabilities, NO_KEYS))


def _checked(ability: Capabilities) -> Capabilities:
    """Return a record after refusing words that mean nothing, and spaces of what is no option."""
    for key, words, values in (
        ("encoders", ENCODERS, [ability.encoders]),
        ("kinds", KINDS, ability.kinds),
        ("weights", WEIGHTS, ability.weights),
    ):
        if strange := [value for value in values if value not in words]:
            raise RelataskError(
                f"{PACKAGE / ability.file}: CAPABILITIES[{key!r}] is {strange[0]!r}; it can be "
                f"{', '.join(words)}."
            )
    _check_saves(PACKAGE / ability.file, ability.saves)
    named = {"draws_alike": ability.draws_alike, "contradictions": _chained(ability.contradictions)}
    for key, options in named.items():
        if strange := [option for option in options if option not in ability.options]:
            raise RelataskError(
                f"{PACKAGE / ability.file}: CAPABILITIES[{key!r}] names {strange[0]!r}, which is no option."
                f"{suggest(strange[0], ability.options)}"
            )
    owner = f"{PACKAGE / ability.file}: CAPABILITIES['space']"
    return replace(ability, space=checked_space(owner, ability, ability.space))


def _chained(contradictions: tuple[tuple[Mapping[str, Any], str], ...]) -> list[str]:
    """Return the options that are named in them."""
    return [option for values, _ in contradictions for option in values]


def _check_saves(path: Path, saves: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse names of tables and columns that no file can have, and types that do not exist."""
    for name, columns in saves.items():
        where = f"{path}: CAPABILITIES['saves'][{name!r}]"
        if not NAME.fullmatch(name):
            raise RelataskError(f"{where}: a table's name has small letters, digits and underscores.")
        if not columns or "run_id" in columns:
            raise RelataskError(f"{where} must have columns besides run_id, which every row gets.")
        for column, kind in columns.items():
            if kind.rstrip("?") not in TYPES:
                raise RelataskError(f"{where}: {column} is {kind!r}.{suggest(kind, TYPES)}")


def saved_tables(methods: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Return the tables that some of `methods` save besides predictions: name -> columns, without run_id.

    Raises:
        RelataskError: two methods give one name to tables of different columns.
    """
    found: dict[str, Mapping[str, str]] = {}
    for method in methods:
        for name, columns in capabilities("methods", method).saves.items():
            if found.setdefault(name, columns) != columns:
                raise RelataskError(
                    f"method {method!r} saves a table {name!r} whose columns differ from those of another "
                    "method of the study; give one of them another name."
                )
    return found


@lru_cache
def read_loop(file: str) -> LoopRecord:
    """Return the ``LOOP`` literal of a loop's file, a path from the package's folder.

    Raises:
        RelataskError: there is none, it is not a literal, or a key is unknown.
    """
    path = PACKAGE / file
    if not path.is_file():
        raise RelataskError(
            f"there is no file {path}, but a method names it as its loop; see CONTRIBUTING.md."
        )
    return read_record(path, "LOOP", LoopRecord, frozenset({"file"}))


@lru_cache
def catalogue(kind: str) -> dict[str, Capabilities]:
    """Return name -> capabilities of every file of ``methods``, ``encoders`` or ``balancing``, by name.

    Files that hold no entry of their own (helpers) start with an underscore. A method may also be a folder,
    where every file with a ``CAPABILITIES`` is an entry. Options of methods include those of their loops.
    """
    found = records(kind, "CAPABILITIES", Capabilities, NO_KEYS)
    checked = {name: _checked(ability) for name, ability in found.items()}
    return {name: _with_loop(one) if kind == "methods" else one for name, one in checked.items()}


def _with_loop(ability: Capabilities) -> Capabilities:
    """Return a method's capabilities with the options of its loop."""
    loop = read_loop(_loop_file(ability))
    return replace(
        ability,
        options={**loop.options, **ability.options},
        choices={**loop.choices, **ability.choices},
        limits={**loop.limits, **ability.limits},
        own_options=tuple(ability.options),
        second_derivatives=ability.second_derivatives or loop.second_derivatives,
    )


def _loop_file(ability: Capabilities) -> str:
    own = Path(ability.file).with_name(f"{ability.loop}.py").as_posix()
    return own if (PACKAGE / own).is_file() else f"engine/loops/{ability.loop}.py"


def loop_file(method: str) -> str:
    """Return the file of the loop that trains a method: beside it in its folder, else in engine/loops."""
    return _loop_file(capabilities("methods", method))


def loop_of(method: str) -> LoopRecord:
    """Return what the loop of a method says of itself."""
    return read_loop(loop_file(method))


def load_loop(method: str) -> Any:
    """Import the loop that trains a method: a module that is an `engine.contract.Loop`."""
    return import_file(loop_file(method))


def capabilities(kind: str, name: str) -> Capabilities:
    """Return the capabilities of one entry of a kind; an unknown name is a `RelataskError`."""
    found = catalogue(kind)
    if name not in found:
        hint = _as_option(found.values(), name) or suggest(name, found)
        raise RelataskError(f"there is no {_one(kind)} {name!r} in relatask.{kind}.{hint}")
    return found[name]


def forms_read(ability: Capabilities, named: Sequence[str]) -> tuple[str, ...]:
    """Return the forms of what a run reads: of the inputs that its row names, else its reader's first one.

    Args:
        ability: of its encoder, or of its method where that has none.
        named: files of relatask.inputs.
    """
    return tuple(form_of(name) for name in named) or ability.inputs[:1]


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


def own_options(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a run's options that are handed to the method's `build`; the others are of its loop.

    A model of before an option was there has its default.
    """
    ability = capabilities("methods", method)
    return {name: options.get(name, ability.options[name]) for name in ability.own_options}


def build_method(method: str, options: Mapping[str, Any], *given: Any) -> Any:
    """Return what the `build` of a method makes of `given` and of its own among a run's options."""
    return load("methods", method).build(*given, **own_options(method, options))


def complete_options(kind: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of an entry of a kind, e.g. "methods", overridden by `given`.

    Raises:
        RelataskError: as `checked_options`, or two values do not go together.
    """
    owner, ability = f"{_one(kind)} {name!r}", capabilities(kind, name)
    chosen = checked_options(owner, ability, given)
    for values, sentence in ability.contradictions:
        if all(chosen[option] in refused for option, refused in values.items()):
            named = ", ".join(f"{option}: {chosen[option]}" for option in values)
            raise RelataskError(f"{owner} cannot have {named} together: {sentence}")
    return chosen
