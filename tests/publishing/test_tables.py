"""Tables show what was measured, mark the best, say what is missing, and survive hostile names."""

import html
import json
import re
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from relatask.__main__ import main
from relatask.core.errors import RelataskError
from relatask.core.files import read_json, write_json
from relatask.core.outputs import tables
from relatask.core.tables import COLUMNS, columns_of, write_table
from relatask.evaluation.aggregate import join_plan, summarise
from relatask.publishing.formatting import (
    Bold,
    Table,
    escape_latex,
    escape_markdown,
    number,
    p_value,
    signed,
    to_latex,
    to_markdown,
)
from relatask.publishing.published_values import lookup, read_published
from relatask.publishing.table_files import save
from relatask.publishing.tables import all_metrics as all_metrics_table
from relatask.publishing.tables import costs as costs_table
from relatask.publishing.tables import main as main_table
from relatask.publishing.tables import per_task as per_task_table
from relatask.publishing.tables import significance as significance_table
from relatask.publishing.tables import splits as splits_table
from relatask.publishing.tables import statistics as statistics_table
from tests.helpers.data_tables import write_records
from tests.helpers.study_tables import (
    HOSTILE,
    TASKS,
    make_inputs,
    make_metrics,
    make_plan,
    study_of,
    value_of,
    write_dataset,
    write_study,
)

NAN = float("nan")


def test_main_table_shows_mean_spread_and_delta_with_the_best_in_bold(tmp_path) -> None:
    table = main_table.make(make_inputs(tmp_path))
    assert table.header == ["method", "toy random"]
    assert table.rows == [["STL", "71.00 ± 1.41"], ["MTL", "77.00 ± 2.83 (+6.00)"]]
    assert isinstance(table.rows[1][1], Bold)
    assert not isinstance(table.rows[0][1], Bold)
    assert table.data["mean"].tolist() == pytest.approx([0.71, 0.77], abs=1e-12)
    notes = " ".join(table.notes)
    assert "2 seeds (0, 1)" in notes
    assert "No (seed, task) cell is undefined." in notes
    assert "Scale quick: 5 epochs instead of 200." in notes


def test_where_lower_is_better_the_lowest_is_bold(tmp_path) -> None:
    table = main_table.make(make_inputs(tmp_path, study=study_of(metrics=["brier"])))
    assert table.rows[0][1] == "0.710 ± 0.014"
    assert isinstance(table.rows[0][1], Bold)
    assert not isinstance(table.rows[1][1], Bold)
    assert "lower is better" in table.notes[0]


def test_undefined_cells_are_counted_in_the_footnote_and_named_in_the_task_table(tmp_path) -> None:
    def value(dataset: str, method: str, seed: int, task: str) -> float:
        return NAN if task == "t6" else value_of(dataset, method, seed, task)

    inputs = make_inputs(tmp_path, value)
    assert "on toy (random split): 2 of each method (2 no positive)." in " ".join(
        main_table.make(inputs).notes
    )
    table = per_task_table.make(inputs)
    assert table.rows[6][-2:] == ["–", "–"]
    lost = table.data[table.data["task_id"] == "t6"]
    assert lost["reason"].tolist() == ["no positive", "no positive"]
    assert lost["mean"].isna().all()
    assert lost["n_seeds"].tolist() == [0, 0]


def with_counts(folder: Path, **counts: object) -> None:
    path = folder / "study" / "data" / "toy" / "dataset.json"
    write_json(path, {**read_json(path), **counts})
    write_records(folder / "study" / "data" / "toy")


