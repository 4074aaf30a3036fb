"""Workbooks and structure files as programs write them: .xlsx, .ods, .xls and .sdf, in a few lines each."""

import datetime
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

Sheets = Mapping[str, Sequence[Sequence[Any]]]  # name -> rows of cells: text, number, bool, date or None
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DAY_0 = datetime.date(1899, 12, 30)


def write_workbook(path: Path, sheets: Sheets) -> Path:
    """Write sheets in the format that the name of the file says."""
    {".xlsx": write_xlsx, ".ods": write_ods, ".xls": write_xls}[path.suffix](path, sheets)
    return path


def _letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _number(cell: Any) -> float:
    return float((cell - _DAY_0).days) if isinstance(cell, datetime.date) else float(cell)


def _xlsx_cell(cell: Any, place: str) -> str:
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    style = ' s="1"' if isinstance(cell, datetime.date) else ""
    return f'<c r="{place}"{style}><v>{_number(cell)!r}</v></c>'


def write_xlsx(path: Path, sheets: Sheets, rows: str = "") -> None:
    """Write a workbook of Excel; `rows` is XML of rows behind those of the first sheet."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1)
        )
        kinds = [("styles", "styles.xml"), *(("worksheet", f"sheet{n + 1}.xml") for n in range(len(sheets)))]
        links = "".join(
            f'<Relationship Id="r{n}" Type="{_OFFICE}/{kind}" Target="{file}"/>'
            for n, (kind, file) in enumerate(kinds)
        )
        files = {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="a" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets>'
            "</workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}'
            "</Relationships>",
            "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/>'
            '<xf numFmtId="14"/></cellXfs></styleSheet>',
        }
        for number, own in enumerate(sheets.values(), start=1):
            text = "".join(
                f'<row r="{r}">'
                + "".join(
                    _xlsx_cell(cell, f"{_letters(c)}{r}") for c, cell in enumerate(row) if cell is not None
                )
                + "</row>"
                for r, row in enumerate(own, start=1)
            )
            more = rows if number == 1 else ""
            files[f"xl/sheet{number}.xml"] = (
                f'<worksheet xmlns="{_MAIN}"><sheetData>{text}{more}</sheetData></worksheet>'
            )
        for name, text in files.items():
            archive.writestr(name, _HEAD + text)


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        kind = f'boolean" office:boolean-value="{str(cell).lower()}'
    elif isinstance(cell, str):
        kind = "string"
    elif isinstance(cell, datetime.date):
        kind = f'date" office:date-value="{cell.isoformat()}'
    else:
        kind = f'float" office:value="{float(cell)!r}'
    text = f"<text:p>{escape(str(cell))}</text:p>"
    return f'<table:table-cell office:value-type="{kind}">{text}</table:table-cell>'


def write_ods(path: Path, sheets: Sheets) -> None:
    """Write a workbook of LibreOffice, whose rows end in thousands of empty cells as it writes them."""
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{urn}:{name}:1.0"' for name in ("office", "table", "text"))
    rest = '<table:table-cell table:number-columns-repeated="16000"/>'
    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}{rest}</table:table-row>" for row in rows)
        + f'<table:table-row table:number-rows-repeated="1000000">{rest}</table:table-row></table:table>'
        for name, rows in sheets.items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'{_HEAD}<m:manifest xmlns:m="{urn}:manifest:1.0"><m:file-entry m:full-path="/" '
            f'm:media-type="{kind}"/></m:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"{_HEAD}<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )


def _record(kind: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack("<HH", kind, len(content)) + content


def _xls_cell(cell: Any, row: int, column: int) -> bytes:
    place = struct.pack("<HHH", row, column, isinstance(cell, datetime.date))
    if isinstance(cell, bool):
        return _record(0x205, place, bytes([cell, 0]))
    if isinstance(cell, str):
        return _record(0x204, place, struct.pack("<HB", len(cell), 1), cell.encode("utf-16-le"))
    return _record(0x203, place, struct.pack("<d", _number(cell)))


def write_xls(path: Path, sheets: Sheets) -> None:
    """Write a workbook of Excel 97: records of BIFF8 as the one stream of a compound file."""
    start = struct.pack("<HHIII", 0, 0, 0, 0, 6)[:12]

    def begin(kind: int) -> bytes:
        return _record(0x809, struct.pack("<HH", 0x600, kind), start)

    own = []
    for rows in sheets.values():
        cells = [
            _xls_cell(cell, r, c)
            for r, row in enumerate(rows)
            for c, cell in enumerate(row)
            if cell is not None
        ]
        size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows), default=0), 0)
        own.append(begin(0x10) + _record(0x200, size) + b"".join(cells) + _record(0xA))
    formats = b"".join(_record(0xE0, struct.pack("<HH", 0, number), bytes(16)) for number in (0, 14))
    names = [struct.pack("<BB", len(name), 1) + name.encode("utf-16-le") for name in sheets]
    end = _record(0xA)
    place = len(begin(5) + formats + end) + sum(4 + 6 + len(name) for name in names)
    listed = b""
    for name, content in zip(names, own, strict=True):
        listed += _record(0x85, struct.pack("<IBB", place, 0, 0), name)
        place += len(content)
    stream = begin(5) + formats + listed + end + b"".join(own)
    path.write_bytes(_compound(stream))


def _compound(stream: bytes) -> bytes:
    """Return a compound file with the one stream "Workbook"."""
    size = max(4096, len(stream))
    stream = stream.ljust(-(-size // 512) * 512, b"\0")
    n = len(stream) // 512
    tables = 1
    while (n + 1 + tables) > tables * 128:
        tables += 1
    chain = [*range(1, n), 0xFFFFFFFE, 0xFFFFFFFE, *[0xFFFFFFFD] * tables]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * 512, b"\xff")
    empty = 0xFFFFFFFF

    def entry(name: str, kind: int, child: int, first: int, length: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(text), kind, 1, empty, empty, child)
            + bytes(36)
            + struct.pack("<IQ", first, length)
        )

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, empty, 0, size)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, tables, n, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    places = [n + 1 + number for number in range(tables)]
    header += struct.pack(f"<{tables}I", *places).ljust(436, b"\xff")
    return header + stream + folder.ljust(512, b"\0") + table


def write_sdf(path: Path, rows: Sequence[Mapping[str, Any]], smiles: str = "smiles") -> Path:
    """Write records of which RDKit makes the structure; one of a text that is no SMILES is broken."""
    from rdkit import Chem, rdBase

    text = ""
    with rdBase.BlockLogs():
        for row in rows:
            molecule = Chem.MolFromSmiles(row[smiles] or "")
            block = "\n\n\nbroken\nM  END\n" if molecule is None else Chem.MolToMolBlock(molecule)
            text += block
            for name, value in row.items():
                if name != smiles and value not in (None, ""):
                    text += f">  <{name}>\n{value}\n\n"
            text += "$$$$\n"
    path.write_text(text, encoding="utf-8")
    return path
