"""Whatever a service answers wrongly, its client ends with the result or one sentence, the same for each."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.tables import read_table, write_table
from relatask.sources.services.chembl import BATCH, Chembl
from relatask.sources.services.chembl_records import SHAPES
from relatask.sources.services.string_db import NAMES, String
from tests.helpers.clients import chembl_of, many, proteins, string_of
from tests.helpers.data_tables import tasks_table
from tests.helpers.faults import ENDLESS, FINAL, PASSING
from tests.helpers.service import NAMES as STRING_NAMES
from tests.helpers.service import NETWORK, Fault, Service, activity, assay, bomb, target

Ask = Callable[..., list[str]]


def ask_chembl(service: Service, folder: Path, n: int = 2, **settings: Any) -> list[str]:
    return sorted(chembl_of(service, folder, **settings).assays(many(service, n))[0])


def ask_string(service: Service, folder: Path, n: int = 2, **settings: Any) -> list[str]:
    return list(string_of(service, folder, **settings).string_ids(proteins(service, n)).string_id)


CLIENTS = {"ChEMBL": ask_chembl, "STRING": ask_string}
RESULTS = {"ChEMBL": ["CHEMBL1", "CHEMBL2"], "STRING": ["9606.ENSP00001", "9606.ENSP00002"]}
BATCHES = {"ChEMBL": BATCH, "STRING": NAMES}
every_client = pytest.mark.parametrize("name", CLIENTS)


def bounds(fault: Fault) -> dict[str, Any]:
    """A short time where the fault takes time; a quick answer must not be given up on a busy machine."""
    seconds = 0.4 if fault.slow else 30.0
    return {"timeout": (5.0, seconds), "longest_answer": seconds, "largest_answer": 1 << 20}


@every_client
@pytest.mark.parametrize("fault", [*PASSING.values(), *ENDLESS.values()], ids=[*PASSING, *ENDLESS])
def test_a_passing_failure_is_asked_again(service: Service, tmp_path: Path, name: str, fault: Fault) -> None:
    service.faults = [fault]
    assert CLIENTS[name](service, tmp_path, **bounds(fault)) == RESULTS[name]
    assert len(service.asked) == 2


@every_client
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_lasting_failure_is_one_sentence(service: Service, tmp_path: Path, name: str, fault: Fault) -> None:
    service.faults = [fault] * 2
    with pytest.raises(RelataskError, match=f"^{name} gave no answer in 2 attempts: .*; run again later"):
        CLIENTS[name](service, tmp_path, attempts=2, **bounds(fault))
    assert len(service.asked) <= 2  # an attempt may meet a connection that the server has just closed


@every_client
@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_an_answer_without_end_is_given_up(service: Service, tmp_path: Path, name: str, fault: Fault) -> None:
    bomb(fault.times)  # so that only what the client holds is measured
    service.faults = [fault] * 2
    said = r"it sent (only \d+ bytes in 0\.4 s|more than 1 MiB)"
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(RelataskError, match=f"^{name} gave no answer in 2 attempts: {said}; run again later"):
        CLIENTS[name](service, tmp_path, attempts=2, **bounds(fault))
    seconds, peak = time.monotonic() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20  # not the 64 MiB that the bomb holds
    assert seconds < 5
    assert not list((tmp_path / "answers").glob("*.unreadable"))


@every_client
@pytest.mark.parametrize("fault", FINAL.values(), ids=FINAL)
def test_a_refusal_fails_at_once(service: Service, tmp_path: Path, name: str, fault: Fault) -> None:
    service.faults = [fault] * 99
    with pytest.raises(RelataskError, match=f"^{name}") as caught:
        CLIENTS[name](service, tmp_path)
    assert "gave no answer" not in str(caught.value)
    assert len(service.asked) <= 6  # those that the answers lead to


@every_client
def test_an_interrupted_query_asks_only_for_what_is_missing(
    service: Service, tmp_path: Path, name: str
) -> None:
    service.faults = [None] * 3 + [Fault("status", 403)]
    with pytest.raises(RelataskError, match="403"):
        CLIENTS[name](service, tmp_path, 5 * BATCHES[name])
    assert len(service.asked) == 4
    assert len(CLIENTS[name](service, tmp_path, 5 * BATCHES[name])) == 5 * BATCHES[name]
    assert len(service.asked) == 4 + 2


@pytest.mark.parametrize("name", CLIENTS)
def test_a_killed_step_goes_on_where_it_stopped(service: Service, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.parquet"
    if name == "ChEMBL":
        (tmp_path / "assays.txt").write_text("\n".join(many(service, 6 * BATCH)))
        step = ["query_assay_targets", "--assays", str(tmp_path / "assays.txt"), "--out", str(out)]
        step += ["--service-url", service.chembl]
        needed = 6 + 2  # and two for the targets
    else:
        names = proteins(service, 6 * NAMES)
        write_table("tasks", tasks_table(["a"], uniprots=[names]), tmp_path / "tasks.parquet")
        step = [
            "query_string",
            "--tasks",
            str(tmp_path / "tasks.parquet"),
            "--out",
            str(tmp_path / "out.tsv"),
        ]
        step += ["--service-url", service.string, "--out-proteins", str(out)]
        needed = 6 + 3  # and one for each two of three blocks of proteins
    step += ["--requests-per-second", "1000", "--answers", str(tmp_path / "answers")]
    service.delay = 0.4
    process = subprocess.Popen([sys.executable, "-m", "relatask", *step], env=dict(os.environ))
    deadline = time.monotonic() + 60
    while len(service.asked) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    stored = len([path for path in (tmp_path / "answers").glob("*") if ".request." not in path.name])
    assert 3 <= stored < 6  # the fourth was under way when the step was killed
    before = len(service.asked)
    service.delay = 0.0
    for _ in range(2):
        assert main(step) == 0
        assert len(service.asked) - before == needed - stored
    table = read_table("assay_targets" if name == "ChEMBL" else "proteins", out)
    assert len(table) == 6 * BATCHES[name]


def of_chembl(kind: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Service, Path], Any]:
    """Ask for assays, targets or activities of which each record is changed."""
    record = {
        "assays": assay("CHEMBL1", "CHEMBL10"),
        "targets": target("CHEMBL1", "P1"),
        "activities": activity(1, "CHEMBL101", "CHEMBL1", "6.4", "CCO"),
    }[kind]
    change(record)
    page = {kind: [record], "page_meta": {"next": None, "total_count": 1}}
    path = {"assays": "assay", "targets": "target", "activities": "activity"}[kind]

    def ask(service: Service, folder: Path) -> Any:
        service.files[f"/data/{path}.json"] = (json.dumps(page).encode(), None)
        chembl = Chembl(chembl_of(service, folder, attempts=2).client, f"{service.root}/data")
        return getattr(chembl, kind)("CHEMBL1" if kind == "activities" else ["CHEMBL1"])

    return ask


def of_string(method: str, column: str, instead: str) -> Callable[[Service, Path], Any]:
    """Ask for ids or interactions, with another name of a column."""
    header = [*STRING_NAMES] if method == "get_string_ids" else [*NETWORK]
    header[header.index(column)] = instead

    def ask(service: Service, folder: Path) -> Any:
        service.files[f"/data/tsv/{method}"] = (("\t".join(header) + "\n").encode(), None)
        string = String(string_of(service, folder, attempts=2).client, f"{service.root}/data")
        if method == "get_string_ids":
            return string.string_ids(["P1"])
        return string.network(["9606.ENSP1", "9606.ENSP2"])

    return ask


def renamed(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda record: record.update({f"{field}_new": record.pop(field)})


def of_another_kind(field: str) -> Callable[[dict[str, Any]], None]:
    return lambda record: record.update({field: {"value": record[field]}})


FIELDS = [(kind, field) for kind, shape in SHAPES.items() for field in shape]
READ = ("queryIndex", "stringId", "ncbiTaxonId", "preferredName")
CHANGES = {
    **{
        f"{kind}.{field} renamed": ("ChEMBL", field, of_chembl(kind, renamed(field)))
        for kind, field in FIELDS
    },
    **{
        f"{kind}.{field} of another kind": ("ChEMBL", field, of_chembl(kind, of_another_kind(field)))
        for kind, field in FIELDS
    },
    **{
        f"{column} renamed": ("STRING", column, of_string("get_string_ids", column, f"{column}_new"))
        for column in READ
    },
    **{
        f"network's {column} renamed": ("STRING", column, of_string("network", column, f"{column}_new"))
        for column in NETWORK
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_field_that_was_renamed_is_named_at_once(service: Service, tmp_path: Path, change: str) -> None:
    name, field, ask = CHANGES[change]
    for _ in range(2):  # also when the stored answer is read again
        with pytest.raises(
            RelataskError, match=f"^{name}: .*{field}.*may have changed. Delete .*answers to ask"
        ):
            ask(service, tmp_path)
    assert len(service.asked) == 1


def serve(service: Service, name: str, mark: bytes = b"") -> None:
    """Serve the assay or protein `name` alone, whatever is asked for, after `mark`."""
    page = {"assays": [assay(f"CHEMBL{name}", None)], "page_meta": {"next": None, "total_count": 1}}
    row = [f"P{name}", "0", f"9606.ENSP{name}", "9606", "Homo sapiens", "G", "x"]
    table = "".join("\t".join(line) + "\n" for line in [["queryItem", *STRING_NAMES], row])
    service.files = {
        "/data/assay.json": (mark + json.dumps(page).encode(), None),
        "/data/tsv/get_string_ids": (mark + table.encode(), None),
    }


def ask_served(service: Service, folder: Path, name: str) -> list[str]:
    """Ask what `serve` serves for the assay or protein 1."""
    if name == "ChEMBL":
        chembl = Chembl(chembl_of(service, folder).client, f"{service.root}/data")
        return list(chembl.assays(["CHEMBL1"])[0])
    string = String(string_of(service, folder).client, f"{service.root}/data")
    return list(string.string_ids(["P1"]).string_id)


@every_client
def test_a_service_that_ignores_the_question_is_found_out(
    service: Service, tmp_path: Path, name: str
) -> None:
    serve(service, "5")
    with pytest.raises(
        RelataskError, match=f"^{name} sent .*5'?, which was not asked for; is http.*/data the"
    ):
        ask_served(service, tmp_path, name)


@every_client
def test_a_byte_order_mark_is_no_mistake(service: Service, tmp_path: Path, name: str) -> None:
    serve(service, "1", b"\xef\xbb\xbf")
    assert ask_served(service, tmp_path, name) == [{"ChEMBL": "CHEMBL1", "STRING": "9606.ENSP1"}[name]]
