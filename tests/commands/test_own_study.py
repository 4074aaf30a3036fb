"""From a table to a study: what columns are taken for, how much is spent by size, a file that is valid."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from relatask.__main__ import main
from relatask.commands._own_study import MINUTES, study_name, study_text
from relatask.commands._table import OwnTable, describe
from relatask.config import StudyConfig, load_study, parse
from relatask.core.errors import RelataskError
from relatask.core.kinds import DEFAULT_METRICS
from relatask.plan.plan import plan_runs
from relatask.sources.table_description import LongFormat
from tests.helpers.own_table import own_table, write_own_table
from tests.helpers.workbooks import write_workbook


def table(rows: int, tasks: int, kind: str = "binary", filled: float = 0.7) -> OwnTable:
    names = {f"t{number}": kind for number in range(tasks)}
    labels = round(rows * tasks * filled)
    return OwnTable(Path("a.csv"), rows, "smiles", names, labels)  # type: ignore[arg-type]


def planned(text: str) -> tuple[StudyConfig, float]:
    study = parse(StudyConfig, yaml.safe_load(text), "study")
    return study, sum(run.minutes for run in plan_runs(study, "quick"))


def test_columns_are_taken_for_what_they_hold(tmp_path: Path) -> None:
    frame = own_table(60).assign(fold=["train", "valid", "test"] * 20, batch=range(60), note="x")
    frame["shape"] = ["flat", "round", None] * 20
    path = tmp_path / "a.csv"
    frame.rename(columns={"SMILES": "Smiles"}).to_csv(path, index=False)
    found = describe(path, ignored=["batch"])
    assert (found.smiles_column, found.id_column, found.n_rows) == ("Smiles", "name", 60)
    assert found.tasks == {"kinase": "binary", "hERG": "binary", "logD": "real", "shape": "class"}
    assert found.n_labels == frame[["kinase", "hERG", "logD", "shape"]].notna().sum().sum()
    assert found.folds_column == "fold"
    assert found.left_out is not None
    assert {"note", "batch"} <= set(found.left_out)


def test_what_cannot_be_used_is_one_sentence_with_the_flag_that_helps(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("structur,note\nethanol,hello\npropane,world\n")
    with pytest.raises(RelataskError, match=r"no column of SMILES; name the one .* --smiles-columns"):
        describe(path)
    with pytest.raises(RelataskError, match=r"'note2' \(--target-columns\)\. Did you mean 'note'\?"):
        describe(path, smiles="structur", targets=["note2"])
    with pytest.raises(RelataskError, match="no column of labels beside 'structur'"):
        describe(path, smiles="structur")


@pytest.mark.parametrize(
    ("rows", "tasks", "folds", "minutes"),
    [(30, 1, 5, MINUTES), (5000, 10, 5, MINUTES), (100_000, 3, 3, MINUTES), (100_000, 200, 2, 60 * 6)],
)
def test_the_size_decides_how_much_is_spent(rows: int, tasks: int, folds: int, minutes: float) -> None:
    study, predicted = planned(study_text(table(rows, tasks)))
    assert len(study.scales["quick"].seeds) == folds
    assert predicted < minutes
    labels = [method.label for method in study.methods]
    assert labels[0] == study.baseline == "RF"
    assert ("MLP_alone" in labels) == (1 < tasks < 200)
    assert ("GIN_shared" in labels) == (rows == 5000)
    assert ("Kernel" in labels) == (rows < 10_000)


def test_a_study_has_rows_and_metrics_of_its_kinds_alone() -> None:
    mixed = table(500, 3)
    mixed.tasks.update(t1="real", t2="class")
    study, _ = planned(study_text(mixed))
    assert "pairwise_kernel" not in {method.method for method in study.methods}
    assert study.metrics[0] == "roc_auc"
    assert {"r2", "accuracy"} <= set(study.metrics)
    study, _ = planned(study_text(table(500, 2, "real")))
    assert study.metrics == list(DEFAULT_METRICS["real"])
    assert study.contrasts == [("MLP_shared", "MLP_alone")]


def test_names_that_yaml_would_read_otherwise_are_quoted() -> None:
    names = ["no", "1", "null", "a: b", 'x"y', "#7", "µM, 24 h", "[x]", "plain name", "-", "true", "\\"]
    odd = OwnTable(Path("a b/c,d.csv"), 50, "my: smiles", dict.fromkeys(names, "binary"), 100, id_column="on")
    study, _ = planned(study_text(odd))
    source = study.sources["c_d"]
    assert (source.task_columns, source.smiles_column) == (names, "my: smiles")  # type: ignore[attr-defined]
    assert (source.id_column, source.path) == ("on", "a b/c,d.csv")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "end", ["a\nb", "a\u0085b", "a\u2028b", "a\x7fb", "\N{GRINNING FACE}\n", 'a"\\b', "a: b"]
)
def test_names_of_columns_may_hold_any_character(tmp_path: Path, end: str) -> None:
    """Excel writes headers of two lines; in a comment or without an escape, each of these ends the YAML."""
    frame = own_table(30).assign(**{f"task {end}": range(30, 60), f"note {end}": "x"})
    frame.to_parquet(tmp_path / "a.parquet")
    text = study_text(describe(tmp_path / "a.parquet"))
    source = planned(text)[0].sources["a"]
    assert f"task {end}" in source.task_columns  # type: ignore[attr-defined]
    assert "# Left out: " in text


def test_units_in_names_are_those_of_the_tasks(tmp_path: Path) -> None:
    """Without, errors in nM and in µM had one mean."""
    path = tmp_path / "a.csv"
    frame = own_table(30)[["SMILES"]].assign(**{"A (nM)": range(30, 60), "B [µM]": range(60, 90)})
    frame.assign(**{"toxic (%)": [0, 1] * 15}).to_csv(path, index=False)
    source = planned(study_text(describe(path)))[0].sources["a"]
    assert source.units == {"A (nM)": "nM", "B [µM]": "uM"}  # type: ignore[attr-defined]


def test_a_column_of_folds_is_the_split(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    own_table(60).assign(fold=["train", "valid", "test"] * 20).to_csv(path, index=False)
    study, _ = planned(study_text(describe(path, splits="fold")))
    assert (study.splits.schemes, study.splits.columns) == (["column"], ["fold"])
    study, _ = planned(study_text(describe(path), splits_file=Path("splits.json")))
    assert study.splits.schemes == ["rows"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("assays.csv", "assays"),
        ("my assays (v2).csv.gz", "my_assays_v2"),
        ("logs.csv", "logs_study"),
        ("µ.csv", "table"),
    ],
)
def test_a_study_is_called_as_the_file_in_letters_that_a_folder_may_have(file: str, name: str) -> None:
    assert study_name(Path(file)) == name


def test_ten_molecules_are_the_least() -> None:
    with pytest.raises(RelataskError, match=r"a\.csv has 9 rows, and 10 are needed"):
        study_text(table(9, 1))


def test_init_writes_a_study_and_replaces_none_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_own_table(tmp_path, 60)
    for _ in range(2):  # what does not differ is no reason to refuse
        assert main(["init", "assays.csv"]) == 0
    study = Path("assays.yaml")
    written = study.read_text()
    assert load_study(study).sources["assays"].smiles_column == "SMILES"  # type: ignore[attr-defined]
    assert "relatask train assays.yaml" in capsys.readouterr().out
    study.write_text(written + "# mine\n")
    assert main(["init", "-i", "assays.csv"]) == 2
    assert "assays.yaml is there and differs" in capsys.readouterr().err
    assert study.read_text().endswith("# mine\n")
    assert main(["init", "assays.csv", "--overwrite"]) == 0
    assert study.read_text() == written


def test_a_file_must_be_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    for given in ([], ["a.csv", "-i", "a.csv"]):
        assert main(["init", *given]) == 2
        assert "name a file" in capsys.readouterr().err


def test_the_type_of_all_tasks_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"smiles": ["CCO", "CCC"] * 20, "t": [0, 1] * 20}).to_csv(path, index=False)
    assert describe(path).tasks == {"t": "binary"}
    assert describe(path, task_type="real").tasks == {"t": "real"}


def test_a_row_for_each_measurement_is_read_as_such(tmp_path: Path) -> None:
    wide = own_table(60).drop(columns=["kinase", "hERG"]).assign(logP=range(60))
    long = wide.melt(["name", "SMILES"], ["logD", "logP"], "assay", "value").dropna()
    path = tmp_path / "a.csv"
    long.to_csv(path, index=False)
    found = describe(path)
    assert (found.n_rows, found.n_labels, set(found.tasks)) == (
        long["SMILES"].nunique(), len(long), {"logD", "logP"},
    )  # fmt: skip
    study, _ = planned(study_text(found))
    source = study.sources["a"]
    assert source.reader == "measurements"
    assert (source.task_column, source.value_column) == ("assay", "value")  # type: ignore[attr-defined]
    assert study.metrics == list(DEFAULT_METRICS["real"])


def test_units_of_names_are_written_and_odd_cells_and_few_of_many_columns_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = own_table(40).rename(columns={"logD": "IC50 (µM)"}).assign(**{f"c{n}": "x" for n in range(30)})
    frame.loc[3, "kinase"] = "see notebook"
    frame["measured on"] = [f"2024-01-{n % 28 + 1:02d}" for n in range(40)]
    frame.to_csv("a.csv", index=False)
    assert main(["init", "a.csv", "--tiny"]) == 0
    said = capsys.readouterr().err
    assert "'kinase' is taken for labels of 0 and 1; 1 are no number, e.g. 'see notebook'." in said
    assert "c9 (text, e.g. 'x') and 20 more, which a.yaml names" in said
    assert "'measured on' holds dates; to test on the newest" in said
    assert "splits: {schemes: [time], column: 'measured on'} into a.yaml." in said
    source = load_study(Path("a.yaml")).sources["a"]
    assert source.units == {"IC50 (µM)": "uM"}  # type: ignore[attr-defined]


def test_columns_of_a_long_table_that_are_used_are_not_told_as_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"CC{'C' * (n // 2)}O,T{n % 2},{n + 0.5},note {n}" for n in range(40)]
    path.write_text("\n".join(["smiles,target,value,comment", *lines]))
    found = describe(path)
    assert found.long is not None
    assert set(found.left_out or {}) == {"comment"}


def test_an_export_of_one_assay_keeps_the_signs_beside_its_values(tmp_path: Path) -> None:
    """The signs became a task of classes, and a bound was learned as a measured value."""
    path = tmp_path / "a.csv"
    rows = [f"C{'C' * n}O,{'>' if n % 3 else '='},{n / 2 + 3},nM" for n in range(30)]
    path.write_text("\n".join(["smiles,relation,score,unit", *rows]))
    found = describe(path)
    assert (found.long, set(found.tasks)) == (None, {"score"})
    assert "write them before these" in (found.left_out or {})["relation"]
    path.write_text("\n".join(["smiles,relation,score,unit,target", *(f"{row},T1" for row in rows)]))
    long = describe(path).long
    assert long == LongFormat("target", "score", "relation", "unit")
    plain = [f"C{'C' * n}O,{n / 2 + 3},T1" for n in range(30)]
    path.write_text("\n".join(["smiles,score,target", *plain]))
    assert describe(path).long is None
    assert describe(path, one_of_several=True).long == LongFormat("target", "score")


def test_concentrations_become_p_values_if_asked_and_wide_ranges_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = [10.0 ** (n % 6) for n in range(40)]
    frame = own_table(40).assign(**{"Ki (nM)": values, "t (h)": values, "narrow (nM)": range(2, 42)})
    frame["logD"] = [n - 10 for n in range(40)]
    frame.to_csv("a.csv", index=False)
    assert main(["init", "a.csv", "--tiny"]) == 0
    assert "values over 3 powers of ten or more: Ki (nM), t (h); of conc" in capsys.readouterr().err
    assert main(["init", "a.csv", "--tiny", "--p-values", "--overwrite"]) == 0
    assert "values over 3 powers of ten or more: t (h); of conc" in capsys.readouterr().err
    source = load_study(Path("a.yaml")).sources["a"]
    assert source.p_values == {"Ki (nM)": "nM", "narrow (nM)": "nM"}  # type: ignore[attr-defined]
    assert source.units == {"t (h)": "h"}  # type: ignore[attr-defined]
    frame[["SMILES", "t (h)"]].to_csv("b.csv", index=False)
    assert main(["init", "b.csv", "--tiny", "--p-values"]) == 2
    assert "b.csv says no unit of concentration for --p-values" in capsys.readouterr().err
    lines = [f"CC{'C' * (n // 2)}O,T{n % 2},{value},nM" for n, value in enumerate(values)]
    Path("c.csv").write_text("\n".join(["smiles,target,value,unit", *lines]))
    assert main(["init", "c.csv", "--tiny", "--p-values"]) == 0
    assert "powers of ten" not in capsys.readouterr().err
    assert load_study(Path("c.yaml")).sources["c"].p_values is True  # type: ignore[attr-defined]


def test_several_files_become_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = own_table(40)
    frame[["name", "SMILES", "kinase"]].to_csv("a.csv", index=False)
    frame["kinase"] = [n / 4 for n in range(40)]
    second = frame[["SMILES", "kinase", "hERG"]].rename(columns={"SMILES": "structure"})
    second.to_csv("b.tsv", sep="\t", index=False)
    assert main(["init", "a.csv", "b.tsv", "--tiny"]) == 0
    assert "a.csv, b.tsv: 80 rows, SMILES in 'SMILES', tasks: 1 binary, 1 real" in capsys.readouterr().err
    source = load_study(Path("a.yaml")).sources["a"].model_dump()
    assert (source["path"], source["smiles_column"]) == (["a.csv", "b.tsv"], ["SMILES", "structure"])
    assert (source["task_columns"], source["id_column"]) == (["kinase", "hERG"], None)
    config = load_study(Path("a.yaml")).sources["a"].model_dump_json(exclude_defaults=True)
    config = config.replace("{", '{"reader": "table", ', 1) if '"reader"' not in config else config
    assert main(["prepare_items", "--source-config", config, "--name", "a", "--out-dir", "out"]) == 0
    assert main(["init", "a.csv", "b.tsv", "-t", "hERK"]) == 2
    assert "no file of a.csv, b.tsv has a column 'hERK' (--target-columns)." in capsys.readouterr().err
    assert main(["init", "a.csv", "b.tsv", "-t", "hERG"]) == 2
    assert "a.csv has no column of --target-columns; leave the file out." in capsys.readouterr().err
    assert main(["train", "a.yaml", "b.tsv"]) == 2
    assert "name one study file" in capsys.readouterr().err


def test_several_files_of_measurements_become_one_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wide = own_table(40).drop(columns=["kinase", "hERG"]).assign(logP=range(40))
    long = wide.melt(["name", "SMILES"], ["logD", "logP"], "assay", "value").dropna()
    of_one = long["assay"] == "logP"  # each file of one assay, as they are exported
    long[~of_one].to_csv("a.csv", index=False)
    long[of_one].to_csv("b.tsv", sep="\t", index=False)
    assert main(["init", "a.csv", "b.tsv", "--tiny"]) == 0
    source = load_study(Path("a.yaml")).sources["a"]
    assert (source.reader, source.path) == ("measurements", ["a.csv", "b.tsv"])  # type: ignore[attr-defined]
    config = source.model_dump_json(exclude_defaults=True)
    config = config.replace("{", '{"reader": "measurements", ', 1) if '"reader"' not in config else config
    assert main(["prepare_items", "--source-config", config, "--name", "a", "--out-dir", "out"]) == 0
    assert len(pd.read_parquet("out/labels.parquet")) == len(long)
    capsys.readouterr()
    wide.to_csv("wide.csv", index=False)
    assert main(["init", "a.csv", "wide.csv"]) == 2
    assert "a.csv has a row for each measurement, and wide.csv one for each mol" in capsys.readouterr().err
    long.rename(columns={"assay": "target"}).to_csv("c.csv", index=False)
    assert main(["init", "a.csv", "c.csv"]) == 2
    assert "their task_column differs (assay, target); call the columns alike" in capsys.readouterr().err


def test_a_file_for_test_is_written_into_the_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = own_table(60)
    frame[:40].to_csv("a.csv", index=False)
    frame[40:].rename(columns={"SMILES": "structure"}).drop(columns="name").to_csv("new.csv", index=False)
    assert main(["init", "a.csv", "--tiny", "--test-file", "new.csv"]) == 0
    assert "a.csv, for test new.csv: 60 rows" in capsys.readouterr().err
    study = load_study(Path("a.yaml"))
    source = study.sources["a"].model_dump()
    assert study.splits.schemes == ["given"]
    assert (source["test_path"], source["smiles_column"]) == ("new.csv", ["SMILES", "structure"])
    config = study.sources["a"].model_dump_json(exclude_defaults=True)
    config = config.replace("{", '{"reader": "table", ', 1) if '"reader"' not in config else config
    assert main(["prepare_items", "--source-config", config, "--name", "a", "--out-dir", "out"]) == 0
    capsys.readouterr()
    frame[["SMILES", "hERG"]].to_csv("new.csv", index=False)
    assert main(["init", "a.csv", "--test-file", "new.csv"]) == 2
    assert "new.csv (--test-file) has no column 'kinase', which a.csv has" in capsys.readouterr().err
    assert main(["init", "a.csv", "--test-file", "new.csv", "--splits-column", "name"]) == 2
    assert "give --splits-column or --test-file: one says" in capsys.readouterr().err
    long = frame.melt("SMILES", ["logD", "hERG"], "assay", "value").dropna()
    long.to_csv("long.csv", index=False)
    assert main(["init", "long.csv", "--test-file", "new.csv"]) == 2
    assert "--test-file goes with a row for each molecule; write train and test" in capsys.readouterr().err


def test_how_a_file_is_read_can_be_said_where_it_is_not_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without, there was no study file yet into which the keys could be written."""
    monkeypatch.chdir(tmp_path)
    frame = own_table(30)[["SMILES", "logD"]]
    cells = [list(frame), *frame.to_numpy(object).tolist()]
    write_workbook(Path("a.xlsx"), {"Notes": [["about"], ["x"]], "Data": cells})
    assert main(["init", "a.xlsx"]) == 2
    assert "name another one in `sheet` (or --sheet)" in capsys.readouterr().err
    assert main(["init", "a.xlsx", "--sheet", "Data"]) == 0
    assert load_study(Path("a.yaml")).sources["a"].sheet == "Data"  # type: ignore[attr-defined]
    values = "\n".join(f"C{'C' * n}O;1,{100 + n}" for n in range(30))
    Path("b.csv").write_text(f"SMILES;größe\n{values}\n", encoding="cp1250")
    assert main(["init", "b.csv", "--decimal", ",", "--encoding", "cp1250"]) == 0
    source = load_study(Path("b.yaml")).sources["b"]
    assert (source.decimal, source.encoding) == (",", "cp1250")  # type: ignore[attr-defined]
    assert source.task_columns == ["größe"]  # type: ignore[attr-defined]
    assert main(["init", "b.csv", "--sheet", "x"]) == 2
    assert "sheet: b.csv has none" in capsys.readouterr().err


