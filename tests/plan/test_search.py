"""Which settings a study searches, under which split and seed, and what is said of what cannot be."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.plan.plan import plan_runs, planned_minutes
from relatask.plan.search import search_keys, searches_of, unsearched
from relatask.plan.spec import RunSpec
from tests.helpers.planned_study import MTL, study

RF = {"label": "RF", "method": "random_forest"}
NET = {"label": "NET", **MTL}
KERNEL = {"label": "KERNEL", "method": "pairwise_kernel"}


def config(*rows: dict[str, Any], **changes: Any) -> StudyConfig:
    rest: dict[str, Any] = {"methods": list(rows), "baseline": rows[0]["label"], "search": {"trials": 4}}
    return parse(StudyConfig, study(**{**rest, **changes}), "study")


def runs_of(*rows: dict[str, Any], **changes: Any) -> list[RunSpec]:
    return [run.spec for run in plan_runs(config(*rows, **changes), "quick")]


def space_of(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    (space,) = {str(spec.search["space"]): spec.search["space"] for spec in runs_of(row, **changes)}.values()
    return space


def test_what_a_row_sets_is_searched_only_if_it_says_so() -> None:
    space = space_of(NET | {"encoder_options": {"dropout": 0.1}, "training": {"weight_decay": 0.1}})
    assert set(space) == {"encoder_options.layers", "training.learning_rate"}  # the scale sets the width
    widths, decay = {"least": 4, "greatest": 8}, {"values": [0.0, 0.1]}
    epochs = {"values": [2, 3]}
    own = {"encoder_options.width": widths, "training.weight_decay": decay, "training.epochs": epochs}
    space = space_of(NET | {"training": {"weight_decay": 0.1}, "search": own})
    assert {name: space[name] for name in own} == own
    assert set(space_of(RF, scales={"quick": {"methods": {"random_forest": {"max_features": "log2"}}}})) == {
        "options.min_samples_leaf",
        "options.max_features",
    }


def test_pretrained_weights_keep_their_width_and_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relatask.core.extras.find_spec", lambda name: name)  # a plan needs no chemprop
    net = NET | {"encoder": "dmpnn"}
    assert {"encoder_options.width", "encoder_options.depth", "encoder_options.dropout"} <= set(space_of(net))
    (tmp_path / "weights.pt").write_bytes(b"")
    pretrained = {"weights": str(tmp_path / "weights.pt"), "pretrained_on": "unknown"}
    space = space_of(net | {"encoder_options": pretrained})
    assert set(space) == {"encoder_options.dropout", "training.learning_rate", "training.weight_decay"}


def test_each_split_and_seed_has_its_own_search_or_the_first_decides() -> None:
    each = runs_of(RF, NET)
    assert all((spec.search["split"], spec.search["seed"]) == (spec.split, spec.seed) for spec in each)
    found = searches_of(each, config(RF, NET))
    assert list(found) == search_keys(config(RF, NET), "quick")
    assert len(found) == 2 * 2 * 2 * 2  # data sets, rows, schemes, seeds
    first = {"trials": 4, "validation": "first"}
    one = runs_of(RF, NET, search=first)
    assert {(spec.search["split"], spec.search["seed"]) for spec in one} == {("scaffold", 0)}
    assert list(searches_of(one, config(RF, NET, search=first))) == [
        (dataset, label, "scaffold", 0) for dataset in "ab" for label in ("RF", "NET")
    ]


def test_every_row_has_the_same_number_of_trials_or_a_reason() -> None:
    rows = (RF, KERNEL, NET | {"search": False})
    runs = runs_of(*rows)
    assert {spec.search["trials"] for spec in runs if spec.search} == {4}
    searched = {spec.label for spec in runs if spec.search}
    assert searched == {"RF"}
    others = dict(unsearched(config(*rows), searched))
    assert others == {"KERNEL": "nothing to choose", "NET": "`search: false`"}


def test_a_study_without_a_search_has_the_runs_that_it_ever_had() -> None:
    plain = runs_of(RF, NET, search=None)
    assert not any("search" in spec.canonical() or "trial" in spec.canonical() for spec in plain)
    assert {spec.run_id for spec in plain} & {spec.run_id for spec in runs_of(RF, NET)} == set()


def test_trials_are_named_by_their_settings_and_draw_the_numbers_of_the_run_that_they_choose() -> None:
    short, long = (runs_of(NET, search={"trials": trials})[0] for trials in (4, 40))
    settings = {"encoder_options.layers": 3, "training.learning_rate": 0.01}
    trial = short.as_trial(settings)
    assert trial.run_id == long.as_trial(settings).run_id
    assert (trial.encoder.options["layers"], trial.training["learning_rate"]) == (3, 0.01)
    run = short.with_settings(settings)
    assert run.run_id != trial.run_id
    assert run.random_seed("epoch") == trial.random_seed("epoch")


def test_a_part_is_searched_as_the_whole_and_a_prior_is_the_searched_run() -> None:
    ebm = {"label": "EBM", "method": "sgnn_ebm", "encoder": "gin", "prior": "NET"}
    relations = {"source": "planted", "channel": "experimental"}
    datasets = {"a": {"source": "s", "relations": relations}}
    rows = (NET, ebm, {"label": "STL", "method": "single_task", "encoder": "gin", "parts": 3})
    runs = runs_of(*rows, datasets=datasets)
    by_id = {spec.run_id: spec for spec in runs}
    started = [spec for spec in runs if spec.prior]
    assert started
    assert all(by_id[spec.prior].label == "NET" and by_id[spec.prior].search for spec in started)
    found = searches_of(runs, config(*rows, datasets=datasets))
    assert sum(key[1] == "STL" for key in found) == 2 * 2
    assert all(search.spec.as_trial({}).tasks == "all" for search in found.values())


def test_time_counts_the_trials() -> None:
    plain, searched = config(NET, search=None), config(NET, search={"trials": 40})
    minutes = [planned_minutes(plan_runs(one, "quick"), one) for one in (plain, searched)]
    assert 20 < minutes[1] / minutes[0] < 60


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (NET | {"search": {"options.depth": {"values": [1, 2]}}}, "options has no option 'depth'"),
        (NET | {"search": {"encoder_options.layers": {"least": 0, "greatest": 3}}}, "must be from 1 to 100"),
        (NET | {"search": {"encoder_options.layers": {"least": 1.5, "greatest": 3}}}, "must be int, not 1.5"),
        (NET | {"search": {"encoder_options.layers": {"least": 3, "greatest": 3}}}, "must be below greatest"),
        (NET | {"search": {"encoder_options.layers": {"values": [3]}}}, "values: list 2 to 1000"),
        (NET | {"search": {"encoder_options.layers": {"values": [3, 3]}}}, "is given twice"),
        (NET | {"search": {"encoder_options.layers": {"least": 1}}}, "write {least: 1, greatest: 4}"),
        (
            NET | {"search": {"encoder_options.dropout": {"least": 0, "greatest": 0.5, "log": True}}},
            "above 0",
        ),
        (NET | {"search": {"training.rate": {"values": [1, 2]}}}, "training.rate: there is no such setting"),
        (NET | {"search": {"training.epochs": {"values": [0, 1]}}}, "training.epochs"),
        (RF | {"search": {"training.epochs": {"values": [1, 2]}}}, "trains no network"),
        (RF | {"search": {"encoder_options.width": {"values": [1, 2]}}}, "the row has no encoder"),
        (RF | {"search": {"options.max_features": {"values": ["sqrt", "all"]}}}, "cannot be 'all'"),
        (RF | {"search": {"depth": {"values": [1, 2]}}}, "methods.0.search"),
        (KERNEL, "no row has a setting to choose"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(row: dict[str, Any], said: str) -> None:
    with pytest.raises(RelataskError) as raised:
        runs_of(row)
    assert said in str(raised.value)


def test_the_study_of_the_documentation_is_one(root: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (root / "docs" / "search.md").read_text(), re.DOTALL)
    plan = plan_runs(parse(StudyConfig, yaml.safe_load(block), "docs/search.md"), "quick")
    spaces = {run.spec.label: run.spec.search["space"] if run.spec.search else None for run in plan}
    assert [label for label, space in spaces.items() if space is None] == ["MLP_as_it_is", "Kernel"]
    assert spaces["MLP"]["encoder_options.width"] == {"least": 64, "greatest": 256, "log": True}
    assert "encoder_options.layers" not in spaces["MLP"]


def test_a_range_without_a_search_is_refused() -> None:
    row = RF | {"search": {"options.min_samples_leaf": {"values": [1, 2]}}}
    with pytest.raises(RelataskError, match=r"methods.RF.search: add `search` to the study"):
        runs_of(row, search=None)
