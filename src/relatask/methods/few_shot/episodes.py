"""Episodes of few-shot learning: some classes of a fold, a few images that tell each, and queries."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from relatask.core.errors import RelataskError
from relatask.engine.problem import Problem, TrainingResult

AT_ONCE = 1000  # episodes that are drawn at a time; a draw has a number for each image of a class


@dataclass(frozen=True)
class Pool:
    """The C classes of a fold that have enough images for an episode."""

    members: Tensor  # int64 [C, most]: positions of each class's images, then -1
    sizes: Tensor  # int64 [C]

    @classmethod
    def of(cls, problem: Problem, fold: str) -> "Pool":
        """Gather a fold's images by class.

        Raises:
            RelataskError: it has fewer classes with enough images than an episode needs.
        """
        assert problem.spec.episodes is not None
        ways, images = problem.spec.episodes["ways"], images_of_class(problem)
        rows = problem.rows(fold).cpu()
        classes, order = problem.data.class_of.cpu()[rows].sort(stable=True)
        _, sizes = classes.unique_consecutive(return_counts=True)
        parts = [part for part in rows[order].split(sizes.tolist()) if len(part) >= images]
        if len(parts) < ways:
            raise RelataskError(
                f"{problem.title}: {len(parts)} of {len(sizes)} classes of the fold {fold!r} have the "
                f"{images} images that an episode takes of each, but it takes {ways} classes; lower ways, "
                "shots or queries of datasets.episodes."
            )
        members = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=-1)
        return cls(members, torch.tensor([len(part) for part in parts]))

    def draw(self, count: int, ways: int, images: int, generator: torch.Generator) -> Tensor:
        """Return positions of images, int64 [count, ways, images]; those of an episode are all different."""
        found = []
        for first in range(0, count, AT_ONCE):
            n = min(AT_ONCE, count - first)
            classes = torch.rand(n, len(self.sizes), generator=generator).topk(ways).indices
            keys = torch.rand(n, ways, self.members.shape[1], generator=generator)
            places = torch.arange(self.members.shape[1])
            keys = keys.masked_fill(places >= self.sizes[classes][..., None], -1)
            found.append(self.members[classes].gather(2, keys.topk(images).indices))
        return torch.cat(found)


def images_of_class(problem: Problem) -> int:
    """Images that an episode takes of each class: shots and queries."""
    assert problem.spec.episodes is not None
    return problem.spec.episodes["shots"] + problem.spec.episodes["queries"]


def evaluated_episodes(problem: Problem, fold: str) -> Tensor:
    """Return the episodes of a held-out fold, int64 [E, ways, shots + queries].

    The images of the support come first. Episodes follow from data set, split, seed and the form of an
    episode, so they are the same for every method.
    """
    assert problem.spec.episodes is not None
    form = problem.spec.episodes
    generator = torch.Generator().manual_seed(problem.spec.data_seed("episodes", fold))
    return Pool.of(problem, fold).draw(form["evaluated"], form["ways"], images_of_class(problem), generator)


def true_ways(episodes: Tensor, shots: int) -> Tensor:
    """Return the class of each query of episodes [E, ways, shots + queries], int64 [E, ways x queries]."""
    count, ways, images = episodes.shape
    return torch.arange(ways).repeat_interleave(images - shots).expand(count, -1)


def cells(problem: Problem, fold: str, result: TrainingResult) -> pd.DataFrame:
    """Return a row for each query of each episode of a held-out fold; the episode is the task.

    The scores are the classes that are predicted, [E, ways x queries]. Episodes of validation and test share
    names.
    """
    assert problem.spec.episodes is not None
    shots, episodes = problem.spec.episodes["shots"], evaluated_episodes(problem, fold)
    asked, scores = episodes[..., shots:].flatten(1), result.scores[fold]
    numbers = torch.arange(len(asked))[:, None].expand_as(asked)
    return pd.DataFrame(
        {
            "fold": fold,
            "item_id": problem.data.item_ids.cpu()[asked].flatten().numpy(),
            "task_id": pd.Categorical.from_codes(
                numbers.flatten().numpy(), pd.Index([f"episode{number:05d}" for number in range(len(asked))])
            ),
            "label": true_ways(episodes, shots).flatten().float().numpy(),
            "score": scores.flatten().float().numpy(),
            "predicted_in": 0,
            "known_in": 0,
        }
    )
