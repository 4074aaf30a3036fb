"""A study on a part of its data says so, and on next to nothing that it was a smoke run."""

import pytest

from relatask.core.files import write_json
from relatask.publishing import style
from relatask.publishing.data_size import size_notes, smoke_run, titled
from relatask.publishing.tables import main as main_table
from tests.helpers.study_tables import make_inputs, study_of


def study(whole: int | None) -> dict:
    values = study_of()
    values["datasets"]["toy"]["whole"] = whole
    return values


@pytest.mark.parametrize(
    ("whole", "note", "title"),
    [
        (None, "", ""),
        (200, "", ""),
        (20_000, "200 of the 20,000 molecules of toy; ", ""),
        (
            123_287,
            "200 of the 123,287 molecules of toy, a smoke run: its numbers mean nothing beyond that the code "
            "runs; ",
            " (smoke run on 200 items of toy)",
        ),
    ],
)
def test_the_table_says_how_much_of_the_data_there_was(tmp_path, whole, note, title):
    inputs = make_inputs(tmp_path, study=study(whole))  # of 200 molecules
    table = titled(main_table.make(inputs), inputs.smoke_run)
    assert table.title == f"Toy & co: test ROC-AUC of each method{title}"
    assert table.notes[-1] == f"Scale quick: {note}5 epochs instead of 200."


def test_each_data_set_is_named_with_its_part_of_the_whole(tmp_path):
    values = study_of(datasets=("toy", "other"))
    for name, n in (("toy", 3), ("other", 700)):
        values["datasets"][name]["whole"] = 1000
        write_json(tmp_path / "data" / name / "dataset.json", {"items": n})
    config = make_inputs(tmp_path / "elsewhere", study=values).study
    assert size_notes(config, tmp_path) == [
        "3 of the 1,000 molecules of toy, a smoke run: its numbers mean nothing beyond that the code runs",
        "700 of the 1,000 molecules of other",
    ]
    assert smoke_run(config, tmp_path) == "smoke run on 3 items of toy"


def test_figures_of_a_smoke_run_are_marked_and_others_are_not():
    with style.styled():
        for words, expected in (("smoke run on 3 items of toy", ["smoke run on 3 items of toy"]), ("", [])):
            figure = style.new_figure(6, 3)
            style.across(figure, words)
            assert [text.get_text() for text in figure.texts] == expected
