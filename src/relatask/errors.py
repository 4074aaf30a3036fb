"""The one exception that a user is meant to read."""


class RelataskError(Exception):
    """A mistake in the input, the config or the environment, told in one sentence.

    The message names the file, key or row, says what was expected, and what to do. The command line
    prints it without a traceback and exits with status 2.
    """
