"""Whatever a config file holds, it is a study with runs, or one sentence says what is wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relatask.balancing._balancing import Setting
from relatask.config import Config, StudyConfig, load_config, load_study, parse
from relatask.core.errors import RelataskError
from relatask.core.files import canonical_json
from relatask.core.registry import capabilities, catalogue, load, loop_of, own_options
from relatask.data.prepared import PreparedDataset
from relatask.data.tasks import plain_tasks
from relatask.engine.adam import Adam
from relatask.engine.network import build_model
from relatask.engine.problem import Problem
from relatask.plan.plan import make_shards, plan_runs
from relatask.plan.spec import RunSpec
from tests.fuzz.cases import cases, result_or_sentence
from tests.fuzz.nested import places

STUDY: dict[str, Any] = {
    "title": "Fuzzed",
    "sources": {"mine": {"reader": "table", "path": "a.csv", "active": {"at_least": 6.0}}},
    "datasets": {"d": {"source": "mine", "densify": {"tau": 5}, "size": {"items": 10, "tasks": 3}}},
    "splits": {"schemes": ["random"], "fractions": [0.8, 0.1, 0.1]},
    "training": {"epochs": 2, "learning_rate": 0.1},
    "methods": [
        {"label": "RF", "method": "random_forest", "options": {"n_estimators": 5}},
        {"label": "GB", "method": "gradient_boosting", "options": {"learning_rate": 0.5}},
        {"label": "STL", "method": "single_task", "encoder": "gin", "encoder_options": {"width": 8}},
    ],
    "baseline": "RF",
    "scales": {"quick": {"seeds": [0, 1], "encoders": {"gin": {"layers": 2}}, "reduced": ["a test"]}},
}
LARGE = 256  # numbers above this in options are not built
DATA = PreparedDataset(
    tasks=plain_tasks(["one", "two", "three"]),
    labels=torch.zeros(4, 3),
    item_ids=torch.arange(4),
    folds={fold: torch.arange(4) for fold in ("train", "valid", "test")},
    inputs=None,
    edge_index=torch.tensor([[0, 1], [1, 2]]),
    edge_score=torch.ones(2),
)
BITS = np.random.default_rng(0).integers(0, 2, (12, 16)).astype(np.uint8)
NARROW = {"encoder_options": {"width": 8, "layers": 2}}
ROWS: dict[str, dict[str, Any]] = {  # whose options are fuzzed
    "sgnn_ebm": {"encoder": "fingerprint_mlp", **NARROW},
    "metalink": {"encoder": "graphsage", **NARROW},
    "baseline_pp": {"encoder": "fingerprint_mlp", **NARROW},
    "shared_bottom": {"encoder": "gin", **NARROW},
    "gradient_boosting": {"options": {"max_iter": 2}},
    "random_forest": {"options": {"n_estimators": 2}},
    "matrix_factorisation": {},
    "label_mean": {},
}
NAMES = ["../x", "$(touch x)", "<script>", "a\nb", "a b", "", "é", "x" * 300, "con", ".", "\x00", "mine"]
ALL = [one for kind in ("methods", "encoders", "balancing") for one in catalogue(kind).values()]
JUNK = st.one_of(
    st.sampled_from([None, True, -1, 0, 2**31, 10**30, 0.5, 1e400, -0.0, float("nan"), [], {}, "", "1"]),
    st.sampled_from([*NAMES, [1, [2]], {"a": {"b": []}}, {1: 2}, {None: None}, ["RF", "RF"]]),
    st.text(max_size=12),
    st.floats(),
    st.integers(),
)


WORDS = {word for one in ALL for words in one.choices.values() for word in words}
LIKELY = st.one_of(
    st.sampled_from([*sorted(WORDS, key=str), True, False]), st.integers(-1, 9), st.floats(0, 1)
)
PLACES = places(STUDY)
EDITS = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "drop", "rename", "add"]), JUNK),
    min_size=1,
    max_size=3,
)


def edited(value: Any, path: tuple, what: str, junk: Any) -> Any:
    """`value` with one part changed; a path that no longer exists changes nothing."""
    if isinstance(value, dict) and path[0] in value:
        value = dict(value)
    elif isinstance(value, list) and isinstance(path[0], int) and path[0] < len(value):
        value = list(value)
    else:
        return value
    if len(path) > 1:
        value[path[0]] = edited(value[path[0]], path[1:], what, junk)
    elif what == "set":
        value[path[0]] = junk
    elif what == "drop":
        del value[path[0]]
    elif isinstance(value, dict):
        key = junk if isinstance(junk, str | int | None) else str(junk)
        value[key] = value.pop(path[0]) if what == "rename" else {"x": 1}
    else:
        value.append(junk)
    return value


def runs_of(study: StudyConfig) -> int:
    """Plan as the workflow does, and pass the study on as it does."""
    runs = plan_runs(study, "quick")
    assert sum(len(shard.runs) for shard in make_shards(runs, 2.0, 1000)) == len(runs)
    assert len({run.spec.run_id for run in runs}) == len(runs)
    build_all([run.spec for run in runs])
    text = json.dumps(study.model_dump(mode="json"), ensure_ascii=False)
    text.encode()
    canonical_json(study.model_dump(mode="json"))
    assert plan_runs(parse(StudyConfig, json.loads(text), "again"), "quick") == runs
    return len(runs)


def build_all(specs: Sequence[RunSpec]) -> None:
    """Build what accepted runs describe: what the plan takes must not fail in a shard."""
    for spec in {one.canonical(): one for one in specs if one.seed == 0}.values():
        numbers = [*spec.method.options.values(), *(spec.encoder.options.values() if spec.encoder else [])]
        if any(isinstance(number, int | float) and number > LARGE for number in numbers):
            continue  # as meant, and gigabytes
        try:
            build(spec)
        except RelataskError as error:  # of these the plan cannot know
            if not any(name in str(error) for name in ("least_score", "max_gigabytes")):
                raise AssertionError(f"the plan took what cannot be built: {error}") from error


def build(spec: RunSpec) -> None:
    own = own_options(spec.method.name, spec.method.options)
    if spec.encoder is None:
        model = load("methods", spec.method.name).build(0, **own)
        if loop_of(spec.method.name).file.endswith("estimator.py"):
            model.fit(BITS, BITS[:, 0])
        return
    problem = Problem(spec, DATA, torch.arange(len(DATA.task_ids)), "")
    network = build_model(problem)
    rate = spec.training["learning_rate"]
    Adam(network.parameters(), rate, spec.training["weight_decay"])
    setting = Setting(network, len(DATA.task_ids), spec.training["batch_size"], rate)
    load("balancing", spec.balancing.name).build(setting, **spec.balancing.options)


def planned(values: Any) -> int:
    study = parse(StudyConfig, values, "mine.yaml")
    if "quick" not in study.scales:
        raise RelataskError("the workflow says that there is no such scale.")
    return runs_of(study)


@cases(3)
@given(EDITS)
def test_any_value_anywhere_is_a_plan_or_a_sentence(edits: list[tuple]) -> None:
    values: Any = STUDY
    for path, what, junk in edits:
        values = edited(values, path, what, junk)
    result_or_sentence(lambda: planned(values))


@cases(3)
@given(st.data())
def test_options_that_are_taken_can_be_built(data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([*ROWS]))
    row: dict[str, Any] = {"label": "X", "method": method, "options": {}, **ROWS[method]}
    entries = [("methods", method, "options"), ("encoders", row.get("encoder"), "encoder_options")]
    if method == "shared_bottom":
        row["balancing"] = data.draw(st.sampled_from(sorted({*catalogue("balancing")} - {"equal"})))
        entries.append(("balancing", row["balancing"], "balancing_options"))
    for kind, name, key in entries:
        if name is not None:
            names = st.sampled_from([*capabilities(kind, name).options, "widht"])
            drawn = data.draw(st.dictionaries(names, st.one_of(JUNK, LIKELY), max_size=2))
            row[key] = {**row.get(key, {}), **drawn}
    dataset = {"source": "s", "relations": {"source": "s", "channel": "experimental"}}
    study = {**STUDY, "sources": {"s": {"reader": "planted"}}, "datasets": {"d": dataset}}
    study |= {"methods": [row], "baseline": "X", "scales": {"quick": {"seeds": [0]}}}
    result_or_sentence(lambda: planned(study))


LINES = """\
title: Fuzzed
sources:
  mine: {reader: table, path: a.csv}
