"""Figures of merit of the second stage on held-out corpus rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from sextortion_detect.results import PATTERN_IDS, Frame, Scheme
from sextortion_detect.scoring import FRAME_SLICE, SCHEME_SLICE
from training.corpus import Row

__all__ = ["PatternFigures", "pattern_figures"]

_GRID = np.arange(0.15, 0.71, 0.05)


@dataclass(frozen=True, slots=True)
class PatternFigures:
    """F1 of each pattern at its best cut-off, and accuracies of frame and scheme."""

    table: dict[str, dict[str, float]]
    thresholds: list[float]
    frame_accuracy: float
    scheme_accuracy: float


def pattern_figures(rows: Sequence[Row], logits: npt.NDArray[np.float64]) -> PatternFigures:
    """Choose a cut-off for each pattern and report what it reaches on extortion and lure rows, out of fold.

    Parameters
    ----------
    rows : sequence of Row
        The corpus.
    logits : ndarray of shape (n, 23)
        Out-of-fold logits, columns as `model.HEADS`.
    """
    threatening = np.array([r.label != "benign" for r in rows])
    p = 1 / (1 + np.exp(-logits))
    table: dict[str, dict[str, float]] = {}
    thresholds: list[float] = []
    for column, pattern in enumerate(PATTERN_IDS):
        truth = np.array([pattern in r.patterns for r in rows])[threatening]
        scored = p[threatening, column]
        f1 = [float(f1_score(truth, scored >= t, zero_division=0.0)) for t in _GRID]
        best = int(np.argmax(f1))
        thresholds.append(round(float(_GRID[best]), 2))
        table[pattern] = {"n": int(truth.sum()), "f1": round(f1[best], 4), "threshold": round(float(_GRID[best]), 2)}
    frames = np.array([list(Frame).index(Frame(r.frame)) for r in rows])
    schemes = [(i, list(Scheme).index(Scheme(r.scheme))) for i, r in enumerate(rows) if r.scheme]
    chosen = logits[[i for i, _ in schemes]][:, SCHEME_SLICE].argmax(axis=1)
    return PatternFigures(
        table,
        thresholds,
        float((logits[:, FRAME_SLICE].argmax(axis=1) == frames).mean()),
        float((chosen == np.array([s for _, s in schemes])).mean()),
    )
