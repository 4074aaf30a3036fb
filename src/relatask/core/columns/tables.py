"""Columns of tables that a study shows as a table, as data; relatask.publishing says how they are shown."""

TABLES: dict[str, dict[str, str]] = {
    "table_main": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
        "published": "float64?",  # on the metric's own scale, as `mean`
        "published_std": "float64?",
        "difference_in_spreads": "float64?",  # (mean - published) / published_std
        "chosen": "string?",  # the method that stands in the row, where validation chose among several
    },
    "table_all_metrics": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "delta": "float64?",
        "n_seeds": "int32",
        "n_tasks": "int32",
        "n_undefined": "int32",
    },
    "table_per_task": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "name": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "n_pos": "int32",
        "method": "string",
        "metric": "string",
        "mean": "float64?",
        "std": "float64?",
        "n_seeds": "int32",  # seeds where the metric is defined
        "reason": "string?",  # why it is undefined for the other seeds
    },
    "table_episodes": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "seed": "int32",
        "ways": "int32",  # classes of an episode
        "shots": "int32",  # images of each that are told
        "queries": "int32",  # images of each that are asked
        "metric": "string",
        "n_episodes": "int32",
        "mean": "float64",
        "half_interval": "float64?",  # 1.96 standard errors over episodes; null with one
        "least": "float64",
        "lower": "float64",  # quartiles
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
    },
    "table_statistics": {
        "dataset": "string",
        "molecules": "int32",
        "tasks": "int32",
        "labels": "int64",
        "labelled_percent": "float64",
        "positive_percent": "float64",
        "edges": "int32",
        "published_molecules": "float64?",
        "published_tasks": "float64?",
        "published_labelled_percent": "float64?",
        "digest": "string",
    },
    "table_splits": {
        "dataset": "string",
        "split": "string",
        "seed": "int32",
        "train": "int32",
        "valid": "int32",
        "test": "int32",
        "digest": "string",
    },
    "table_significance": {
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_pairs": "int32",
        "mean_difference": "float64?",
        "ci_low": "float64?",
        "ci_high": "float64?",
        "statistic": "float64?",
        "p_value": "float64?",
        "p_holm": "float64?",
        "verdict": "string",  # better, worse, not told apart, or why there is no test
    },
    "table_gain_by_task": {
        "dataset": "string",
        "split": "string",
        "task_id": "string",
        "method": "string",
        "baseline": "string",
        "metric": "string",
        "n_labels": "int32",  # of the task in the data set, over all folds
        "degree": "int32",  # number of related tasks
        "difference": "float64",  # to the baseline, mean over the seeds defined in both
    },
    "table_correlated_tasks": {
        "dataset": "string",
        "split": "string",
        "method": "string",
        "least_tasks": "list<string>",  # whose labels correlate least with those of the others
        "least_mean": "float64?",
        "least_std": "float64?",
        "least_published": "float64?",  # of the paper's own tasks, which it may have chosen otherwise
        "least_published_std": "float64?",
        "most_tasks": "list<string>",
        "most_mean": "float64?",
        "most_std": "float64?",
        "most_published": "float64?",
        "most_published_std": "float64?",
        "spearman": "float64?",  # over tasks: mean correlation with the others, and gain over the baseline
    },
    "table_settings": {
        "setting": "string",  # as in a study file, e.g. training.epochs
        "value": "string",
        "methods": "string",  # that have it
        "searched": "string?",  # by the paper
    },
    "table_grouping": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",  # how the table calls strategy and rounds
        "source": "string",  # ours, oracle, or published
        "budget": "int32",
        "mean": "float64",  # test gain in per cent
        "std": "float64?",
        "valid_mean": "float64?",
        "n_seeds": "int32",
        "n_trained": "float64?",
    },
    "table_estimation_errors": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "row": "string",
        "n_trained": "float64",
        "mean": "float64",  # absolute error
        "std": "float64?",
        "correlation": "float64?",
        "n_seeds": "int32",
    },
    "table_gain_distribution": {
        "collection": "string",
        "tasks": "int32",
        "task_sets": "int32",
        "gains": "int32",
        "mean": "float64",
        "positive_percent": "float64",
        "least": "float64",
        "lower": "float64",
        "median": "float64",
        "upper": "float64",
        "greatest": "float64",
        "correlation": "float64",
        "test_error": "float64",
    },
    "table_gain_agreement": {
        "collection": "string",
        "other": "string",  # another of the same tasks
        "fold": "string",
        "task_sets": "int32",  # of two or more tasks, in both
        "gains": "int32",
        "correlation": "float64?",  # Spearman's
        "correlation_by_task": "float64?",  # mean of each task's own
        "same_sign_percent": "float64?",
    },
    "table_groups": {
        "collection": "string",
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",
        "group": "int32",
        "task_set_id": "string",
        "task_id": "string",
        "serves": "bool",
        "estimate": "float64",
        "valid_gain": "float64?",
        "test_gain": "float64?",
    },
    "table_costs": {  # measured
        "dataset": "string",
        "split": "string",
        "method": "string",
        "n_runs": "int32",
        "seconds": "float64",  # of all runs together
        "seconds_per_seed": "float64",
        "predicted_seconds": "float64",  # of all runs together, on one core
        "peak_rss_mb": "float64",
        "devices": "string",
    },
}
