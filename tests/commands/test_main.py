"""The command line that all steps and commands share."""

import pytest

from relatask import __main__ as command_line


def test_ctrl_c_while_a_step_is_imported_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupted(folder: str, name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_parser", interrupted)
    assert command_line.main(["train_shard"]) == 130
    assert caplog.messages == ["interrupted"]
