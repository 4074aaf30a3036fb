"""Of what Snakemake says when a job fails, the one sentence that a person can act on."""

import logging
from pathlib import Path

import pytest

from relatask.core.failures import Failures, error_in


@pytest.fixture
def failures() -> Failures:
    return Failures()


def job(rule: str, *logs: Path) -> logging.LogRecord:
    record = logging.LogRecord("snakemake.logging", logging.ERROR, "", 0, "Error in rule", None, None)
    record.__dict__.update(event="job_error", rule_name=rule, log=[str(path) for path in logs])
    return record


def stopped(message: str) -> logging.LogRecord:
    record = logging.LogRecord("snakemake.logging", logging.ERROR, "", 0, message, None, None)
    record.__dict__.update(event="error")
    return record


def test_the_sentence_is_the_last_error_of_the_failed_steps_log(failures: Failures, tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    log.write_text("reading\nerror: first try\nreading\nerror: x.csv has no column 'SMILE'.\n")
    failures.emit(job("prepare_items", log))
    failures.emit(stopped("WorkflowError:\nAt least one job did not complete successfully."))
    assert failures.sentence() == "x.csv has no column 'SMILE'."


def test_a_job_that_was_killed_names_its_rule_and_log(failures: Failures, tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    log.write_text("training\n")
    failures.emit(job("train_shard", log))
    assert failures.sentence() == (
        f"train_shard ended without a word, as a process that is killed does; its log is {log}."
    )
    assert error_in(tmp_path / "absent.log") == ""


def test_of_a_message_of_snakemake_the_own_words_stay(failures: Failures) -> None:
    failures.emit(
        stopped(
            'WorkflowError in file "/x/common.smk", line 63:\n'
            "my.yaml: unknown key 'readr' in 'sources.a'. Did you mean 'reader'?\n"
            '  File "/x/common.smk", line 242, in <module>'
        )
    )
    assert failures.sentence() == "my.yaml: unknown key 'readr' in 'sources.a'. Did you mean 'reader'?"


def test_what_did_not_fail_says_nothing(failures: Failures) -> None:
    failures.emit(logging.LogRecord("snakemake.logging", logging.INFO, "", 0, "1 of 2 steps", None, None))
    assert failures.sentence() == ""
