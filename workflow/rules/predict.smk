# The target `predict`: a long file in parts, one job each, on one machine or on a cluster.
import re


def asked_for_predictions():
    """The file that the target writes.

    A missing key is the user's mistake, and told only where the target is asked for.
    """
    missing = [key for key in ("model", "input") if not getattr(CONFIG, key)]
    if missing:
        raise WorkflowError(
            f"predict: {' and '.join(missing)} must be given: "
            "snakemake predict --config model=models/assays input=new.csv"
        )
    return CONFIG.output or f"results/{layout.PREDICTIONS.format(name=input_name())}"


def input_name():
    """The input's name without its folder and endings, in letters that names of files may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(CONFIG.input or "none").name.split(".")[0]) or "input"


def part_files(wildcards):
    return [
        f"results/{layout.PREDICTION_PART}".format(
            name=input_name(),
            part=f"{number:05d}",
            parts=f"{CONFIG.parts:05d}",
            suffix="parquet" if str(CONFIG.output).endswith(".parquet") else "csv",
        )
        for number in range(1, CONFIG.parts + 1)
    ]


def model_files(wildcards):
    """The file of a model that holds the digests of all others; the last is that of a run's folder."""
    names = ["ensemble.json", "model.json", "model/model.json"]
    found = [path for name in names if (path := Path(CONFIG.model) / name).is_file()]
    if not found:
        raise WorkflowError(
            f"predict: {CONFIG.model} holds no model; name the folder of one, e.g. models/assays."
        )
    return found[0]


rule predict:
    input:
        lambda wildcards: asked_for_predictions(),


rule predict_part:
    input:
        model=model_files,
        file=lambda wildcards: CONFIG.input,
    output:
        part=f"results/{layout.PREDICTION_PART}",
    log:
        "results/logs/predict_part/{name}-{part}-of-{parts}-{suffix}.log",
    benchmark:
        "results/benchmarks/predict_part/{name}-{part}-of-{parts}-{suffix}.tsv"
    retries: 2
    conda:
        "../../envs/predict.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=240,
    params:
        code=lambda wildcards: source_digest("models", "inputs", "methods", "encoders", "commands/predict.py"),
    shell:
        "python -m relatask predict --log {log} --model-path $(dirname {input.model:q}) -i {input.file:q}"
        " --part {wildcards.part}/{wildcards.parts} -n {threads} -o {output.part}"


rule join_predictions:
    input:
        parts=part_files,
    output:
        predictions=CONFIG.output or f"results/{layout.PREDICTIONS.format(name=input_name())}",
    log:
        f"results/logs/join_predictions/{input_name()}.log",
    benchmark:
        f"results/benchmarks/join_predictions/{input_name()}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=60,
    params:
        code=code_of("steps/join_predictions.py"),
    shell:
        "python -m relatask join_predictions --log {log} --parts {input.parts} --out {output.predictions:q}"
