"""The files of a trained model, as bytes, for the journal to write.

A shard makes them: it needs neither RDKit nor the workflow. safetensors and skops are imported where a
model is written, so that a shard that keeps none does without.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from relatask.core.files import read_json
from relatask.core.layout import in_dataset
from relatask.core.plugins import form_of
from relatask.core.registry import capabilities, load_loop
from relatask.core.tables import read_table
from relatask.core.versions import installed_versions
from relatask.data.prepared import PreparedDataset
from relatask.data.task_ids import task_ids
from relatask.engine.loops.estimator import ESTIMATOR
from relatask.engine.problem import problems_of
from relatask.engine.run import RunResult, inputs_of
from relatask.engine.task_graph import task_graph
from relatask.inputs.arrays import JOINED, read_array
from relatask.inputs.fitted import FittedInput
from relatask.journal.digests import code_of_run
from relatask.models.record import LEARNED, NAME, Member, ModelRecord, Scale, read_record
from relatask.plan.spec import RunSpec

LIBRARIES = ("torch", "numpy", "scikit-learn", "rdkit")


def model_of_run(
    spec: RunSpec,
    result: RunResult,
    data: PreparedDataset,
    folder: Path,
    prior: Path | None = None,
    items: bytes | None = None,
) -> dict[str, bytes]:
    """Return name -> content of the files of a run's model; {} where the run has no weights.

    Args:
        spec: the run.
        result: of its training, with weights.
        data: what it was trained on.
        folder: of the data set.
        prior: folder of the model whose predictions it starts from.
        items: what `training_items` returns, where the model shall hold the items it was trained on.
    """
    if result.weights is None:
        return {}
    per_task = capabilities("methods", spec.method.name).per_task
    joint = problems_of(spec, data, per_task=False)[0]
    places = joint.columns.tolist()
    edges, scores = task_graph(replace(joint, spec=replace(spec, graph="true")))
    names = joint.task_ids
    described = read_json(folder / in_dataset("dataset"))
    record = ModelRecord(
        spec=spec,
        tasks=tuple(data.tasks[place] for place in places),
        inputs=_inputs(spec, folder),
        relations=tuple(
            (names[one], names[other], score)
            for (one, other), score in zip(edges.T.tolist(), scores.tolist(), strict=True)
        ),
        dataset_digest=described["digest"],
        libraries=libraries(spec),
        code=code_of_run(*spec.names),
        learned_alone=tuple(names) if per_task else (),
        prior=None if prior is None else "prior",
        scaling=_scaling(described),
        standardised=_of_source(described).get("standardised", {}),
    )
    files: dict[str, bytes] = {}
    weights = result.weights if per_task else {"": result.weights}
    files |= _weight_files(weights, record)
    if isinstance(data.inputs, FittedInput):
        files[LEARNED] = json.dumps(data.inputs.learned, sort_keys=True, ensure_ascii=False).encode()
    loop = load_loop(spec.method.name)
    if hasattr(loop, "support"):
        files |= _support_files(loop.support(joint), joint.labels, data, folder)
    if prior is not None:
        files |= {f"prior/{name}": content for name, content in without_items(prior).items()}
    if items is not None:
        files["items.parquet"] = items
    return with_record(record, files)


def model_of_parts(
    spec: RunSpec,
    members: Mapping[str, tuple[Path, tuple[str, ...] | None]],
    items: bytes,
    order: Sequence[str],
) -> dict[str, bytes]:
    """Return name -> content of the files of a model that is made of others.

    Args:
        spec: the run that is put together.
        members: folder in the model -> where the member lies, and the tasks it serves.
        items: table of the items that they were trained on.
        order: task ids of the data set; the model's tasks keep their order.
    """
    files: dict[str, bytes] = {}
    first: ModelRecord | None = None
    tasks: dict[str, Any] = {}
    parts = []
    for name, (path, serves) in members.items():
        record = read_record(path)
        first = first or record
        tasks |= {task.task_id: task for task in record.tasks if serves is None or task.task_id in serves}
        parts.append(Member(name, serves))
        files |= {f"{name}/{file}": content for file, content in without_items(path).items()}
    assert first is not None
    files["items.parquet"] = items
    whole = replace(
        first,
        spec=spec,
        tasks=tuple(tasks[task] for task in order if task in tasks),
        inputs={},
        relations=(),
        learned_alone=(),
        members=tuple(parts),
    )
    return with_record(replace(whole, prior=None), files)


def with_record(record: ModelRecord, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a model with its model.json, which holds their digests."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    text = json.dumps(replace(record, files=digests).as_dict(), indent=1, sort_keys=True, ensure_ascii=False)
    return {NAME: (text + "\n").encode(), **files}


def without_items(folder: Path) -> dict[str, bytes]:
    """Return name -> content of the files of a model in a folder but for the items it was trained on."""
    record = read_record(folder)
    kept = {name: (folder / name).read_bytes() for name in record.files if name != "items.parquet"}
    return with_record(record, kept)


def libraries(spec: RunSpec) -> dict[str, str]:
    """Return name -> version of the libraries that decide what a model predicts, where they are installed."""
    extra = capabilities("encoders", spec.encoder.name).extra if spec.encoder else ""
    return installed_versions([*LIBRARIES, *([extra] if extra else [])])  # a shard needs no RDKit


def _inputs(spec: RunSpec, folder: Path) -> dict[str, int]:
    """Return the inputs that a run reads, and the version of the code that made each."""
    forms = inputs_of(spec).split(JOINED)
    if forms == ["none"]:
        return {}
    made = read_json(folder / in_dataset("feature_record"))["inputs"]
    return {name: own["version"] for name, own in made.items() if form_of(name) in forms}


def _of_source(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the content of the source's counts.json, which dataset.json holds."""
    found: Mapping[str, Any] = described.get("source", {}).get("standardisation", {})
    return found