datasets:
  d: {source: mine}
methods:
  - {label: RF, method: random_forest}
baseline: RF
scales:
  quick: {seeds: [0]}
"""
PIECES = [
    *(
        "!!python/object/apply:os.system [x]",
        "!!int x",
        "!!timestamp y",
        "!!binary Ω",
        "2024-13-45",
        "1:99:99",
    ),
    *(
        "&a [*a]",
        "*b",
        "<<: *a",
        "? [1]",
        "{",
        "]",
        "'",
        '"\\ud800"',
        "\t",
        "---",
        "...",
        "- ",
        ": ",
        "%TAG ! x",
    ),
    *("\x00", "\ufeff", "\x85", "0x", "0b2", ".nan", ".inf", "!!set {a}", "!!omap [a: 1]", "[" * 3000, "# "),
    *("null", "~", "!!float x", "!!bool x", "|", ">", "@", "`", "999999999999999999999", "1e999", "<script>"),
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = LINES
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 4, 20]))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[start + length :]
    return text


@cases(3)
@given(st.one_of(texts().map(str.encode), st.binary(max_size=60)))
def test_any_bytes_in_a_study_file_are_a_plan_or_a_sentence(folder: Path, body: bytes) -> None:
    path = folder / "mine.yaml"
    path.write_bytes(body)
    result_or_sentence(lambda: plan_runs(load_study(path), "quick"))


VALUES: dict[str, Any] = {"study": "demo", "scale": "quick", "device": "cpu", "shard_minutes": 2.0}
KEYS = st.sampled_from([*Config.model_fields] * 4 + ["study"] * 20 + ["sudy", "a b", "", "\x00", 1, None])


@cases(3)
@given(st.dictionaries(KEYS, st.one_of(JUNK, st.sampled_from(["../../etc/passwd", "x.yaml", "demo\n"]))))
def test_any_value_of_the_config_is_taken_or_told(root: Path, values: dict[str, Any]) -> None:
    def load() -> str:
        config, name, study = load_config({**VALUES, **values}, root)
        make_shards(plan_runs(study, config.scale), config.shard_minutes, config.max_shards)
        canonical_json(config.model_dump(exclude={"mirror"}))
        return name

    assert result_or_sentence(load) in {None, "demo"}


def test_a_file_that_names_itself_a_billion_times_ends_at_once(tmp_path: Path) -> None:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(9)]
    (tmp_path / "bomb.yaml").write_text("\n".join([*lines, "title: *a9"]))
    with pytest.raises(RelataskError, match="stands for more than 1,000,000 values"):
        load_study(tmp_path / "bomb.yaml")
    (tmp_path / "loop.yaml").write_text(yaml.safe_dump(STUDY) + "training: &t {epochs: *t}\n")
    with pytest.raises(RelataskError):
        load_study(tmp_path / "loop.yaml")
