# relatask: retrieve -> prepare -> plan -> train -> merge -> evaluate -> publish.
#   snakemake --cores 8                                      the study named in config.yaml
#   snakemake --cores 8 --config study=moleculenet mirror=FOLDER
# Keys of the config: config/README.md. Results: results/, see docs/architecture.md.
import atexit
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27.0")
# The package lies in src/ of a clone; in an installed one, this file lies in the package's folder `project`.
CLONE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(CLONE if CLONE.is_dir() else Path(workflow.basedir).parents[1]))

from relatask.core import code_at_start

code_at_start.remember()  # before anything else of the package is imported


configfile: Path(workflow.basedir) / "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/predict_files.smk"
include: "workflow/rules/start.smk"
include: "workflow/rules/retrieve.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/group.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/predict.smk"


wildcard_constraints:
    source=NAME,
    dataset=NAME,
    scheme=NAME,
    seed=r"\d+",
    shard=r"\d{5}",


rule all:
    default_target: True
    input:
        at("manifest"),


rule prepare_all:
    input:
        dataset_records(),
        split_files(),
        feature_records(),


rule train_all:
    input:
        at("predictions"),


rule tables:
    input:
        table_files(TABLES, ["md"]),


rule figures:
    input:
        figure_files(FIGURES, ["png"]),


rule publish:
    input:  # a checkout holds the copies: alone they would leave nothing to do
        [
            *small_files(),
            f"results/{layout.published_folder(STUDY_NAME, CONFIG.scale)}/{layout.PROVENANCE}",
        ],


onstart:
    write_study()
    warn_of_hours()


onsuccess:
    atexit.register(print, where_results_are())  # after Snakemake's own last words


onerror:
    atexit.register(print, what_failed(log))  # after Snakemake's own last words
