"""Write the study file of a table of molecules x assays, for you to read and change.

The file says what the columns are taken for, how molecules are split, which methods are compared and how much
is spent, by the size of the table. `relatask train` does the same and runs it.

Examples:
  relatask init assays.csv
  relatask init assays.csv --smiles-columns structure --target-columns hERG CYP3A4
  relatask init ic50_nM.csv --p-values
  relatask init assays_2023.csv assays_2024.xlsx
  relatask init assays.csv --test-file assays_2024.csv
  relatask init assays.csv --search 16
  relatask init -i assays.csv --ignore-columns batch operator --splits-column fold
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from relatask.commands._own_study import study_name, study_text
from relatask.commands._several import describe_all, with_test_file
from relatask.commands._table import WIDE, OwnTable
from relatask.core.blocks import parse
from relatask.core.errors import RelataskError
from relatask.core.files import write_text
from relatask.core.kinds import KINDS
from relatask.sources.table_keys import TableKeys

TYPES = {"classification": "binary", "regression": "real", "multiclass": "class"}  # chemprop's names
NAMED = 10  # columns left out that are told
log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    configure_table(
        parser,
        "table of molecules x assays: CSV, Excel, SDF or Parquet; or several",
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the file."""
    path = write_study(arguments, files_of(arguments))
    print(f"{path}: read it, change what you like, and run it: relatask train {path}")


