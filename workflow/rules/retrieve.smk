# Raw files: copied or downloaded, asked of live services, or planted.


rule retrieve_files:
    output:
        "results/raw/{source}/{file}",
    log:
        "results/logs/retrieve_files/{source}-{file}.log",
    benchmark:
        "results/benchmarks/retrieve_files/{source}-{file}.tsv"
    retries: 2
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        entry=sheet_entry,
        code=code_of("steps/retrieve_files.py"),
    shell:
        "python -m relatask retrieve_files --log {log}"
        ' --entry {params.entry:q} --mirror "$RELATASK_MIRROR" --out {output}'


rule plant_data:
    output:
        PLANTED,
    log:
        "results/logs/plant_data/planted.log",
    benchmark:
        "results/benchmarks/plant_data/planted.tsv"
    conda:
        "../../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_of("steps/plant_data.py"),
    shell:
        "python -m relatask plant_data --log {log} --out-dir {params.folder}"
