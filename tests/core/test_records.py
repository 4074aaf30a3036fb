"""What files say of themselves: read without importing them, and only in words that somebody knows."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from relatask.config.conditions import WORDS
from relatask.core.errors import RelataskError
from relatask.core.estimators import estimators
from relatask.core.layout import NEEDS
from relatask.core.outputs import figures, tables
from relatask.core.records import read_literal
from relatask.core.registry import catalogue
from relatask.publishing.inputs import Inputs
from tests.helpers.study_tables import make_inputs

FACTS = {"study", "scale", "metric", "baseline"}


@pytest.mark.parametrize("kind", [tables, figures])
def test_outputs_use_known_words_needs_and_placeholders(kind) -> None:
    assert len(kind()) >= 13
    for name, record in kind().items():
        assert set(record.when) <= set(WORDS), name
        assert set(record.needs) <= set(NEEDS), name
        assert set(re.findall(r"{(\w+)}", record.caption)) <= FACTS, name


def test_literals_are_those_of_the_syntax_tree(root: Path) -> None:
    package = root / "src" / "relatask"
    found = {"TABLE": tables(), "FIGURE": figures(), "ESTIMATOR": estimators()}
    found["CAPABILITIES"] = catalogue("methods") | catalogue("encoders") | catalogue("balancing")
    for literal, known in found.items():
        for record in known.values():
            tree = ast.parse((package / record.file).read_text())
            (expected,) = (
                ast.literal_eval(node.value)
                for node in tree.body
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == literal
            )
            assert read_literal(package / record.file, literal) == expected, record.file


@pytest.mark.parametrize(
    "text", ["TABLE = dict(a=1)\n", "TABLE = [\n    1,\n]\n", "X = 1\n", "TABLE = {\n    'a': f(),\n}\n"]
)
def test_what_is_no_literal_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.py").write_text(text)
    with pytest.raises(RelataskError, match=r"x\.py.*(must be a literal dict|has no TABLE)"):
        read_literal(tmp_path / "x.py", "TABLE")


@pytest.mark.parametrize(
    "text", ["TABLE = {'a': 1}\n", "TABLE: dict = {\n    'a': 1,\n}\n", "TABLE = (\n{'a': 1})\n"]
)
def test_a_literal_is_read_however_it_is_laid_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.py").write_text(f"import torch\n\n{text}\n\ndef make():\n    return {{}}\n")
    assert read_literal(tmp_path / "x.py", "TABLE") == {"a": 1}


def test_an_output_reads_only_what_it_says_that_it_needs(tmp_path: Path) -> None:
    mine = replace(tables()["main"], file="publishing/tables/mine.py", needs=("plan",), saved={})
    inputs: Inputs = make_inputs(tmp_path).restricted(mine)
    assert len(inputs.plan)
    with pytest.raises(RelataskError, match=r"mine\.py reads 'metrics'; add it to the `needs` of its file"):
        _ = inputs.metrics
    with pytest.raises(RelataskError, match="reads 'dataset';"):
        inputs.of_dataset("toy", "tasks")
    with pytest.raises(RelataskError, match=r"mine\.py reads 'dependency'; add it to `saved` in its file"):
        inputs.saved("dependency")
