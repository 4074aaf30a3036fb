# Items, tasks and labels of a source; then the relations, splits and inputs of a data set.


rule prepare_items:
    input:
        raw=lambda wildcards: raw_files(wildcards.source),
    output:
        [of_source(name) for name in layout.SOURCE_TABLES],
        rows=of_source("rows"),
        counts=of_source("counts"),
    log:
        f"results/logs/prepare_items/{STUDY_NAME}-{{source}}.log",
    benchmark:
        f"results/benchmarks/prepare_items/{STUDY_NAME}-{{source}}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        raw=lambda wildcards: raw_folder(wildcards.source),
        config=lambda wildcards, output: place("sources", wildcards.source),
        content=lambda wildcards: digest_of(STUDY.sources[wildcards.source]),
        options=lambda wildcards: source_options(wildcards.source),
        code=lambda wildcards: code_of_source(wildcards.source),
    shell:
        "python -m relatask prepare_items --log {log}"
        " --name {wildcards.source} --source-config {params.config:q} --raw {params.raw} {params.options}"
        " --out-dir $(dirname {output.counts})"


rule relate_tasks:
    input:
        unpack(relation_inputs),
    output:
        relations=of_dataset("raw_relations"),
        report=of_dataset("relations_report"),
    log:
        f"results/logs/relate_tasks/{STUDY_NAME}-{{dataset}}.log",
    benchmark:
        f"results/benchmarks/relate_tasks/{STUDY_NAME}-{{dataset}}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        config=lambda wildcards, output: place("datasets", wildcards.dataset, "relations"),
        content=lambda wildcards: digest_of(STUDY.datasets[wildcards.dataset].relations),
        proteins=lambda wildcards, input: [
            f"--{name} {input[name]}" for name in ("proteins", "aliases") if name in input.keys()
        ],
        code=code_of("steps/relate_tasks.py"),
    shell:
        "python -m relatask relate_tasks --log {log}"
        " --tasks {input.tasks} --interactions {input.interactions:q} {params.proteins} --relations-config {params.config:q}"
        " --out {output.relations} --out-report {output.report}"


rule densify_dataset:
    input:
        unpack(source_tables),
    output:
        [of_dataset(name) for name in layout.DATASET_TABLES],
        [of_dataset(f"{name}_csv") for name in layout.DATASET_LISTS],
        counts=of_dataset("dataset"),
    log:
        f"results/logs/densify_dataset/{STUDY_NAME}-{{dataset}}.log",
    benchmark:
        f"results/benchmarks/densify_dataset/{STUDY_NAME}-{{dataset}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        source=lambda wildcards, input: Path(input.source_labels).parent,
        relations=lambda wildcards, input: (
            f"--relations {input.relations} --relations-report {input.report}"
            if "relations" in input.keys()
            else ""
        ),
        config=lambda wildcards, output: place("datasets", wildcards.dataset, "densify"),
        content=lambda wildcards: digest_of(STUDY.datasets[wildcards.dataset].densify),
        weights=lambda wildcards, output: place("datasets", wildcards.dataset, "weights"),
        weighing=lambda wildcards: digest_of(STUDY.datasets[wildcards.dataset].weights),
        complete=lambda wildcards: "" if record_of_dataset(wildcards.dataset).sparse else "--complete",
        code=code_of("steps/densify_dataset.py"),
    shell:
        "python -m relatask densify_dataset --log {log} --source-dir {params.source} {params.relations}"
        " --densify-config {params.config:q} --weights-config {params.weights:q} {params.complete}"
        " --out-dir $(dirname {output.counts})"


rule cluster_items:
    input:
        rows=of_dataset("items"),
    output:
        clusters=of_dataset("clusters"),
    log:
        f"results/logs/cluster_items/{STUDY_NAME}-{{dataset}}-{{cutoff}}.log",
    benchmark:
        f"results/benchmarks/cluster_items/{STUDY_NAME}-{{dataset}}-{{cutoff}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
        cutoff=r"[0-9.e-]+",
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        code=code_of("steps/cluster_items.py"),
    shell:
        "python -m relatask cluster_items --log {log}"
        " --items {input.rows} --cutoff {wildcards.cutoff} --out {output.clusters}"


rule split_items:
    input:
        unpack(split_inputs),
    output:
        split=of_dataset("split"),
        counts=of_dataset("split_record"),
    log:
        f"results/logs/split_items/{STUDY_NAME}-{{dataset}}-{{scheme}}-{{seed}}.log",
    benchmark:
        f"results/benchmarks/split_items/{STUDY_NAME}-{{dataset}}-{{scheme}}-{{seed}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=30,
    params:
        fractions=STUDY.splits.fractions,
        options=lambda wildcards: canonical_json(STUDY.splits.options_of(wildcards.scheme)),
        scheme=lambda wildcards: STUDY.splits.scheme_of(wildcards.scheme),
        besides=split_options,
        code=lambda wildcards: code_of_scheme(STUDY.splits.scheme_of(wildcards.scheme)),
    shell:
        "python -m relatask split_items --log {log}"
        " --items {input.rows} --labels {input.labels} {params.besides}"
        " --scheme {params.scheme} --seed {wildcards.seed} --fractions {params.fractions}"
        " --options {params.options:q} --out {output.split}"


rule featurise_items:
    input:
        rows=of_dataset("items"),
        read=lambda wildcards: item_files(wildcards.dataset),
    output:
        counts=of_dataset("feature_record"),
    log:
        f"results/logs/featurise_items/{STUDY_NAME}-{{dataset}}.log",
    benchmark:
        f"results/benchmarks/featurise_items/{STUDY_NAME}-{{dataset}}.tsv"
    wildcard_constraints:
        dataset=any_of(STUDY.datasets),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=600,
    params:
        inputs=lambda wildcards: inputs_made(STUDY, wildcards.dataset),
        code=lambda wildcards: code_of_inputs(wildcards.dataset),
    shell:
        "python -m relatask featurise_items --log {log}"
        " --items {input.rows} --inputs {params.inputs} --out-dir $(dirname {output.counts})"


rule prepare_dataset:
    input:
        lambda wildcards: training_files(wildcards.dataset),
    output:
        touch(at("prepared")),
