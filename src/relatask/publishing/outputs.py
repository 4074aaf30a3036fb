"""How all tables and figures of a study are made: each by its own file, which is imported here by name."""

import logging
from collections.abc import Iterable
from pathlib import Path

from relatask.config import figure_names, table_names, table_record
from relatask.core.errors import RelataskError
from relatask.core.files import write_text
from relatask.core.layout import in_study
from relatask.core.outputs import FigureRecord, TableRecord, figure_of
from relatask.core.records import import_file, suggest
from relatask.core.tables import write_table
from relatask.publishing import style
from relatask.publishing.collection import Collection
from relatask.publishing.data_size import titled
from relatask.publishing.formatting import Table
from relatask.publishing.inputs import Inputs
from relatask.publishing.pretrained import with_pretrained_notes
from relatask.publishing.table_files import save


def write_tables(inputs: Inputs, folder: Path) -> None:
    """Make every table of the study and write its files and its caption.

    Args:
        inputs: what they are made from.
        folder: the study's, where tables/ and captions/ are written.
    """
    for name in table_names(inputs.study):
        record = table_record(inputs.study, name)
        table = _make(name, record, inputs.restricted(record))
        table = with_pretrained_notes(table, inputs.study, inputs.scale)
        save(titled(table, inputs.smoke_run), folder / in_study("tables"))
        write_caption(name, record, inputs, folder)
        logging.info("%s: %d rows", folder / in_study("tables") / f"{name}.md", len(table.rows))
    _name_leftovers(folder / in_study("tables"), table_names(inputs.study))


def _name_leftovers(folder: Path, names: Iterable[str]) -> None:
    """Warn of tables or figures in `folder` that the study has no longer: they show numbers of before."""
    files = folder.iterdir() if folder.is_dir() else []
    found = {path.stem for path in files if not path.name.startswith((".", "saved_"))}
    for name in sorted(found - set(names)):
        logging.warning("%s.* is of an earlier run; remove it if it is not meant to stay.", folder / name)


def _make(name: str, record: TableRecord, inputs: Inputs) -> Table:
    module = import_file(record.file)
    if name in inputs.study.tables:
        return module.methods_table(inputs, name, inputs.study.tables[name])
    table: Table = module.make(inputs)
    if table.name != name:
        raise RelataskError(
            f"{record.file} makes a table named {table.name!r}; name it as the file, {name!r}."
        )
    return table


def draw_figures(inputs: Inputs, names: Iterable[str], folder: Path) -> None:
    """Draw figures: each becomes a PNG, an SVG and a Parquet file of what was drawn, and has its caption.

    Args:
        inputs: what they are made from.
        names: without endings, e.g. "overview" and "per_task-tox21".
        folder: the study's, where figures/ and captions/ are written.

    Raises:
        RelataskError: a name is none of a figure, or of a data set or collection of the study.
    """
    for name in names:
        record, of = figure_of(name)
        own = inputs.restricted(record)
        draw = import_file(record.file).draw
        with style.styled():
            if record.each == "study":
                table, figure = draw(own)
            elif record.each == "collection":
                table, figure = draw(own, _collection(own, of))
            else:
                table, figure = draw(own, of)
            write_table(f"figure_{record.name}", table, folder / in_study("figures") / f"{name}.parquet")
            style.across(figure, inputs.smoke_run)
            style.save(figure, folder / in_study("figures") / name)
        write_caption(name, record, inputs, folder)
        logging.info("drew %s", folder / in_study("figures") / f"{name}.svg")
    _name_leftovers(folder / in_study("figures"), figure_names(inputs.study))


def _collection(inputs: Inputs, name: str) -> Collection:
    named = {collection.name: collection for collection in inputs.collections}
    if name not in named:
        raise RelataskError(f"--figures: there is no collection {name!r}.{suggest(name, named)}")
    return named[name]


def write_caption(name: str, record: TableRecord | FigureRecord, inputs: Inputs, folder: Path) -> None:
    """Write what the report says about an output; the words that it fills in are names."""
    text = record.caption
    facts = {
        "study": inputs.name,
        "scale": inputs.scale,
        "metric": inputs.metric,
        "baseline": inputs.baseline,
    }
    for word, value in facts.items():
        text = text.replace(f"{{{word}}}", value)
    write_text(folder / in_study("caption", name=name), text + "\n")
