"""What is done is not done again."""

from pathlib import Path

from tests.workflow.conftest import run_snakemake


def test_a_second_run_has_nothing_to_do(tiny_results: Path) -> None:
    done = run_snakemake(tiny_results, "--config", f"study={tiny_results / 'tiny.yaml'}")
    assert "Nothing to be done" in done.stdout + done.stderr
