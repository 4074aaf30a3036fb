"""Options of the command line that several commands read alike."""

import argparse
import re


def positive_option(text: str) -> int:
    """Return a whole number of at least 1."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more.")
    return int(text)


def part_option(text: str) -> tuple[int, int]:
    """Return (k, n) of "k/n", the k-th of n parts."""
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part; write K/N, e.g. 3/16 for the third of 16.")
    return int(match[1]), int(match[2])
