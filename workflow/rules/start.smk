# What is put right before the first job: the folder, times of files, markers of what is gone.
import os

from snakemake.logging import logger

from relatask.core.clock import settle_times


def require_writable_results():
    results = Path("results")
    if results.exists() and not (results.is_dir() and os.access(results, os.W_OK | os.X_OK)):
        raise WorkflowError(
            f"{results.absolute()} is no folder that you may write to; make it one, or work in another folder "
            "with --directory."
        )


def settle_clock():
    """Files from before the clock was set back must not pass for newer than what they are made from."""
    if moved := settle_times(Path("results")):
        logger.warning(
            f"{len(moved)} files, e.g. {moved[-1]}, are dated in the future, as if the clock had been set back; "
            "they are dated to the present now, in the same order."
        )


def forget_incomplete_data():
    """Remove the marker of a data set of which a file is gone, or Snakemake would not make the file again."""
    for dataset in STUDY.datasets:
        marker = Path(f"results/{STUDY_NAME}/prepared/{dataset}")
        if marker.exists() and not all(Path(file).exists() for file in training_files(dataset)):
            marker.unlink()
        elif not all(file.exists() for file in arrays_of(dataset)):
            marker.unlink(missing_ok=True)
            Path(f"results/{dataset}/features/features.json").unlink()


# Not again in the jobs that Snakemake starts elsewhere.
if workflow.is_main_process:
    require_writable_results()
    settle_clock()
    forget_incomplete_data()
