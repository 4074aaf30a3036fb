"""What people see of the workflow: one line for each stage, and Snakemake's words in a file."""

import io
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from relatask.commands import _workflow
from relatask.commands._workflow import STAGES, Stages
from relatask.core.workflow_files import workflow_folder


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(rule: str) -> logging.LogRecord:
    record = logging.LogRecord("snakemake.logging", logging.INFO, "", 0, "", None, None)
    record.__dict__.update(event="job_info", rule_name=rule)
    return record


RULES = ["plan_runs", "prepare_items", "check_leaks", "train_shard", "split_items", "describe_predictions"]
RULES += ["evaluate_runs", "write_manifest", "all"]


def lines_of(out: io.StringIO) -> list[str]:
    stages = Stages(out, lambda: "2 of 9 runs")
    shown = []
    for rule in RULES:
        stages.emit(job(rule))
        shown.append(stages.stage)
    assert shown == [list(STAGES)[stage] for stage in (0, 0, 0, 1, 1, 2, 2, 3, 3)]
    stages.emit(logging.LogRecord("snakemake.logging", logging.INFO, "", 0, "5 of 9 steps", None, None))
    stages.close()
    return out.getvalue().rstrip("\n").split("\n")


def test_each_stage_is_one_line_also_where_its_jobs_come_late() -> None:
    assert lines_of(io.StringIO()) == [f"{stage}: done in 0 s" for stage in STAGES]


def test_on_a_terminal_the_line_of_the_stage_at_work_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = [line.split("\r\x1b[K")[-1] for line in lines_of(Terminal())]
    assert shown == [f"{stage}: done in 0 s" for stage in STAGES]
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in "".join(lines_of(Terminal()))


def test_every_rule_of_the_workflow_is_in_one_stage() -> None:
    """A rule of no stage would be taken for one of the last, behind which no stage is shown."""
    folder = workflow_folder() / "workflow" / "rules"
    files = [path for path in folder.glob("*.smk") if path.name != "predict.smk"]  # of a target of its own
    found = [re.findall(r"^rule (\w+):|^use rule \w+ as (\w+)", file.read_text(), re.M) for file in files]
    rules = sorted(one or other for names in found for one, other in names)
    assert sorted(rule for stage in STAGES.values() for rule in stage) == rules


def test_words_of_this_process_and_its_children_go_into_the_file(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    code = (
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from relatask.commands._workflow import _words_into\n"
        "with _words_into(Path(sys.argv[1])) as out:\n"
        "    print('hidden', flush=True)\n"
        "    subprocess.run(['echo', 'child'])\n"
        "    print('stage', file=out)\n"
        "print('after')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(_workflow.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(log)], capture_output=True, text=True, env=environment, check=True
    )
    assert (done.stdout, done.stderr) == ("after\n", "stage\n")
    assert log.read_text() == "hidden\nchild\n"
