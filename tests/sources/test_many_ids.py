"""Ten thousand ids, some unknown, some twice, through services that fail: nothing lost, requests counted."""

import logging
import math
import random
from pathlib import Path

import pytest

from relatask.sources.chembl.assay_targets import find_assay_targets
from relatask.sources.services.chembl import BATCH
from relatask.sources.services.string_db import NAMES
from tests.helpers.clients import chembl_of, many, string_of
from tests.helpers.service import Fault, Service

IDS, UNKNOWN, AGAIN = 10_000, 7, 500
KINDS = [
    Fault("status", 429, {"Retry-After": "0"}),
    Fault("status", 500),
    Fault("status", 503),
    Fault("reset"),
    Fault("truncated"),
    Fault("cut"),
    Fault("html"),
]


def storm(requests: int, share: float = 0.2) -> list[Fault | None]:
    """A share of the requests fails, never three in a row, so that no client gives up."""
    rng = random.Random(0)
    faults: list[Fault | None] = []
    for _ in range(2 * requests):
        fails = rng.random() < share and not (faults[-2:].count(None) == 0 and len(faults) > 1)
        faults.append(rng.choice(KINDS) if fails else None)
    return faults


def test_assays(service: Service, tmp_path: Path) -> None:
    names = many(service, IDS)
    asked = [*names, *(f"CHEMBL99000{n}" for n in range(UNKNOWN)), *names[:AGAIN]]
    random.Random(1).shuffle(asked)
    targets = math.ceil(IDS / 3)
    needed = math.ceil((IDS + UNKNOWN) / BATCH) + UNKNOWN + math.ceil(targets / BATCH)
    faults = storm(needed)
    service.faults = list(faults)
    table = find_assay_targets(chembl_of(service, tmp_path), asked).set_index("assay_id")
    failed = sum(fault is not None for fault in faults[: len(service.asked)])
    assert failed > 30
    assert len(service.asked) <= needed + failed
    assert sorted(table.index) == sorted(set(asked))
    known = table.loc[names]
    assert known.uniprots.tolist() == [[f"P{number // 3:05}"] for number in range(IDS)]
    assert table.loc[[f"CHEMBL99000{n}" for n in range(UNKNOWN)]].reason.notna().all()


def test_proteins(service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"P{number:05}" for number in range(IDS)]
    service.names = {name: (f"9606.ENSP{name[1:]}", f"GENE{name[1:]}") for name in names[UNKNOWN:]}
    asked = [*names, *names[:AGAIN]]
    random.Random(2).shuffle(asked)
    needed = math.ceil(IDS / NAMES)
    faults = storm(needed, 0.5)
    service.faults = list(faults)
    with caplog.at_level(logging.INFO):
        table = string_of(service, tmp_path).string_ids(asked).set_index("identifier")
    failed = sum(fault is not None for fault in faults[: len(service.asked)])
    assert failed > 3
    assert len(service.asked) <= needed + failed
    assert sorted(table.index) == names
    assert table.string_id[names[UNKNOWN:]].tolist() == [f"9606.ENSP{name[1:]}" for name in names[UNKNOWN:]]
    assert table.string_id[names[:UNKNOWN]].isna().all()
    assert f"STRING does not know {UNKNOWN} of {IDS}" in caplog.text
