"""The additions that CONTRIBUTING.md shows and these tests make: what is added -> its files, shortest first.

A file is its place below src/relatask -> its name in snippets/. An addition has at most two; no other file of
the project changes.
"""

from pathlib import Path

from tests.helpers.paths import SNIPPETS

Addition = dict[str, str]

BASELINE: Addition = {"methods/stump.py": "stump.py"}
SPLIT: Addition = {"data/splits/by_size.py": "by_size.py"}
ESTIMATOR: Addition = {"grouping/estimators/best_partner.py": "best_partner.py"}
BALANCING: Addition = {"balancing/slow_first.py": "slow_first.py"}
SAVED_TABLE: Addition = {"methods/forest_bits.py": "forest_bits.py"}
ENCODER: Addition = {"encoders/gatv2.py": "gatv2.py"}
LOOP: Addition = {"methods/maml/maml.py": "maml.py", "methods/maml/meta_step.py": "meta_step.py"}
TABLE_AND_FIGURE: Addition = {
    "publishing/tables/hardest_tasks.py": "hardest_tasks.py",
    "publishing/figures/seed_spread.py": "seed_spread.py",
}
NETWORK: Addition = {"methods/task_attention.py": "task_attention.py"}
LEVELS_AND_KINDS: Addition = {"sources/motifs.py": "motifs.py"}
TEXTS: Addition = {"sources/reviews.py": "reviews.py", "inputs/word_counts.py": "word_counts.py"}
NODES: Addition = {"sources/club.py": "club.py", "inputs/friends.py": "friends.py"}

ADDITIONS: dict[str, Addition] = {  # heading of CONTRIBUTING.md -> files
    "A baseline in scikit-learn's form": BASELINE,
    "A scheme of splits": SPLIT,
    "An estimator of groups": ESTIMATOR,
    "A balancing strategy": BALANCING,
    "A method that saves a table of its own": SAVED_TABLE,
    "An encoder on layers of torch-geometric": ENCODER,
    "A loop with second derivatives": LOOP,
    "A table and a figure": TABLE_AND_FIGURE,
    "A network with an encoder per task and attention before pooling": NETWORK,
    "A source whose tasks differ in level and kind": LEVELS_AND_KINDS,
    "A source of texts and its input": TEXTS,
    "A source of nodes of one graph and its input": NODES,
}


def in_project(*additions: Addition) -> dict[str, Path]:
    """Place in the project -> the file of snippets/ that stands there, of all files of some additions."""
    return {f"src/relatask/{place}": SNIPPETS / name for one in additions for place, name in one.items()}
