"""Two study files of one name do not write into one folder; an edited, moved or copied one is the same."""

from pathlib import Path

import pytest

from relatask.core.errors import RelataskError
from relatask.freshness.study_origin import note_origin, origin_of, require_own
from tests.helpers.paths import ROOT


def test_another_file_of_the_same_name_is_refused_while_the_first_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("one", "two", "results/s"):
        Path(place).mkdir(parents=True)
    for place in ("one", "two"):
        Path(place, "s.yaml").write_text(place)
    note = Path("results/s/study_file.txt")
    require_own(note, "two/s.yaml", ROOT)  # results of old have no note
    note_origin(note, "one/s.yaml", ROOT)
    Path("two/s.yaml").write_text("one")
    require_own(note, "two/s.yaml", ROOT)  # a copy that nobody changed
    note_origin(note, "two/s.yaml", ROOT)
    Path("two/s.yaml").write_text("two")
    Path("one/s.yaml").write_text("edited")
    require_own(note, str(tmp_path / "one" / "s.yaml"), ROOT)
    said = "results/s holds the results of the study one/s.yaml, and two/s.yaml has the same name"
    with pytest.raises(RelataskError, match=said):
        require_own(note, "two/../two/s.yaml", ROOT)
    Path("one/s.yaml").rename("s.yaml")
    require_own(note, "s.yaml", ROOT)
    note_origin(note, "s.yaml", ROOT)
    with pytest.raises(RelataskError, match=r"of the study s\.yaml, and two/s\.yaml"):
        require_own(note, "two/s.yaml", ROOT)


def test_a_study_of_the_project_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text("")
    assert origin_of(str(ROOT / "config" / "studies" / "demo.yaml"), ROOT) == "demo"
    note = Path("study_file.txt")
    note_origin(note, "demo", ROOT)
    require_own(note, "demo", ROOT)
    with pytest.raises(RelataskError, match=r"the study demo, and demo\.yaml has the same name"):
        require_own(note, "demo.yaml", ROOT)
