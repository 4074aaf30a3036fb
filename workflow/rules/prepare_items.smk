# Data sets of points in time and of images, each made in one step.


rule prepare_series:
    input:
        lambda wildcards: raw_files(STUDY.datasets[wildcards.dataset].source),
    output:
        [f"results/{{dataset}}/{name}" for name in ITEM_FILES],
        counts="results/{dataset}/dataset.json",
        features="results/{dataset}/features/features.json",
    log:
        "results/logs/prepare_series/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_series/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(OTHERS if STUDY.items == "series" else []),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        source=lambda wildcards: STUDY.datasets[wildcards.dataset].source,
        raw=lambda wildcards: raw_folder(STUDY.datasets[wildcards.dataset].source),
        config=lambda wildcards: block(STUDY.sources[STUDY.datasets[wildcards.dataset].source]),
        fractions=STUDY.splits.fractions,
        seeds=SEEDS,
        code=code_of("steps/prepare_series.py"),
    shell:
        "python -m relatask prepare_series --log {log} --name {params.source}"
        " --source-config {params.config:q} --raw {params.raw} --fractions {params.fractions}"
        " --seeds {params.seeds} --out-dir $(dirname {output.counts})"


rule prepare_images:
    input:
        lambda wildcards: raw_files(STUDY.datasets[wildcards.dataset].source),
    output:
        [f"results/{{dataset}}/{name}" for name in ITEM_FILES],
        counts="results/{dataset}/dataset.json",
        features="results/{dataset}/features/features.json",
    log:
        "results/logs/prepare_images/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_images/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(OTHERS if STUDY.items == "images" else []),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=600,
    params:
        source=lambda wildcards: STUDY.datasets[wildcards.dataset].source,
        raw=lambda wildcards: raw_folder(STUDY.datasets[wildcards.dataset].source),
        config=lambda wildcards: block(STUDY.sources[STUDY.datasets[wildcards.dataset].source]),
        scheme=STUDY.splits.schemes[0],
        fractions=STUDY.splits.fractions,
        seeds=SEEDS,
        code=code_of("steps/prepare_images.py"),
    shell:
        "python -m relatask prepare_images --log {log} --name {params.source}"
        " --source-config {params.config:q} --raw {params.raw}"
        " --scheme {params.scheme} --fractions {params.fractions}"
        " --seeds {params.seeds} --out-dir $(dirname {output.counts})"
