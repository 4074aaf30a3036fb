"""Methods that read labels and no structure."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from relatask.methods import label_mean, matrix_factorisation
from relatask.methods.matrix_factorisation import ridge

NAN = torch.nan


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def test_the_label_mean_is_that_of_the_task_and_of_what_is_known():
    labels = torch.tensor([[1.0, 0.0, NAN], [0.0, 0.0, NAN]])
    model = label_mean.build(0, items=True, penalty=2.0)
    model.fit(labels)
    known = torch.tensor([[1.0, NAN, 1.0], [1.0, 1.0, NAN], [NAN, NAN, NAN]])
    means = [2 / 4, 1 / 4, 1 / 2]  # with a label of each class beside a task's own
    expected = []
    for found, share in ((2, (means[0] + means[2]) / 2), (2, (means[0] + means[1]) / 2), (0, 0.5)):
        shrunk = (found + 2.0 * share) / (found + 2.0)  # of as many known labels, all positive
        effect = log_odds(shrunk) - log_odds(share)
        expected.append([1 / (1 + math.exp(-log_odds(mean) - effect)) for mean in means])
    torch.testing.assert_close(model.predict(known), torch.tensor(expected))
    blind = label_mean.build(0, items=False, penalty=2.0)
    blind.fit(labels)
    assert blind.predict(known).tolist() == [means] * 3


def test_items_of_rare_tasks_keep_their_order():
    """A sum of shares would leave [0, 1], and what is cut off there has no order."""
    labels = torch.zeros(1000, 30).double()
    labels[:10] = 1
    model = label_mean.build(0, items=True, penalty=1.0)
    model.fit(labels)
    known = torch.where(torch.ones(30, 30).tril(-1) > 0, 0.0, NAN).double()
    order = model.predict(known)[:, 0]  # of more and more negative labels, and of more and more positive
    assert (order.diff() < 0).all()
    assert (model.predict(1 - known)[:, 0].diff() > 0).all()


def test_ridge_is_that_of_scikit_learn_row_by_row():
    rng = np.random.default_rng(0)
    targets, factors = rng.normal(size=(6, 9)), rng.normal(size=(9, 3))
    targets[rng.random(targets.shape) < 0.4] = np.nan
    targets[5] = np.nan
    found = ridge(torch.from_numpy(targets), torch.from_numpy(factors), 0.7)
    for row, weights in zip(targets[:5], found[:5], strict=True):
        here = ~np.isnan(row)
        expected = Ridge(alpha=0.7, fit_intercept=False).fit(factors[here], row[here]).coef_
        np.testing.assert_allclose(weights, expected, atol=1e-10)
    assert (found[5] == 0).all()


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_each_round_of_the_factorisation_lowers_the_objective(missing):
    rng = torch.Generator().manual_seed(0)
    labels = (torch.randn(80, 2, generator=rng) @ torch.randn(2, 12, generator=rng) > 0).double()
    labels[torch.rand(labels.shape, generator=rng) < missing] = NAN
    values = []
    for rounds in (1, 2, 5, 20):
        model = matrix_factorisation.build(0, rank=2, penalty=0.5, rounds=rounds)
        model.fit(labels)
        residual = labels - model.means
        items = ridge(residual, model.factors, 0.5)
        error = (residual - items @ model.factors.T).nan_to_num(0).square().sum()
        values.append(float(error + 0.5 * (items.square().sum() + model.factors.square().sum())))
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.9 * values[0]


def test_held_out_items_follow_their_known_labels():
    rng = torch.Generator().manual_seed(1)
    tasks = torch.randn(2, 20, generator=rng)
    train, test = ((torch.randn(n, 2, generator=rng) @ tasks > 0).double() for n in (300, 100))
    model = matrix_factorisation.build(0, rank=2, penalty=1.0, rounds=20)
    model.fit(train)
    known = test.clone()
    known[:, 10:] = NAN
    right = ((model.predict(known)[:, 10:] > 0.5) == (test[:, 10:] > 0.5)).double().mean()
    assert right > 0.85
    torch.testing.assert_close(model.predict(torch.full((1, 20), NAN).double())[0], train.mean(0))


def test_known_labels_of_sider_alone_say_what_metalink_does(mirror: Path):
    """76.8 is the paper's headline; here none of the project's code takes part, and no structure is read."""
    labels = pd.read_csv(mirror / "moleculenet" / "sider.csv").drop(columns="smiles").to_numpy(float)
    draw, found = np.random.default_rng(0), []
    for task, label in enumerate(labels.T):
        known = draw.random(labels.shape) < 0.2
        known[:, task] = False
        above = ((labels - labels.mean(0)) * known).sum(1) / (1 + known.sum(1))
        found.append(roc_auc_score(label, above))
    assert np.mean(found) == pytest.approx(0.78, abs=0.01)
