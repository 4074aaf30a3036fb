"""Write the JSON schemas of the config and the page that explains every key.

Both are generated from relatask.config, so that editors complete keys and the page cannot fall behind;
a test fails when the files and the models differ, and says to run this command.

Example:
    relatask write_schema --schemas workflow/schemas --page config/README.md
"""

import argparse
import logging
from pathlib import Path
from typing import Any

from relatask.config import Block, Config, StudyConfig
from relatask.core.files import write_json, write_text

PAGES: dict[str, tuple[type[Block], str, str]] = {
    "config": (Config, "config.yaml", "The run: which study, how much of it, and where."),
    "study": (StudyConfig, "config/studies/*.yaml", "One study: data sets x methods x splits x seeds."),
}

HEAD = """# Every key of the config

Generated from `src/relatask/config/` by `python -m relatask write_schema`; do not edit by hand.

`config.yaml` names a study and a scale; any of its keys can be set for one run:
`snakemake --cores 8 --config study=moleculenet scale=quick mirror=FOLDER`.
`config/studies/{study}.yaml` describes the study; `study` may also be the path of a study file of yours.
An unknown key, or a value that does not fit, stops the workflow with one sentence before anything runs.
The JSON schemas in `workflow/schemas/` let an editor complete and check the files.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--schemas", type=Path, default=Path("workflow/schemas"), help="folder of the schemas"
    )
    parser.add_argument("--page", type=Path, default=Path("config/README.md"), help="the page of keys")


def run(arguments: argparse.Namespace) -> None:
    """Write both schemas and the page."""
    for name, (model, _, _) in PAGES.items():
        write_json(arguments.schemas / f"{name}.schema.json", model.model_json_schema())
    write_text(arguments.page, explain_keys())
    logging.info("wrote the schemas to %s and the keys to %s", arguments.schemas, arguments.page)


def explain_keys() -> str:
    """Return config/README.md: one table of keys per block, in the order of the files."""
    parts = [HEAD]
    for name, (model, file, purpose) in PAGES.items():
        schema = model.model_json_schema()
        parts.append(f"## {file}\n\n{purpose} Schema: `workflow/schemas/{name}.schema.json`.\n")
        parts.append(_table(schema))
        for title in _blocks(schema, schema["$defs"]):
            block = schema["$defs"][title]
            parts.append(f"### {title.removesuffix('Config')}\n\n{_one_line(block['description'])}\n")
            parts.append(_table(block))
    return "\n".join(parts)


def _blocks(node: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """Names of the blocks below `node`, in the order in which a reader meets them."""
    found: list[str] = []
    for value in node.get("properties", {}).values():
        for title in _references(value):
            found += [
                name for name in [title, *_blocks(definitions[title], definitions)] if name not in found
            ]
    return found


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [title for entry in node for title in _references(entry)]
    if not isinstance(node, dict):
        return []
    here = [node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else []
    return here + [title for key, entry in node.items() if key != "default" for title in _references(entry)]


def _table(block: dict[str, Any]) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, node in block["properties"].items():
        default = "**required**" if key in block.get("required", []) else _default(node)
        rows.append(f"| `{key}` | {_kind(node)} | {default} | {_one_line(node.get('description', ''))} |")
    return "\n".join(rows) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(node: dict[str, Any]) -> str:
    value = node.get("default")
    if value is None or value in ([], {}):
        return "–"
    if isinstance(value, dict):
        return "its defaults"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"`{text.lower() if isinstance(value, bool) else text}`"


def _pair(entries: list[dict[str, Any]]) -> str:
    kinds = {_kind(entry) for entry in entries}
    return f"{len(entries)} of: {', '.join(sorted(kinds))}"


def _kind(node: dict[str, Any]) -> str:
    """Say in words what values a key takes."""
    if "$ref" in node:
        title = node["$ref"].rsplit("/", 1)[-1].removesuffix("Config")
        return f"[{title}](#{title.lower()})"
    for union in ("anyOf", "oneOf"):
        if union in node:
            return " or ".join(_kind(entry) for entry in node[union] if entry.get("type") != "null")
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "const" in node:
        return f"`{node['const']}`"
    if node.get("type") == "array":
        entries = node.get("prefixItems")
        return _pair(entries) if entries else f"list of: {_kind(node['items'])}"
    if node.get("type") == "object":
        values = node.get("additionalProperties") or next(
            iter(node.get("patternProperties", {}).values()), None
        )
        return f"name → {_kind(values)}" if isinstance(values, dict) else "mapping"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        node.get("type", ""), "any"
    )
