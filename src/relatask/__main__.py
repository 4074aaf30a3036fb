"""The command line: `relatask NAME ...` runs one step of the workflow, or a command for people."""

import argparse
import difflib
import importlib
import logging
import os
import signal
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import NoReturn

from relatask import __version__
from relatask.core import code_at_start
from relatask.core.credentials import hidden
from relatask.core.errors import RelataskError

PACKAGE = Path(__file__).parent
PROJECT = ("scrub_report", "write_licences", "write_schema")  # commands that its Makefile and tests call
NO_MEMORY = (
    "can't start new thread",  # of Python
    "failed to map segment from shared object",  # of the loader of libraries
    "not enough memory",  # of torch
    "annot allocate memory",  # of the system
)


def _find(folder: str) -> dict[str, Path]:
    """Name -> file of the steps or the commands."""
    return {path.stem: path for path in sorted((PACKAGE / folder).glob("[!_]*.py"))}


class _Parser(argparse.ArgumentParser):
    """Says of an unknown option which one may have been meant, instead of what all of them are."""

    def error(self, message: str) -> NoReturn:
        _, told, given = message.partition("unrecognized arguments: ")
        wrong = next((word.partition("=")[0] for word in given.split() if word.startswith("-")), None)
        if not told or wrong is None:
            super().error(message)
        close = difflib.get_close_matches(wrong, self._option_string_actions, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"{self.prog} --help lists them."
        raise RelataskError(f"{self.prog} has no option {wrong!r}. {hint}")


def _parser(folder: str, name: str) -> tuple[argparse.ArgumentParser, object]:
    """Build a parser from the docstring, `configure(parser)` and `run(arguments)` of a module."""
    module = importlib.import_module(f"relatask.{folder}.{name}")
    parser = _Parser(
        prog=f"relatask {name}",
        description=textwrap.dedent(module.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    parser.add_argument("--log", metavar="FILE", help="also write messages to this file")
    return parser, module


def command_parsers() -> argparse.ArgumentParser:
    """Return one parser of all commands for people, for the completion of a shell."""
    parser = argparse.ArgumentParser(prog="relatask")
    inside = parser.add_subparsers()
    for name in _find("commands"):
        module = importlib.import_module(f"relatask.commands.{name}")
        module.configure(inside.add_parser(name, help=_summary(Path(module.__file__ or ""))))
    return parser


def _overview(everything: bool = False) -> str:
    """Say what there is: commands for people, if asked also those of the project and the workflow's steps."""
    own = {name: path for name, path in _find("commands").items() if name not in PROJECT}
    lines = ["usage: relatask NAME [options]      (relatask NAME --help explains it, with examples)"]
    lines += _lines("commands:", own)
    if not everything:
        return "\n".join([*lines, "", "relatask steps: the steps of the workflow, which Snakemake calls"])
    lines += _lines("for the project:", {name: _find("commands")[name] for name in PROJECT})
    return "\n".join([*lines, *_lines("steps of the workflow:", _find("steps"))])


def _lines(title: str, files: dict[str, Path]) -> list[str]:
    return ["", title, *(f"  {name:24} {_summary(path)}" for name, path in files.items())]


def _summary(path: Path) -> str:
    """The first line of a module's docstring."""
    line = path.read_text(encoding="utf-8").lstrip().removeprefix('"""').split("\n", 1)[0]
    return line.removesuffix('"""')


class _Formatter(logging.Formatter):
    """Messages, also tracebacks, without the logins and tokens of addresses."""

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record))


def _start_log(path: str | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    for handler in handlers:
        handler.setFormatter(_Formatter("%(message)s"))
    logging.raiseExceptions = False  # a log on a full disk must not bury the message in tracebacks
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)


def _said(error: OSError) -> str:
    """What the system says, with the file; of a folder for temporary files also how to have another one."""
    place = f"{error.filename}:" if error.filename else ""
    text = " ".join(filter(None, [place, error.strerror or str(error)]))
    own = f"{tempfile.tempdir}/relatask-"
    if str(error.filename).startswith(own) or "No usable temporary directory" in text:
        text += "; set TMPDIR to a folder with room where you may write."
    return text


def _lacks_memory(error: Exception) -> bool:
    """Whether the system refused memory or a thread, in the words of the libraries that asked for it."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def _run(argv: list[str]) -> int:
    """Run one step or command and print what it said; return the exit status."""
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(_overview("--all" in argv), flush=True)
        return 0
    if argv[0] in {"steps", "--all"}:
        print(_overview(everything=True), flush=True)
        return 0
    if argv[0] in {"-V", "--version"}:
        print(f"relatask {__version__}", flush=True)
        return 0
    name = argv[0].replace("-", "_")
    folder = next((folder for folder in ("steps", "commands") if name in _find(folder)), None)
    if folder is None:
        known = [*_find("commands"), *_find("steps")]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "relatask --help lists them."
        print(f"error: there is no command {argv[0]!r}. {hint}", file=sys.stderr)
        return 2
    _start_log(None)
    code_at_start.remember()
    try:
        parser, module = _parser(folder, name)
        arguments = parser.parse_intermixed_args(argv[1:])
        _start_log(arguments.log)
        module.run(arguments)  # type: ignore[attr-defined]
        print(end="", flush=True)  # a full disk or a closed pipe shows here
    except RelataskError as error:
        logging.error("error: %s", error)
        return 2
    except Exception as error:
        if isinstance(error, BrokenPipeError) and folder == "commands":  # its reader has ended
            raise
        if _lacks_memory(error):
            first = str(error).partition("\n")[0] or type(error).__name__
            logging.error(
                "error: %s got no more memory or threads (%s); raise the limit (ulimit -v, ulimit -u, or the "
                "memory of the job), or run fewer jobs at once.",
                name,
                first,
            )
            return 2
        if isinstance(error, OSError):
            logging.error("error: %s", _said(error))
            return 2
        logging.exception("error: %s failed in a way that nobody foresaw; please report this:", name)
        return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run one step or command; return 0, 2 after a mistake that the message explains, 130 after Ctrl-C.

    Who reads the output may end before it is complete, as in ``relatask status STUDY | head``. Then nothing
    more is said, and the status is that of a program that the signal of a closed pipe ends.
    """
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            print(end="", flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # of what is left
        return 128 + signal.SIGPIPE if isinstance(error, BrokenPipeError) else 2
    except KeyboardInterrupt:  # also while a step is imported
        logging.error("interrupted")
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
