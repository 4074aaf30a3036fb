"""Table `settings`: what each method was trained with, beside what the paper searched."""

import json
from typing import Any

import pandas as pd

from relatask.core.tables import columns_of
from relatask.publishing.formatting import (
    NOTHING,
    Table,
)
from relatask.publishing.inputs import Inputs, records

TABLE = {
    "caption": (
        "What each method was trained with, named as in a study file, and, where the study gives it, "
        "what the paper searched."
    ),
    "columns": {
        "setting": "string",  # as in a study file, e.g. training.epochs
        "value": "string",
        "methods": "string",  # that have it
        "searched": "string?",  # by the paper
    },
    "when": ("always",),
    "needs": ("plan", "dataset"),
}
SEARCHED = "chosen by search"  # table `search` says which value under which split and seed
PARTS = {"method": "options", "encoder": "encoder_options", "balancing": "balancing_options"}  # key of a row


def _settings(inputs: Inputs) -> dict[str, dict[str, str]]:
    """Setting -> method -> value, as the specs of the runs hold them.

    A setting of a part is called as in a study file: `training.learning_rate`, `encoder_options.width`.
    """
    found: dict[str, dict[str, str]] = {}
    specs = inputs.plan.drop_duplicates("label").set_index("label")["spec"]
    for method in inputs.study.methods:
        spec: dict[str, Any] = json.loads(specs[method.label])
        values: dict[str, Any] = {"prior": method.prior, "graph": method.graph if spec["prior"] else None}
        values["average_logits"] = method.average_logits or None
        values["cross_fit"] = method.cross_fit or None
        values["encoder_from"] = method.encoder_from
        for component, part in PARTS.items():
            chosen = spec[component] or {"name": None, "options": {}}
            values[component] = chosen["name"]
            values |= {f"{part}.{key}": value for key, value in chosen["options"].items()}
        values |= {f"training.{key}": value for key, value in spec["training"].items()}
        values |= dict.fromkeys((spec.get("search") or {}).get("space", ()), SEARCHED)
        values |= {f"weights.{key}": value for key, value in (spec.get("weights") or {}).items()}
        for key, value in values.items():
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                found.setdefault(key, {})[method.label] = text
    return found


def make(inputs: Inputs) -> Table:
    """(Setting, value) x methods that have it; the paper's search space where the study gives it."""
    rows = []
    for setting, values in _settings(inputs).items():
        searched = inputs.study.search_space.get(setting)
        for value in dict.fromkeys(values.values()):
            methods = [label for label, own in values.items() if own == value]
            text = "all" if len(methods) == len(inputs.methods) else ", ".join(methods)
            rows.append({"setting": setting, "value": value, "methods": text, "searched": searched})
    data = pd.DataFrame(rows, columns=list(columns_of("table_settings")))
    if unused := sorted(set(inputs.study.search_space) - set(data["setting"])):
        extra = [
            {"setting": name, "value": "", "methods": "", "searched": inputs.study.search_space[name]}
            for name in unused
        ]
        data = pd.concat([data, pd.DataFrame(extra)], ignore_index=True)
    with_paper = bool(inputs.study.search_space)
    shown = ["value", "methods", *(["searched"] if with_paper else [])]
    cells = data.astype(object).where(data.notna() & (data != ""), NOTHING)
    body = [[row["setting"], *(row[key] for key in shown)] for row in records(cells)]
    header = ["setting", "value", "methods", *(["the paper searched"] if with_paper else [])]
    notes = ["Settings are named as in a study file; a method without a value has no such setting."]
    title = f"{inputs.study.title}: settings"
    return Table("settings", title, data, header, body, len(header), [*notes, inputs.reduced])
