"""Clients of ChEMBL and STRING that ask the server of tests/helpers/service.py and do not wait."""

from pathlib import Path

from tenacity import wait_none

from relatask.sources.services.chembl import Chembl
from relatask.sources.services.http import Client
from relatask.sources.services.string_db import String
from tests.helpers.service import Service, assay, target


def chembl_of(service: Service, folder: Path) -> Chembl:
    client = Client("ChEMBL", folder / "answers", 1000.0, wait=wait_none(), pause=lambda seconds: None)
    return Chembl(client, service.chembl)


def many(service: Service, n: int) -> list[str]:
    """Assays CHEMBL1..n, three on each target."""
    names = [f"CHEMBL{number}" for number in range(1, n + 1)]
    service.records["assays"] = [assay(name, f"CHEMBL{9000 + i // 3}") for i, name in enumerate(names)]
    service.records["targets"] = [target(f"CHEMBL{9000 + i}", f"P{i:05}") for i in range((n + 2) // 3)]
    return names


def string_of(service: Service, folder: Path, block: int = 1000) -> String:
    client = Client("STRING", folder / "answers", 1000.0, wait=wait_none(), pause=lambda seconds: None)
    return String(client, service.string, block)
