"""A real HTTP server on this machine that answers like ChEMBL and STRING, and fails on demand.

`tests/` uses it in place of the live services; the shapes are those of recorded answers. Without a fault
every request is answered from the small world that the test gives.
"""

import gzip
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

NETWORK = [
    *("stringId_A", "stringId_B", "preferredName_A", "preferredName_B", "ncbiTaxonId", "score"),
    *("nscore", "fscore", "pscore", "ascore", "escore", "dscore", "tscore"),
]
NAMES = ["queryIndex", "stringId", "ncbiTaxonId", "taxonName", "preferredName", "annotation"]


@dataclass
class Fault:
    """How one request is answered wrongly.

    kind: status (with `code` and `headers`), truncated (fewer bytes than Content-Length says), cut (half a
    body, its length correct), html (a page of a proxy, status 200), slow (nothing for `seconds`), reset,
    drip (a byte every `seconds`), bomb (megabytes of spaces, compressed `times` times), raw (`body` as it is,
    also status and headers, then `more` every `seconds` until the client hangs up, or nothing).
    """

    kind: str
    code: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    times: int = 1
    body: bytes = b""
    more: bytes = b""

    @property
    def slow(self) -> bool:
        """Whether it takes time."""
        return self.kind in {"slow", "drip"} or bool(self.more)


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    at: float  # monotonic seconds
    query: dict[str, str] = field(default_factory=dict)  # of the address, also of a form's


def assay(name: str, target: str | None) -> dict[str, Any]:
    """A record with the keys of a recorded one that matter, and some that do not."""
    return {
        "assay_chembl_id": name,
        "assay_organism": "Homo sapiens",
        "assay_tax_id": 9606,
        "assay_type": "B",
        "confidence_score": 9,
        "description": "Inhibition of \u03b2-lactamase",
        "target_chembl_id": target,
        "variant_sequence": None,
    }


def target(name: str, *accessions: str, tax_id: int | None = 9606) -> dict[str, Any]:
    """A target with one PROTEIN component per accession, and one that is no protein."""
    components = [
        {"accession": accession, "component_id": 1, "component_type": "PROTEIN", "target_component_xrefs": []}
        for accession in accessions
    ]
    components.append({"accession": None, "component_id": 2, "component_type": "DNA"})
    return {
        "organism": {9606: "Homo sapiens", 10116: "Rattus norvegicus", None: None}[tax_id],
        "pref_name": f"Protein of {name}",
        "target_chembl_id": name,
        "target_components": components,
        "target_type": "SINGLE PROTEIN",
        "tax_id": tax_id,
    }


def activity(
    number: int, molecule: str, target: str, pchembl: str | None, smiles: str | None
) -> dict[str, Any]:
    """A record of an activity; ChEMBL writes pChEMBL as text."""
    return {
        "activity_id": number,
        "assay_chembl_id": f"CHEMBL9{number}",
        "canonical_smiles": smiles,
        "molecule_chembl_id": molecule,
        "pchembl_value": pchembl,
        "standard_type": "IC50",
        "target_chembl_id": target,
        "target_tax_id": "9606",
    }


@cache
def bomb(times: int = 1) -> bytes:
    """64 MiB of spaces, compressed."""
    body = b" " * (64 << 20)
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


class Service(ThreadingHTTPServer):
    """The world it serves, the faults it has yet to make, and the requests it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records: dict[str, list[dict[str, Any]]] = {"assays": [], "targets": [], "activities": []}
        self.page = 1000  # records on a page at most
        self.names: dict[str, tuple[str, str]] = {}  # identifier -> (STRING id, name)
        self.links: list[dict[str, str]] = []
        self.echo = True  # whether get_string_ids repeats the identifier
        self.not_found = True  # whether unknown proteins are a 404 with a message
        self.files: dict[str, tuple[bytes, str | None]] = {}  # path -> (bytes, ETag)
        self.ranges = True
        self.faults: list[Fault | None] = []  # one per request, in order; None and the rest: no fault
        self.asked: list[Asked] = []
        self.delay = 0.0  # seconds before every answer
        self.login: str | None = None  # the Authorization that every request must have

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def chembl(self) -> str:
        return f"{self.root}/chembl/api/data"

    @property
    def string(self) -> str:
        return f"{self.root}/api"

    def link(self, first: str, second: str, **scores: str) -> None:
        """Add an interaction with scores as text, the missing ones 0."""
        row = dict.fromkeys(NETWORK, "0") | {
            "ncbiTaxonId": "9606",
            "preferredName_A": "A",
            "preferredName_B": "B",
        }
        self.links.append(row | {"stringId_A": first, "stringId_B": second} | scores)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is part of the test."""


