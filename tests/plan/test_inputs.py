"""A row names what its encoder, or method, reads; what is made of a data set follows from the rows."""

import re
from pathlib import Path

import pytest
import yaml

from relatask.config import StudyConfig, parse
from relatask.core import extras
from relatask.core.errors import RelataskError
from relatask.core.plugins import input_records
from relatask.core.registry import catalogue
from relatask.journal.digests import files_of_run
from relatask.plan.inputs import inputs_made
from relatask.plan.plan import plan_runs
from relatask.plan.spec import RunSpec
from tests.helpers.planned_study import study

MLP = {"method": "shared_bottom", "encoder": "mlp"}
FOREST = {"method": "random_forest"}


def planned(**row: object) -> list[RunSpec]:
    one = {"label": "X", **row}
    content = StudyConfig.model_validate(study(methods=[one], baseline="X"))
    return [run.spec for run in plan_runs(content, "quick")]


def made(*rows: dict) -> tuple[str, ...]:
    methods = [{"label": f"X{number}", **row} for number, row in enumerate(rows)]
    return inputs_made(StudyConfig.model_validate(study(methods=methods, baseline="X0")), "a")


def test_inputs_are_made_where_a_row_reads_them_and_else_those_of_the_source():
    assert made(FOREST) == ("graph", "ecfp")
    assert made(FOREST, {**MLP, "inputs": ["descriptors", "ecfp"]}) == ("graph", "ecfp", "descriptors")
    assert made({**FOREST, "inputs": ["ecfp_counts"]}) == ("graph", "ecfp", "ecfp_counts")
    assert "bond_graph" in made({"method": "shared_bottom", "encoder": "dmpnn"})


def test_a_run_has_another_name_and_other_code_only_where_its_row_names_other_inputs():
    plain, same, other = (
        planned(**FOREST),
        planned(**FOREST, inputs=["ecfp"]),
        planned(**FOREST, inputs=["ecfp_counts"]),
    )
    assert [spec.run_id for spec in plain] == [spec.run_id for spec in same]
    assert "inputs" not in plain[0].as_dict()
    assert plain[0].run_id != other[0].run_id
    assert RunSpec.from_json(other[0].as_dict()) == other[0]
    assert plain[0].random_seed("x") == other[0].random_seed("x")
    files = {spec.inputs: set(files_of_run(*spec.names)) for spec in (plain[0], other[0])}
    assert "inputs/ecfp_counts.py" in files[("ecfp_counts",)] - files[()]
    both = planned(**MLP, inputs=["descriptors", "ecfp"])[0]
    assert {"inputs/beside.py", "inputs/descriptors.py", "inputs/ecfp.py"} <= set(files_of_run(*both.names))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {**MLP},
            r"encoder 'mlp' does not read molecules by itself; name tables .*such as inputs: \[descriptors\]",
        ),
        ({**MLP, "inputs": ["descriptor"]}, r"no input \(methods\.X\.inputs\) 'descriptor'.*'descriptors'"),
        (
            {**MLP, "inputs": ["words"]},
            "the input 'words' is not made of the molecules of reader 'planted'; name",
        ),
        ({**MLP, "inputs": ["ecfp", "graph"]}, "encoder 'mlp' reads vectors and not ecfp beside graph"),
        ({**MLP, "inputs": ["ecfp", "ecfp"]}, "'ecfp' is given twice"),
        (
            {"method": "shared_bottom", "encoder": "fingerprint_mlp", "inputs": ["ecfp", "descriptors"]},
            "encoder 'fingerprint_mlp' reads ecfp and not ecfp beside descriptors; mlp read",
        ),
        (
            {"method": "pairwise_kernel", "inputs": ["descriptors"]},
            "reads ecfp and not descriptors; gradient_boos",
        ),
    ],
)
def test_inputs_that_make_no_sense_are_refused_by_name(row, said):
    with pytest.raises((RelataskError, ValueError), match=said):
        planned(**row)


def test_a_package_that_is_not_there_is_asked_for_when_planning(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    said = (
        r"methods\.X on data set 'a': encoder 'dmpnn' needs chemprop, .* pip install 'relatask\[chemprop\]'"
    )
    with pytest.raises(RelataskError, match=said):
        planned(method="shared_bottom", encoder="dmpnn")


def test_the_page_of_encoders_names_all_of_them_and_its_studies_can_be_planned(root: Path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: True)
    text = (root / "docs" / "encoders.md").read_text(encoding="utf-8")
    for name in (*catalogue("encoders"), *input_records()):
        assert f"`{name}`" in text, name
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    planned = [plan_runs(parse(StudyConfig, yaml.safe_load(block), "docs"), "quick") for block in blocks]
    named = {run.spec.encoder.name for runs in planned for run in runs if run.spec.encoder}
    of_molecules = {"graph", "ecfp", "bond_graph", "vectors"}
    assert named == {name for name, one in catalogue("encoders").items() if of_molecules & {*one.inputs}}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "mp.pt"}, "`weights` and `pretrained_on` stand together; give both"),
        ({"pretrained_on": "PubChem"}, "`weights` and `pretrained_on` stand together; give both"),
        (
            {"weights": "mp.pt", "pretrained_on": "PubChem, A"},
            "the weights were trained on 'A', which 'a' would",
        ),
        ({"weights": "mp.pt", "pretrained_on": "s"}, "the weights were trained on 's'"),
        ({"weights": "mp.pt", "pretrained_on": "PubChem"}, None),
        ({"weights": "mp.pt", "pretrained_on": "unknown"}, None),
    ],
)
def test_weights_that_have_seen_the_data_set_are_refused(options, said, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: True)
    row = {"method": "shared_bottom", "encoder": "dmpnn", "encoder_options": options}
    if said is None:
        assert planned(**row)[0].encoder.options["pretrained_on"] == options["pretrained_on"]
    else:
        with pytest.raises(RelataskError, match=said):
            planned(**row)
