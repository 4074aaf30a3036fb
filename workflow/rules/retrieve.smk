# Raw files: copied or downloaded, asked of live services, or planted.


ruleorder: query_assay_targets > retrieve_files


rule retrieve_files:
    output:
        raw("file"),
    log:
        "results/logs/retrieve_files/{source}-{file}.log",
    benchmark:
        "results/benchmarks/retrieve_files/{source}-{file}.tsv"
    wildcard_constraints:
        source="|".join(SHEET),
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=120,
    params:
        entry=sheet_entry,
        code=code_of_retrieval,
    shell:
        "python -m relatask retrieve_files --log {log} --originals results/raw/.originals"
        ' --entry {params.entry:q} --mirror "$RELATASK_MIRROR" --out {output}'


rule plant_data:
    output:
        [raw("planted", name=name) for name in layout.PLANTED],
    log:
        "results/logs/plant_data/planted.log",
    benchmark:
        "results/benchmarks/plant_data/planted.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=15,
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/plant_data.py"),
    shell:
        "python -m relatask plant_data --log {log} --out-dir {params.folder}"


rule query_activities:
    output:
        activities=at("activities"),
    log:
        f"results/logs/query_activities/{STUDY_NAME}-{{source}}.log",
    benchmark:
        f"results/benchmarks/query_activities/{STUDY_NAME}-{{source}}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=720,
        service=1,
    params:
        config=lambda wildcards, output: place("sources", wildcards.source),
        content=lambda wildcards: digest_of(STUDY.sources[wildcards.source]),
        url=SERVICES["chembl"],  # another one re-runs the step, which reads it from the environment
        rate=CONFIG.services.requests_per_second,
        answers=lambda wildcards, output: Path(output[0]).parent / "answers",
        code=code_of("steps/query_activities.py"),
    shell:
        "python -m relatask query_activities --log {log} --source-config {params.config:q}"
        " --requests-per-second {params.rate} --answers {params.answers}"
        " --out {output.activities}"


rule query_assay_targets:
    input:
        assays=raw("assays"),
    output:
        targets=raw("assay_targets"),
    log:
        "results/logs/query_assay_targets/{source}.log",
    benchmark:
        "results/benchmarks/query_assay_targets/{source}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=720,
        service=1,
    params:
        url=SERVICES["chembl"],
        rate=CONFIG.services.requests_per_second,
        answers=lambda wildcards, output: Path(output[0]).parent / "answers",
        code=code_of("steps/query_assay_targets.py"),
    shell:
        "python -m relatask query_assay_targets --log {log} --assays {input.assays}"
        " --requests-per-second {params.rate} --answers {params.answers}"
        " --out {output.targets}"


rule query_string:
    input:
        tasks=of_source("tasks"),
    output:
        interactions=at("interactions"),
        proteins=at("proteins"),
    log:
        f"results/logs/query_string/{STUDY_NAME}-{{source}}.log",
    benchmark:
        f"results/benchmarks/query_string/{STUDY_NAME}-{{source}}.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=720,
        service=1,
    params:
        url=SERVICES["string"],
        rate=CONFIG.services.requests_per_second,
        answers=lambda wildcards, output: Path(output[0]).parent / "answers",
        code=code_of("steps/query_string.py"),
    shell:
        "python -m relatask query_string --log {log} --tasks {input.tasks}"
        " --requests-per-second {params.rate} --answers {params.answers}"
        " --out {output.interactions} --out-proteins {output.proteins}"