def _scaling(described: Mapping[str, Any]) -> tuple[Scale, ...]:
    """Return what the values of all series of a source were standardised by; empty for other data.

    Args:
        described: dataset.json of the data set.
    """
    counts = _of_source(described)
    names = counts.get("series", ())
    return tuple(
        Scale(name, task, counts["mean"][task], counts["std"][task])
        for name, task in zip(names, task_ids(names), strict=True)
    )


def _weight_files(weights: Mapping[str, Mapping[str, Tensor]], record: ModelRecord) -> dict[str, bytes]:
    """Return the weights of all problems in one file, and each estimator of scikit-learn in its own."""
    from safetensors.torch import save

    files: dict[str, bytes] = {}
    tensors: dict[str, Tensor] = {}
    for number, problem in enumerate(record.learned_alone or ("",)):
        for name, value in weights[problem].items():
            if name == ESTIMATOR:
                files[f"estimators/{number:05d}.skops"] = value.numpy().tobytes()
            else:
                key = f"{problem}/{name}" if problem else name
                tensors[key] = value.detach().cpu().contiguous().clone()
    if tensors:
        files["weights.safetensors"] = save(tensors)
    return files


def _support_files(
    passes: tuple[Tensor, ...], labels: Any, data: PreparedDataset, folder: Path
) -> dict[str, bytes]:
    """Return the items whose labels a method reads when it predicts, and which pass reads which."""
    import torch
    from safetensors.torch import save

    rows = torch.cat(passes).unique()
    tensors = {"item_ids": data.item_ids[rows], "labels": labels(rows)}
    for number, own in enumerate(passes):
        tensors[f"pass/{number}"] = torch.searchsorted(rows, own)
    items = read_table("items", folder / in_dataset("items")).iloc[rows.cpu().numpy()]
    content = save({name: value.cpu().contiguous() for name, value in tensors.items()})
    return {"support.safetensors": content, "support.parquet": _parquet(with_contents(items))}


def with_contents(items: pd.DataFrame) -> pd.DataFrame:
    """Return items whose files are part of the table, where they name some: the table then stands alone."""
    if "content" not in items or "file" not in items:
        return items
    contents = [
        content if isinstance(content, bytes) else Path(file).read_bytes()
        for file, content in zip(items["file"], items["content"], strict=True)
    ]
    return items.assign(content=pd.Series(contents, index=items.index, dtype=object))


def training_items(data: PreparedDataset, folder: Path) -> bytes:
    """Return a table of the training items: ids and, of molecules, SMILES and fingerprints.

    Args:
        data: under the split of the run.
        folder: of the data set.
    """
    rows = data.folds["train"].cpu().numpy()
    items = read_table("items", folder / in_dataset("items"))
    named = [name for name in ("item_id", "source_id", "smiles", "name") if name in items]
    found = items.iloc[rows][named].reset_index(drop=True)
    path = folder / in_dataset("array", name="ecfp4")
    if path.is_file():
        bits = np.ascontiguousarray(read_array(path)[rows])
        found["ecfp4"] = [row.tobytes() for row in bits]
    return _parquet(found)


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, compression="zstd", index=False)
    return buffer.getvalue()
