"""A config that means something is read; a mistake is one sentence that names file and key."""

import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relatask.config import (
    Config,
    DensifyConfig,
    SplitsConfig,
    StudyConfig,
    load_config,
    load_study,
    parse,
)
from relatask.core.errors import RelataskError
from relatask.core.layout import WORKFLOW_FOLDERS
from relatask.plan.plan import plan_runs
from relatask.sources.active import ActiveRule

STUDIES = ("demo", "kiba_string", "moleculenet")


def study_values(root: Path, name: str = "demo") -> dict:
    return yaml.safe_load((root / "config" / "studies" / f"{name}.yaml").read_text())


@pytest.mark.parametrize("name", STUDIES)
def test_each_study_has_runs_at_both_scales(name: str, root: Path) -> None:
    _, found, study = load_config({"study": name}, root)
    assert found == name
    for scale in ["quick", "paper"]:
        runs = plan_runs(study, scale)
        expected = len(study.datasets) * len(study.splits.schemes) * len(study.scales[scale].seeds)
        assert len(runs) == expected * sum(method.parts for method in study.methods)
    assert len(study.scales["quick"].seeds) >= 3
    assert study.scales["quick"].reduced, "what is smaller than in the paper must be said"


def test_every_study_can_be_planned_at_each_of_its_scales(root: Path) -> None:
    for path in sorted((root / "config" / "studies").glob("*.yaml")):
        study = load_study(path)
        for scale in study.scales:
            runs = plan_runs(study, scale)
            assert bool(runs) == bool(study.methods), path.stem
            labels = {method.label for method in study.methods}
            assert labels == {run.spec.label for run in runs if run.collection is None}, path.stem


def test_the_studies_of_coco_are_trained_as_the_paper_says(root: Path) -> None:
    paper = {"epochs": 40, "batch_size": 256, "learning_rate": 0.002, "weight_decay": 1e-4}
    for name, settings in (("", {"standard", "relational"}), ("_meta", {"meta", "relational_meta"})):
        runs = plan_runs(load_study(root / f"config/studies/metalink_coco{name}.yaml"), "paper")
        specs = [run.spec for run in runs if run.spec.encoder]
        assert {spec.encoder.options["depth"] for spec in specs} == {50}
        assert all(paper.items() <= spec.training.items() for spec in specs)
        assert {spec.training["augmentation"] for spec in specs} == {"crop_flip"}
        assert {
            spec.method.options["setting"] for spec in specs if spec.method.name == "metalink"
        } == settings
        held_out = {
            (spec.method.options["unseen"], spec.method.options["shots"])
            for spec in specs
            if "shots" in spec.method.options
        }
        assert held_out == {(0.2, 256)}  # 16 of 80 categories, 256 images


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda v, half: v.update(title=half), "title: "),
        (lambda v, half: v["methods"][0].update(method=half), "methods.0.method: "),
        (lambda v, half: v["methods"][0].update(label=half), "methods.0.label: "),
        (lambda v, half: v["search_space"].update({half: "x"}), "search_space: "),
        (lambda v, half: v["search_space"].update({"x": half}), "search_space.x: "),
        (lambda v, half: v["sources"].update(x={"reader": "table", "path": half}), "sources.x.path: "),
        (lambda v, half: v["sources"].update(x={"reader": "table", "task_columns": ["a", half]}),
         "sources.x.task_columns.1: "),
        (lambda v, half: v.update({half: 1}), ""),
    ],
)  # fmt: skip
def test_half_a_character_is_refused_by_the_name_of_its_key(
    tmp_path: Path, root: Path, change: Callable[[dict, str], None], place: str
) -> None:
    values = {**study_values(root), "search_space": {}}
    change(values, "a\ud800b")
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))  # writes "a\\ud800b"
    with pytest.raises(RelataskError) as raised:
        load_study(path)
    half = r"'a\ud800b' holds half of a character (\ud800 to \udfff); write the whole character."
    assert str(raised.value) == f"{path}: {place}{half}"


def test_half_a_character_in_config_yaml_is_refused(root: Path) -> None:
    with pytest.raises(RelataskError, match=r"config\.yaml: mirror: 'a\\udfff' holds half of a character"):
        load_config({"mirror": "a\udfff"}, root)


