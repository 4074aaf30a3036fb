"""An archive in the layout of the TU Dortmund collection, as small as it can be."""

import zipfile
from pathlib import Path

# Two graphs of three nodes; edges stand in both directions, as in the collection.
FILES = {
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n5,6\n6,5\n",
    "graph_indicator": "1\n1\n1\n2\n2\n2\n",
    "graph_labels": "1\n-1\n",
    "node_labels": "3\n5\n5\n3\n6\n6\n",
    "node_attributes": "1.5, 2\n0,1\n3,4\n1,1\n2,2\n0,0.25",
}


def write_tu(path: Path, **changes: str | None) -> Path:
    """Write an archive, named as its data set, with changed files, or without those that are None."""
    with zipfile.ZipFile(path, "w") as archive:
        for kind, text in {**FILES, **changes}.items():
            if text is not None:
                archive.writestr(f"{path.stem}/{path.stem}_{kind}.txt", text)
    return path