def configure_table(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the arguments that say what a table holds."""
    parser.add_argument("tables", nargs="*", type=Path, metavar="FILE", help=what)
    parser.add_argument(
        *("-i", "--data-path"), nargs="+", default=[], type=Path, metavar="FILE", help="the same as FILE"
    )
    parser.add_argument(
        *("-s", "--smiles-columns"), nargs=1, metavar="NAME", help="column of SMILES; default: by its name"
    )
    parser.add_argument(
        *("-t", "--target-columns"),
        nargs="+",
        metavar="NAME",
        help="columns of assays; default: all with numbers or a few words",
    )
    for option, what in (("--sheet", "of a workbook"), ("--encoding", "of a text, e.g. cp1250")):
        parser.add_argument(option, metavar="NAME", help=f"{what}; default: found out, and told")
    parser.add_argument("--decimal", choices=[",", "."], help="mark before decimals; default: found out")
    parser.add_argument(
        "--ignore-columns", nargs="+", default=[], metavar="NAME", help="columns to leave out"
    )
    parser.add_argument(
        "--splits-column",
        metavar="NAME",
        help="column that says train, valid or test; default: cross-validation",
    )
    parser.add_argument(
        "--splits-file", type=Path, metavar="FILE", help="which rows are in which fold, as chemprop's"
    )
    parser.add_argument(
        "--test-file",
        type=Path,
        metavar="FILE",
        help="table of the molecules to test on, with the same columns",
    )
    parser.add_argument(
        "--task-type",
        choices=[*KINDS, *TYPES],
        help="what all assays hold: binary (0 and 1), real (measured values), class; default: as they look",
    )
    parser.add_argument(
        "--p-values",
        action="store_true",
        help="concentrations (by the unit in a column's name, or a column of units) become -log10(mol/L)",
    )
    parser.add_argument(
        *("--overwrite", "--force"), action="store_true", help="replace a study file that differs"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="of one core that training, with trials, may take as predicted",
    )
    parser.add_argument(
        "--search", type=int, metavar="N", help="choose the settings of each row in N trials (docs/search.md)"
    )
    parser.add_argument("--tiny", action="store_true", help="as little as there can be, to try a file")


def files_of(arguments: argparse.Namespace) -> list[Path]:
    """Return the files that the arguments name.

    Raises:
        RelataskError: none is named, or one twice.
    """
    files: list[Path] = [*arguments.tables, *arguments.data_path]
    if not files or len({*files}) < len(files):
        raise RelataskError("name a file, e.g. assays.csv, or -i assays.csv, each once.")
    return files


def _check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that do not go together, or mean nothing."""
    given = {"--splits-column": arguments.splits_column, "--splits-file": arguments.splits_file}
    given["--test-file"] = arguments.test_file
    if len(named := [option for option, value in given.items() if value]) > 1:
        raise RelataskError(f"give {' or '.join(named)}: one says what is tested.")
    if arguments.search is not None and arguments.search < 2:
        raise RelataskError("--search: one trial has nothing to choose from; name 2 or more, e.g. 16.")


def _table_of(arguments: argparse.Namespace, files: Sequence[Path]) -> OwnTable:
    """Look at the tables, and at that to test on, as the arguments say."""
    path = files[0]
    smiles = arguments.smiles_columns[0] if arguments.smiles_columns else None
    said = {key: getattr(arguments, key) for key in TableKeys.model_fields}
    table = describe_all(
        files,
        smiles=smiles,
        targets=arguments.target_columns,
        ignored=arguments.ignore_columns,
        splits=arguments.splits_column,
        task_type=TYPES.get(arguments.task_type, arguments.task_type),
        reading=parse(TableKeys, said, "the command").reading(files),
    )
    if arguments.test_file:
        table = with_test_file(table, arguments.test_file, smiles)
    if arguments.p_values:
        if not (table.long.unit_column if table.long else table.concentrations):
            raise RelataskError(
                f"{path} says no unit of concentration for --p-values: write it behind the name of a column, "
                "as in 'IC50 (nM)', or into a column of units."
            )
        table = replace(table, p_values=True)
    return table


def write_study(arguments: argparse.Namespace, files: Sequence[Path]) -> Path:
    """Look at tables that become one, write its study file into the working folder, and return the file.

    Raises:
        RelataskError: the table cannot be used, or there is another study file of this name.
    """
    _check(arguments)
    path, table = files[0], _table_of(arguments, files)
    text = study_text(table, arguments.splits_file, arguments.minutes, arguments.tiny, arguments.search)
    target = Path(f"{study_name(path)}.yaml")
    known = target.read_text(encoding="utf-8") if target.is_file() else None
    if known is not None and known != text and not arguments.overwrite:
        raise RelataskError(
            f"{target} is there and differs from what would be written; run it (relatask train {target}), or "
            "replace it (--overwrite)."
        )
    if known != text:
        write_text(target, text)
    _tell(table, files, target)
    return target


def _tell(table: OwnTable, files: Sequence[Path], target: Path) -> None:
    """Say what the columns are taken for, and what else they might be."""
    path = files[0]
    all_files, kinds = ", ".join(map(str, files)), list(table.tasks.values())
    said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
    if table.tested:
        all_files += f", for test {table.tested[0]}"
    log.info("%s: %d rows, SMILES in %r, tasks: %s", all_files, table.n_rows, table.smiles_column, said)
    if table.left_out:
        named = [f"{name} ({why})" for name, why in list(table.left_out.items())[:NAMED]]
        more = len(table.left_out) - len(named)
        said = f"{', '.join(named)}{f' and {more} more, which {target} names' if more else ''}"
        log.info("%s: columns left out: %s", path, said)
    for name, why in table.doubts.items():
        log.warning("%s: %r is taken for %s.", path, name, why)
    if wide := [name for name in table.wide_range if not table.has_p_values(name)]:
        log.warning(
            "%s: values over %g powers of ten or more: %s; of concentrations --p-values learns the "
            "logarithm, of others write the logarithm into the file.",
            *(path, WIDE, ", ".join(wide[:NAMED])),
        )
    if table.folds_column:
        log.info("%s: %r looks like folds; --splits-column takes them.", path, table.folds_column)
    if table.date_column and not table.tested:
        log.info(
            "%s: %r holds dates; to test on the newest molecules write splits: {schemes: [time], column: %r} "
            "into %s.",
            *(path, table.date_column, table.date_column, target),
        )