def test_tasks_that_were_left_out_are_named_under_the_main_table(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    assert not any("are left out" in note for note in main_table.make(inputs).notes)
    lost = pd.DataFrame({"task_id": [f"x{n}" for n in range(7)], "name": "x", "reason": "no negative label"})
    lost.loc[0, "reason"] = "no label"
    write_table("rejected_tasks", lost, tmp_path / "study" / "data" / "toy" / "rejected_tasks.parquet")
    with_counts(tmp_path, tasks_left_out={"no label": 1, "no negative label": 6})
    notes = main_table.make(inputs).notes
    said = "7 tasks are left out: x0 (no label); x1, x2, x3, x4, x5 and 1 more (no negative label)"
    assert f"Of toy {said}." in notes


def test_labels_that_were_lost_and_the_spread_of_replicates_stand_under_the_statistics(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    assert len(statistics_table.make(inputs).notes) == 1
    source = {
        "labels": {"conflicting_cells": 20, "undecided_cells": 3},
        "replicates": {"hERG": {"cells": 12, "measurements": 30, "deviation": 0.4321}},
    }
    with_counts(tmp_path, source={"standardisation": source})
    assert statistics_table.make(inputs).notes[1:] == [
        "toy: 23 cells have labels that conflict, or a bound that decides nothing, and are left out "
        "(conflicts.csv).",
        "toy: standard deviation of measurements of one cell: hERG 0.432 (12 cells).",
    ]


def test_a_method_without_results_is_a_dash_never_a_number(tmp_path) -> None:
    inputs = make_inputs(tmp_path, lambda d, m, s, t: NAN if m == "MTL" else 0.7)
    table = main_table.make(inputs)
    assert table.rows[1] == ["MTL", "–"]
    assert "14 of MTL" in " ".join(table.notes)


def test_no_rounding_before_averaging(tmp_path) -> None:
    """0.70004 and 0.70014 average to 0.70009: 70.01; rounded first it would be 70.00 or 70.005."""
    inputs = make_inputs(tmp_path, lambda d, m, s, t: (0.70004, 0.70014)[s])
    assert main_table.make(inputs).rows[0][1].startswith("70.01 ± ")


def test_rows_and_columns_follow_the_study(tmp_path) -> None:
    study = study_of(datasets=["zeta", "alpha"], methods=["STL", "MTL"])
    study["methods"].reverse()
    table = main_table.make(make_inputs(tmp_path, study=study))
    assert table.header == ["method", "zeta random", "alpha random"]
    assert [row[0] for row in table.rows] == ["MTL", "STL"]
    assert table.data["dataset"].tolist() == ["zeta", "zeta", "alpha", "alpha"]


PUBLISHED = (
    "paper,table,row,column,value,spread,metric\n"
    "sgnn_ebm,1,Toy 10,items,13004,,items\n"
    "sgnn_ebm,1,Toy 10,labelled,5.76,,labelled_percent\n"
    "other,1,MTL,Toy 10,50.00,1.50,roc_auc\n"
    "sgnn_ebm,2,MTL,Toy 10,74.00,1.50,roc_auc\n"
    "sgnn_ebm,3,MTL,Toy 10,99.00,1.50,roc_auc\n"
)


def test_published_numbers_stand_beside_ours_with_the_difference_in_spreads(tmp_path) -> None:
    sheet = tmp_path / "published.csv"
    sheet.write_text(PUBLISHED)
    study = study_of(datasets=["toy_10"]) | {"paper": "sgnn_ebm"}
    study["datasets"]["toy_10"]["published"] = "Toy 10"
    study["methods"][1]["published"] = "MTL"
    inputs = make_inputs(tmp_path, study=study, published=read_published(sheet))
    table = main_table.make(inputs)
    assert table.header == ["method", "toy_10 random", "toy_10 published", "in spreads"]
    assert table.rows[0][2:] == ["–", "–"]
    assert table.rows[1][2:] == ["74.00 ± 1.50", "+2.0"]
    assert table.data["published"].tolist()[1] == pytest.approx(0.74)
    assert "as printed in sgnn_ebm" in " ".join(table.notes)
    statistics = statistics_table.make(inputs)
    assert statistics.header[7:] == ["published molecules", "published labelled %"]  # it prints no tasks
    assert statistics.rows[0][7:] == ["13,004", "5.76"]

    study["datasets"]["toy_10"]["whole"] = 1_000_000  # of which 200 are there: nothing to compare
    smoke = main_table.make(make_inputs(tmp_path, study=study, published=read_published(sheet)))
    assert smoke.header == ["method", "toy_10 random", "toy_10 published"]
    assert smoke.rows[1][2:] == ["74.00 ± 1.50"]
    assert "in spreads" not in " ".join(smoke.notes)


def test_each_split_that_a_paper_names_stands_beside_its_own_number(tmp_path) -> None:
    sheet = tmp_path / "published.csv"
    sheet.write_text(f"{PUBLISHED}sgnn_ebm,5,MTL,Toy 10 All 10%,71.00,,roc_auc\n")
    study = study_of(datasets=["toy_10"], schemes=["all_10", "random"]) | {"paper": "sgnn_ebm"}
    study["splits"]["variants"] = {"all_10": {"scheme": "masked", "labels_kept": 0.1, "published": "All 10%"}}
    study["datasets"]["toy_10"]["published"] = "Toy 10"
    study["methods"][1]["published"] = "MTL"
    plans = [make_plan(datasets=["toy_10"], seeds=(0, 1), split=split) for split in ("all_10", "random")]
    plan = pd.concat(plans, ignore_index=True)
    metrics = make_metrics(plan, TASKS, value_of)
    summary = summarise(join_plan(plan, metrics), "STL")
    numbers = read_published(sheet)
    inputs = make_inputs(
        tmp_path, study=study, published=numbers, plan=plan, metrics=metrics, summary=summary
    )
    table = main_table.make(inputs)
    headed = dict(zip(table.header, table.rows[1], strict=True))
    assert list(headed) == [
        "method",
        "toy_10 all_10",
        "toy_10 All 10% published",
        "toy_10 random",
        "toy_10 published",
    ]
    assert headed["toy_10 All 10% published"] == "71.00"
    assert headed["toy_10 published"] == "74.00 ± 1.50"


def test_a_study_that_no_paper_has_prints_no_such_column(tmp_path, root) -> None:
    inputs = make_inputs(tmp_path, published=read_published(root / "config" / "published.csv"))
    assert main_table.make(inputs).header == ["method", "toy random"]
    assert len(statistics_table.make(inputs).header) == 7
    assert "published" not in " ".join(main_table.make(inputs).notes)


def test_the_sheet_holds_the_papers_numbers(root) -> None:
    published = read_published(root / "config" / "published.csv")
    auc = lookup(published, "sgnn_ebm", "roc_auc")
    best = auc["SGNN-EBM adaptive", "ChEMBL-STRING 100"]
    assert (best.value, best.spread, best.table) == (81.15, 0.59, "2")
    assert auc["SGNN-EBM Uniform", "ChEMBL-STRING 10"].value == 58.66
    assert auc["SGNN-EBM 0 layers", "ChEMBL-STRING 50"].value == 80.63
    assert lookup(published, "sgnn_ebm", "tasks")["ChEMBL-STRING 50", "tasks"].value == 152
    own = [one for one in published if one.paper != "l2t_mitten"]  # which prints none
    assert all(number.spread for number in own if number.metric == "roc_auc")


def test_a_broken_sheet_is_told_with_its_line(tmp_path) -> None:
    sheet = tmp_path / "published.csv"
    sheet.write_text(PUBLISHED.replace("74.00", "about 74"))
    with pytest.raises(RelataskError, match=r"published.csv, line 5: value and spread must be numbers"):
        read_published(sheet)
    sheet.write_text("row,value\n")
    with pytest.raises(RelataskError, match="the columns must be paper, table"):
        read_published(sheet)


def test_statistics_and_splits_come_from_the_prepared_data(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    assert statistics_table.make(inputs).rows == [["toy", "200", "7", "700", "50.00", "25.00", "3"]]
    splits = splits_table.make(inputs)
    assert splits.rows[1] == ["toy", "random", "1", "160", "20", "20", "1" * 16]
    assert splits.data["digest"].tolist() == ["0" * 64, "1" * 64]
    assert splits.data["train_labels"].tolist() == [560, 560]
    assert splits.data["hidden_labels"].tolist() == [0, 0]
    (tmp_path / "study" / "data" / "toy" / "dataset.json").write_text('{"items": 3}')
    with pytest.raises(RelataskError, match=r"dataset.json: 'tasks' is absent"):
        statistics_table.make(inputs)


def test_the_table_of_splits_says_how_many_labels_train_and_how_many_nothing_reads(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    file = tmp_path / "study" / "data" / "toy" / "splits" / "random-1.json"
    record = json.loads(file.read_text())
    record["folds"]["train"]["labels"] = 80
    file.write_text(json.dumps(record))
    table = splits_table.make(inputs)
    assert table.header[6:8] == ["train labels", "hidden labels"]
    assert [row[6:8] for row in table.rows] == [["560", "0"], ["80", "480"]]
    assert table.data["train"].tolist() == [160, 160]  # which does not tell the two apart
    assert any("hidden labels: those that nothing reads" in note for note in table.notes)


def test_data_of_another_version_are_not_shown(tmp_path) -> None:
    for file, record in (("tasks", "dataset"), ("splits/random-1", "random-1")):
        inputs = make_inputs(tmp_path)
        path = tmp_path / "study" / "data" / "toy" / f"{file}.parquet"
        frame = pd.read_parquet(path)
        write_table("tasks" if file == "tasks" else "split", frame.iloc[::-1], path)
        said = rf"{file}\.parquet is not the file that \S+/{record}\.json describes"
        with pytest.raises(RelataskError, match=said):
            (per_task_table if file == "tasks" else splits_table).make(inputs)


def test_significance_says_what_the_intervals_say_or_why_there_is_none(tmp_path) -> None:
    study = study_of(metrics=["roc_auc", "brier"], methods=("STL", "MTL", "Wild"))
    study["methods"] += [{"label": "Again", "twin_of": "MTL"}]
    value = partial(levelled, {"MTL": 0.05, "Again": 0.0502, "Wild": 0.003})
    table = significance_table.make(make_inputs(tmp_path, value, study, seeds=range(5)))
    told = {(row[2], row[3], row[4]): row[5:] for row in table.rows}
    assert told["ROC-AUC", "MTL", "STL"][:4] == ["better", "5", "7", "+5.00"]
    assert told["Brier score", "MTL", "STL"][0] == "worse"
    assert told["ROC-AUC", "Wild", "STL"][0] == "undecided"
    assert told["ROC-AUC", "Again", "MTL"][0] == "equal"
    assert told["ROC-AUC", "MTL", "STL"][5:] == ["–", "0.50"]
    assert "A/A control: Again is MTL with other random numbers." in table.notes
    two = significance_table.make(make_inputs(tmp_path / "two")).rows[0]
    assert two[5:] == ["2 folds, 3 at least are needed", "2", "7", "+6.00", "–", "–", "0.50"]


def levelled(gain: dict[str, float], dataset: str, method: str, seed: int, task: str) -> float:
    """0.7 and a gain that hardly varies from fold to fold, but for the row Wild."""
    noise = (0.0015 if method == "Wild" else 0.0002) * (-1) ** seed
    return 0.7 + 0.01 * seed + gain.get(method, 0.0) + (noise if method != "STL" else 0.0)


def test_all_metrics_have_a_column_each(tmp_path) -> None:
    table = all_metrics_table.make(make_inputs(tmp_path, study=study_of(metrics=["roc_auc", "ece"])))
    assert table.header == ["data set", "split", "method", "ROC-AUC", "calibration error (ECE)"]
    assert table.rows[1] == ["toy", "random", "MTL", "77.00 ± 2.83", "0.770 ± 0.028"]
    assert [type(cell) is Bold for cell in table.rows[1]] == [False, False, False, True, False]


def test_costs_are_marked_as_measured_and_name_no_host(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    costs = pd.DataFrame(
        {
            "run_id": inputs.plan["run_id"],
            "seconds": [1.0, 2.0, 10.0, 20.0],
            "peak_rss_mb": 500.0,
            "device": "cpu",
            "host": "secret-host",
            "libraries": '{"torch":"2.13.0"}',
        }
    )
    table = costs_table.make(make_inputs(tmp_path, costs=costs))
    assert table.rows == [
        ["toy", "random", "STL", "2", "1.5", "0.03", "500", "cpu"],
        ["toy", "random", "MTL", "2", "15.0", "0.25", "500", "cpu"],
    ]
    assert table.notes[0].startswith("Measured:")
    save(table, tmp_path)
    assert not any("secret-host" in path.read_text(errors="replace") for path in tmp_path.glob("costs.*"))


def test_costs_say_that_several_versions_trained(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    libraries = ['{"torch":"2.12.0"}', *['{"torch":"2.13.0"}'] * 3]
    costs = pd.DataFrame({"run_id": inputs.plan["run_id"], "seconds": 1.0, "peak_rss_mb": 1.0})
    costs = costs.assign(device="cpu", host="here", libraries=libraries)
    table = costs_table.make(make_inputs(tmp_path, costs=costs))
    assert table.notes[1].startswith(
        "Several versions of torch made these numbers: 2.12.0 (1 run), 2.13.0 (3 runs); delete "
    )


def test_hostile_task_names_stay_inside_their_cells(tmp_path) -> None:
    table = per_task_table.make(make_inputs(tmp_path))
    save(table, tmp_path / "out")
    markdown = (tmp_path / "out" / "per_task.md").read_text()
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 7
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(table.header) + 1}
    assert "<script>" not in markdown
    assert r"\$(touch x)" in markdown
    assert r"a\|b" in markdown
    assert "](" not in markdown.replace(r"\](", "")
    latex = (tmp_path / "out" / "per_task.tex").read_text()
    assert r"100\%\_\&" in latex
    assert latex.count(r"\\") == 1 + 7
    page = (tmp_path / "out" / "per_task.html").read_text()
    assert "<script>" not in page
    assert html.escape("<script>alert(1)</script>") in page
    assert pd.read_csv(tmp_path / "out" / "per_task.csv")["name"].unique().tolist() == HOSTILE


def test_every_kind_of_file_is_written_and_twice_the_same(tmp_path) -> None:
    inputs = make_inputs(tmp_path)
    for folder in ("a", "b"):
        save(main_table.make(inputs), tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["main.csv", "main.html", "main.md", "main.parquet", "main.tex"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert pd.read_parquet(tmp_path / "a" / "main.parquet").columns.tolist() == list(columns_of("table_main"))
    assert (
        pd.read_csv(tmp_path / "a" / "main.csv")["mean"].tolist()
        == main_table.make(inputs).data["mean"].tolist()
    )


@pytest.mark.parametrize(
    ("text", "markdown", "latex"),
    [
        ("a|b", r"a\|b", r"a\textbar{}b"),
        ("100%_&", r"100%\_&amp;", r"100\%\_\&"),
        ("<b>", "&lt;b&gt;", r"\textless{}b\textgreater{}"),
        ("\\input{x}", r"\\input{x}", r"\textbackslash{}input\{x\}"),
        ("a\r\n\tb\x00", "a b", "a b"),
        ("1 ± 2 − 3", "1 ± 2 − 3", r"1 $\pm$ 2 $-$ 3"),
        ("*x*~^#", r"\*x\*\~^#", r"*x*\textasciitilde{}\textasciicircum{}\#"),
    ],
)
def test_escaping(text: str, markdown: str, latex: str) -> None:
    assert escape_markdown(text) == markdown
    assert escape_latex(text) == latex


def test_bold_and_alignment_in_markdown_and_latex() -> None:
    table = Table("x", "T", pd.DataFrame(), ["m", "v"], [["a_b", Bold("1.0")]], 1, ["note *"])
    assert to_markdown(table).splitlines()[0] == "**T**"
    assert r"| a\_b |" in to_markdown(table)
    assert "**1.0**" in to_markdown(table)
    assert to_markdown(table).splitlines()[3].endswith(":|")
    assert to_markdown(table).endswith("* note \\*\n")
    assert r"a\_b & \textbf{1.0} \\" in to_latex(table)
    assert r"\begin{tabular}{lr}" in to_latex(table)


def test_numbers() -> None:
    assert [number(NAN), number(None), number(-1234.567), number(3, 0)] == ["–", "–", "−1,234.57", "3"]
    assert [number(-6.2282e23, 3), signed(1e6), number(2e6, 0)] == ["−6.23e+23", "+1e+06", "2,000,000"]
    assert [p_value(0.0004), p_value(0.0316), p_value(NAN)] == ["<0.001", "0.032", "–"]


def test_the_steps_go_from_predictions_to_tables(tmp_path, capsys) -> None:
    """The command lines, on predictions whose ranking is perfect for MTL and reversed for STL."""
    plan = make_plan(seeds=(0, 1))
    rows = [
        (
            run.run_id,
            "test",
            item,
            task,
            float(item % 2),
            abs((run.label == "STL") - (0.2 + 0.6 * (item % 2))),
        )
        for run in plan.itertuples()
        for task in TASKS
        for item in range(10)
    ]
    write_table("plan", plan, tmp_path / "plan.parquet")
    frame = pd.DataFrame(rows, columns=list(COLUMNS["predictions"])).sort_values("run_id", kind="stable")
    write_table("predictions", frame, tmp_path / "predictions.parquet")
    write_dataset(tmp_path / "toy_study" / "data" / "toy", TASKS, seeds=(0, 1))

    def file(name: str) -> str:
        return str(tmp_path / f"{name}.parquet")

    evaluate_arguments = ["--plan", file("plan"), "--predictions", file("predictions")]
    evaluate_arguments += ["--tasks", str(tmp_path / "toy_study" / "data" / "toy" / "tasks.parquet")]
    evaluate_arguments += ["--metrics-list", "roc_auc", "brier", "--out", file("metrics")]
    assert main(["evaluate_runs", *evaluate_arguments]) == 0
    tasks = tmp_path / "toy_study" / "data" / "toy" / "tasks.parquet"
    right = tasks.read_bytes()
    write_table("tasks", pd.read_parquet(tasks).assign(kind="real"), tasks)
    assert main(["evaluate_runs", *evaluate_arguments]) == 2
    assert "tasks.parquet is not the file that" in capsys.readouterr().err
    tasks.write_bytes(right)
    study = write_study(tmp_path, study_of(metrics=["roc_auc", "brier"]), "toy_study")
    for name in ("plan", "metrics", "predictions"):
        (tmp_path / f"{name}.parquet").replace(study.parent / f"{name}.parquet")
    compare_arguments = ["--out-summary", file("summary"), "--out-comparisons", file("comparisons")]
    compare_arguments += ["--out-cells", file("cells")]
    assert main(["compare_methods", "--study", str(study.parent), *compare_arguments]) == 0
    assert main(["resample_items", "--study", str(study.parent), "--out", file("item_intervals")]) == 0
    reasons = pd.read_parquet(file("comparisons"))["reason"]
    assert set(reasons) == {"1 fold, 3 at least are needed"}  # both seeds test the same items
    cells = pd.read_parquet(file("cells"))
    assert len(cells) == 2 * 2 * len(TASKS) * 2  # rows, seeds, tasks, metrics
    assert set(cells.query("metric == 'roc_auc' and method == 'MTL'")["value"]) == {1.0}
    costs = pd.DataFrame({"run_id": plan["run_id"], "seconds": 1.5, "peak_rss_mb": 9.0, "device": "cpu"})
    write_table("costs", costs.assign(host="h", libraries=None, finished=None), tmp_path / "costs.parquet")
    for name in ("summary", "comparisons", "costs", "item_intervals"):
        (tmp_path / f"{name}.parquet").replace(study.parent / f"{name}.parquet")
    assert main(["write_tables", "--study", str(study)]) == 0
    markdown = (study.parent / "tables" / "main.md").read_text()
    assert "100.00 ± 0.00 (+100.00)" in markdown
    names = {path.stem for path in (study.parent / "tables").glob("*.tex")}
    of_all = {name: record for name, record in tables().items() if not record.saved and not record.papers}
    words = {"always", "tasks", "molecules"}
    assert names == {name for name, record in of_all.items() if set(record.when) <= words}
    assert {path.stem for path in (study.parent / "captions").iterdir()} == names
    assert "Scale of this study: ``quick``" in (study.parent / "captions" / "main.rst").read_text()
    text = study.read_text().replace('"scale": "quick"', '"scale": "paper"')
    study.write_text(text)
    assert main(["write_tables", "--study", str(study)]) == 2
    assert "has no scale 'paper'" in capsys.readouterr().err