@pytest.mark.parametrize("start", [b"", b"title: ", b"title: x\n"])
def test_a_study_file_of_a_gigabyte_is_refused_without_reading_it(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(start)
    os.truncate(path, 1 << 30)  # a sparse file, one line of zeros behind its start
    tracemalloc.start()
    try:
        with pytest.raises(RelataskError, match=r"mine\.yaml has more than 4 MiB; a study holds"):
            load_study(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def bomb(line: str, levels: int = 25) -> str:
    """Mappings or lists that each hold the one before ten times."""
    return "".join(line.format(this=k, before=",".join([f"*a{k - 1}"] * 10)) for k in range(1, levels))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a0: &a0 [x]\n" + bomb("a{this}: &a{this} [{before}]\n"), "more than 1,000,000 values"),
        ("a0: &a0 {x: 1}\n" + bomb("a{this}: &a{this}\n  <<: [{before}]\n"), "more than 1,000,000 values"),
        ("title: &a [*a]\n", "more than 1,000,000 values"),
        ("title: x\nseeds: 1" + ":1" * 1_000_000, "line 2: a number of more than 1,000 digits; if it is"),
        ("title: 1" + "0" * 1_000_000, "line 1: a number of more than 1,000 digits; if it is"),
    ],
)
@pytest.mark.timeout(60)
def test_a_study_file_that_stands_for_more_than_it_holds_is_refused(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(RelataskError, match=said):
        load_study(path)


def test_config_yaml_that_holds_itself_is_refused(root: Path) -> None:
    values: dict[str, Any] = {"study": "demo"}
    values["services"] = values
    with pytest.raises(RelataskError, match=r"config\.yaml: unknown key 'study' in 'services'"):
        load_config(values, root)


@pytest.mark.parametrize("name", WORKFLOW_FOLDERS)
def test_a_study_with_the_name_of_a_folder_of_the_workflow_is_refused(
    tmp_path: Path, root: Path, name: str
) -> None:
    values = study_values(root)
    study = tmp_path / f"{name}.yaml"
    study.write_text(yaml.safe_dump(values))
    with pytest.raises(RelataskError, match=f"the file '{name}.yaml' .* must not be one of benchmarks,"):
        load_config({"study": str(study)}, root)
    study = study.rename(tmp_path / "mine.yaml")
    values["datasets"] = {name: next(iter(values["datasets"].values()))}
    study.write_text(yaml.safe_dump(values))
    assert list(load_config({"study": str(study)}, root)[2].datasets) == [
        name
    ]  # it lies in results/mine/data


def test_the_paper_scale_has_the_papers_gin(root: Path) -> None:
    for name in STUDIES:
        runs = [run.spec for run in plan_runs(load_study(root / f"config/studies/{name}.yaml"), "paper")]
        gin = [spec for spec in runs if spec.encoder and spec.encoder.name == "gin"]
        assert gin
        assert {(spec.encoder.options["width"], spec.encoder.options["layers"]) for spec in gin} == {(300, 5)}
        assert {spec.training["batch_size"] for spec in gin} == {128}


def test_a_study_file_of_the_users_own_is_named_by_its_path(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(yaml.safe_dump(study_values(root)))
    assert load_config({"study": str(path)}, root)[1] == "mine"


@pytest.mark.parametrize(
    ("keep", "changes", "said"),
    [
        ("none", {"imputation": ["MTL"]}, "does not keep the models of 'MTL', and `imputation` in"),
        ("none", {"prior": "MTL"}, "does not keep the models of 'MTL', and `prior` of 'EBM' in"),
        ("joint", {"prior": "STL"}, "joint does not keep the models of 'STL', and `prior` of 'EBM' in"),
        ("joint", {"prior": "MTL", "imputation": ["MTL"]}, None),
        ("none", {}, None),
    ],
)
def test_a_study_whose_rows_read_models_must_keep_them(
    root: Path, tmp_path: Path, keep: str, changes: dict[str, Any], said: str | None
) -> None:
    network = {"encoder": "fingerprint_mlp"}
    rows = [
        {"label": "MTL", "method": "shared_bottom", **network},
        {"label": "STL", "method": "single_task", **network},
    ]
    if "prior" in changes:
        rows.append({"label": "EBM", "method": "sgnn_ebm", **network, "prior": changes["prior"]})
    study = {**study_values(root), "methods": rows, "baseline": "MTL", "contrasts": [], "tables": {}}
    study["imputation"] = changes.get("imputation", [])
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(study))
    values = {"study": str(path), "keep_models": keep}
    if said is None:
        assert load_config(values, root)[0].keep_models == keep
        return
    with pytest.raises(RelataskError, match=re.escape(said)):
        load_config(values, root)


WRONG = {
    "study: a typo in a key": ({"titel": "x"}, "unknown key 'titel'. Did you mean 'title'?"),
    "study: a typo further down": (
        {"training": {"epoch": 3}},
        "unknown key 'epoch' in 'training'. Did you mean 'epochs'?",
    ),
    "a negative number": ({"training": {"epochs": -1}}, "training.epochs: "),
    "a fold of nothing": ({"splits": {"fractions": [0.9, 0.1, 0.0]}}, "splits.fractions: must be three"),
    "an unknown scheme": (
        {"splits": {"schemes": ["scafold"]}},
        "splits.schemes.0: there is no split scheme 'scafold'. Did you mean 'scaffold'?",
    ),
    "a source that is not there": (
        {"datasets": {"d": {"source": "plantd"}}},
        "datasets.d.source: there is no source 'plantd'. Did you mean 'planted'?",
    ),
    "a baseline that is not there": (
        {"baseline": "STL", "methods": [{"label": "SLT", "method": "random_forest"}]},
        "baseline: there is no method 'STL'. Did you mean 'SLT'?",
    ),
    "a label twice": (
        {"methods": [{"label": "STL", "method": "random_forest"}] * 2},
        "methods: the label 'STL' is used twice",
    ),
    "a name that is no folder": ({"datasets": {"a/b": {"source": "planted"}}}, "datasets.a/b"),
    "no methods": ({"methods": []}, "the key 'methods' is missing or empty"),
    "a column for a reader that has none": (
        {"sources": {"planted": {"reader": "planted", "id_column": "id"}}},
        "sources.planted: id_column: only the reader measurements or molecule_parts or series or table or "
        "texts reads it",
    ),
    "a reader that is not there": (
        {"sources": {"planted": {"reader": "plantd"}}},
        "sources.planted.reader: there is no reader 'plantd'. Did you mean 'planted'?",
    ),
    "no reader": ({"sources": {"planted": {}}}, "the key 'sources.planted.reader' is missing"),
    "a typo in a key of a source": (
        {"sources": {"planted": {"reader": "table", "smile_column": "x"}}},
        "unknown key 'smile_column' in 'sources.planted'. Did you mean 'smiles_column'?",
    ),
    "a misspelt key that is needed": (
        {"datasets": {"d": {"sourc": "planted"}}},
        "unknown key 'sourc' in 'datasets.d'. Did you mean 'source'?",
    ),
    "a misspelt reader": (
        {"sources": {"planted": {"readr": "planted"}}},
        "unknown key 'readr' in 'sources.planted'. Did you mean 'reader'?",
    ),
    "a typo in a key of a scale": (
        {"scales": {"quick": {"seds": [1]}}},
        "unknown key 'seds' in 'scales.quick'. Did you mean 'seeds'?",
    ),
    "a misspelt key of a table": (
        {"tables": {"x": {"titel": "a", "methods": ["SLT"]}}},
        "unknown key 'titel' in 'tables.x'. Did you mean 'title'?",
    ),
    "a typo in a key of gains": (
        {"grouping": {"gains": {"g": {"datset": "d"}}}},
        "unknown key 'datset' in 'grouping.gains.g'. Did you mean 'dataset'?",
    ),
    "a wrong value of a key of a source": (
        {"sources": {"planted": {"reader": "planted", "min_heavy_atoms": 0}}},
        "sources.planted.min_heavy_atoms: Input should be greater than or equal to 1 (got 0)",
    ),
    "labels and measured values": (
        {"sources": {"planted": {"reader": "table", "values": "real", "active": {"at_least": 3.0}}}},
        "sources.planted: active: it makes labels of 0 and 1, and `values` asks for others; remove one",
    ),
    "series beside molecules": (
        {"sources": {"planted": {"reader": "planted"}, "s": {"reader": "series"}}},
        "sources: series and others do not go into one study",
    ),
    "molecules split by time": (
        {"splits": {"schemes": ["chronological"]}},
        "splits.schemes: chronological is not for molecules",
    ),
    "relations of series": (
        {
            "sources": {"planted": {"reader": "series"}},
            "splits": {"schemes": ["chronological"]},
            "metrics": ["mae"],
        },
        "datasets.planted: relations and densify are for tables with missing labels; remove them",
    ),
    "names of proteins of planted relations": (
        {
            "sources": {"planted": {"reader": "planted"}},
            "datasets": {
                "planted": {"source": "planted", "relations": {"source": "planted", "proteins": "uniprot"}}
            },
        },
        "datasets.planted.relations: proteins: planted needs no names of proteins from datasets.tsv; remove",
    ),
    "a metric that no task has": (
        {"sources": {"planted": {"reader": "table", "values": "real"}}, "metrics": ["roc_auc", "mae"]},
        "metrics: the tasks have measured values",
    ),
    "a number of folds that is a text": ({"splits": {"n_folds": "many"}}, "splits.n_folds: Input should be"),
    "an option that no scheme has": (
        {"splits": {"n_fold": 4}},
        "unknown key 'n_fold' in 'splits'. Did you mean 'n_folds'?",
    ),
    "a split that no variant is called": (
        {"splits": {"schemes": ["al_10"], "variants": {"all_10": {"scheme": "masked"}}}},
        "splits.schemes.0: there is no split scheme 'al_10'. Did you mean 'all_10'?",
    ),
    "a variant of no scheme": (
        {"splits": {"variants": {"all_10": {"scheme": "maskd"}}}},
        "splits.variants.all_10.scheme: there is no split scheme 'maskd'. Did you mean 'masked'?",
    ),
    "a variant with an option of another scheme": (
        {"splits": {"variants": {"mine": {"scheme": "random", "labels_kept": 0.1}}}},
        "splits.variants.mine: the scheme random does not read 'labels_kept'; remove it.",
    ),
    "a variant that is called as a scheme": (
        {"splits": {"variants": {"random": {"scheme": "masked"}}}},
        "splits.variants: 'random' is the name of a scheme; choose another",
    ),
    "an option of a variant beyond its limits": (
        {"splits": {"schemes": ["a"], "variants": {"a": {"scheme": "masked", "labels_kept": 1.7}}}},
        "splits.variants.a.labels_kept: Input should be less than or equal to 1 (got 1.7)",
    ),
    "an option of all splits beyond its limits": (
        {"splits": {"schemes": ["masked"], "masked_tasks": 0.0}},
        "splits.masked_tasks: Input should be greater than or equal to 0.000001 (got 0.0)",
    ),
    "too few folds": (
        {"splits": {"schemes": ["cross_validation"], "n_folds": 2}},
        "splits.n_folds: Input should be greater than or equal to 3 (got 2)",
    ),
    "an option that no scheme of the study reads": (
        {"splits": {"schemes": ["random"], "labels_kept": 0.1}},
        "splits.labels_kept: the scheme masked reads it, and not random; remove it, or use the scheme.",
    ),
    "a variant that no scheme lists": (
        {"splits": {"schemes": ["random"], "variants": {"a": {"scheme": "masked"}}}},
        "splits: variants: `schemes` does not list 'a'; list it or remove it.",
    ),
    "two variants that are one split": (
        {
            "splits": {
                "schemes": ["a", "b"],
                "labels_kept": 0.3,
                "variants": {"a": {"scheme": "masked"}, "b": {"scheme": "masked", "labels_kept": 0.3}},
            }
        },
        "splits: schemes: 'a' and 'b' are one split, masked with equal options; remove one.",
    ),
    "a variant that hides labels of points in time": (
        {
            "sources": {"planted": {"reader": "series"}},
            "splits": {"schemes": ["mine"], "variants": {"mine": {"scheme": "masked"}}},
            "metrics": ["mae"],
        },
        "splits.schemes: it is ['chronological'] for series",
    ),
    "errors of labels": (
        {"metrics": ["mae"]},
        "metrics: the tasks have labels of 0 and 1",
    ),
    "a stretch of molecules": (
        {"sources": {"planted": {"reader": "planted", "first": 10}}},
        "sources.planted: first: only the reader series reads it, not planted",
    ),
    "labels of series": (
        {"sources": {"planted": {"reader": "series", "active": {"at_least": 3.0}}}},
        "active: series are forecast as they are; remove it",
    ),
    "values where there are labels": (
        {"sources": {"planted": {"reader": "lsc", "active": {"at_most": 3.0}}}},
        "sources.planted: active: the reader lsc has labels and no measured values",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_in_a_study_names_file_and_key(name: str, root: Path, tmp_path: Path) -> None:
    changes, sentence = WRONG[name]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**study_values(root), **changes}))
    with pytest.raises(RelataskError) as caught:
        load_study(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert sentence in message
    assert "\n" not in message
    assert not message.endswith(("..", "?."))


def test_a_mistake_inside_a_variant_is_told_alone() -> None:
    with pytest.raises(ValidationError) as caught:
        SplitsConfig.model_validate({"schemes": ["a"], "variants": {"a": {"scheme": "maskd"}}})
    assert [finding["loc"] for finding in caught.value.errors()] == [("variants", "a", "scheme")]


def test_a_study_that_was_written_with_all_its_options_is_read_again() -> None:
    written = {"schemes": ["a"], "variants": {"a": {"scheme": "masked", "labels_kept": 0.2}}}
    one = SplitsConfig.model_validate(written)
    again = SplitsConfig.model_validate(one.model_dump())
    assert again.options_of("a") == one.options_of("a") == {"labels_kept": 0.2, "masked_tasks": 1.0}


def test_a_missing_key_is_named(root: Path, tmp_path: Path) -> None:
    values = study_values(root)
    del values["baseline"]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(RelataskError, match="the key 'baseline' is missing"):
        load_study(path)


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "just text", ""])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(RelataskError, match=r"broken\.yaml (is not valid YAML|must be a mapping)"):
        load_study(path)


