# Molecules, tasks and labels of a source; then the relations, splits and features of a data set.


include: "prepare_items.smk"


rule standardise_molecules:
    input:
        raw=lambda wildcards: raw_files(wildcards.source),
    output:
        rows="results/sources/{source}/items.parquet",
        rejected="results/sources/{source}/rejected.parquet",
        tasks="results/sources/{source}/tasks.parquet",
        labels="results/sources/{source}/labels.parquet",
        classes="results/sources/{source}/classes.parquet",
        counts="results/sources/{source}/counts.json",
    log:
        "results/logs/standardise_molecules/{source}.log",
    benchmark:
        "results/benchmarks/standardise_molecules/{source}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        raw=lambda wildcards: raw_folder(wildcards.source),
        config=lambda wildcards: block(STUDY.sources[wildcards.source]),
        code=code_of("steps/standardise_molecules.py"),
    shell:
        "python -m relatask standardise_molecules --log {log}"
        " --name {wildcards.source} --source-config {params.config:q} --raw {params.raw}"
        " --out-dir $(dirname {output.counts})"


rule relate_tasks:
    input:
        unpack(relation_inputs),
    output:
        relations="results/{dataset}/raw_relations.parquet",
        report="results/{dataset}/raw_relations.json",
    log:
        "results/logs/relate_tasks/{dataset}.log",
    benchmark:
        "results/benchmarks/relate_tasks/{dataset}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        config=lambda wildcards: block(STUDY.datasets[wildcards.dataset].relations),
        proteins=lambda wildcards, input: f"--proteins {input.proteins}" if "proteins" in input.keys() else "",
        code=code_of("steps/relate_tasks.py"),
    shell:
        "python -m relatask relate_tasks --log {log}"
        " --tasks {input.tasks} --interactions {input.interactions:q} {params.proteins} --relations-config {params.config:q}"
        " --out {output.relations} --out-report {output.report}"


rule densify_dataset:
    input:
        unpack(source_tables),
    output:
        [f"results/{{dataset}}/{name}.parquet" for name in DATASET_TABLES],
        counts="results/{dataset}/dataset.json",
    log:
        "results/logs/densify_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/densify_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(OF_MOLECULES),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        source=lambda wildcards, input: Path(input.labels_table).parent,
        relations=lambda wildcards, input: (
            f"--relations {input.relations} --relations-report {input.report}"
            if "relations" in input.keys()
            else ""
        ),
        config=lambda wildcards: block(STUDY.datasets[wildcards.dataset].densify),
        code=code_of("steps/densify_dataset.py"),
    shell:
        "python -m relatask densify_dataset --log {log} --source-dir {params.source} {params.relations}"
        " --densify-config {params.config:q} --out-dir $(dirname {output.counts})"


rule split_items:
    input:
        rows="results/{dataset}/items.parquet",
        labels="results/{dataset}/labels.parquet",
    output:
        split="results/{dataset}/splits/{scheme}-{seed}.parquet",
        counts="results/{dataset}/splits/{scheme}-{seed}.json",
    log:
        "results/logs/split_items/{dataset}-{scheme}-{seed}.log",
    benchmark:
        "results/benchmarks/split_items/{dataset}-{scheme}-{seed}.tsv"
    wildcard_constraints:
        dataset=any_of(OF_MOLECULES),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=30,
    params:
        fractions=STUDY.splits.fractions,
        options=lambda wildcards: canonical_json(STUDY.splits.options_of(wildcards.scheme)),
        code=lambda wildcards: code_of_scheme(wildcards.scheme),
    shell:
        "python -m relatask split_items --log {log}"
        " --items {input.rows} --labels {input.labels}"
        " --scheme {wildcards.scheme} --seed {wildcards.seed} --fractions {params.fractions}"
        " --options {params.options:q} --out {output.split}"


rule featurise_molecules:
    input:
        rows="results/{dataset}/items.parquet",
    output:
        [f"results/{{dataset}}/features/{name}.npy" for name in FEATURES],
        counts="results/{dataset}/features/features.json",
    log:
        "results/logs/featurise_molecules/{dataset}.log",
    benchmark:
        "results/benchmarks/featurise_molecules/{dataset}.tsv"
    wildcard_constraints:
        dataset=any_of(OF_MOLECULES),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=60,
    params:
        code=code_of("steps/featurise_molecules.py"),
    shell:
        "python -m relatask featurise_molecules --log {log}"
        " --items {input.rows} --out-dir $(dirname {output.counts})"


rule prepare_dataset:
    input:
        lambda wildcards: training_files(wildcards.dataset),
    output:
        touch(at("prepared")),
    params:  # of a dry-run, which removes no marker; where jobs run, the marker is gone by now
        gone=lambda wildcards: gone_files(wildcards.dataset),
