"""A logit → the parts it is the sum of → the words of the original text that carried it.

Everything is a weight times a named feature, so nothing is estimated here: the parts of a logit add up to it exactly.
n-gram
weights are shared out over the characters they cover and gathered by word; a concept pair is shared between its two
hits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sextortion_detect.features import feature_name
from sextortion_detect.lexicon_files import words
from sextortion_detect.model import HEADS, Model
from sextortion_detect.results import Evidence, Explanation, Reason
from sextortion_detect.scoring import PassageColumns, head_shift

__all__ = ["HeadWeights", "evidence_spans", "explain_columns", "gate_weights", "main_weights", "pattern_weights"]

Span = tuple[int, int]
ToOriginal = Callable[[int, int], Span]
_QUIET = 0.25  # words below this share of the strongest word do not extend a phrase
_SECOND = 0.5  # a second phrase is shown when it weighs at least this share of the first
_BRIDGE = 2  # quiet words that a phrase may run across
_MOST_PHRASES = 2


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """One head applied to one passage: what each active column adds, in nats.

    Parameters
    ----------
    name : str
        ``gate``, ``extortion`` or one of `HEADS`.
    intercept : float
        The head's constant.
    windows : ndarray of shape (n_orders, n_windows), float64
        By n-gram window.
    words : ndarray of shape (n_words,), float64
        By word or word pair.
    named : ndarray of shape (n_named,), float64
        By concept feature, then by shape.
    """

    name: str
    intercept: float
    windows: npt.NDArray[np.float64]
    words: npt.NDArray[np.float64]
    named: npt.NDArray[np.float64]

    @property
    def logit(self) -> float:
        """The sum of it all."""
        return float(self.intercept + self.windows.sum() + self.words.sum() + self.named.sum())


def gate_weights(model: Model, columns: PassageColumns) -> HeadWeights:
    """Apply the gate to a passage."""
    main = model.main
    scale = columns.buckets.shape[1] ** -0.5  # the gate counts every occurrence
    windows = main.steps["gate"] * scale * main.gate[columns.buckets].astype(np.float64)
    return HeadWeights("gate", main.gate_intercept, windows, np.zeros(0), np.zeros(0))


def main_weights(model: Model, columns: PassageColumns) -> HeadWeights:
    """Apply the extortion head to a passage."""
    main = model.main
    named, values = columns.named()
    return HeadWeights(
        "extortion",
        main.intercept,
        main.steps["char"] * columns.char_scale * columns.share * main.char[columns.buckets],
        main.steps["word"] * columns.word_scale * columns.word_share * main.word[_word_buckets(columns)],
        main.named[named] * values,
    )


def pattern_weights(model: Model, columns: PassageColumns, head: str) -> HeadWeights:
    """Apply one second-stage head to a passage."""
    heads, column = model.heads, HEADS.index(head)
    named, values = columns.named()
    coarse = columns.buckets >> head_shift(model)
    rows = _word_buckets(columns) & (len(heads.word) - 1)
    return HeadWeights(
        head,
        float(heads.intercepts[column]),
        heads.char_step * columns.char_scale * columns.share * heads.char[coarse, column],
        heads.word_step * columns.word_scale * columns.word_share * heads.word[rows, column],
        heads.named[named, column] * values,
    )


def _word_buckets(columns: PassageColumns) -> npt.NDArray[np.int64]:
    return np.array([b for b, _, _ in columns.words], dtype=np.int64)


def _characters(passage: str, weights: HeadWeights, orders: Iterable[int]) -> tuple[npt.NDArray[np.float64], float]:
    """Share n-gram weights out over the characters under each window; also return what falls on none (empty text)."""
    lengths = np.array([len(c.encode("utf-8")) for c in passage], dtype=np.int64)
    n_bytes = int(lengths.sum())
    per_byte = np.zeros(n_bytes + 1)
    if not n_bytes:
        return np.zeros(0), float(weights.windows.sum())
    n_windows = weights.windows.shape[1]
    starts = np.arange(n_windows) - 1  # window 0 begins on the boundary before the text
    for row, order in zip(weights.windows, orders, strict=True):
        first = np.maximum(starts, 0)
        last = np.minimum(starts + order, n_bytes)
        covered = np.maximum(last - first, 1)
        first = np.minimum(first, n_bytes - 1)  # the window of the closing boundary goes to the last byte
        for offset in range(order):
            inside = (offset < covered) & (first + offset < n_bytes)
            np.add.at(per_byte, first[inside] + offset, (row / covered)[inside])
    owner = np.repeat(np.arange(len(passage)), lengths)
    per_char = np.bincount(owner, weights=per_byte[:n_bytes], minlength=len(passage))
    return per_char.astype(np.float64), 0.0


def _word_of(passage: str) -> list[Span]:
    """Cut a passage into words with the blanks and signs that follow; the first one takes what comes before."""
    starts = [m.start() for m in words(passage)]
    if not starts:
        return [(0, len(passage))] if passage else []
    starts[0] = 0
    return list(zip(starts, [*starts[1:], len(passage)], strict=True))


def explain_columns(
    model: Model, passage: str, columns: PassageColumns, weights: HeadWeights, to_original: ToOriginal
) -> Explanation:
    """Account for one head's logit on one passage.

    Parameters
    ----------
    model : Model
        Names the orders.
    passage : str
        Folded text.
    columns : PassageColumns
        Its columns.
    weights : HeadWeights
        The head applied to them.
    to_original : callable
        Maps a span of the passage to one of the original text.

    Returns
    -------
    Explanation
        ``intercept + sum(reason.weight) == logit`` to 1e-9.
    """
    reasons: list[Reason] = []
    characters, homeless = _characters(passage, weights, model.space.orders)
    if homeless:
        reasons.append(Reason("char", homeless, ()))
    for start, end in _word_of(passage):
        reasons.append(Reason("char", float(characters[start:end].sum()), (to_original(start, end),)))
    for (_, start, end), weight in zip(columns.words if len(weights.words) else (), weights.words, strict=True):
        reasons.append(Reason("word", float(weight), (to_original(start, end),)))
    names = [(feature_name(f), hits) for _, f, hits in columns.concepts]
    names += [(f"shape:{name}", ()) for _, name, _ in columns.shapes]
    for (name, hits), weight in zip(names if len(weights.named) else (), weights.named, strict=True):
        reasons.append(Reason(name, float(weight), tuple(to_original(h.start, h.end) for h in hits)))
    kept = tuple(sorted((r for r in reasons if r.weight), key=lambda r: (-abs(r.weight), r.name, r.spans)))
    return Explanation(weights.name, weights.logit, weights.intercept, kept)


def _word_weights(
    model: Model, passage: str, columns: PassageColumns, weights: HeadWeights
) -> tuple[list[Span], npt.NDArray[np.float64]]:
    """Share every part of a logit that stands on words out over those words."""
    per_char, _ = _characters(passage, weights, model.space.orders)
    for (_, start, end), weight in zip(columns.words, weights.words, strict=True):
        per_char[start:end] += weight / (end - start)
    for (_, _, hits), weight in zip(columns.concepts, weights.named, strict=False):
        for hit in hits:
            per_char[hit.start : hit.end] += weight / len(hits) / (hit.end - hit.start)
    spans = [(m.start(), m.end()) for m in words(passage)]
    return spans, np.array([per_char[s:e].sum() for s, e in spans])


def _phrases(weights: npt.NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """Find the strongest runs of words, as (first, last, weight), strongest first."""
    if not len(weights) or weights.max() <= 0:
        return []
    loud = np.flatnonzero(weights >= _QUIET * weights.max())
    runs: list[list[int]] = []
    for i in loud:
        if runs and i - runs[-1][-1] <= _BRIDGE + 1:
            runs[-1].append(int(i))
        else:
            runs.append([int(i)])
    scored = sorted(((r[0], r[-1], float(weights[r[0] : r[-1] + 1].sum())) for r in runs), key=lambda r: (-r[2], r[0]))
    return [r for r in scored[:_MOST_PHRASES] if r[2] > 0 and r[2] >= _SECOND * scored[0][2]]


def evidence_spans(
    model: Model, passage: str, columns: PassageColumns, pattern: str, to_original: ToOriginal
) -> list[Evidence]:
    """Show the words of a passage that carry a pattern.

    Parameters
    ----------
    model, passage, columns, to_original
        As for `explain_columns`.
    pattern : str
        A pattern id.

    Returns
    -------
    list of Evidence
        At most two phrases, strongest first; characters of the original text.
    """
    spans, weights = _word_weights(model, passage, columns, pattern_weights(model, columns, pattern))
    out = []
    for first, last, weight in _phrases(weights):
        start, end = to_original(spans[first][0], spans[last][1])
        out.append(Evidence(pattern, start, end, weight))
    return out
