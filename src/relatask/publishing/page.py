"""A table as a page of HTML that the report can open; text from data is shown, never run."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # no script, no address: even if escaping failed
CSS = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #1d2530; }
h1 { font-size: 1.2rem; }
table { border-collapse: collapse; }
th { background: #eef1f5; position: sticky; top: 0; text-align: left; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #dde2e8; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody tr:hover { background: #f6f8fa; }
.notes { color: #555; font-size: .85rem; max-width: 60rem; }
"""


def table_page(title: str, table: "pd.DataFrame", notes: Sequence[str] = ()) -> str:
    """Return a self-contained page of HTML with `table` as it stands: values are formatted by the caller.

    Missing values are empty cells. Values that read as numbers are set right.
    """
    head = "".join(f"<th>{escape(str(column))}</th>" for column in table.columns)
    rows = "\n".join(
        f"<tr>{''.join(_cell(value) for value in row)}</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    foot = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head>\n<body><h1>{escape(title)}</h1>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
        f'<div class="notes">{foot}</div></body></html>\n'
    )


def _cell(value: object) -> str:
    text = "" if value is None or value != value else str(value)  # NaN is not equal to itself
    kind = ' class="number"' if text[:1].isdigit() or text[:2].lstrip("+-−")[:1].isdigit() else ""
    return f"<td{kind}>{escape(text)}</td>"
