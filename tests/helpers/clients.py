"""Clients of ChEMBL and STRING that ask the server of tests/helpers/service.py and do not wait."""

from pathlib import Path
from typing import Any

from tenacity import wait_none

from relatask.sources.services.chembl import Chembl
from relatask.sources.services.http import Client
from relatask.sources.services.string_db import String
from tests.helpers.service import Service, assay, target


def chembl_of(service: Service, folder: Path, **settings: Any) -> Chembl:
    return Chembl(_client("ChEMBL", folder, settings), service.chembl)


def many(service: Service, n: int) -> list[str]:
    """Assays CHEMBL1..n, three on each target."""
    names = [f"CHEMBL{number}" for number in range(1, n + 1)]
    service.records["assays"] = [assay(name, f"CHEMBL{9000 + i // 3}") for i, name in enumerate(names)]
    service.records["targets"] = [target(f"CHEMBL{9000 + i}", f"P{i:05}") for i in range((n + 2) // 3)]
    return names


def string_of(service: Service, folder: Path, block: int = 1000, **settings: Any) -> String:
    return String(_client("STRING", folder, settings), service.string, block)


def proteins(service: Service, n: int) -> list[str]:
    """Proteins P00001..n that STRING knows."""
    names = [f"P{number:05}" for number in range(1, n + 1)]
    service.names = {name: (f"9606.ENSP{name[1:]}", f"GENE{name[1:]}") for name in names}
    return names


def _client(name: str, folder: Path, settings: dict[str, Any]) -> Client:
    quick = {"requests_per_second": 1000.0, "wait": wait_none(), "pause": lambda seconds: None}
    return Client(name, folder / "answers", **(quick | settings))
