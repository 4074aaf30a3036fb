# Files of the target `predict`: what it writes, rows and parts on the way, and the model.
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
    if not predictions_file().lower().endswith(layout.PREDICTION_KINDS):
        raise WorkflowError(
            f"predict: output: predictions are CSV or Parquet; let the name of {CONFIG.output} end in one of "
            f"{', '.join(layout.PREDICTION_KINDS)}."
        )
    return predictions_file()


def predictions_file():
    """The file that is named in the config, or one by the input's name."""
    return CONFIG.output or f"results/{layout.PREDICTIONS.format(name=input_name())}"


def input_name():
    """The input's name without its folder and endings, in letters that names of files may have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(CONFIG.input or "none").name.split(".")[0]) or "input"


def scattered_record():
    return in_parts(layout.SCATTERED)


def row_files():
    return [in_parts(layout.PREDICTION_ROWS, f"{number:05d}") for number in range(1, CONFIG.parts + 1)]


def part_files():
    return [in_parts(layout.PREDICTION_PART, f"{number:05d}") for number in range(1, CONFIG.parts + 1)]


def part_pattern():
    """What a shell finds the parts by, in their order."""
    return in_parts(layout.PREDICTION_PART, "?????")


def in_parts(place, part=""):
    """A file of the parts of the input."""
    suffix = "parquet" if predictions_file().lower().endswith(".parquet") else "csv"
    return f"results/{place}".format(name=input_name(), part=part, parts=f"{CONFIG.parts:05d}", suffix=suffix)


def model_files(wildcards):
    """The file of a model that holds the digests of all others; the last is that of a run's folder."""
    names = ["ensemble.json", "model.json", "model/model.json"]
    found = [path for name in names if (path := Path(CONFIG.model) / name).is_file()]
    if not found:
        raise WorkflowError(
            f"predict: {CONFIG.model} holds no model; name the folder of one, e.g. models/assays."
        )
    return found[0]
