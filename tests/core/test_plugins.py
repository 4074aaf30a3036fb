"""Sources, inputs and schemes say what they are, and what they say fits together."""

import subprocess
import sys
from pathlib import Path

import pytest

from relatask.core.kinds import KINDS, LEADING_METRIC, METRICS_OF
from relatask.core.plugins import (
    form_of,
    input_records,
    load_file,
    record_of,
    scheme_records,
    source_records,
)
from relatask.core.registry import catalogue
from relatask.core.source_block import SourceBlock, source_blocks
from relatask.evaluation.metrics import METRICS
from tests.helpers.data_tables import source_of

RAW = {"sheet", "planted", "activities", "none"}


@pytest.mark.parametrize("name", source_records())
def test_what_a_source_says_is_there(name: str) -> None:
    record = source_records()[name]
    assert set(record.inputs) <= set(input_records())
    assert set(record.schemes) <= set(scheme_records())
    assert set(record.kinds) <= set(KINDS)
    assert record.raw in RAW
    forms = {form_of(one) for one in record.inputs}
    assert any(forms & {*ability.inputs} for ability in catalogue("encoders").values())
    block = source_blocks()[name]
    assert issubclass(block, SourceBlock)
    assert not {"prepare"} - set(vars(load_file(record)))


@pytest.mark.parametrize("name", input_records())
def test_an_input_has_a_version_and_both_functions(name: str) -> None:
    module = load_file(record_of(input_records(), name, "input"))
    assert isinstance(module.VERSION, int)
    assert callable(module.featurise)
    assert callable(module.load)


def test_levels_of_schemes_are_levels_of_sources() -> None:
    levels = {level for record in source_records().values() for level in record.levels}
    for record in scheme_records().values():
        assert record.items == "any" or set(record.items) <= levels, record.name
        assert record.holds_out in {"items", "labels"}


def test_the_metric_that_leads_tables_of_a_kind_is_of_that_kind() -> None:
    assert set(LEADING_METRIC) == set(METRICS_OF) == set(KINDS)
    assert all(LEADING_METRIC[kind] in METRICS_OF[kind] for kind in KINDS)
    named = {kind: {name for name, metric in METRICS.items() if metric.of == kind} for kind in KINDS}
    assert named == {kind: set(names) for kind, names in METRICS_OF.items()}


def test_a_block_says_which_kinds_it_asks_for() -> None:
    table = {"reader": "table", "path": "x.csv"}
    assert source_of(table).task_kinds() == ("binary",)
    assert source_of(table, values="real").task_kinds() == ("real",)
    assert source_of(table, kinds={"a": "class"}).task_kinds() == ("binary", "class")
    assert source_of(table, kinds={"a": "class"}, task_columns=["a"]).task_kinds() == ("class",)


def test_a_source_is_read_from_its_own_files_or_from_those_of_the_sheet() -> None:
    own = source_of(reader="table", path="a.csv", task_sheet="b.csv")
    assert own.raw_files("mine", "study", ["c.csv"], related=True) == ["a.csv", "b.csv"]
    assert not own.needs_sheet()
    listed = source_of(reader="table", task_sheet="b.csv")
    assert listed.raw_files("tox21", "study", ["c.csv"], related=False) == [
        "results/raw/tox21/c.csv",
        "b.csv",
    ]
    assert listed.needs_sheet()
    toxcast = source_of(reader="table")
    files = ["toxcast.csv.gz", "tasks.csv"]  # the second tells of proteins, which nothing else reads
    raw = [f"results/raw/toxcast/{name}" for name in files]
    assert toxcast.raw_files("toxcast", "study", files, related=True) == raw
    assert toxcast.raw_files("toxcast", "study", files, related=False) == raw[:1]
    planted = source_of(reader="planted")
    assert planted.raw_folder("any", "study") == "raw/planted"
    assert planted.raw_files("any", "study", [], related=True)[0] == "results/raw/planted/molecules.csv"
    lsc = source_of(reader="lsc")
    assert (
        lsc.raw_files("lsc", "study", ["a", "b"], related=True)[2] == "results/raw/lsc/assay_targets.parquet"
    )
    assert len(lsc.raw_files("lsc", "study", ["a", "b"], related=False)) == 2
    asked = source_of(reader="chembl_activities", targets=["CHEMBL203"])
    assert asked.raw_folder("egfr", "study") == "study/queries/egfr"
    assert asked.raw_files("egfr", "study", [], related=True) == [
        "results/study/queries/egfr/activities.json"
    ]
    coco = source_of(reader="coco", path="photographs").raw_files("coco", "study", [], related=False)
    assert coco[0] == "photographs/annotations/instances_train2017.json"


def test_studies_are_read_without_numpy_pandas_arrow_torch_and_rdkit(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from relatask.config import load_study\n"
        "for path in Path('config/studies').glob('*.yaml'): load_study(path)\n"
        "print(sorted({'numpy', 'pandas', 'pyarrow', 'torch', 'rdkit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
