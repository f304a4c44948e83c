"""The public corpora as the training run uses them: observed once, drawn by source and part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sextortion_detect.matrix import Observed, observe
from sextortion_detect.ngrams import NgramSpace
from training.registry import Line, read_public

__all__ = ["Public", "load_public", "observe_texts", "sample_lines", "space_of"]

Recipe = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Public:
    """Observed passages of the public corpora, by what they are used for."""

    lines: list[Line]
    observed: Observed

    def sources(self, part: str, role: str) -> dict[str, npt.NDArray[np.int64]]:
        """Return the indices of the lines of a part and role, by source."""
        found: dict[str, list[int]] = defaultdict(list)
        for i, line in enumerate(self.lines):
            if line.part == part and line.role == role:
                found[line.source].append(i)
        return {name: np.array(ids) for name, ids in found.items()}

    def passages_of(self, lines: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the rows of `observed` that belong to the given lines."""
        return np.flatnonzero(np.isin(self.observed.owner, lines))


def space_of(recipe: Recipe) -> NgramSpace:
    """Return the n-gram block of a recipe."""
    return NgramSpace(tuple(recipe["features"]["orders"]), recipe["features"]["bits"])


def observe_texts(texts: Sequence[str], recipe: Recipe) -> Observed:
    """Compute the features of texts as a recipe says."""
    return observe(texts, space_of(recipe), recipe["features"]["word_bits"], workers=recipe["workers"])


def load_public(recipe: Recipe, say: Say) -> Public | None:
    """Read and observe all public lines but the test part; None when no copy is present."""
    share = recipe["public"]["train_share"]
    lines = [line for role in ("everyday", "hard") for line in read_public(role, share) if line.part != "test"]
    if not lines:
        say("no public corpora found: levels will rest on look-alikes of datasets/, not on everyday talk")
        return None
    say(f"computing features of {len(lines):,} public messages")
    return Public(lines, observe_texts([line.text for line in lines], recipe))


def sample_lines(public: Public, recipe: Recipe, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw the lines of the first fit: so many of each source."""
    picked = []
    for role, key in (("everyday", "per_source"), ("hard", "per_hard_source")):
        for ids in public.sources("train", role).values():
            picked.append(rng.permutation(ids)[: recipe["public"][key]])
    return np.sort(np.concatenate(picked))
