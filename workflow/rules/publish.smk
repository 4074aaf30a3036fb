# Tables and figures, their copies with provenance, and the digests of everything.


rule write_tables:
    input:
        plan=f"results/{STUDY_NAME}/plan.parquet",
        metrics=f"results/{STUDY_NAME}/metrics.parquet",
        summary=f"results/{STUDY_NAME}/summary.parquet",
        comparisons=f"results/{STUDY_NAME}/comparisons.parquet",
        costs=f"results/{STUDY_NAME}/costs.parquet",
        datasets=dataset_records(),
        splits=split_files(),
        published=workflow.source_path("../../config/published.csv"),
    output:
        [
            report(
                f"results/{STUDY_NAME}/tables/{name}.html",
                caption=f"../report/table_{'main' if name in STUDY.tables else name}.rst",
                category="Tables",
                labels={"Table": name},
            )
            for name in TABLES
        ],
        study_files("tables", TABLES, TABLE_FORMATS[1:]),
    log:
        f"results/logs/write_tables/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/write_tables/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        study=STUDY_NAME,
        config=block(STUDY),
        scale=CONFIG.scale,
        results=lambda wildcards, input: Path(input.plan).parents[1],
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/write_tables.py"),
    shell:
        "python -m relatask write_tables --log {log} --plan {input.plan} --metrics {input.metrics}"
        " --summary {input.summary} --comparisons {input.comparisons} --costs {input.costs}"
        " --study-config {params.config:q} --study {params.study} --scale {params.scale}"
        " --published {input.published:q} --results {params.results} --out-dir {params.folder}"


rule draw_figures:
    input:
        plan=f"results/{STUDY_NAME}/plan.parquet",
        metrics=f"results/{STUDY_NAME}/metrics.parquet",
        history=f"results/{STUDY_NAME}/history.parquet",
        datasets=dataset_records(),
        tables=ancient(
            [f"results/{dataset}/{name}.parquet" for dataset in STUDY.datasets for name in DRAWN_TABLES]
        ),
    output:
        [
            report(
                f"results/{STUDY_NAME}/figures/{name}.png",
                caption=f"../report/{name.split('-')[0]}.rst",
                **report_entry(name),
            )
            for name in FIGURES
        ],
        study_files("figures", FIGURES, FIGURE_FORMATS[1:]),
    log:
        f"results/logs/draw_figures/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/draw_figures/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        results=lambda wildcards, input: Path(input.plan).parents[1],
        baseline=STUDY.baseline,
        metric=STUDY.metrics[0],
        wholes=canonical_json(wholes(STUDY)),
        figures=FIGURES,
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/draw_figures.py"),
    shell:
        "python -m relatask draw_figures --log {log}"
        " --plan {input.plan} --metrics {input.metrics} --history {input.history}"
        " --results {params.results} --baseline {params.baseline}"
        " --metric {params.metric} --wholes {params.wholes:q} --figures {params.figures} --out-dir {params.folder}"


rule publish_study:
    input:
        plan=f"results/{STUDY_NAME}/plan.parquet",
        costs=cost_files(),
        data=[*dataset_records(), *feature_records(), *split_files("json"), *collection_files("gains")],
        files=small_files(),
    output:
        published_files(),
        record=f"{PUBLISHED}/provenance.json",
    log:
        f"results/logs/publish_study/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/publish_study/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        study=STUDY_NAME,
        config=block(STUDY),
        scale=CONFIG.scale,
        command=reader_command(),
        results=lambda wildcards, input: Path(input.plan).parents[1],
        folder=lambda wildcards, output: Path(output.record).parent,
        costs=lambda wildcards, input: f"--costs {input.costs}" if input.costs else "",
        code=code_of("steps/publish_study.py"),
    shell:
        "python -m relatask publish_study --log {log} --study {params.study} --study-config {params.config:q}"
        " --scale {params.scale} --plan {input.plan} {params.costs} --results {params.results}"
        " --data {input.data} --files {input.files} --command {params.command:q}"
        " --out-dir {params.folder}"


rule write_manifest:
    input:
        data=[*dataset_records(), *feature_records(), *split_files("json")],
        environment=environment_files(),
        merged=[f"results/{STUDY_NAME}/{name}.parquet" for name in MERGED if STUDY.methods],
        groups=[file for folder in ("gains", "groups", "groupings") for file in collection_files(folder)],
        tables=study_files("tables", [name for name in TABLES if name != "costs"], TABLE_FORMATS),
        grouping_tables=study_files("tables", GROUPING_TABLES, TABLE_FORMATS),
        figures=study_files("figures", [*FIGURES, *GROUPING_FIGURES], FIGURE_FORMATS),
        imputed=imputed_files(),
        costs=study_files("tables", ["costs"] if STUDY.methods else [], TABLE_FORMATS),
    output:
        manifest=f"results/{STUDY_NAME}/manifest.json",
    log:
        f"results/logs/write_manifest/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/write_manifest/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        study=STUDY_NAME,
        scale=CONFIG.scale,
        config=canonical_json(
            [CONFIG.model_dump(exclude={"mirror"}), STUDY.model_dump(mode="json")]
        ).replace("<", r"\u003c"),
        code=source_digest("."),
    shell:
        "python -m relatask write_manifest --log {log} --study {params.study} --scale {params.scale}"
        " --config {params.config:q} --data {input.data}"
        " --environment {input.environment:q} --outputs {input.merged} {input.groups} {input.tables} {input.grouping_tables} {input.figures} {input.imputed}"
        " --measured {input.costs} --out {output.manifest}"
