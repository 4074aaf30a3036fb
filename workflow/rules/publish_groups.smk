# Tables and figures of task groups.


rule write_grouping_tables:
    input:
        groups=collection_files("groups"),
        groupings=collection_files("groupings"),
        gains=collection_files("gains"),
        estimates=estimate_files(),
        published=workflow.source_path("../../config/published.csv"),
    output:
        [
            report(
                f"results/{STUDY_NAME}/tables/{name}.html",
                caption=f"../report/table_{name}.rst",
                category="Task groups",
                labels={"Table": name},
            )
            for name in GROUPING_TABLES
        ],
        study_files("tables", GROUPING_TABLES, TABLE_FORMATS[1:]),
    log:
        f"results/logs/write_grouping_tables/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/write_grouping_tables/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        config=block(STUDY),
        scale=CONFIG.scale,
        study=f"results/{STUDY_NAME}",
        code=code_of("steps/write_grouping_tables.py"),
    shell:
        "python -m relatask write_grouping_tables --log {log} --study-results {params.study}"
        " --study-config {params.config:q} --scale {params.scale} --published {input.published:q}"
        " --out-dir {params.study}/tables"


rule draw_grouping_figures:
    input:
        groupings=collection_files("groupings"),
        gains=collection_files("gains"),
        estimates=estimate_files(),
        encodings=encoding_files(),
        tables=study_files("tables", GROUPING_TABLES, ["parquet"]),
    output:
        [
            report(
                f"results/{STUDY_NAME}/figures/{name}.png",
                caption=f"../report/{name.split('-')[0]}.rst",
                **report_entry(name),
            )
            for name in GROUPING_FIGURES
        ],
        study_files("figures", GROUPING_FIGURES, FIGURE_FORMATS[1:]),
    log:
        f"results/logs/draw_grouping_figures/{STUDY_NAME}.log",
    benchmark:
        f"results/benchmarks/draw_grouping_figures/{STUDY_NAME}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=30,
    params:
        config=block(STUDY),
        figures=GROUPING_FIGURES,
        study=f"results/{STUDY_NAME}",
        code=code_of("steps/draw_grouping_figures.py"),
    shell:
        "python -m relatask draw_grouping_figures --log {log} --study-results {params.study}"
        " --study-config {params.config:q} --figures {params.figures} --out-dir {params.study}/figures"
