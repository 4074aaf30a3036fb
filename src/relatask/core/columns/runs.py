"""Columns of tables of runs, of gains and groups, and of what is computed from them."""

RUNS: dict[str, dict[str, str]] = {
    "plan": {
        "run_id": "string",
        "label": "string",  # row of the tables
        "dataset": "string",
        "method": "string",
        "encoder": "string?",  # null for methods without one
        "balancing": "string",
        "split": "string",  # scheme, e.g. scaffold
        "seed": "int32",
        "restart": "int32",  # of a row on a split and seed: other random numbers
        "tasks": "string",  # JSON: "all", {"part": i, "of": n} or a list of task ids
        "collection": "string?",  # gains that the run is trained for; null for rows of the tables
        "hyperparameters": "string",  # JSON
        "predicted_minutes": "float32",  # on one core, times the cost factor
        "cost_factor": "float32",  # of the config: measured over predicted time
        "shard": "int32?",  # null for runs that a strategy asked for, which no shard has
        "spec": "string",  # canonical JSON whose hash is run_id
    },
    "predictions": {
        "run_id": "category",
        "fold": "category",
        "item_id": "int32",
        "task_id": "category",  # of classes: the episode
        "label": "float32",
        "score": "float32",  # probability of label 1; of measured values the value, of classes the class
    },
    "described_predictions": {  # of one data set, for people: each row says by itself what it is of
        "item_id": "int32",
        "source_id": "category?",  # the source's own name of the item
        "smiles": "category?",  # of a molecule, as standardised
        "task": "category",  # as the source writes it
        "label": "float32",
        "score": "float32",
        "method": "category",  # row of the tables
        "split": "category",  # scheme
        "seed": "int32",
        "fold": "category",
        "run_id": "category",
    },
    "known_labels": {  # of methods that are told labels when they predict; a row per labelled or told cell
        "run_id": "category",
        "fold": "category",
        "item_id": "int32",
        "task_id": "category",
        "predicted_in": "int8",  # the pass that predicts the cell; -1: none, it is not evaluated
        "known_in": "int16",  # bit p is set if the cell's label was known to pass p
    },
    "imputed": {  # every cell of a data set without a label
        "item_id": "int32",
        "task_id": "category",
        "score": "float32",  # probability of label 1, mean over seeds
        "spread": "float32?",  # sample standard deviation over seeds; null with one
        "n_known": "int32",  # labels that the molecule has
    },
    "history": {
        "run_id": "category",
        "task_id": "category?",  # null when one network serves all tasks of the run
        "epoch": "int32",
        "train_loss": "float32",
        # mean ROC-AUC over validation tasks with both classes; MAE of forecasts; accuracy of episodes; with
        # tasks of other kinds the mean of ROC-AUC, accuracy and 1 - MAE / deviation of the training labels
        "valid_metric": "float32?",
        "seconds": "float32",
        "examples_per_second": "float32",
    },
    "costs": {  # what each run took; measured, so not the same from run to run
        "run_id": "string",
        "seconds": "float32",
        "peak_rss_mb": "float32",
        "device": "string",
        "host": "string",
        "libraries": "string?",  # JSON: name -> version of those that trained it; null in entries of old
        "finished": "string?",  # UTC, e.g. 2026-12-01T03:35:14Z
    },
    "item_intervals": {  # of mean differences, by drawing molecules and tasks anew
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "low": "float64?",  # 95 %
        "high": "float64?",
    },
    "cells": {  # metrics of the test folds, for whoever compares methods anew
        "dataset": "category",
        "split": "category",
        "method": "category",  # label of the row
        "metric": "category",
        "task_id": "category",
        "seed": "int32",
        "restart": "int32",
        "value": "float32?",
    },
    "metrics": {
        "run_id": "category",
        "task_id": "category",
        "fold": "category",
        "metric": "category",
        "value": "float64?",  # null when undefined, then `reason` says why
        "n": "int32",
        "n_pos": "int32",
        "reason": "string?",
    },
    "gains": {  # of one collection: what a task gains in a set of tasks that one network learns
        "task_set_id": "string",  # hash of the names of the set's tasks, which are its rows
        "task_id": "string",
        "seed": "int32?",  # null for gains that others collected
        "fold": "string",
        "metric": "string",
        "alone": "float64?",  # the metric of the task learned alone; null where others kept it
        "together": "float64?",
        "gain": "float64?",  # relative improvement; null where a metric is undefined
    },
    "affinities": {  # of one collection, by TAG
        "task_id": "string",
        "partner": "string",
        "affinity": "float64",  # of the partner onto the task; its scale is its own
    },
    "estimates": {  # of one collection: what strategies say of gains on the validation fold
        "strategy": "category",  # its label
        "rounds": "int32?",  # K of MTG-Net
        "seed": "int32",
        "task_set_id": "category",
        "task_id": "category",
        "estimate": "float64?",
        "trained": "bool",  # whether the strategy was told the gains of the set
    },
    "encodings": {  # of one collection: task sets as MTG-Net encodes them for a task, in two dimensions
        "task_id": "string",
        "stage": "string",  # which sets: those trained after K rounds, or all
        "x": "float32",
        "y": "float32",
        "gain": "float64",  # on the validation fold
    },
    "trials": {  # of the search of a row on the validation fold of one split and seed
        "dataset": "string",
        "label": "string",
        "split": "string",
        "seed": "int32",
        "trial": "int32",  # 0 has the settings that the study gives
        "run_id": "string",
        "settings": "string",  # JSON: setting as in a study file -> value
        "score": "float64?",  # on validation; null where it failed
        "seconds": "float64?",  # measured
        "reason": "string?",  # why it failed
        "chosen": "bool",
    },
    "groups": {  # of one collection: the groups chosen by the estimates
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",  # most groups
        "group": "int32",  # of the choice, from 0
        "task_set_id": "string",
        "task_id": "string",
        "serves": "bool",  # whether the task is predicted by this group
        "estimate": "float64",
        "valid_gain": "float64?",  # null where the set was not trained
        "test_gain": "float64?",
    },
    "groupings": {  # of one collection: what the groups of each choice are worth
        "strategy": "string",
        "rounds": "int32?",
        "seed": "int32",
        "budget": "int32",
        "n_groups": "int32",
        "n_trained": "int32",  # task sets whose training the strategy pays for
        "estimate": "float64?",  # means over tasks, each where it is served
        "valid_gain": "float64?",  # null where a set was not trained
        "test_gain": "float64?",
    },
    "summary": {  # one row: one table cell, e.g. mean test ROC-AUC of a method on a data set
        "dataset": "string",
        "split": "string",
        "method": "string",  # label of the method in tables
        "fold": "string",
        "metric": "string",
        "mean": "float64?",  # over seeds, of the mean over tasks
        "std": "float64?",  # over seeds, of a sample (n - 1); null with one seed
        "n_seeds": "int32",
        "n_tasks": "int32",  # tasks where the metric is defined in at least one seed
        "n_undefined": "int32",  # (task, seed) cells left out because the metric is undefined
        "delta": "float64?",  # mean minus the single-task baseline, over cells defined in both
    },
    "comparisons": {  # a method against another one, on the test fold; a look for each split
        "dataset": "string",
        "split": "string",
        "metric": "string",
        "method": "string",
        "baseline": "string",
        "n_methods": "int32",  # that the intervals of one (data set, split, metric) are as wide for
        "n_folds": "int32",  # splits with a cell defined in both
        "n_tasks": "int32",
        "n_cells": "int32",  # (split, task) cells defined in both
        "mean_difference": "float64?",
        "ci_low": "float64?",  # 95 %, simultaneous
        "ci_high": "float64?",
        "margin": "float64?",  # a difference up to it makes none in practice
        "verdict": "string",  # better, worse, equal, undecided
        "reason": "string?",  # why there is no interval
    },
}
