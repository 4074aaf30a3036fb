"""What must be made again is decided from contents alone."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relatask.freshness.decision import MISSING, Making, reasons_to_make
from tests.freshness.model import JOBS, MADE, OPTIONS, Folder

MADE_BEFORE = Making({"trees": "a"}, {"labels.parquet": "b"}, {"scores.parquet": "c"})


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (Making({"trees": "x"}, {"labels.parquet": "b"}, {"scores.parquet": "c"}), "trees changed"),
        (
            Making({"trees": "a"}, {"labels.parquet": "x"}, {"scores.parquet": "c"}),
            "labels.parquet has other content",
        ),
        (
            Making({"trees": "a"}, {"labels.parquet": "b"}, {"scores.parquet": MISSING}),
            "scores.parquet is missing",
        ),
        (
            Making({"trees": "a"}, {"labels.parquet": "b"}, {"scores.parquet": "x"}),
            "scores.parquet is not as it was made",
        ),
        (Making({"trees": "a"}, {}, {"scores.parquet": "c"}), "labels.parquet is no input of it any more"),
        (
            Making({"trees": "a"}, {"labels.parquet": "b", "split": "s"}, {"scores.parquet": "c"}),
            "split was no input of it before",
        ),
    ],
)
def test_a_difference_is_named(now: Making, reason: str) -> None:
    assert reasons_to_make(MADE_BEFORE, now) == [reason]


def test_what_is_as_it_was_made_stays() -> None:
    assert reasons_to_make(MADE_BEFORE, MADE_BEFORE) == []


def test_without_a_record_nothing_passes_for_current() -> None:
    assert reasons_to_make(None, MADE_BEFORE) == ["nothing on record says what made its outputs"]


def test_an_input_that_is_missing_is_left_to_the_job_that_makes_it() -> None:
    gone = Making(MADE_BEFORE.options, {"labels.parquet": MISSING}, MADE_BEFORE.outputs)
    assert reasons_to_make(MADE_BEFORE, gone) == []


def test_a_download_may_be_deleted_and_not_altered() -> None:
    gone = Making(MADE_BEFORE.options, MADE_BEFORE.inputs, {"scores.parquet": MISSING})
    assert reasons_to_make(MADE_BEFORE, gone, retrieved=True) == []
    assert reasons_to_make(None, gone, retrieved=True), "it may have come from another address"
    altered = Making(MADE_BEFORE.options, MADE_BEFORE.inputs, {"scores.parquet": "x"})
    assert reasons_to_make(MADE_BEFORE, altered, retrieved=True)


def test_several_differences_of_a_kind_are_counted() -> None:
    now = Making(MADE_BEFORE.options, MADE_BEFORE.inputs, {"a": MISSING, "b": MISSING, "c": MISSING})
    assert reasons_to_make(MADE_BEFORE, now) == ["a and 2 more is missing"]


# Histories: what a user, a kill, a copy or a second folder does to two folders of results.
Step = Callable[[Folder, Folder], None]


def _edit(name: str, value: str) -> Step:
    return lambda here, there: here.options.__setitem__(name, value)


def _replace_own(value: str) -> Step:
    return lambda here, there: here.files.__setitem__("sheet", value)


def _delete(name: str) -> Step:
    return lambda here, there: here.files.pop(name, None) and None


def _alter(name: str) -> Step:
    return lambda here, there: here.files.__setitem__(name, "altered")


def _copy(name: str) -> Step:
    def copy(here: Folder, there: Folder) -> None:
        if name in there.files:
            here.files[name] = there.files[name]

    return copy


def _forget(name: str) -> Step:
    return lambda here, there: here.records.pop(name, None) and None


def _copy_record(name: str) -> Step:
    def copy(here: Folder, there: Folder) -> None:
        if name in there.records:
            here.records[name] = there.records[name]

    return copy


def _copy_all(here: Folder, there: Folder) -> None:
    own = here.files["sheet"]
    here.files, here.records = {**there.files, "sheet": own}, dict(there.records)


def _delete_all(here: Folder, there: Folder) -> None:
    here.files, here.records = {"sheet": here.files["sheet"]}, {}


def _run_there(here: Folder, there: Folder) -> None:
    there.run()


def _run(killed_at: int | None) -> Step:
    return lambda here, there: here.run(killed_at) and None


def _one_results_folder(here: Folder, there: Folder) -> None:
    """The other folder runs its own options and file on these results, as through a link."""
    other = Folder({**here.files, "sheet": there.files["sheet"]}, here.records, there.options)
    other.run()
    here.files = {**other.files, "sheet": here.files["sheet"]}


values, made = st.sampled_from(["0", "1", "2"]), st.sampled_from(MADE)
jobs = st.sampled_from([job.name for job in JOBS])
STEPS = st.one_of(
    st.builds(_edit, st.sampled_from(OPTIONS), values),
    st.builds(_replace_own, values),
    st.builds(_delete, made),
    st.builds(_alter, made),
    st.builds(_copy, made),
    st.builds(_forget, jobs),
    st.builds(_copy_record, jobs),
    st.builds(_run, st.one_of(st.none(), st.integers(0, 16))),
    st.sampled_from([_copy_all, _delete_all, _run_there, _one_results_folder]),
)


@settings(max_examples=2000)
@given(history=st.lists(STEPS, max_size=14), other=st.dictionaries(st.sampled_from(OPTIONS), values))
def test_after_any_history_a_run_leaves_what_a_clean_folder_has(
    history: list[Step], other: dict[str, str]
) -> None:
    here, there = Folder(), Folder(files={"sheet": "1"})
    there.options.update(other)
    for step in history:
        step(here, there)
    here.run()
    clean = Folder(files={"sheet": here.files["sheet"]}, options=dict(here.options))
    clean.run()
    shown = [name for name in MADE if name != "raw"]  # a download may stay away
    assert {name: here.files.get(name) for name in shown} == {name: clean.files[name] for name in shown}
    assert here.planned() == [], "what was just made is current"
