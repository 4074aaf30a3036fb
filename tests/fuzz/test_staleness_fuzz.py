"""Whatever happened before, a run shows what is made from the data, the config and the code of now.

`make test` plays the same dozen of histories each time, `make fuzz` hundreds of new ones.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import COUNT
from tests.helpers import staleness
from tests.helpers.package_copy import extended
from tests.helpers.staleness import CODE, DATA, KEYS, Act, World, outcome
from tests.helpers.warm_python import warm_python

FIXED = 12
NEW = "RELATASK_FUZZ_CASES" in os.environ
HISTORIES = max(FIXED, COUNT * 3 // 200) if NEW else FIXED  # 300 of `make fuzz`

numbers = st.integers(0, 10_000)
choices = st.sampled_from([(key, choice) for key in KEYS for choice in (0, 1)])
EDITS = st.one_of(
    choices.map(lambda pair: staleness.edit_config(*pair)),
    st.builds(staleness.replace_data, st.integers(0, DATA - 1), st.sampled_from([None, 0, 7])),
    st.sampled_from(sorted(CODE)).map(staleness.edit_code),
)
DAMAGE = st.one_of(
    st.builds(staleness.redate, numbers, st.sampled_from([-400.0, -1.0, 0.0, 2.0])),
    numbers.map(staleness.delete),
    numbers.map(staleness.copy),
    numbers.map(staleness.alter),
    st.sampled_from([staleness.FORGET, staleness.SWAP, staleness.LINK, staleness.COPY_ALL]),
)
RUNS = st.one_of(
    st.sampled_from([staleness.RUN, staleness.RUN_THERE]),
    st.sampled_from(["prepare_all", "train_all", "tables"]).map(staleness.run_part),
    st.floats(0.3, 8.0).map(staleness.kill),
)
HISTORY = st.lists(st.one_of(EDITS, DAMAGE, EDITS, DAMAGE, RUNS), min_size=3, max_size=7)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with warm_python(tmp_path_factory.mktemp("warm")) as program:
        yield program


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose code histories edit."""
    return extended(tmp_path_factory.mktemp("copy"), {})


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clean")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path, python: Path, clean: Path) -> Path:
    """Two finished folders, where each history begins."""
    folder = tmp_path_factory.mktemp("finished")
    World(folder, root, clean, python).finish()
    return folder


@pytest.mark.timeout(0)
@settings(
    max_examples=HISTORIES,
    derandomize=not NEW,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # a history takes half a minute: one that fails is printed, not shortened
    suppress_health_check=list(HealthCheck),
)
@given(history=HISTORY)
def test_a_run_shows_what_a_clean_folder_shows(
    history: list[Act],
    root: Path,
    python: Path,
    clean: Path,
    finished: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = World(tmp_path_factory.mktemp("world"), root, clean, python)
    world.start_from(finished)
    try:
        for act in [*history, staleness.RUN]:
            act.do(world)
        expected = world.expected(world.here)
        found = outcome(world.here.results)
        assert sorted(found) == sorted(expected)
        assert [name for name in expected if found[name] != expected[name]] == []
    finally:
        world.end()
