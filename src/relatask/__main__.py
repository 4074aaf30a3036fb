"""The command line: `relatask NAME ...` runs one step of the workflow, or a command for people."""

import argparse
import importlib
import logging
import sys
import textwrap
from pathlib import Path

from relatask.core.credentials import hidden
from relatask.core.errors import RelataskError

PACKAGE = Path(__file__).parent


def _find(folder: str) -> dict[str, Path]:
    """Name -> file of the steps or the commands."""
    return {path.stem: path for path in sorted((PACKAGE / folder).glob("[!_]*.py"))}


def _parser(folder: str, name: str) -> tuple[argparse.ArgumentParser, object]:
    """Build a parser from the docstring, `configure(parser)` and `run(arguments)` of a module."""
    module = importlib.import_module(f"relatask.{folder}.{name}")
    parser = argparse.ArgumentParser(
        prog=f"relatask {name}",
        description=textwrap.dedent(module.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    parser.add_argument("--log", metavar="FILE", help="also write messages to this file")
    return parser, module


def _overview() -> str:
    lines = ["usage: relatask NAME [options]      (relatask NAME --help explains it)"]
    for folder, title in (("commands", "for people:"), ("steps", "steps of the workflow:")):
        lines += ["", title]
        for name, path in _find(folder).items():
            summary = path.read_text(encoding="utf-8").lstrip().removeprefix('"""').split("\n", 1)[0]
            lines.append(f"  {name:24} {summary.removesuffix(chr(34) * 3)}")
    return "\n".join(lines)


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


def _place(error: OSError) -> str:
    return f"{error.filename}:" if error.filename else ""


def main(argv: list[str] | None = None) -> int:
    """Run one step or command; return 0, 2 after a mistake that the message explains, 130 after Ctrl-C."""
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:  # also while a step is imported
        logging.error("interrupted")
        return 130


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help"}:
        print(_overview())
        return 0
    name = argv[0].replace("-", "_")
    folder = next((folder for folder in ("steps", "commands") if name in _find(folder)), None)
    if folder is None:
        print(f"error: there is no step or command {argv[0]!r}.\n\n{_overview()}", file=sys.stderr)
        return 2
    parser, module = _parser(folder, name)
    arguments = parser.parse_args(argv[1:])
    _start_log(arguments.log)
    try:
        module.run(arguments)  # type: ignore[attr-defined]
    except RelataskError as error:
        logging.error("error: %s", error)
        return 2
    except OSError as error:
        logging.error("error: %s", " ".join(filter(None, [_place(error), error.strerror or str(error)])))
        return 2
    except Exception:
        logging.exception("error: %s failed in a way that nobody foresaw; please report this:", name)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
