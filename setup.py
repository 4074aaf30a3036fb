"""What pyproject.toml cannot say: a wheel carries the workflow, in the package's folder `project`.

An editable install and a clone use the files where they are; see src/relatask/core/workflow_files.py.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PARTS = ("Snakefile", "config.yaml", "requirements.lock", "config", "envs", "profiles", "workflow")


class BuildWithWorkflow(build_py):
    """Copies the package and then the files of the workflow."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        project = Path(self.build_lib) / "relatask" / "project"
        shutil.rmtree(project, ignore_errors=True)  # what an earlier build left
        project.mkdir(parents=True)
        for part in map(Path, PARTS):
            (shutil.copytree if part.is_dir() else shutil.copy)(part, project / part)


setup(cmdclass={"build_py": BuildWithWorkflow})
