"""What files of methods, loops and encoders say of themselves, and what the plan makes of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relatask.config import MethodConfig, StudyConfig, parse
from relatask.core import records, registry
from relatask.core.errors import RelataskError
from relatask.core.records import Options, checked_options
from relatask.core.registry import (
    PACKAGE,
    Capabilities,
    LoopRecord,
    capabilities,
    catalogue,
    complete_options,
    loop_of,
    own_options,
    read_capabilities,
    read_loop,
)
from relatask.plan import cost, refusals
from tests.helpers.planned_study import study
from tests.helpers.prepared_dataset import make_spec

NESTED = Options(
    options={"depth": 2, "gate": {"width": 8, "kind": "soft"}},
    choices={"gate.kind": ("soft", "hard")},
    limits={"gate.width": (1, 64), "depth": (0, 9)},
)


def test_options_inside_an_option_are_checked_by_the_same_rules():
    chosen = checked_options("method 'x'", NESTED, {"gate": {"width": 4}})
    assert chosen == {"depth": 2, "gate": {"width": 4, "kind": "soft"}}
    assert NESTED.options["gate"] == {"width": 8, "kind": "soft"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gate": {"widht": 3}}, "method 'x' has no option 'widht'. Did you mean 'width'?"),
        ({"gate": {"width": 65}}, "option 'gate.width' of method 'x' must be from 1 to 64, not 65."),
        ({"gate": {"kind": "sof"}}, "option 'gate.kind' of method 'x' cannot be 'sof'. Did you mean 'soft'?"),
        ({"gate": 3}, "option 'gate' of method 'x' must be dict, not 3."),
        ({"depth": True}, "option 'depth' of method 'x' must be int, not True."),
        ({3: 1}, "method 'x' has no option 3. Known: depth, gate."),
    ],
)
def test_what_no_option_may_be_is_one_sentence(given: dict[Any, Any], message: str):
    with pytest.raises(RelataskError) as raised:
        checked_options("method 'x'", NESTED, given)
    assert str(raised.value) == message


def test_options_of_a_loop_are_options_of_its_methods_but_reach_the_loop_alone():
    options = complete_options("methods", "metalink", {"support": 7})
    assert options["support"] == 7
    assert own_options("metalink", options) == {"layers": 2, "predictor": "dot", "shared": False}
    few_shot = complete_options("methods", "prototypes", {"pretraining": 3})
    assert own_options("prototypes", few_shot) == {"layers": 0, "pretraining": 3}


def test_every_default_is_a_value_that_is_taken():
    for kind in ("methods", "encoders", "balancing"):
        for name, ability in catalogue(kind).items():
            assert complete_options(kind, name, ability.options) == ability.options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('CAPABILITIES = {"sumary": "x"}', "has no key ['sumary']"),
        ('CAPABILITIES = {"kinds": ("values",)}', "is 'values'; it can be binary, real, class."),
        ('CAPABILITIES = {"encoders": "both"}', "is 'both'; it can be shared, per task, none."),
        ('CAPABILITIES = {"draws_alike": {"width": None}}', "['draws_alike'] names 'width', which is no"),
        (
            'CAPABILITIES = {"contradictions": (({"width": (1,)}, "x"),)}',
            "['contradictions'] names 'width', which is no option.",
        ),
        (
            'CAPABILITIES = {"space": {"depth": {"values": [1, 2]}}}',
            "CAPABILITIES['space'] has no option 'depth'",
        ),
        (
            'CAPABILITIES = {"options": {"a": 1}, "space": {"a": (1, 2)}}',
            "CAPABILITIES['space']: a: write {least",
        ),
        ("CAPABILITIES = {**OTHER}", "must be a literal dict"),
        ("X = 1", "has no CAPABILITIES = {...}"),
    ],
)
def test_a_record_that_is_not_understood_names_file_and_key(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(records, "PACKAGE", tmp_path)
    monkeypatch.setattr(registry, "PACKAGE", tmp_path)
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(RelataskError) as raised:
        read_capabilities(path)
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_a_loop_without_its_record_is_refused():
    with pytest.raises(RelataskError, match=r"epochs\.py has no LOOP"):
        read_loop("engine/epochs.py")


def test_each_loop_has_what_its_record_says():
    for name in catalogue("methods"):
        record, module = loop_of(name), registry.load_loop(name)
        assert hasattr(module, "Training") != hasattr(module, "train")
        assert callable(module.predictor)
        assert (PACKAGE / record.file).is_file()


def refused(monkeypatch: pytest.MonkeyPatch, ability: Capabilities, loop: LoopRecord, **row: Any) -> str:
    """What the plan says of a row of a method with `ability`."""
    monkeypatch.setitem(catalogue("methods"), ability.name, ability)
    monkeypatch.setattr(refusals, "loop_of", lambda method: loop)
    method = MethodConfig(label="X", method=ability.name, **row)
    parsed = parse(StudyConfig, study(), "study")
    with pytest.raises(RelataskError) as raised:
        refusals.refuse(method, "a", parsed.datasets["a"], parsed)
    return str(raised.value)


def test_second_derivatives_of_an_encoder_without_them_are_refused(monkeypatch: pytest.MonkeyPatch):
    plain = replace(capabilities("encoders", "gin"), name="kernel_gin", twice_differentiable=False)
    monkeypatch.setitem(catalogue("encoders"), "kernel_gin", plain)
    maml = Capabilities(name="maml", second_derivatives=True)
    told = refused(monkeypatch, maml, LoopRecord(), encoder="kernel_gin")
    assert told.startswith(
        "methods.X on data set 'a': method 'maml' needs second derivatives, which encoder 'kernel_gin' does "
        "not have; name "
    )


def test_balancing_that_reads_a_trunk_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch):
    ability = Capabilities(name="apart", encoders="per task")
    told = refused(monkeypatch, ability, LoopRecord(balances=True), encoder="gin", balancing="gradnorm")
    assert told == (
        "methods.X on data set 'a': balancing 'gradnorm' reads what all tasks share, and method 'apart' has "
        "no such part (capability `trunk`); choose e.g. uncertainty."
    )


def test_a_kind_of_label_that_a_method_does_not_learn_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    told = refused(monkeypatch, Capabilities(name="values", kinds=("real",)), LoopRecord(), encoder="gin")
    assert told == (
        "methods.X on data set 'a': method 'values' does not learn labels of kind binary, only real; name "
        "another method, or leave out tasks of that kind."
    )


def test_a_network_with_an_encoder_per_task_is_planned_to_cost_as_many(monkeypatch: pytest.MonkeyPatch):
    size = parse(StudyConfig, study(), "study").datasets["b"].size
    encoder, spec = capabilities("encoders", "gin"), make_spec(encoder="gin")

    def minutes(encoders: str) -> float:
        found = {"methods": Capabilities(encoders=encoders), "encoders": encoder}
        monkeypatch.setattr(
            cost, "capabilities", lambda kind, name: found.get(kind) or capabilities(kind, name)
        )
        return cost.predicted_minutes(spec, size)

    shared, apart = minutes("shared"), minutes("per task")
    assert (apart - 1 / 60) / (shared - 1 / 60) == pytest.approx(12)