@contextmanager
def running() -> Iterator[Service]:
    """Serve until the block ends."""
    service = Service()
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def log_message(self, *arguments: Any) -> None:
        """Keep the output of the tests clean."""

    def do_GET(self) -> None:
        self._handle(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _handle(self, form: str) -> None:
        parts = urlsplit(self.path)
        parameters, query = (
            {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
            for text in (form, parts.query)
        )
        asked = self.server.asked
        asked.append(Asked(self.command, parts.path, parameters, dict(self.headers), time.monotonic(), query))
        fault = self.server.faults.pop(0) if self.server.faults else None
        time.sleep(self.server.delay)
        if self.server.login and self.headers.get("Authorization") != self.server.login:
            fault = Fault("status", 401)
        if fault and fault.kind in {"status", "slow", "reset", "html", "raw"}:
            self._fail(fault)
            if fault.kind != "slow":
                return
        if parts.path.startswith("/chembl/api/data/"):
            code, body, kind = self._chembl(parts.path, parameters)
        elif parts.path.startswith("/api/tsv/"):
            code, body, kind = self._string(parts.path.rsplit("/", 1)[1], parameters)
        else:
            self._file(parts.path, fault)
            return
        self._send(code, body, {"Content-Type": kind}, fault)

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "status":
            self._send(fault.code, b"<h1>not now</h1>", fault.headers)
        elif fault.kind == "html":
            self._send(200, b"<html>Please log in to the network</html>", {"Content-Type": "text/html"})
        elif fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault.kind == "raw":
            self._send_raw(fault)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

    def _send_raw(self, fault: Fault) -> None:
        self.close_connection = True
        self.wfile.write(fault.body)
        deadline = time.monotonic() + 10  # of a client that waits for ever
        while fault.more and time.monotonic() < deadline:
            self.wfile.write(fault.more)
            time.sleep(fault.seconds)

    def _send(self, code: int, body: bytes, headers: dict[str, str], fault: Fault | None = None) -> None:
        if fault and fault.kind == "bomb":
            body = bomb(fault.times)
            headers = headers | {"Content-Encoding": ", ".join(["gzip"] * fault.times)}
        length = len(body)
        if fault and fault.kind in {"truncated", "cut"}:
            body = body[: length // 2]
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if fault and fault.kind == "cut" else length))
        self.end_headers()
        pieces = [body[n : n + 1] for n in range(length)] if fault and fault.kind == "drip" else [body]
        for piece in pieces:
            self.wfile.write(piece)
            time.sleep(fault.seconds if fault and fault.kind == "drip" else 0)
        if len(body) < length:
            self.wfile.flush()
            self.close_connection = True

    def _chembl(self, path: str, parameters: dict[str, str]) -> tuple[int, bytes, str]:
        resource = path.removeprefix("/chembl/api/data/").removesuffix(".json")
        if "/" in resource:
            kind, name = resource.split("/")
            found = [one for one in self.server.records[f"{kind}s"] if one[f"{kind}_chembl_id"] == name]
            code, value = (200, found[0]) if found else (404, {"error_message": "Sorry, no data"})
            return code, json.dumps(value).encode(), "application/json"
        plural = {"assay": "assays", "target": "targets", "activity": "activities"}[resource]
        records = self.server.records[plural]
        for key, value in parameters.items():
            if key.endswith("__in"):
                wanted = set(value.split(","))
                records = [one for one in records if one[key.removesuffix("__in")] in wanted]
            elif key.endswith("_chembl_id"):
                records = [one for one in records if one[key] == value]
        if order := parameters.get("order_by"):
            records = sorted(records, key=lambda one: one[order])
        limit = min(int(parameters.get("limit", 20)), self.server.page)
        offset = int(parameters.get("offset", 0))
        following = None
        if offset + limit < len(records):
            following = (
                f"{path}?{urlencode(parameters | {'limit': str(limit), 'offset': str(offset + limit)})}"
            )
        page = records[offset : offset + limit]
        if only := parameters.get("only"):
            page = [{key: one[key] for key in only.split(",") if key in one} for one in page]
        meta = {
            "limit": limit,
            "next": following,
            "offset": offset,
            "previous": None,
            "total_count": len(records),
        }
        return 200, json.dumps({plural: page, "page_meta": meta}).encode(), "application/json"

    def _string(self, method: str, form: dict[str, str]) -> tuple[int, bytes, str]:
        wanted = re.split(r"[\r\n]+", form["identifiers"])
        if method == "get_string_ids":
            header = NAMES
            rows = [
                [
                    str(index),
                    *self.server.names[name][:1],
                    "9606",
                    "Homo sapiens",
                    self.server.names[name][1],
                    '5" end',
                ]
                for index, name in enumerate(wanted)
                if name in self.server.names
            ]
            if self.server.echo and form.get("echo_query") == "1":
                header = ["queryItem", *header]
                rows = [[wanted[int(row[0])], *row] for row in rows]
        else:
            header = NETWORK
            known = set(wanted)
            links = [link for link in self.server.links if {link["stringId_A"], link["stringId_B"]} <= known]
            rows = [[link[column] for column in NETWORK] for link in links]
        if not rows and self.server.not_found:
            return 404, b"Error\tErrorMessage\nnot found\tSTRING could not find your proteins\n", "text/plain"
        return 200, "".join("\t".join(row) + "\n" for row in [header, *rows]).encode(), "text/tsv"

    def _file(self, path: str, fault: Fault | None) -> None:
        if path not in self.server.files:
            self._send(404, b"no such page", {})
            return
        body, tag = self.server.files[path]
        headers = {"ETag": tag} if tag else {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.server.ranges and self.headers.get("If-Range", tag) == tag:
            start = int(asked[1])
            if start >= len(body):
                self._send(416, b"", headers | {"Content-Range": f"bytes */{len(body)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._send(206, body[start:], headers, fault)
            return
        self._send(200, body, headers, fault)
