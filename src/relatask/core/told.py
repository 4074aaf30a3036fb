"""Messages that a process says once, however often it opens the same file."""

import logging
from functools import cache


@cache
def tell_once(logger: str, level: int, message: str) -> None:
    """Log a message unless this process has logged the same one.

    Args:
        logger: name of the logger.
        level: e.g. `logging.INFO`.
        message: what is said, complete.
    """
    logging.getLogger(logger).log(level, "%s", message)
