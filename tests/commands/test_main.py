"""What every command says where the surroundings fail: one sentence, or nothing where nobody reads on."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from relatask import __main__ as command_line
from relatask import __version__
from relatask.__main__ import main
from relatask.commands import studies
from tests.helpers.paths import ROOT

COMMAND = [sys.executable, "-m", "relatask"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": ""}


@pytest.mark.parametrize("arguments", [["studies"], ["--help"], ["status", "--help"]])
def test_a_reader_that_ends_early_is_no_error(arguments: list[str]) -> None:
    """As `relatask studies | head`: the pipe has no reader when the command writes."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 141  # 128 + SIGPIPE, as of a program that the signal ends


def test_output_on_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "studies"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT
        )
    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("can't start new thread"), "can't start new thread"),
        (MemoryError(), "MemoryError"),
        (ImportError("libx.so: failed to map segment from shared object"), "libx.so: failed to map segment"),
        (RuntimeError("not enough memory: you tried\nto allocate"), "not enough memory: you tried)"),
    ],
)
def test_too_little_memory_is_one_sentence_with_the_way_out(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise error

    monkeypatch.setattr(studies, "run", fail)
    assert main(["studies"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: studies got no more memory or threads (")
    assert said in line
    assert "; raise the limit (ulimit -v, ulimit -u, or the memory of the job), or run fewer jobs" in line


def test_libraries_that_do_not_fit_into_memory_are_one_sentence() -> None:
    """The packages of the step are imported under a limit that they exceed."""
    limit = 300 << 20  # bytes
    done = subprocess.run(
        [*COMMAND, "train_shard", "--manifest", "absent.json", "--out", "done.json"],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: train_shard got no more memory or threads (")


def test_an_unwritable_log_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["studies", "--log", str(tmp_path / "file" / "a.log")]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'file'}: File exists\n"


def test_ctrl_c_while_a_step_is_imported_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(folder: str, name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_parser", interrupted)
    assert command_line.main(["train_shard"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_overview_shows_commands_for_people_and_hides_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    short = capsys.readouterr().out
    assert "  train  " in short
    assert "train_shard" not in short
    assert "write_schema" not in short
    for asked in (["steps"], ["--all"], ["--help", "--all"]):
        assert main(asked) == 0
        assert {"train", "train_shard", "write_schema"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("trian", "Did you mean 'train'?"),
        ("pla-runs", "Did you mean 'plan_runs'?"),
        ("xyz", "--help lists them"),
    ],
)
def test_an_unknown_command_is_told_what_it_may_have_meant(
    given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: there is no command {given!r}. ")
    assert said in line


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["a.csv", "--smile-columns", "x"], "'--smile-columns'. Did you mean '--smiles-columns'?"),
        (["a.csv", "--corse=2"], "'--corse'. Did you mean '--cores'?"),
        (["a.csv", "-Z"], "'-Z'. relatask train --help lists them."),
    ],
)
def test_an_unknown_option_is_told_what_it_may_have_meant(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *given]) == 2
    assert capsys.readouterr().err == f"error: relatask train has no option {said}\n"


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"relatask {__version__}\n"


@pytest.mark.parametrize("folder", ["commands", "steps"])
def test_every_help_shows_an_example(folder: str) -> None:
    for name, path in command_line._find(folder).items():
        head = path.read_text().split('"""')[1]
        assert f"relatask {name}" in head.partition("Example")[2], name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_their_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "predict" in script
    assert "smiles-columns" in script
    assert "train_shard" not in script
