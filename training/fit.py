"""Fit the linear heads: the gate, the extortion head, and the second stage."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from sextortion_detect.matrix import Columns, Observed, Vocabulary, assemble
from sextortion_detect.results import PATTERN_IDS, Frame, Scheme
from training.corpus import Row

__all__ = ["Fitted", "Target", "fit_gate", "fit_heads", "fit_main", "target_of"]


_NEVER = -30.0  # a logit that no calibration lifts above zero


@dataclass(frozen=True, slots=True)
class Target:
    """What the passages of the corpus rows are, aligned with an `Observed`.

    Parameters
    ----------
    extortion : ndarray of bool
        By passage.
    weight : ndarray of float64
        By passage; see `target_of`.
    rows : list of Row
        By passage.
    """

    extortion: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights by block (``char``, ``word``, ``concept``, ``shape``) and the intercept(s)."""

    blocks: dict[str, npt.NDArray[np.float64]]
    intercept: npt.NDArray[np.float64]

    def logits(self, observed: Observed, vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
        """Apply the head to passages."""
        matrix, columns = assemble(observed, vocabulary, (1.0, 1.0, 1.0, 1.0))
        weights = np.concatenate([self.blocks[name] for name in ("char", "word", "concept", "shape")], axis=-1)
        assert matrix.shape[1] == sum(columns.widths)
        return np.asarray(matrix @ weights.T + self.intercept)


def target_of(rows: Sequence[Row], observed: Observed, weights: dict[str, float]) -> Target:
    """Spread rows over their passages.

    A threat's weight is shared equally by its passages, as not all of a long mail threatens; every passage of an
    innocent text is innocent, so its weight falls only with the square root of their number.
    """
    n = np.bincount(observed.owner, minlength=len(rows))[observed.owner]
    extortion = np.array([r.label == "extortion" for r in rows])[observed.owner]
    own = np.array([r.weight for r in rows])[observed.owner]
    weight = own * np.where(extortion, weights["extortion"], weights["look_alike"]) / np.sqrt(n)
    return Target(extortion, weight, [rows[i] for i in observed.owner])


def _fit(strength: float, fit: dict[str, Any], x: Any, y: Any, weight: Any) -> LogisticRegression:
    """Fit one logistic regression in one thread: threads add in another order each time, and models must not differ."""
    model = LogisticRegression(C=strength, max_iter=fit["iterations"], tol=fit["tolerance"])
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is part of the recipe
        return model.fit(x, y, sample_weight=weight)


def _fitted(model: LogisticRegression, columns: Columns, *, binary: bool) -> Fitted:
    coef = model.coef_[0] if binary else model.coef_
    return Fitted(
        columns.split(coef.astype(np.float64)), np.asarray(model.intercept_[0] if binary else model.intercept_)
    )


def fit_main(
    observed: Observed,
    target: Target,
    background: Observed,
    background_weight: npt.NDArray[np.float64],
    vocabulary: Vocabulary,
    fit: dict[str, Any],
) -> Fitted:
    """Fit the extortion head on corpus passages against them plus public background passages."""
    boost = tuple(fit["boost"])
    inside, columns = assemble(observed, vocabulary, boost)
    outside, _ = assemble(background, vocabulary, boost)
    x = sparse.vstack([inside, outside], format="csr")
    y = np.concatenate([target.extortion, np.zeros(len(background), dtype=bool)])
    weight = np.concatenate([target.weight, background_weight])
    model = _fit(fit["strength"], fit, x, y, weight)
    return _fitted(model, columns, binary=True)


def fit_gate(
    observed: Observed,
    wanted: npt.NDArray[np.float64],
    background: Observed,
    background_weight: npt.NDArray[np.float64],
    fit: dict[str, Any],
) -> Fitted:
    """Fit the gate, n-grams only: passages that must pass (weight in `wanted` above 0) against everyday talk."""
    keep = wanted > 0
    x = sparse.vstack([observed.char[keep], background.char], format="csr")
    y = np.concatenate([np.ones(int(keep.sum()), dtype=bool), np.zeros(len(background), dtype=bool)])
    weight = np.concatenate([wanted[keep], background_weight])
    model = _fit(fit["gate_strength"], fit, x, y, weight)
    columns = Columns((x.shape[1], 0, 0, 0), (1.0, 1.0, 1.0, 1.0))
    return _fitted(model, columns, binary=True)


def _coarse(matrix: sparse.csr_matrix, bits: int, *, high: bool) -> sparse.csr_matrix:
    """Merge hashed columns down to 2**bits: by the highest bits, or by the lowest."""
    width = 1 << bits
    shift = matrix.shape[1].bit_length() - 1 - bits
    indices = matrix.indices >> shift if high else matrix.indices & (width - 1)
    # copies: sum_duplicates works in place and would otherwise garble the finer matrix
    parts = (matrix.data.copy(), indices, matrix.indptr.copy())
    out = sparse.csr_matrix(parts, shape=(matrix.shape[0], width))
    out.sum_duplicates()
    return out


def coarse(observed: Observed, features: dict[str, Any]) -> Observed:
    """Return the passages with the coarser hashing of the second stage."""
    return Observed(
        observed.owner,
        _coarse(observed.char, features["heads_char_bits"], high=True),
        _coarse(observed.word, features["heads_word_bits"], high=False),
        observed.concepts,
        observed.shape,
    )


def fit_heads(
    observed: Observed,
    target: Target,
    background: Observed,
    vocabulary: Vocabulary,
    fit: dict[str, Any],
    workers: int,
) -> Fitted:
    """Fit patterns (one by one), frame and scheme (multinomial); columns in the order of `model.HEADS`.

    `observed` and `background` come from `coarse`. Background lines express no pattern and are direct.
    """
    boost = tuple(fit["boost"])
    inside, columns = assemble(observed, vocabulary, boost)
    outside, _ = assemble(background, vocabulary, boost)
    x = sparse.vstack([inside, outside], format="csr")
    weight = np.concatenate([np.array([r.weight for r in target.rows]), np.full(len(background), _BACKGROUND_WEIGHT)])
    threats = [i for i, r in enumerate(target.rows) if r.scheme]
    tasks = [(x, y, weight, n) for y, n in _second_stage_labels(target.rows, len(background))]
    schemes = np.array([list(Scheme).index(Scheme(target.rows[i].scheme or "")) for i in threats])
    tasks.append((inside[threats], schemes, weight[threats], len(Scheme)))
    fits = Parallel(n_jobs=workers)(delayed(_fit_classes)(*task, fit) for task in tasks)
    coefs, intercepts = zip(*fits, strict=True)
    return Fitted(columns.split(np.concatenate(coefs)), np.concatenate(intercepts))


_BACKGROUND_WEIGHT = 0.2  # everyday lines tell the second stage what no pattern looks like; they need no more say


def _second_stage_labels(rows: Sequence[Row], n_background: int) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
    """Yield labels and number of classes of each pattern, then of the frame."""
    zero = np.zeros(n_background, dtype=np.int64)
    for pattern in PATTERN_IDS:
        yield np.concatenate([np.array([int(pattern in r.patterns) for r in rows]), zero]), 2
    yield np.concatenate([np.array([list(Frame).index(Frame(r.frame)) for r in rows]), zero]), len(Frame)


def _fit_classes(
    x: sparse.csr_matrix, y: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], n: int, fit: dict[str, Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Fit one head of the second stage; a binary one gives one row of weights, one of n classes gives n."""
    rows = 1 if n == 2 else n
    if len(np.unique(y)) < 2:  # a corpus without the pattern: never report it
        return np.zeros((rows, x.shape[1])), np.full(rows, _NEVER)
    if n == 2:  # rare patterns would otherwise never be reported
        odds = min(fit["rare_odds"], (y == 0).sum() / (y == 1).sum())
        weight = np.where(y == 1, weight * odds**0.5, weight)
    model = _fit(fit["heads_strength"], fit, x, y, weight)
    if n == 2:
        return model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    return _aligned(model.coef_, model.classes_, n), _aligned(model.intercept_, model.classes_, n)


def _aligned(values: npt.NDArray[Any], classes: npt.NDArray[Any], n: int) -> npt.NDArray[np.float64]:
    """Put rows fitted for the classes that occurred where they belong; a class that never occurred is never chosen."""
    out = np.full((n, *values.shape[1:]), _NEVER if values.ndim == 1 else 0.0)
    if len(classes) == 2 and len(values) == 1:  # a two-class fit stores one row
        values = np.concatenate([-values, values])
    out[classes] = values
    return out
