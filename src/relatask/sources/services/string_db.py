"""STRING's web service: names of proteins become its own ids, and these an interaction table."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from relatask import __version__
from relatask.core.errors import RelataskError
from relatask.sources.services.http import Client, UnreadableAnswerError

HUMAN = 9606  # NCBI taxon
COLUMNS = (  # of the answer to `network`: probabilities, escore is the experimental channel
    "stringId_A",
    "stringId_B",
    "preferredName_A",
    "preferredName_B",
    "ncbiTaxonId",
    "score",
    "nscore",
    "fscore",
    "pscore",
    "ascore",
    "escore",
    "dscore",
    "tscore",
)
NAMES = 500  # identifiers in one query
BLOCK = 1000  # a query for interactions covers two blocks; STRING allows networks of 2,000 proteins
log = logging.getLogger(__name__)
Row = dict[str, str]


@dataclass
class String:
    """The service at `url`, e.g. https://string-db.org/api, asked through `client`.

    An address like https://version-12-0.string-db.org/api fixes the release.
    """

    client: Client
    url: str
    block: int = BLOCK

    def string_ids(self, identifiers: Sequence[str]) -> pd.DataFrame:
        """Return the table `proteins`: the best human match of each identifier, null where there is none.

        Raises:
            RelataskError: STRING knows none of them, or sends matches of others.
        """
        wanted = list(dict.fromkeys(identifiers))
        matches: dict[str, Row] = {}
        for start in range(0, len(wanted), NAMES):
            batch = wanted[start : start + NAMES]
            for row in self._names(batch):
                name = row["queryItem"] if "queryItem" in row else batch[int(row["queryIndex"])]
                if name not in batch:
                    raise RelataskError(
                        f"STRING sent a match of {name[:40]!r}, which was not asked for; is {self.url} the "
                        f"address of STRING's API? Delete {self.client.answers} to ask again."
                    )
                if row["ncbiTaxonId"] == str(HUMAN):
                    matches.setdefault(name, row)  # the first is the best
        unknown = [name for name in wanted if name not in matches]
        if unknown:
            log.warning("STRING does not know %d of %d: %s", len(unknown), len(wanted), ", ".join(unknown))
        if len(unknown) == len(wanted):
            raise RelataskError(
                f"STRING knows none of the {len(wanted)} proteins, such as {wanted[:3]}; they must be "
                "UniProt accessions or STRING ids of human proteins."
            )
        return pd.DataFrame(
            {
                "identifier": wanted,
                "string_id": [matches[name]["stringId"] if name in matches else None for name in wanted],
                "preferred_name": [
                    matches[name]["preferredName"] if name in matches else None for name in wanted
                ],
            }
        )

    def network(self, string_ids: Iterable[str]) -> list[Row]:
        """Return the interactions among proteins, one row with `COLUMNS` per pair, sorted by pair.

        Every pair of blocks is asked for, so that no pair of proteins falls between two queries. No
        `required_score` is sent, as the authors of SGNN-EBM sent none: the server's default applies.
        """
        wanted = sorted(set(string_ids))
        blocks = [wanted[start : start + self.block] for start in range(0, len(wanted), self.block)]
        questions = [first + second for first, second in combinations(blocks, 2)] or blocks
        known = set(wanted)
        pairs: dict[tuple[str, str], Row] = {}
        strangers = 0
        for question in questions:
            if len(question) < 2:
                continue
            for row in self._interactions(question):
                pair = (min(row["stringId_A"], row["stringId_B"]), max(row["stringId_A"], row["stringId_B"]))
                if known.issuperset(pair):
                    pairs.setdefault(pair, row)
                else:
                    strangers += 1
        if strangers and not pairs:
            raise RelataskError(
                f"STRING sent {strangers} interactions, none of them between the proteins asked for, such as "
                f"{wanted[:2]}; is {self.url} of the release that gave these ids?"
            )
        if strangers:
            log.warning(
                "%d interactions of STRING with proteins that were not asked for are left out.", strangers
            )
        return [pairs[pair] for pair in sorted(pairs)]

    def _names(self, batch: Sequence[str]) -> list[Row]:
        def parse(body: bytes) -> list[Row]:
            rows = self._rows(body, ("queryIndex", "stringId", "ncbiTaxonId", "preferredName"))
            for row in rows:
                index = row["queryIndex"]
                if "queryItem" not in row and not (index.isdecimal() and len(index) < 10):
                    raise UnreadableAnswerError(f"queryIndex is {index[:40]!r}")
                if "queryItem" not in row and int(index) >= len(batch):
                    raise UnreadableAnswerError(f"queryIndex {index} was not asked for")
                if not re.fullmatch(r"\d+\.\S+", row["stringId"]):
                    raise UnreadableAnswerError(f"stringId is {row['stringId'][:40]!r}")
            return rows

        return self._ask("get_string_ids", batch, {"limit": 1, "echo_query": 1}, parse)

    def _interactions(self, question: Sequence[str]) -> list[Row]:
        return self._ask("network", question, {"add_nodes": 0}, lambda body: self._rows(body, COLUMNS))

    def _ask(
        self, what: str, names: Sequence[str], more: dict[str, int], parse: Callable[[bytes], list[Row]]
    ) -> list[Row]:
        form: dict[str, str | int] = {
            "identifiers": "\r".join(names),
            "species": HUMAN,
            "caller_identity": f"relatask_{__version__}",
            **more,
        }
        url = f"{self.url}/tsv/{what}"
        return self.client.ask(url, form, parse, method="POST", suffix="tsv", absent=_says_not_found) or []

    def _rows(self, body: bytes, columns: Sequence[str]) -> list[Row]:
        """Parse a tab separated answer with a header; quotes are plain text."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableAnswerError(f"it is not UTF-8 ({error})") from None
        if not text.endswith("\n"):  # a line that is cut off within its last number has all columns
            raise UnreadableAnswerError("its last line is cut off")
        lines = text.replace("\r\n", "\n").split("\n")[:-1]
        header = lines[0].split("\t")
        missing = [column for column in columns if column not in header]
        if len(missing) == len(columns):
            raise UnreadableAnswerError(f"it lacks the column {missing[0]}")
        if missing:
            raise RelataskError(
                f"STRING: its answer lacks the column {missing[0]}; its web service may have changed. Delete "
                f"{self.client.answers} to ask again."
            )
        rows = [line.split("\t") for line in lines[1:] if line]
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise UnreadableAnswerError(f"line {number} has {len(row)} of {len(header)} columns")
        return [dict(zip(header, row, strict=True)) for row in rows]


def table_of(rows: Iterable[Row]) -> str:
    """Return the interaction table that `relatask.data.interactions` reads: tab separated, 13 columns."""
    lines = ["\t".join(COLUMNS), *("\t".join(row[column] for column in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


def _says_not_found(body: bytes) -> bool:
    """Whether a 404 is STRING's way to say that it knows none of the proteins, and not a wrong address."""
    return body.lstrip().startswith((b"Error\t", b'{"Error"', b'[{"Error"'))