def test_a_search_is_written_and_changes_neither_rows_nor_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, searched, short = (
        planned(study_text(table(2000, 3), **how))[0]
        for how in ({}, {"trials": 16}, {"trials": 16, "minutes": MINUTES})
    )
    assert (plain.search, searched.search.trials) == (None, 16)  # type: ignore[union-attr]
    assert (searched.methods, searched.scales) == (plain.methods, plain.scales)
    assert len(short.methods) < len(plain.methods)  # the trials are part of the time that was asked for
    monkeypatch.chdir(tmp_path)
    write_own_table(tmp_path, 60)
    assert main(["init", "assays.csv", "--search", "16"]) == 0
    assert load_study(Path("assays.yaml")).search.trials == 16  # type: ignore[union-attr]
    assert main(["estimate", "assays.yaml"]) == 0
    said = capsys.readouterr().out
    assert "trials of settings" in said
    assert "search of RF: options.min_samples_leaf 1 to 16 (log), options.max_features sqrt|log2" in said
    assert main(["init", "assays.csv", "--search", "1"]) == 2
    assert "name 2 or more" in capsys.readouterr().err
    assert main(["train", "assays.yaml", "--search", "4"]) == 2
    assert "write `search: {trials: 4}` into assays.yaml" in capsys.readouterr().err
