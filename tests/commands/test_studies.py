"""The list of studies says how long they train and which files a user must bring, as README prints it."""

from pathlib import Path

from relatask.__main__ import main


def test_readme_prints_what_the_command_lists(root: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)  # from any folder
    assert main(["studies"]) == 0
    listed = capsys.readouterr().out.strip()
    assert listed in (root / "README.md").read_text()
    assert "| demo | 36 |" in listed


def test_a_folder_without_studies_is_refused_by_name(tmp_path: Path, capsys) -> None:
    assert main(["studies", "--config", str(tmp_path / "config")]) == 2
    assert "config/studies holds no study; name the folder with --config" in capsys.readouterr().err
