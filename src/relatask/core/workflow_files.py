"""Where the files of the workflow lie: Snakefile, config.yaml, config/, envs/, profiles/ and workflow/."""

from pathlib import Path

from relatask.core.errors import RelataskError

PACKAGE = Path(__file__).parents[1]
IN_WHEEL = "project"  # folder of the package, which setup.py fills where it builds a wheel


def workflow_folder() -> Path:
    """Return the folder of the workflow: that of the clone, or in an installed package its `project`.

    Raises:
        RelataskError: the package was copied without the workflow.
    """
    for folder in (PACKAGE / IN_WHEEL, PACKAGE.parents[1]):
        if (folder / "Snakefile").is_file():
            return folder
    raise RelataskError(
        f"{PACKAGE} was copied without the workflow; install relatask with pip, or work in a clone of it."
    )
