"""A message that a file's opening says once, however often it is opened."""

import logging

import pytest

from relatask.core.told import tell_once


def test_the_same_message_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        tell_once("here", logging.INFO, "100 % of a.csv")
        tell_once("here", logging.INFO, "100 % of b.csv")
    assert caplog.messages == ["100 % of a.csv", "100 % of b.csv"]
