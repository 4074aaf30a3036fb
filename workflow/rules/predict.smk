# The target `predict`: a long file in parts, one job each, on one machine or on a cluster.


rule predict:
    input:
        lambda wildcards: asked_for_predictions(),


rule scatter_rows:
    input:
        model=model_files,
        file=lambda wildcards: CONFIG.input,
    output:
        record=scattered_record(),
        rows=row_files(),
    log:
        f"results/logs/scatter_rows/{input_name()}.log",
    benchmark:
        f"results/benchmarks/scatter_rows/{input_name()}.tsv"
    conda:
        "../../envs/predict.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=240,
    params:
        code=lambda wildcards: code_of("steps/scatter_rows.py", *CONTAINERS),
        folder=lambda wildcards, output: Path(output.record).parent,
        parts=CONFIG.parts,
    shell:
        "python -m relatask scatter_rows --log {log} --model {input.model:q} --file {input.file:q}"
        " --parts {params.parts} --folder {params.folder} --record {output.record}"


rule predict_part:
    input:
        model=model_files,
        record=scattered_record(),
        rows=f"results/{layout.PREDICTION_ROWS}",
        known=CONFIG.known or [],
    output:
        part=f"results/{layout.PREDICTION_PART}",
    log:
        "results/logs/predict_part/{name}-{part}-of-{parts}-{suffix}.log",
    benchmark:
        "results/benchmarks/predict_part/{name}-{part}-of-{parts}-{suffix}.tsv"
    wildcard_constraints:
        part=r"\d{5}",
        parts=r"\d{5}",
        suffix="csv|parquet",
    retries: 2
    conda:
        "../../envs/predict.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=240,
    params:
        code=lambda wildcards: source_digest("models", "inputs", "methods", "encoders", "predicting"),
        known="--known" if CONFIG.known else "",
    shell:
        "python -m relatask predict_part --log {log} --model {input.model:q} --record {input.record}"
        " --rows {input.rows} {params.known} {input.known:q} --threads {threads} --out {output.part}"


rule join_predictions:
    input:
        parts=part_files(),
    output:
        predictions=predictions_file(),
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
        parts=part_pattern(),
    shell:  # which finds the files of the pattern: their names may be longer than a command
        "python -m relatask join_predictions --log {log} --parts {params.parts} --out {output.predictions:q}"
