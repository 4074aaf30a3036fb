"""The exceptions that a user is meant to read."""

from relatask.core.credentials import hidden

LONGEST = 2000  # characters of a message; a cell of a file may be megabytes


class RelataskError(Exception):
    """A mistake in the input, the config or the environment, told in one sentence.

    The message names the file, key or row, says what was expected, and what to do. The command line
    prints it without a traceback and exits with status 2.

    What it quotes comes from outside, so line breaks and control characters, which could rewrite a
    terminal, become spaces, and of a very long message the middle is left out. Logins and tokens in
    addresses become `***`.
    """

    def __init__(self, message: str) -> None:
        message = hidden(message)
        if len(message) > LONGEST:
            message = f"{message[: LONGEST * 2 // 3]} … {message[-LONGEST // 3 :]}"
        super().__init__("".join(mark if mark.isprintable() else " " for mark in message))


class DivergedError(RelataskError):
    """A training whose loss or scores are no numbers any more: of its settings, and not of the machine."""
