"""The workflow is found in a clone and in an installed package."""

from pathlib import Path

import pytest

from relatask.core import workflow_files
from relatask.core.errors import RelataskError
from relatask.core.workflow_files import workflow_folder


def test_a_clone_has_the_workflow_beside_the_source(root: Path) -> None:
    assert workflow_folder() == root


def test_an_installed_package_has_it_inside_and_a_bare_one_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "lib" / "site-packages" / "relatask"
    monkeypatch.setattr(workflow_files, "PACKAGE", package)
    with pytest.raises(RelataskError, match="was copied without the workflow; install relatask with pip"):
        workflow_folder()
    (package / "project").mkdir(parents=True)
    (package / "project" / "Snakefile").write_text("")
    assert workflow_folder() == package / "project"
