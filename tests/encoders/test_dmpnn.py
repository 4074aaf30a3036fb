"""D-MPNN is chemprop's, forward and backward, and its weights are read without running anything."""

import pickle
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.func import functional_call

from relatask.core import extras
from relatask.core.errors import RelataskError
from relatask.core.registry import complete_options
from relatask.encoders.dmpnn import DMPNN, build
from relatask.inputs.arrays import load_input, write_features
from relatask.inputs.bond_graph_batch import BondGraphs

SMILES = [
    "C[C@H](N)C(=O)O",
    "c1ccc2[nH]ccc2c1",
    "C",
    "F/C=C/Cl",
    "C[N+](C)(C)CC[Se]",
    "[2H]C#N",
    "[Na+].[Cl-]",
]


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> BondGraphs:
    folder = tmp_path_factory.mktemp("features")
    items = pd.DataFrame({"item_id": range(len(SMILES)), "smiles": SMILES})
    write_features((items[row : row + 3] for row in range(0, len(items), 3)), ["bond_graph"], folder)
    return load_input(folder, "bond_graph")


def encoder(**options: object) -> DMPNN:
    torch.manual_seed(0)
    return build(**complete_options("encoders", "dmpnn", options))


@pytest.mark.parametrize("messages", ["bonds", "atoms"])
@pytest.mark.parametrize("aggregation", ["norm", "mean", "sum"])
def test_the_embeddings_and_gradients_are_those_of_chemprops_own_pipeline(graphs, messages, aggregation):
    pytest.importorskip("chemprop")
    from chemprop.data import BatchMolGraph
    from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    from chemprop.nn import AtomMessagePassing, BondMessagePassing
    from chemprop.nn.agg import AggregationRegistry
    from rdkit import Chem

    mine = encoder(width=20, messages=messages, aggregation=aggregation)
    theirs = (BondMessagePassing if messages == "bonds" else AtomMessagePassing)(d_h=20)
    theirs.load_state_dict(mine.messages.state_dict())
    order = torch.tensor([4, 0, 2, 6, 5, 1, 3])
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    batch = BatchMolGraph([featurizer(Chem.MolFromSmiles(SMILES[row])) for row in order])
    wanted = AggregationRegistry[aggregation]()(theirs(batch), batch.batch)
    x = graphs.batch(order)
    for name in ("V", "E", "edge_index", "rev_edge_index", "batch"):
        assert torch.equal(getattr(x, name), getattr(batch, name)), name
    found = mine(x)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
    for one, other in zip((found, mine.messages), (wanted, theirs), strict=True):
        if isinstance(one, torch.Tensor):
            one.square().sum().backward(), other.square().sum().backward()
        else:
            for mine_, theirs_ in zip(one.parameters(), other.parameters(), strict=True):
                torch.testing.assert_close(mine_.grad, theirs_.grad, rtol=1e-5, atol=1e-5)
    only_atoms = encoder(width=20)(graphs.batch(torch.tensor([2, 2])))  # methane has no bond
    assert only_atoms.isfinite().all()
    assert torch.equal(only_atoms[0], only_atoms[1])


def test_second_derivatives_are_right(graphs):
    pytest.importorskip("chemprop")
    model = encoder(width=3, activation="tanh", aggregation="mean").double()
    x = graphs.batch(torch.tensor([0, 3]))
    x = replace(x, V=x.V.double(), E=x.E.double())
    name, weight = "messages.W_h.weight", model.messages.W_h.weight.detach().requires_grad_()

    def function(value: torch.Tensor) -> torch.Tensor:
        return functional_call(model, {name: value}, (x,)).tanh().sum(1)

    assert torch.autograd.gradgradcheck(function, [weight], atol=1e-4, rtol=1e-3)


def write_weights(path: Path, **made: object) -> dict[str, torch.Tensor]:
    """Write made weights in the layout of CheMeleon's file, and return them."""
    from chemprop.nn import BondMessagePassing

    arguments = {"d_v": 72, "d_e": 14, "d_h": 24, "depth": 6, "bias": False, "undirected": False}
    arguments |= {"dropout": 0.0, "activation": "RELU", "d_vd": None, **made}
    state = BondMessagePassing(**arguments).state_dict()
    torch.save({"hyper_parameters": arguments, "state_dict": state}, path)
    return state


def test_weights_in_the_layout_of_chemeleon_are_read_and_a_trained_model_needs_them_no_more(graphs, tmp_path):
    pytest.importorskip("chemprop")
    state = write_weights(tmp_path / "mp.pt")
    asked = {"width": 24, "depth": 6, "aggregation": "mean", "pretrained_on": "unknown"}
    first = encoder(**asked, weights=str(tmp_path / "mp.pt"))
    assert all(torch.equal(value, state[name]) for name, value in first.messages.state_dict().items())
    with pytest.raises(RelataskError, match=r"of another network than the row asks for; set `depth: 6` in"):
        encoder(**{**asked, "depth": 3}, weights=str(tmp_path / "mp.pt"))
    with pytest.raises(RelataskError, match=r"weights: .*gone\.pt does not exist"):
        encoder(**asked, weights=str(tmp_path / "gone.pt"))
    write_weights(tmp_path / "v1.pt", d_v=133)
    with pytest.raises(
        RelataskError, match="does not fit 72 features of atoms and 14 of bonds, chemprop's V2"
    ):
        encoder(**asked, weights=str(tmp_path / "v1.pt"))


class Harm:
    def __reduce__(self):
        return Path.touch, (Path("harmed"),)


def test_a_file_of_weights_that_would_run_something_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("chemprop")
    monkeypatch.chdir(tmp_path)
    for name, content in (("torch.pt", None), ("plain.pt", pickle.dumps(Harm(), 2))):
        if content is None:
            torch.save({"hyper_parameters": Harm(), "state_dict": {}}, name)
        else:
            Path(name).write_bytes(content)
        with pytest.raises(RelataskError, match=f"weights: {name} holds no plain weights"):
            encoder(weights=name, pretrained_on="unknown")
    torch.save([1, 2], "list.pt")
    with pytest.raises(RelataskError, match=r"list\.pt has no `hyper_parameters` and `state_dict`"):
        encoder(weights="list.pt", pretrained_on="unknown")
    assert not Path("harmed").exists()


def test_without_chemprop_the_encoder_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(
        RelataskError, match=r"encoder 'dmpnn' needs chemprop, .*pip install 'relatask\[chemprop\]'"
    ):
        encoder()
