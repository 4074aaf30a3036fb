"""Molecules taken apart into atoms and pairs of atoms: the element of an atom is a task, bonds are links."""

import numpy as np
import pandas as pd

from relatask.core.errors import RelataskError
from relatask.data.source_tables import SourceTables
from relatask.sources.graph_parts.tables import PART_COLUMNS, GraphSet, LevelTask, Links, graph_tables
from relatask.sources.nodes.tables import distinct_edges

# Elements with a class of their own; all others are one class.
ELEMENTS = ("C", "N", "O", "S", "F", "Cl", "P", "Br", "I")
# What is known of an atom besides its element and its bonds: charge, hydrogens, whether it is aromatic and
# whether it lies in a ring. Its number of bonds is not among them: it would tell that a bond is held out.
ATTRIBUTES = 6


def taken_apart(tables: SourceTables, links: Links, name: str) -> SourceTables:
    """Return the tables of molecules with an item for each atom and pair of atoms that is asked about.

    Raises:
        RelataskError: a task has measured values, which SAME does not learn, or a column of the molecules is
            called as one of their parts.
    """
    if (tables.tasks["kind"] == "real").any():
        raise RelataskError(
            f"sources.{name}: the reader molecule_parts reads labels of 0 and 1 and classes, not measured "
            "values; set `active` or `values: class`."
        )
    molecules = tables.items.reset_index(drop=True)
    own = [str(one) for one in molecules if one not in ("item_id", "source_id", "level", "parent")]
    if taken := [column for column in own if column in PART_COLUMNS]:
        raise RelataskError(
            f"sources.{name}: item_columns cannot keep the column {taken[0]!r}, as atoms and pairs have one "
            "of that name; rename it."
        )
    atoms = [_atoms(smiles) for smiles in molecules["smiles"]]
    sizes = [len(vectors) for vectors, _, _ in atoms]
    starts = np.cumsum([0, *sizes[:-1]])
    ends = np.concatenate([bonds + start for (_, _, bonds), start in zip(atoms, starts, strict=True)])
    edges, counts = distinct_edges(ends, sum(sizes))
    names = [text if isinstance(text, str) else None for text in molecules["source_id"]]
    graphs = GraphSet(
        names=names,
        node_graph=np.repeat(np.arange(len(molecules)), sizes),
        vectors=np.concatenate([vectors for vectors, _, _ in atoms]),
        edges=edges,
        columns={column: molecules[column].tolist() for column in own},
    )
    elements = np.concatenate([element for _, element, _ in atoms]).astype(np.float64)
    tasks = [*_tasks_of(tables, len(molecules)), LevelTask("element", "node", elements, (*ELEMENTS, "other"))]
    facts = {
        "source": name,
        "edges_given": counts,
        "molecules": tables.counts,
        "standardised": tables.counts["standardised"],
    }
    found = graph_tables(graphs, tasks, links, facts)
    found.rejected, found.conflicts = tables.rejected, tables.conflicts  # molecules are its first items
    return found


def _tasks_of(tables: SourceTables, n_molecules: int) -> list[LevelTask]:
    """Return the tasks of molecules, each with a label for every molecule, NaN where it has none."""
    place = pd.Series(np.arange(n_molecules), tables.items["item_id"].to_numpy())
    found = []
    for task in tables.tasks.itertuples():
        own = tables.labels[tables.labels["task_id"] == task.task_id]
        labels = np.full(n_molecules, np.nan)
        labels[place.loc[own["item_id"]].to_numpy()] = own["value"].to_numpy()
        of_task = tables.classes[tables.classes["task_id"] == task.task_id].sort_values("value")
        found.append(LevelTask(str(task.name), "graph", labels, tuple(of_task["name"])))
    return found


def _atoms(smiles: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return attributes float32 [n, 6], elements int64 [n] and bonds int64 [m, 2] of a molecule's atoms."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles)
    vectors = np.array(
        [
            [
                atom.GetFormalCharge() > 0,
                atom.GetFormalCharge() < 0,
                atom.GetTotalNumHs() > 0,
                atom.GetTotalNumHs() > 1,
                atom.GetIsAromatic(),
                atom.IsInRing(),
            ]
            for atom in molecule.GetAtoms()
        ],
        np.float32,
    ).reshape(-1, ATTRIBUTES)
    elements = [
        ELEMENTS.index(atom.GetSymbol()) if atom.GetSymbol() in ELEMENTS else len(ELEMENTS)
        for atom in molecule.GetAtoms()
    ]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    return vectors, np.array(elements, np.int64), np.array(bonds, np.int64).reshape(-1, 2)
