"""The finished study that faults befall."""

from tests.workflow.conftest import tiny_results, tiny_study

__all__ = ["tiny_results", "tiny_study"]
