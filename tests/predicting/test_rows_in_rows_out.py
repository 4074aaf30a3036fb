"""`relatask predict` of files of every kind: all rows and columns come out, and half a file is refused."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relatask.__main__ import main
from relatask.core.layout import PREDICTION_ROWS
from relatask.models.ensemble_folder import write_ensemble
from relatask.predicting import rows, workers
from tests.helpers.prepared_dataset import make_spec
from tests.helpers.workbooks import write_sdf, write_workbook
from tests.models.molecule_data import train, write_molecules

GOOD = ("CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1")
BAD = ("", " ", "nan", "no molecule", "C1CC", 'C"C', "C,C;C", "é", "C" * 5000 + "(", "\u2028")
SPEC = make_spec("random_forest", None)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one model, which says the nearest molecule too: a column of texts."""
    results = tmp_path_factory.mktemp("rows") / "results"
    write_molecules(results / "small")
    study = train(results, [SPEC])
    write_ensemble(results / "model", [study / "runs" / SPEC.run_id / "model"], {})
    return results / "model"


@pytest.fixture(scope="module", autouse=True)
def few_rows() -> object:
    """Parts of three rows."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rows, "ROWS", 3)
        yield


def as_workbook(table: pd.DataFrame, path: Path) -> None:
    write_workbook(path, {"D": [[*table.columns], *table.to_numpy().tolist()]})


def as_structures(table: pd.DataFrame, path: Path) -> None:
    readable = table.assign(smiles=table["smiles"].where(table["smiles"].isin(GOOD), ""))
    write_sdf(path, readable.to_dict("records"))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".csv": lambda table, path: table.to_csv(path, index=False),
    ".csv.gz": lambda table, path: table.to_csv(path, index=False),
    ".tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    ".parquet": lambda table, path: table.to_parquet(path),
    ".xlsx": as_workbook,
    ".sdf": as_structures,
}


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        table = pd.read_parquet(path).astype(object)
        return table.where(table.notna(), "").astype(str)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@settings(max_examples=8)
@example(cells=["C1CC"] * 4 + ["CCO"], kind=".csv", out=".parquet")  # a part in which nothing has a type
@example(cells=[], kind=".parquet", out=".parquet")
@given(
    cells=st.lists(st.sampled_from(GOOD + BAD), min_size=1, max_size=10),
    kind=st.sampled_from([*WRITERS]),
    out=st.sampled_from([".csv", ".csv.gz", ".parquet"]),
)
def test_every_row_comes_out_in_its_place_with_a_prediction_or_a_reason(
    model: Path, tmp_path_factory: pytest.TempPathFactory, cells: list[str], kind: str, out: str
) -> None:
    folder = tmp_path_factory.mktemp("case")
    table = pd.DataFrame({"id": [f"x{n}" for n in range(len(cells))], "smiles": pd.Series(cells, dtype=str)})
    WRITERS[kind](table, folder / f"new{kind}")
    assert main(["predict", str(model), str(folder / f"new{kind}"), "-o", str(folder / f"out{out}")]) == 0
    found = read(folder / f"out{out}")
    assert found["id"].tolist() == table["id"].tolist()
    usable = [cell in GOOD for cell in cells]
    for name in ("task0", "task2", "nearest"):
        assert (found[name] != "").tolist() == usable
    assert (found["reason"] == "").tolist() == usable
    assert sorted(path.name for path in folder.iterdir()) == [f"new{kind}", f"out{out}"]


def test_an_index_without_a_name_is_a_column_like_others(model: Path, tmp_path: Path) -> None:
    table = pd.DataFrame({"smiles": ["CCO", "xx"]}, index=["a", "b"])
    table.to_csv(tmp_path / "one.csv")
    pd.read_csv(tmp_path / "one.csv").to_csv(tmp_path / "two.csv")
    table.to_parquet(tmp_path / "one.parquet")

    def header_of(name: str, out: str = "out.csv") -> list[str]:
        assert main(["predict", str(model), str(tmp_path / name), "-o", str(tmp_path / out)]) == 0
        return (tmp_path / "out.csv").read_text().splitlines()[0].split(",")[:3]

    assert header_of("one.csv") == ["", "smiles", "task0"]
    assert header_of("two.csv") == ["", "Unnamed: 0", "smiles"]
    assert pd.read_csv(tmp_path / "out.csv", index_col=0)["Unnamed: 0"].tolist() == ["a", "b"]
    assert header_of("one.parquet") == ["", "smiles", "task0"]
    header_of("one.parquet", "out.parquet")
    assert pd.read_parquet(tmp_path / "out.parquet").index.tolist() == ["a", "b"]


ROWS = "id,smiles\n" + "7é,CCO\n" * 8
TABLE = pd.DataFrame({"smiles": ["CCO"] * 40, "id": "7"})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (".csv", "ends within a character, so it was cut off; fetch or save it again."),
        (".csv.gz", "cannot be read, it may be cut off or damaged"),
        (".parquet", "cannot be read, it may be cut off or damaged"),
        (".xlsx", "cannot be read"),
    ],
)
def test_half_a_file_is_refused_in_one_sentence_and_nothing_is_left(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, said: str
) -> None:
    file = tmp_path / f"new{kind}"
    if kind.startswith(".csv"):
        text = ROWS.encode()
        file.write_bytes(text if kind == ".csv" else gzip.compress(text))
    else:
        WRITERS[kind](TABLE, file)
    content = file.read_bytes()
    cut = content.rindex("é".encode()) + 1 if kind == ".csv" else len(content) * 2 // 3
    file.write_bytes(content[:cut])
    assert main(["predict", str(model), str(file), "-o", str(tmp_path / "out.csv")]) == 2
    (sentence,) = capsys.readouterr().err.strip().splitlines()
    assert said in sentence
    assert str(file) in sentence
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_file_that_changes_while_it_is_read_is_refused_and_its_parts_are_not_kept(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "new.csv", tmp_path / "out.csv"
    file.write_text(ROWS)
    command = ["predict", str(model), str(file), "-o", str(out), "-n", "1"]
    predict = workers.Predictor.predict

    def saved_meanwhile(*arguments: object) -> int:
        file.write_text(after)
        return predict(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(workers.Predictor, "predict", saved_meanwhile)
        after = ROWS  # the same content with another date
        assert main(command) == 0
        expected = out.read_bytes()
        out.unlink()
        after = ROWS.replace("CCO", "CCN")
        assert main(command) == 2
    assert f"{file} changed while it was read; run the same command again." in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]
    file.write_text(ROWS)
    assert main(command) == 0
    assert out.read_bytes() == expected


@pytest.mark.parametrize("out", [".csv", ".parquet"])
def test_jobs_that_read_their_rows_alone_make_what_one_process_makes(
    model: Path, tmp_path: Path, out: str
) -> None:
    file = tmp_path / "new.csv"
    texts = ["CCO", "C1CC", "CCN", "", "CCCC", "c1ccccc1O", "CO"]
    pd.DataFrame({"Structure": texts, "x": [f"{n}" for n in range(7)]}, index=[*"abcdefg"]).to_csv(file)
    assert main(["predict", str(model), str(file), "-o", str(tmp_path / f"whole{out}")]) == 0
    owner, record = str(model / "ensemble.json"), str(tmp_path / "of.json")
    scattered = ["--file", str(file), "--parts", "4", "--folder", str(tmp_path), "--record", record]
    assert main(["scatter_rows", "--model", owner, *scattered]) == 0
    file.unlink()
    parts = []
    for number in ("00001", "00002", "00003", "00004"):
        own = tmp_path / Path(PREDICTION_ROWS).name.format(part=number, parts="00004")
        parts.append(str(tmp_path / f"{number}{out}"))
        command = ["predict_part", "--model", owner, "--record", record, "--rows", str(own)]
        assert main([*command, "--out", parts[-1]]) == 0
    assert main(["join_predictions", "--parts", *parts, "--out", str(tmp_path / f"joined{out}")]) == 0
    assert (tmp_path / f"joined{out}").read_bytes() == (tmp_path / f"whole{out}").read_bytes()
    assert [len(read(Path(part))) for part in parts] == [0, 3, 3, 1]
    packed = str(tmp_path / "00001.csv.gz")
    assert main(["join_predictions", "--parts", packed, "--out", str(tmp_path / f"x{out}")]) == 2