def test_an_unknown_study_suggests_one_that_exists(root: Path) -> None:
    with pytest.raises(RelataskError, match="Did you mean 'moleculenet'"):
        load_config({"study": "molecule_net"}, root)


@pytest.mark.parametrize("bounds", [{}, {"at_least": 6.0, "at_most": 3.0}])
def test_active_needs_exactly_one_bound(bounds: dict) -> None:
    with pytest.raises(RelataskError, match="give exactly one of at_least and at_most"):
        parse(ActiveRule, bounds, "here")


@given(st.integers(max_value=0))
def test_tau_must_be_positive(tau: int) -> None:
    with pytest.raises(RelataskError, match="here: tau: "):
        parse(DensifyConfig, {"tau": tau}, "here")


@given(st.tuples(*[st.floats(0.01, 0.98)] * 3))
def test_fractions_are_taken_only_when_they_sum_to_one(values: tuple[float, float, float]) -> None:
    total = sum(values)
    exact = [value / total for value in values]
    assert SplitsConfig(fractions=exact).fractions == tuple(exact)
    if abs(total - 1) > 1e-6:
        with pytest.raises(RelataskError, match="sum to 1"):
            parse(SplitsConfig, {"fractions": list(values)}, "here")


@given(st.text(min_size=1).filter(lambda key: key not in Config.model_fields))
def test_no_unknown_key_of_the_config_passes(key: str) -> None:
    with pytest.raises(RelataskError, match="unknown key"):
        parse(Config, {key: 1}, "config.yaml")


