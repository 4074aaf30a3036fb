"""The command line: `relatask STEP ...` runs one step of the workflow."""

import argparse
import importlib
import logging
import sys
import textwrap
from pathlib import Path

from relatask.errors import RelataskError

STEPS = Path(__file__).parent / "steps"


def _parser(step: str) -> tuple[argparse.ArgumentParser, object]:
    """Build the parser of one step from its module: docstring, `configure(parser)`, `run(arguments)`."""
    module = importlib.import_module(f"relatask.steps.{step}")
    parser = argparse.ArgumentParser(
        prog=f"relatask {step}",
        description=textwrap.dedent(module.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    parser.add_argument("--log", metavar="FILE", help="also write messages to this file")
    return parser, module


def _overview() -> str:
    lines = ["usage: relatask STEP [options]      (relatask STEP --help explains a step)", "", "steps:"]
    for path in sorted(STEPS.glob("[!_]*.py")):
        summary = path.read_text(encoding="utf-8").lstrip().removeprefix('"""').split("\n", 1)[0]
        lines.append(f"  {path.stem:24} {summary.removesuffix(chr(34) * 3)}")
    return "\n".join(lines)


def _start_log(path: str | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)


def main(argv: list[str] | None = None) -> int:
    """Run one step; return 0, or 2 after a mistake that the message explains."""
    argv = sys.argv[1:] if argv is None else argv
    steps = {path.stem for path in STEPS.glob("[!_]*.py")}
    if not argv or argv[0] in {"-h", "--help"}:
        print(_overview())
        return 0
    if (step := argv[0].replace("-", "_")) not in steps:
        print(f"error: there is no step {argv[0]!r}.\n\n{_overview()}", file=sys.stderr)
        return 2
    parser, module = _parser(step)
    arguments = parser.parse_args(argv[1:])
    _start_log(arguments.log)
    try:
        module.run(arguments)  # type: ignore[attr-defined]
    except RelataskError as error:
        logging.error("error: %s", error)
        return 2
    except OSError as error:
        if error.filename is None or error.errno is None:
            raise
        logging.error("error: %s: %s.", error.filename, error.strerror)
        return 2
    except Exception:
        logging.exception("error: step %s failed in a way that nobody foresaw; please report this:", step)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
