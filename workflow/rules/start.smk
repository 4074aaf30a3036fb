# What happens at the start of the workflow, before any job. Only in the process that a person started.
import logging

from snakemake.logging import logger

from relatask.core.clock import settle_times
from relatask.core.failures import Failures
from relatask.core.files import write_text
from relatask.freshness import ledger, persistence, study_origin


@lru_cache
def study_text():
    """The study as the steps read it."""
    return StudyAtScale(STUDY_NAME, CONFIG.scale, STUDY).text()


def study_is_ours():
    """Whether the steps read the study of this process, and not what another one wrote meanwhile.

    Predicting by a model reads none.
    """
    if CONFIG.model:
        return True
    path = Path(at("study"))
    return path.is_file() and path.read_text(encoding="utf-8") == study_text()


def require_own_results():
    try:
        study_origin.require_own(Path(at("origin")), CONFIG.study, ROOT)
    except RelataskError as error:
        raise WorkflowError(str(error)) from None


def write_study():
    """Write the study as the steps read it, if it differs from what is there, and which file it is.

    It is no output of a rule: whatever depends on such a file would run again after each edit. What a rule
    reads of the study is a digest among its params instead.
    """
    if CONFIG.model:
        return
    require_own_results()
    study_origin.note_origin(Path(at("origin")), CONFIG.study, ROOT)
    if not study_is_ours():
        write_text(Path(at("study")), study_text())


def require_writable_results():
    results = Path("results")
    if results.exists() and not (results.is_dir() and os.access(results, os.W_OK | os.X_OK)):
        raise WorkflowError(
            f"{results.absolute()} is no folder that you may write to; make it one, or work in another folder "
            "with --directory."
        )
    records = results / ledger.FOLDER
    if os.path.lexists(records) and not records.is_dir():
        raise WorkflowError(f"{records.absolute()} is no folder; delete it, then start again.")


def settle_clock():
    """Files from before the clock was set back must not pass for newer than what they are made from."""
    if moved := settle_times(Path("results")):
        logger.warning(
            f"{len(moved)} files, e.g. {moved[-1]}, are dated in the future, as if the clock had been set back; "
            "they are dated to the present now, in the same order."
        )


def warn_of_hours():
    """Say what the papers' scale will take, as one may have meant to try a study."""
    waiting = [shard for name, shard in SHARDS.items() if not Path(at("shard_done", shard=name)).exists()]
    searches = [search for key, search in SEARCHES.items() if not Path(*trial_files([key])).exists()]
    if CONFIG.scale == "paper" and waiting:
        n_runs, hours = (
            sum(len(shard.runs) for shard in waiting),
            sum(part.minutes for part in [*waiting, *searches]) / 60,
        )
        tried = f" and {sum(search.trials for search in searches):,} trials" if searches else ""
        logger.warning(
            f"scale: paper: {n_runs:,} runs{tried} are left, predicted to take {hours:,.1f} hours of one core; "
            f"relatask estimate {CONFIG.study} --scale paper says more."
        )


def what_failed(log):
    """The last line that a person reads: the sentence of the step that failed."""
    return f"error: {FAILURES.sentence()}\nLogs of the steps: results/logs/; of all: {log}"


FAILURES = Failures()

if workflow.is_main_process:
    logging.getLogger("snakemake").addHandler(FAILURES)
    require_writable_results()
    persistence.install(
        persistence.Rules(
            root=ROOT,
            package=PACKAGE,
            retrieved=frozenset(RETRIEVING),
            besides=written_besides,
            undisturbed=study_is_ours,
            put_right=settle_clock,
            begin=write_study,
        )
    )
else:
    persistence.install(None)
