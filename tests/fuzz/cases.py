"""How many cases a class of bad input gets, and what each of them must end in.

`make fuzz` tries more and others each time; the default suite tries the same ones every time.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from relatask.__main__ import main
from relatask.core.errors import RelataskError

T = TypeVar("T")
COUNT = int(os.environ.get("RELATASK_FUZZ_CASES", "1000"))


def cases(share: int = 1) -> settings:
    """Settings of a test that has one of `share` parts of its class's cases."""
    return settings(
        max_examples=-(-COUNT // share),
        derandomize="RELATASK_FUZZ_CASES" not in os.environ,
        database=None,
        deadline=timedelta(seconds=20),  # no case may hang; a busy machine may still be slow
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


def result_or_sentence(function: Callable[[], T], names: tuple[str, ...] = ("",)) -> T | None:
    """Return what `function` returns, or None after a `RelataskError` of one sentence.

    The sentence must have one of `names`; any other exception fails the test.
    """
    try:
        return function()
    except RelataskError as error:
        message = str(error)
        assert message.isprintable(), message
        assert 10 < len(message) < 2100, message
        assert message.rstrip()[-1] in ".?!", message
        assert any(name in message for name in names), message
        return None


def done_or_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str], names: tuple[str, ...] = ("",)
) -> bool:
    """Whether a command of `relatask` returns 0; else it says one sentence, no traceback, and returns 2."""
    capsys.readouterr()
    code = main(command)
    said = capsys.readouterr().err
    assert code in {0, 2}, said
    assert "Traceback" not in said
    if code == 2:
        last = said.splitlines()[-1]
        assert last.startswith("error: "), said
        assert any(name in last for name in names), last
    return code == 0
