"""ChEMBL's web service: records of assays, targets and activities, batched and paged."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

from relatask.core.errors import RelataskError
from relatask.sources.services.chembl_records import Record, fields_of, problem_of
from relatask.sources.services.http import Client, UnreadableAnswerError

BATCH = 50  # ids in one query, so that its address stays well below 2,000 characters
PAGE = 1000  # records on a page, the most that ChEMBL gives
HUMAN = 9606  # NCBI taxon
_ID = re.compile(r"CHEMBL\d+")
log = logging.getLogger(__name__)


@dataclass
class Chembl:
    """The service at `url`, e.g. https://www.ebi.ac.uk/chembl/api/data, asked through `client`."""

    client: Client
    url: str

    def assays(self, ids: Sequence[str]) -> tuple[dict[str, Record], list[str]]:
        """Return the assays by id, and the ids that ChEMBL does not know."""
        return self._by_id("assay", "assays", ids)

    def targets(self, ids: Sequence[str]) -> tuple[dict[str, Record], list[str]]:
        """Return the targets by id, and the ids that ChEMBL does not know."""
        return self._by_id("target", "targets", ids)

    def activities(self, target_id: str) -> list[Record]:
        """Return all activities measured on a target, with or without a value, by activity_id.

        Raises:
            RelataskError: the pages do not fit together, or hold other records than was asked for.
        """
        query = {"target_chembl_id": target_id, "order_by": "activity_id"}
        records = self._all("activity", "activities", query, "activity_id")
        for record in records:
            if record["target_chembl_id"] != target_id:
                self._not_asked_for(f"activity {record['activity_id']} on {record['target_chembl_id']}")
        return sorted(records, key=lambda record: record["activity_id"])

    def _by_id(self, resource: str, plural: str, ids: Sequence[str]) -> tuple[dict[str, Record], list[str]]:
        """Ask for `ids` in batches, and for each that no batch brings by itself before it is unknown."""
        key = f"{resource}_chembl_id"
        wanted = [name for name in dict.fromkeys(ids) if _ID.fullmatch(name)]
        found: dict[str, Record] = {}
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            for record in self._all(resource, plural, {f"{key}__in": ",".join(batch)}, key):
                if record[key] not in batch:
                    self._not_asked_for(record[key])
                found[record[key]] = record
        for name in wanted:
            if name not in found and (single := self._one(resource, plural, name)):
                found[name] = single
        unknown = [name for name in dict.fromkeys(ids) if name not in found]
        if unknown:
            log.warning(
                "ChEMBL does not know %d of %d %s: %s", len(unknown), len(set(ids)), plural, _some(unknown)
            )
        return found, unknown

    def _not_asked_for(self, what: str) -> NoReturn:
        raise RelataskError(
            f"{self.client.service} sent {what}, which was not asked for; is {self.url} the address of "
            "ChEMBL's web service?"
        )

    def _one(self, resource: str, plural: str, name: str) -> Record | None:
        """Return one record from its own address, or None where there is none."""

        def parse(body: bytes) -> Record:
            record = _json(body)
            if record.get(f"{resource}_chembl_id") != name:
                raise UnreadableAnswerError(f"it is not the {resource} {name}")
            return record

        url = f"{self.url}/{resource}/{name}.json"
        record = self.client.ask(url, {}, parse, absent=lambda body: True)
        return None if record is None else self._checked(record, plural)

    def _checked(self, record: Record, plural: str) -> Record:
        if problem := problem_of(record, plural):
            name = next(iter(record.values()), "")
            raise RelataskError(
                f"{self.client.service}: a record of {plural} ({str(name)[:40]!r}) is not as expected: "
                f"{problem}; its web service may have changed. Delete {self.client.answers} to ask again."
            )
        return record

    def _all(self, resource: str, plural: str, query: dict[str, str], key: str) -> list[Record]:
        """Return the records of all pages, each once and checked.

        It ends: a page that is followed by another must bring a new record, up to the number that the first
        page counts.

        Raises:
            RelataskError: there are more or fewer than the service counts, the count changes from page to
                page, or a record lacks a field.
        """
        records: dict[str, Record] = {}
        fields = ",".join(fields_of(plural))
        counts = set()
        for page in self._pages(resource, query | {"limit": str(PAGE), "only": fields}, plural):
            before = len(records)
            for record in page[plural]:
                records[self._checked(record, plural)[key]] = record
            counts.add(page["page_meta"]["total_count"])
            stuck = page["page_meta"]["next"] is not None and len(records) == before
            if stuck or len(counts) > 1 or len(records) > min(counts):
                break
        if counts != {len(records)}:
            counted = " and then ".join(map(str, sorted(counts)))
            raise RelataskError(
                f"{self.client.service} counts {counted} {plural} for {query} but sent {len(records)}; its "
                f"data may have changed meanwhile: delete {self.client.answers} and run again."
            )
        return list(records.values())

    def _pages(self, resource: str, query: dict[str, str], plural: str) -> Iterator[Record]:
        """Yield the pages of a list, following `page_meta.next`."""
        url, parameters = f"{self.url}/{resource}.json", query
        while True:
            page = self.client.ask(url, parameters, _page_parser(plural))
            assert page is not None
            yield page
            if (following := page["page_meta"]["next"]) is None:
                return
            url, parameters = _joined(url, following), {}
            if urlsplit(url).netloc != urlsplit(self.url).netloc:
                raise RelataskError(
                    f"{self.client.service}: page_meta.next leads to {url}, not to a next page."
                )


def uniprots_of(target: Record) -> list[str]:
    """UniProt accessions of a target's protein components, sorted.

    Accessions of ten characters are kept, which the released code of SGNN-EBM drops.
    """
    components = target.get("target_components") or []
    return sorted(
        {
            component["accession"]
            for component in components
            if component.get("component_type") == "PROTEIN" and component.get("accession")
        }
    )


def taxon_of(target: Record) -> int | None:
    """NCBI taxon of a target; ChEMBL writes it as a number or as text."""
    value = target.get("tax_id")
    return int(value) if value not in (None, "") else None


def _joined(url: str, following: str) -> str:
    try:
        return urljoin(url, following)
    except ValueError:  # no address at all
        return ""


def _page_parser(plural: str) -> Callable[[bytes], Record]:
    def parse(body: bytes) -> Record:
        page = _json(body)
        records = page.get(plural)
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise UnreadableAnswerError(f"it has no list {plural!r}")
        meta = page.get("page_meta")
        if not isinstance(meta, dict) or not isinstance(meta.get("next", 0), str | None):
            raise UnreadableAnswerError(
                "it has no page_meta that names a next page or says that there is none"
            )
        if type(total := meta.get("total_count")) is not int or total < 0:
            raise UnreadableAnswerError("its page_meta does not count the records in total_count")
        return page

    return parse


def _json(body: bytes) -> Record:
    try:
        value = json.loads(body, parse_constant=_refuse)
        if b"\\ud" in body.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a character, which no file can hold
    except (ValueError, RecursionError) as error:  # also bytes that are not UTF-8
        raise UnreadableAnswerError(f"it is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise UnreadableAnswerError("it is no JSON object")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
