"""What a study of graphs, nodes and pairs cannot ask for is refused when it is planned."""

from typing import Any

import pytest

from relatask.config import StudyConfig, parse
from relatask.core.errors import RelataskError
from relatask.plan.plan import plan_runs

TU = {"reader": "tudataset", "path": "ENZYMES.zip"}
GCN = {"encoder": "residual_gcn"}


def planned(*rows: dict[str, Any], source: dict[str, Any] = TU, scheme: str = "random") -> list[Any]:
    study = {
        "title": "t",
        "sources": {"s": source},
        "datasets": {"a": {"source": "s"}},
        "splits": {"schemes": [scheme]},
        "methods": [{"label": f"X{place}", **row} for place, row in enumerate(rows)],
        "baseline": "X0",
        "metrics": ["roc_auc"] if source["reader"] == "planted" else ["accuracy", "roc_auc"],
        "scales": {"quick": {"seeds": [0]}},
    }
    return list(plan_runs(parse(StudyConfig, study, "study"), "quick"))


def test_same_and_its_baselines_are_planned_and_so_is_a_shared_bottom() -> None:
    rows = [
        *({"method": name, **GCN} for name in ("same", "joint", "untrained", "shared_bottom")),
        {"method": "attributes"},
    ]
    assert len(planned(*rows)) == 5


@pytest.mark.parametrize(
    ("row", "source", "said"),
    [
        *(
            (
                {"method": method, "encoder": "gin"},
                TU,
                f"{method}' works on graph_parts, which encoder 'gin' does not read; name residual_gcn",
            )
            for method in ("same", "joint", "untrained")
        ),
        ({"method": "same"}, TU, "method 'same' needs an encoder"),
        (
            {"method": "attributes", **GCN},
            TU,
            "method 'attributes' reads graph_parts itself; remove",
        ),
        (
            {"method": "shared_bottom", "encoder": "gin"},
            TU,
            "encoder 'gin' does not read graphs, nodes",
        ),
        ({"method": "same", **GCN}, {"reader": "planted"}, "encoder 'residual_gcn' does not read molecules"),
        (
            {"method": "attributes"},
            {"reader": "planted"},
            "'attributes' does not read molecules; name",
        ),
        (
            {"method": "same", **GCN, "options": {"trains": "nodes"}},
            TU,
            "'trains' of method 'same' cannot",
        ),
        (
            {"method": "same", **GCN, "options": {"steps": 0}},
            TU,
            "'steps' of method 'same' must be from 1",
        ),
        ({"method": "joint", **GCN, "options": {"finetuning": 1.0}}, TU, "'finetuning' of .* must be from 0"),
        ({"method": "same", **GCN, "balancing": "dwa"}, TU, "nothing to balance; remove `balancing`"),
        ({"method": "sgnn", **GCN}, TU, "needs a relation graph|does not learn labels of kind class"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(row: dict[str, Any], source: Any, said: str) -> None:
    with pytest.raises(RelataskError, match=said) as error:
        planned(row, source=source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scheme", ["cells", "masked", "scaffold"])
def test_a_scheme_that_graphs_of_a_collection_do_not_have_is_refused(scheme: str) -> None:
    said = r"splits\.schemes: it is .* for graphs, nodes and pairs of nodes"
    with pytest.raises(RelataskError, match=said):
        planned({"method": "same", **GCN}, scheme=scheme)


def test_molecules_that_are_taken_apart_are_split_by_scaffold_too() -> None:
    molecules = {"reader": "molecule_parts", "path": "mine.csv"}
    for scheme in ("scaffold", "stratified"):
        assert len(planned({"method": "same", **GCN}, source=molecules, scheme=scheme)) == 1
    with pytest.raises(RelataskError, match=r"splits\.schemes: it is .* for molecules, atoms and pairs of"):
        planned({"method": "same", **GCN}, source=molecules, scheme="cells")