SECRET = "http://someone:s3cr3t-pw@a.example/api?api_key=s3cr3t-key"


def test_a_dump_of_the_config_holds_no_login_of_a_service() -> None:
    config = parse(Config, {"services": {"chembl": SECRET, "string": SECRET}}, "config.yaml")
    assert config.services.chembl == SECRET
    assert config.model_dump()["services"]["string"] == "http://a.example/api"
    assert "s3cr3t" not in config.model_dump_json()


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (SECRET, r"services: .*\(got 'http://\*\*\*@"),
        ({"chembl": [SECRET]}, r"services.chembl: .*\(got \['http://\*\*\*@"),
        ({"string": SECRET.replace("http", "ftp")}, r"services.string: 'ftp://\*\*\*@.*begins with http://"),
        (
            {"string": SECRET.replace("-", "/")},
            r"services.string: 'http://\*\*\*@.* special characters of a pass",
        ),
        ({SECRET: 1}, r"unknown key 'http://\*\*\*@"),
    ],
)
def test_a_mistake_in_an_address_is_told_without_its_login(services: Any, said: str) -> None:
    with pytest.raises(RelataskError, match=f"^config.yaml: {said}") as caught:
        parse(Config, {"services": services}, "config.yaml")
    assert "s3cr3t" not in str(caught.value)


