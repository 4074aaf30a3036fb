# The target `predict`: a long file in parts, one job each, on one machine or on a cluster.


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
        code=lambda wildcards: source_digest("models", "inputs", "methods", "encoders", "predicting"),
    shell:
        "python -m relatask predict_part --log {log} --model {input.model:q} --file {input.file:q}"
        " --part {wildcards.part}/{wildcards.parts} --threads {threads} --out {output.part}"


rule join_predictions:
    input:
        parts=part_files,
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
    shell:
        "python -m relatask join_predictions --log {log} --parts {input.parts} --out {output.predictions:q}"
