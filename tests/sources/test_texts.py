"""Tables of texts, and films of TMDb: each row is an item or rejected with its reason, as is each label."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relatask.core.errors import RelataskError
from relatask.core.plugins import load_file
from relatask.data.source_tables import SourceContext, SourceTables
from tests.helpers.data_tables import source_of

TABLE = """id,plot,year,funny,sad
a,"Don't panic: it's 1984!",1984,1,0
b,...,1985,1,1
c,Tears and loss,1986,,1
d,DON’T PANIC (it's 1984),1987,1,1
e,,1988,0,0
f,A slow day,1989,,
"""
GENRES = {"War": 10752, "Drama": 18, "Science Fiction": 878}


def prepared(**keys: object) -> SourceTables:
    block = source_of(**keys)
    found: SourceTables = load_file(block.record).prepare(block, SourceContext("mine"))
    return found


def written(path: Path, text: str) -> str:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


def of_texts(path: str, **keys: object) -> SourceTables:
    columns = {"text_column": "plot", "id_column": "id", "item_columns": ["year"]}
    return prepared(reader="texts", path=path, **{**columns, **keys})


def cells(tables: SourceTables) -> dict[tuple[str, str], float]:
    source_ids = tables.items["source_id"]
    labels = tables.labels.astype({"task_id": str})
    return {(source_ids[row.item_id], row.task_id): row.value for row in labels.itertuples()}


def test_rows_of_a_table_are_texts_or_rejected_and_rows_of_the_same_words_are_one(tmp_path):
    tables = of_texts(written(tmp_path / "plots.csv", TABLE))
    assert tables.items[["source_id", "year", "text"]].to_numpy().tolist() == [
        ["a", "1984", "Don't panic: it's 1984!"],
        ["c", "1986", "Tears and loss"],
        ["f", "1989", "A slow day"],
    ]
    assert set(tables.items["level"]) == {"text"}
    assert tables.rejected.columns.tolist() == ["row", "source_id", "reason"]
    assert tables.rejected.to_numpy().tolist() == [
        [2, "b", "empty text: it has no word"],
        [4, "d", "duplicate of row 1"],
        [5, "e", "empty text: it has no word"],
    ]
    assert tables.tasks["name"].tolist() == ["funny", "sad"]
    assert cells(tables) == {("a", "funny"): 1, ("c", "sad"): 1}  # a and d disagree about sad
    assert tables.counts["labels"] == {
        "in": 9,
        "of_rejected_rows": 4,
        "merged": 1,
        "conflicting": 2,
        "conflicting_cells": 1,
        "undecided": 0,
        "undecided_cells": 0,
        "out": 2,
    }
    assert tables.counts["rejected"] == {"empty text: it has no word": 2}
    assert tables.counts["duplicates_merged"] == 1
    assert tables.conflicts[["source_id", "task_id", "reason", "rows", "values"]].to_numpy().tolist() == [
        ["a", "sad", "the labels differ", "1;4", "0;1"],
    ]


def test_texts_that_differ_in_their_vowel_signs_are_no_copies(tmp_path):
    tables = of_texts(written(tmp_path / "hindi.csv", "id,plot,A\na,की,1\nb,का,0\n"), item_columns=[])
    assert tables.items["text"].tolist() == ["की", "का"]


def test_a_text_may_be_spelt_like_what_is_missing(tmp_path):
    table = "id,plot,year,A\nNA,None,nan,1\nb,,1984,0\n"
    tables = of_texts(written(tmp_path / "plots.csv", table))
    assert tables.items[["source_id", "year", "text"]].to_numpy().tolist() == [["NA", None, "None"]]
    assert tables.rejected["row"].tolist() == [2]


def test_parquet_and_compressed_files_with_a_byte_order_mark_give_the_same_texts(tmp_path):
    expected = of_texts(written(tmp_path / "plots.csv", TABLE))
    marked = of_texts(written(tmp_path / "plots.csv.gz", "\ufeff" + TABLE))
    frame = pd.read_csv(tmp_path / "plots.csv", dtype={"year": str})
    frame.to_parquet(tmp_path / "plots.parquet")
    for other in (marked, of_texts(str(tmp_path / "plots.parquet"))):
        pd.testing.assert_frame_equal(other.items, expected.items)
        pd.testing.assert_frame_equal(other.labels, expected.labels)


def test_a_text_may_be_longer_than_pythons_csv_allows(tmp_path):
    long = "word " * 60_000
    tables = of_texts(written(tmp_path / "plots.csv", f'id,plot,funny\na,"{long}",1\n'), item_columns=[])
    assert tables.items["text"].tolist() == [long.strip()]


@pytest.mark.parametrize(
    ("text", "keys", "said"),
    [
        (
            "id,text,A\na,...,1\n",
            {},
            "none of its 1 rows holds a usable text (1 x empty text: it has no word)",
        ),
        ("id,text,A\n", {}, "none of its 0 rows holds a usable text (it has none)"),
        ("id,text,A\na,word,2\n", {}, "line 2, column 'A': '2' is neither 0 nor 1"),
        ("id,texts,A\na,word,1\n", {}, "has no column 'text' (text_column). Did you mean 'texts'?"),
        ("id,text\na,word\n", {}, "has no task column beside ['text', 'id']"),
        (
            "id,plot,text,A\na,b,c,1\n",
            {"text_column": "plot", "item_columns": ["text"]},
            "cannot keep the column 'text', as items have one of this name; rename it in the file",
        ),
        ("id,text,level,A\na,b,c,1\n", {"item_columns": ["level"]}, "cannot keep the column 'level'"),
    ],
)
def test_what_is_no_table_of_texts_is_one_sentence(tmp_path, text, keys, said):
    with pytest.raises(RelataskError) as raised:
        of_texts(written(tmp_path / "plots.csv", text), **{"text_column": "text", "item_columns": [], **keys})
    assert said in str(raised.value)


def films(*rows: tuple[str, list[str] | str]) -> str:
    named = [
        genres
        if isinstance(genres, str)
        else json.dumps([{"id": GENRES[name], "name": name} for name in genres])
        for _, genres in rows
    ]
    frame = pd.DataFrame({"budget": 1, "genres": named, "id": range(10, 10 + len(rows))})
    frame["title"] = [f"Film {row}" for row in frame["id"]]
    return frame.assign(overview=[plot for plot, _ in rows]).to_csv(index=False)


def test_films_without_a_plot_or_a_genre_are_rejected_and_all_others_have_every_label(tmp_path):
    rows = [("War, and loss.", ["War", "Drama"]), (" ", ["Drama"]), ("No genre", []), ("Robots", ["Drama"])]
    rows.append(("Nothing at all", ["Science Fiction"]))
    path = written(tmp_path / "tmdb_5000_movies.csv.gz", films(*rows))
    tables = prepared(reader="tmdb", path=path)
    assert tables.items[["source_id", "name", "text"]].to_numpy().tolist() == [
        ["10", "Film 10", "War, and loss."],
        ["13", "Film 13", "Robots"],
        ["14", "Film 14", "Nothing at all"],
    ]
    assert tables.rejected[["row", "source_id", "reason"]].to_numpy().tolist() == [
        [2, "11", "empty text: it has no word"],
        [3, "12", "no genre"],
    ]
    assert tables.tasks[["task_id", "name"]].to_numpy().tolist() == [
        ["Drama", "Drama"],
        ["Science_Fiction", "Science Fiction"],
        ["War", "War"],
    ]
    expected = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(tables.labels["value"].to_numpy().reshape(3, 3), expected)


@pytest.mark.parametrize(
    "genres",
    [
        "[{",
        '["War"]',
        "17",
        "null",
        '[{"id": 1}]',
        '[{"name": null}]',
        '[{"name": " "}]',
        '[{"name": 5}]',
        "[" * 10_000,
    ],
    ids=lambda cell: cell[:20],
)
def test_a_cell_that_holds_no_genres_is_named(tmp_path, genres):
    path = written(tmp_path / "films.csv", films(("A plot", ["War"]), ("Another", genres)))
    with pytest.raises(RelataskError, match=r"films.csv, line 3: genres .* is no list such as"):
        prepared(reader="tmdb", path=path)


def test_the_films_of_tmdb_5000(mirror: Path):
    """Table 4 of L2T-MITTEN: 20 genres, 59 words in the mean; its 8,014 films are Tox21's molecules."""
    tables = prepared(reader="tmdb", path=str(mirror / "tmdb" / "tmdb_5000_movies.csv.gz"))
    assert tables.counts["rows"] == 4803
    assert tables.counts["rejected"] == {"empty text: it has no word": 4, "no genre": 28}
    assert (len(tables.items), len(tables.tasks), len(tables.labels)) == (4771, 20, 4771 * 20)
    assert tables.tasks.set_index("name")["n_pos"][["Drama", "TV Movie"]].tolist() == [2296, 8]
