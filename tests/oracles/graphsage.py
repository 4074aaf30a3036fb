"""GraphSAGE (Hamilton et al., 2017, algorithm 1, mean aggregator, or a sum) with bonds, as it is written."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tests.oracles.gin_oracle import Molecule, batch_norm


def graphsage(
    parameters: Mapping[str, Tensor],
    layers: int,
    molecules: Sequence[Molecule],
    normalise: bool,
    aggregation: str,
) -> Tensor:
    """Encode the molecules as one training batch without dropout: [B, width]."""
    places = [(m, i) for m, molecule in enumerate(molecules) for i in range(len(molecule.atoms))]
    numbers, chiralities = parameters["numbers.weight"], parameters["chiralities.weight"]
    states = {
        (m, i): numbers[molecules[m].atoms[i][0]] + chiralities[molecules[m].atoms[i][1]] for m, i in places
    }
    for layer in range(layers):
        name = f"layers.{layer}"
        bonds = parameters[f"{name}.bonds"]
        rows = []
        for m, i in places:
            neighbours = [(j, bond) for j, bond in molecules[m].neighbours(i) if j != i]
            gathered = torch.zeros_like(states[m, i])
            for j, (kind, direction) in neighbours:
                gathered = gathered + states[m, j] + bonds[kind] + bonds[6 + direction]
            if aggregation == "mean" and neighbours:
                gathered = gathered / len(neighbours)
            weights = parameters[f"{name}.neighbours.weight"], parameters[f"{name}.own.weight"]
            rows.append(weights[0] @ gathered + weights[1] @ states[m, i])
        rows = batch_norm(rows, parameters[f"{name}.norm_weight"], parameters[f"{name}.norm_bias"])
        states = {place: torch.relu(row) for place, row in zip(places, rows, strict=True)}
    encoded = []
    for m, molecule in enumerate(molecules):
        total = sum(states[m, i] for i in range(len(molecule.atoms)))
        hidden = torch.relu(parameters["pooled.0.weight"] @ total + parameters["pooled.0.bias"])
        z = parameters["pooled.2.weight"] @ hidden + parameters["pooled.2.bias"]
        encoded.append(z / z.norm() if normalise else z)
    return torch.stack(encoded)
