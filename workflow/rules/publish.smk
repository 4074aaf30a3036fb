# Tables and figures, their copies with provenance, and the digests of everything.


rule write_tables:
    input:
        needed([table_record(STUDY, name) for name in TABLES]),
        published=ancient(workflow.source_path("../../config/published.csv")),
    output:
        shown_tables(),
        table_files(TABLES, layout.TABLE_FORMATS[1:]),
        caption_files(TABLES),
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
        study=at("study"),
        content=study_digest("unpublished"),
        code=code_of_outputs("write_tables", [table_record(STUDY, name) for name in TABLES]),
    shell:
        "python -m relatask write_tables --log {log} --study {params.study} --published {input.published:q}"


rule draw_figures:
    input:
        needed([figure_of(name)[0] for name in FIGURES]),
    output:
        shown_figures(),
        figure_files(FIGURES, layout.FIGURE_FORMATS[1:]),
        caption_files(FIGURES),
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
        study=at("study"),
        content=study_digest("title", "tables", "unpublished", "search_space"),
        figures=FIGURES,
        code=code_of_outputs("draw_figures", [figure_of(name)[0] for name in FIGURES]),
    shell:
        "python -m relatask draw_figures --log {log} --study {params.study} --figures {params.figures}"


rule publish_study:
    input:
        plan=at("plan"),
        costs=cost_files(),
        data=data_records(),
        gains=collection_files("gains"),
        files=small_files(),
    output:
        published_files(),
        record=f"results/{layout.published_folder(STUDY_NAME, CONFIG.scale)}/{layout.PROVENANCE}",
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
        study=at("study"),
        content=study_digest(),
        command=reader_command(),
        results=lambda wildcards, input: Path(input.plan).parents[1],
        folder=lambda wildcards, output: Path(output.record).parent,
        costs=lambda wildcards, input: f"--costs {input.costs}" if input.costs else "",
        gains=lambda wildcards, input: f"--gains {input.gains}" if input.gains else "",
        code=code_of("steps/publish_study.py"),
    shell:
        "python -m relatask publish_study --log {log} --study {params.study} --plan {input.plan}"
        " {params.costs} --results {params.results} {params.gains} --files {input.files} --command {params.command:q}"
        " --out-dir {params.folder}"


rule write_manifest:
    input:
        data=data_records(),
        environment=environment_files(),
        merged=[at(name) for name in MERGED if STUDY.methods],
        groups=[file for name in ("gains", "groups", "groupings") for file in collection_files(name)],
        tables=table_files([name for name in TABLES if name not in MEASURED], layout.TABLE_FORMATS),
        figures=figure_files(FIGURES, layout.FIGURE_FORMATS),
        imputed=imputed_files(),
        measured=table_files(MEASURED, layout.TABLE_FORMATS),
        saved=saved_table_files(),
        described=described_predictions(),
    output:
        manifest=at("manifest"),
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
        study=at("study"),
        results=lambda wildcards, output: Path(output.manifest).parents[1],
        config=digest_of(CONFIG.model_dump(mode="json", exclude={"mirror"}), STUDY),
        code=source_digest("."),
    shell:
        "python -m relatask write_manifest --log {log} --study {params.study} --config {params.config}"
        " --results {params.results}"
        " --environment {input.environment:q} --outputs {input.merged} {input.groups} {input.tables}"
        " {input.figures} {input.imputed} {input.saved} {input.described} --measured {input.measured} --out {output.manifest}"
