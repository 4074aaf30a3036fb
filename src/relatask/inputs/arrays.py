"""The arrays of inputs on disk: written chunk by chunk, and read back as they were written."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from relatask.core.errors import RelataskError
from relatask.core.files import read_json, sha256_of, write_json
from relatask.core.npy_writer import NpyWriter, npy_writer
from relatask.core.plugins import form_of, input_records, load_file, record_of
from relatask.core.records import suggest

if TYPE_CHECKING:
    import pandas as pd

JOINED = "+"  # between forms that are read beside each other
CHUNK = 256  # items in memory at a time; a parsed molecule takes 70 kB


@dataclass(frozen=True)
class Part:
    """What inputs make of some items.

    Attributes:
        items: rows of table "items".
        arrays: input -> what its ``featurise(items)`` returns; absent for inputs that are `whole`.
    """

    items: "pd.DataFrame"
    arrays: "Mapping[str, Mapping[str, np.ndarray]]"

    def of(self, name: str) -> "Part":
        """Return what one of the inputs makes of them."""
        return Part(self.items, {name: self.arrays[name]} if name in self.arrays else {})

    @staticmethod
    def beside(parts: "Sequence[Part]") -> "Part":
        """Return what several inputs make of the same items."""
        arrays = {name: made for part in parts for name, made in part.arrays.items()}
        return Part(parts[0].items, arrays)


def featurise(items: "pd.DataFrame", inputs: Sequence[str]) -> Part:
    """Return what inputs make of some items.

    Args:
        items: rows of table "items".
        inputs: files of relatask.inputs.

    Raises:
        RelataskError: an input is unknown or cannot read an item.
    """
    records = {name: record_of(input_records(), name, "input") for name in inputs}
    arrays = {
        name: load_file(record).featurise(items) for name, record in records.items() if not record.whole
    }
    return Part(items, arrays)


def write_features(chunks: "Iterable[pd.DataFrame]", inputs: Sequence[str], folder: Path) -> dict[str, Any]:
    """Make the arrays of several inputs of all items and write them to `folder`, in bounded memory.

    Args:
        chunks: rows of table "items", some at a time, in its order.
        inputs: files of relatask.inputs.
        folder: gets the arrays and features.json.

    Returns:
        What features.json holds: counts, the arrays of each input, and digests.

    Raises:
        RelataskError: an input is unknown or cannot read an item.
    """
    return write_parts((featurise(items, inputs) for items in chunks), inputs, folder)


def write_parts(parts: "Iterable[Part]", inputs: Sequence[str], folder: Path) -> dict[str, Any]:
    """Write the arrays of several inputs of all items, which were made of some items at a time.

    An input's ``featurise(items)`` returns name -> array of a chunk; those of all chunks follow each other.
    The first axis of an array may be the items or anything that they consist of: then an array whose name
    ends in "_offsets", [n + 1] from 0 on, says where each item begins. A number in the place of an array is
    a count, which features.json sums up. An input that is `whole`, such as one of relations among the items,
    gets all items as one chunk.

    Args:
        parts: of `featurise`, in the order of the items.
        inputs: files of relatask.inputs.
        folder: gets the arrays and features.json.

    Returns:
        As `write_features`.

    Raises:
        RelataskError: an input is unknown.
    """
    asked = {name: record_of(input_records(), name, "input") for name in inputs}
    modules = {name: load_file(record) for name, record in asked.items()}
    arrays: dict[str, list[str]] = {name: [] for name in inputs}
    counts: dict[str, int] = {"items": 0}
    with ExitStack() as stack:
        writers: dict[str, NpyWriter] = {}
        ends: dict[str, int] = {}

        def add(name: str, made: "Mapping[str, np.ndarray]") -> None:
            for key, values in made.items():
                if np.ndim(values) == 0:
                    counts[key] = counts.get(key, 0) + int(values)
                    continue
                if key not in writers:
                    arrays[name].append(key)
                    width = values.shape[1] if values.ndim == 2 else None
                    writers[key] = stack.enter_context(
                        npy_writer(folder / f"{key}.npy", values.dtype.str, width)
                    )
                writers[key].append(_continued(key, values, ends))

        whole = [name for name, record in asked.items() if record.whole]
        kept = []
        for part in parts:
            for name, made in part.arrays.items():
                add(name, made)
            if whole:
                kept.append(part.items)
            counts["items"] += len(part.items)
        for name in whole if kept else ():
            add(name, modules[name].featurise(_together(kept)))
    files = {f"{key}.npy": sha256_of(folder / f"{key}.npy") for own in arrays.values() for key in own}
    record = {
        **counts,
        **{key: value for module in modules.values() for key, value in _facts(module).items()},
        "inputs": {
            name: {"form": form_of(name), "version": module.VERSION, "arrays": arrays[name]}
            for name, module in modules.items()
        },
        "files": files,
        "digest": sha256_of(*(folder / file for file in files)),
    }
    write_json(folder / "features.json", record)
    return record


def _together(chunks: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """Return all items as one frame."""
    import pandas as pd

    return pd.concat(chunks, ignore_index=True)


def _continued(key: str, values: np.ndarray, ends: dict[str, int]) -> np.ndarray:
    """Return the rows to append: offsets go on where those of the chunk before ended."""
    if not key.endswith("_offsets"):
        return values
    start = ends.get(key)
    ends[key] = int(values[-1]) + (start or 0)
    return values if start is None else values[1:] + start


def _facts(module: Any) -> Mapping[str, Any]:
    """Return what an input wants features.json to say, such as versions of libraries."""
    return module.facts() if hasattr(module, "facts") else {}


def load_input(folder: Path, form: str, device: Any = "cpu") -> Any:
    """Return the input of a `features` folder whose batches have the form that an encoder reads.

    Of several forms, joined by `JOINED`, the tables stand beside each other.

    Raises:
        RelataskError: there is none, it was made by another version of its code, or a file is damaged.
    """
    if JOINED in form:
        from relatask.inputs.beside import Beside

        return Beside({one: load_input(folder, one, device) for one in form.split(JOINED)})
    record = read_json(folder / "features.json")
    made = record.get("inputs") if isinstance(record, dict) else None
    if not isinstance(made, dict) or not all(isinstance(own, dict) for own in made.values()):
        raise RelataskError(f"{folder / 'features.json'} names no inputs; delete the folder and run again.")
    forms = {str(own.get("form")): name for name, own in made.items()}
    if form not in forms:
        raise RelataskError(f"{folder} holds no input of the form {form!r}.{suggest(form, forms)}")
    name = forms[form]
    module = load_file(record_of(input_records(), name, "input"))
    if made[name].get("version") != module.VERSION:
        raise RelataskError(
            f"{folder} was made by version {made[name].get('version')} of the input {name}, and this is "
            f"version {module.VERSION}; delete the folder and run the step featurise_items again."
        )
    return module.load(folder, device)


def read_array(path: Path, mode: Literal["r", "c"] = "r") -> np.ndarray:
    """Return a memory-mapped array of a `features` folder; in mode "c" a tensor can share it.

    Raises:
        RelataskError: it is missing, or not what features.json beside it says was written.
    """
    record = read_json(path.with_name("features.json"))
    try:
        if sha256_of(path) != record["files"][path.name]:
            raise ValueError("its digest is not that of features.json")
        return np.load(path, mmap_mode=mode, allow_pickle=False)
    except FileNotFoundError:
        raise RelataskError(f"{path} does not exist; run the step featurise_items first.") from None
    except (ValueError, OSError, EOFError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system refuses, e.g. memory
            error.filename = error.filename or str(path)
            raise
        raise RelataskError(
            f"{path} is damaged ({error}); delete the folder {path.parent} and run the workflow again."
        ) from None