def test_the_study_says_everything_that_decides_its_runs(root: Path) -> None:
    study = load_study(root / "config/studies/demo.yaml")
    again = parse(StudyConfig, study.model_dump(mode="json"), "again")
    assert [run.spec for run in plan_runs(again, "quick")] == [run.spec for run in plan_runs(study, "quick")]


def test_the_paper_scale_of_sgnn_ebm_has_its_authors_settings(root: Path) -> None:
    for name in ("kiba_string", "toxcast_string", "chembl_string"):
        runs = [run.spec for run in plan_runs(load_study(root / f"config/studies/{name}.yaml"), "paper")]
        energy = [spec for spec in runs if spec.method.name == "sgnn_ebm"]
        assert {spec.method.options["edge_weight"] for spec in energy} == {0.1}
        assert {spec.training["epochs"] for spec in energy} == {100}
        sgnn = {spec.dataset: spec for spec in runs if spec.label == "SGNN"}
        for dataset, spec in sgnn.items():
            options = spec.method.options
            kept = 0.9 if dataset.endswith("t50") else 0.1
            assert (options["least_score"], options["batch_norm"]) == (kept, kept == 0.1)
            assert options["layers"] == (4 if dataset.endswith(("t100", "t150")) else 2)
        mtl = {spec.dataset: spec.training["epochs"] for spec in runs if spec.label == "MTL"}
        assert set(mtl.values()) == {200}
