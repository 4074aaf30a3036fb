"""Settings of SGNN-EBM's contrast, from the defaults that stand in its file."""

from dataclasses import fields
from typing import Any

from relatask.core.registry import complete_options
from relatask.methods.sgnn.contrast import ContrastSettings


def contrast_settings(**changes: Any) -> ContrastSettings:
    """The defaults but for `changes`; what may not be is refused as in a study."""
    options = complete_options("methods", "sgnn_ebm", changes)
    return ContrastSettings(**{entry.name: options[entry.name] for entry in fields(ContrastSettings)})
