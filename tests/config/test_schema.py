"""The generated schemas and the page of keys say what the config models say."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from relatask.commands.write_schema import PAGES, explain_keys
from relatask.config import Config, StudyConfig
from relatask.core.files import read_json

AGAIN = "run `python -m relatask write_schema` and commit what it writes"


@pytest.mark.parametrize("name", PAGES)
def test_the_schema_files_are_those_of_the_models(name: str, root: Path) -> None:
    stored = read_json(root / "workflow" / "schemas" / f"{name}.schema.json")
    assert stored == PAGES[name][0].model_json_schema(), AGAIN


def test_the_page_of_keys_is_the_one_generated(root: Path) -> None:
    assert (root / "config" / "README.md").read_text(encoding="utf-8") == explain_keys(), AGAIN


def test_every_key_is_explained() -> None:
    for model in (Config, StudyConfig):
        schema = model.model_json_schema()
        for title, block in [(model.__name__, schema), *schema["$defs"].items()]:
            silent = [key for key, node in block["properties"].items() if not node.get("description")]
            assert silent == [], f"{title} in relatask.config: give these keys a description"


def test_the_page_names_every_block_and_links_to_headings_that_exist() -> None:
    page = explain_keys()
    headings = {line.removeprefix("### ").lower() for line in page.splitlines() if line.startswith("### ")}
    links = {part.split(")")[0] for part in page.split("](#")[1:]}
    assert links == headings
    assert {"tablesource", "kibasource", "dataset", "densify", "method", "scale", "services"} <= headings


def test_the_committed_config_and_studies_pass_the_committed_schemas(root: Path) -> None:
    schemas = {name: read_json(root / "workflow" / "schemas" / f"{name}.schema.json") for name in PAGES}
    jsonschema.validate(yaml.safe_load((root / "config.yaml").read_text()), schemas["config"])
    studies = sorted((root / "config" / "studies").glob("*.yaml"))
    assert len(studies) >= 3
    for path in studies:
        jsonschema.validate(yaml.safe_load(path.read_text()), schemas["study"])


def test_the_schema_refuses_what_the_models_refuse(root: Path) -> None:
    schema = read_json(root / "workflow" / "schemas" / "config.schema.json")
    with pytest.raises(jsonschema.ValidationError, match="scal"):
        jsonschema.validate({"scal": "quick"}, schema)
