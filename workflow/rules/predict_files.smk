# Files of the target `predict`: what it writes, its parts, and the model.
import re


def asked_for_predictions():
    """The file that the target writes.

    A missing key is the user's mistake, and told only where the target is asked for.
    """
    missing = [key for key in ("model", "input") if not getattr(CONFIG, key)]
    if missing:
        raise WorkflowError(
            f"predict: {' and '.join(missing)} must be given: "
            "snakemake predict --config model=models/assays input=new.csv"
        )
    return predictions_file()


def predictions_file():
    """The file that is named in the config, or one by the input's name."""
    return CONFIG.output or f"results/{layout.PREDICTIONS.format(name=input_name())}"


def input_name():
    """The input's name without its folder and endings, in letters that names of files may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(CONFIG.input or "none").name.split(".")[0]) or "input"


def part_files(wildcards):
    return [
        f"results/{layout.PREDICTION_PART}".format(
            name=input_name(),
            part=f"{number:05d}",
            parts=f"{CONFIG.parts:05d}",
            suffix="parquet" if str(CONFIG.output).endswith(".parquet") else "csv",
        )
        for number in range(1, CONFIG.parts + 1)
    ]


def model_files(wildcards):
    """The file of a model that holds the digests of all others; the last is that of a run's folder."""
    names = ["ensemble.json", "model.json", "model/model.json"]
    found = [path for name in names if (path := Path(CONFIG.model) / name).is_file()]
    if not found:
        raise WorkflowError(
            f"predict: {CONFIG.model} holds no model; name the folder of one, e.g. models/assays."
        )
    return found[0]
