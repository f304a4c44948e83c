"""Features × weights → logits → probabilities and levels.

A message is as telling as its most telling passage. The gate (byte n-grams only, a whole batch at once) sees every
passage; the full score is computed for passages that pass it. Both logits are sums of weights times named features, so
`explain` can account for either to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sextortion_detect.concepts import ConceptScanner, Hit, Scan
from sextortion_detect.features import SHAPES, Feature, concept_features, passage_shapes, word_spans
from sextortion_detect.model import HEADS, Model
from sextortion_detect.ngrams import message_blocks, pack, window_sums
from sextortion_detect.results import PATTERN_IDS, Frame, Level, Scheme

__all__ = [
    "PassageColumns",
    "columns_of",
    "gate_logits",
    "head_logits",
    "levels_of",
    "main_logit",
    "probabilities",
    "threshold",
]

_SHAPE_INDEX = {name: i for i, name in enumerate(SHAPES)}
N_PATTERNS = len(PATTERN_IDS)
FRAME_SLICE = slice(N_PATTERNS, N_PATTERNS + len(Frame))
SCHEME_SLICE = slice(N_PATTERNS + len(Frame), N_PATTERNS + len(Frame) + len(Scheme))


@dataclass(frozen=True, slots=True)
class PassageColumns:
    """The non-zero columns of one passage.

    Parameters
    ----------
    buckets : ndarray of shape (n_orders, n_windows), int64
        N-gram bucket of the window that starts at each byte, by order.
    share : ndarray of shape (n_orders, n_windows), float64
        1 / how often the window's bucket occurs: repetition adds nothing, so each occurrence carries its part.
    char_scale, word_scale, concept_scale : float
        Value of every active column of the block.
    words : list of (bucket, start, end)
        Words and word pairs; characters of the passage.
    word_share : ndarray of shape (n_words,), float64
        As `share`.
    concepts : list of (column, feature, hits)
        Active concept columns that the model knows.
    shapes : list of (column, name, value)
        Active shape columns.
    """

    buckets: npt.NDArray[np.int64]
    share: npt.NDArray[np.float64]
    char_scale: float
    words: list[tuple[int, int, int]]
    word_share: npt.NDArray[np.float64]
    word_scale: float
    concepts: list[tuple[int, Feature, tuple[Hit, ...]]]
    concept_scale: float
    shapes: list[tuple[int, str, float]]

    def named(self) -> tuple[list[int], npt.NDArray[np.float64]]:
        """Return columns and values of the named blocks together."""
        columns = [c for c, _, _ in self.concepts] + [c for c, _, _ in self.shapes]
        values = [self.concept_scale] * len(self.concepts) + [v for _, _, v in self.shapes]
        return columns, np.array(values, dtype=np.float64)


def gate_logits(model: Model, passages: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the gate's logit of every folded passage, in nats."""
    out = np.empty(len(passages))
    for block in message_blocks(passages):
        packed = pack(passages[block])
        sums = window_sums(packed, model.space, model.main.gate)
        out[block] = model.main.gate_intercept + model.main.steps["gate"] * packed.scale * sums
    return out


def columns_of(model: Model, scanner: ConceptScanner, passage: str, common: dict[str, float]) -> PassageColumns:
    """Compute all columns of one passage.

    Parameters
    ----------
    model : Model
        Decides which features have a column.
    scanner : ConceptScanner
        Finds the concepts.
    passage : str
        Folded text.
    common : dict of str to float
        `features.message_shapes` of the message that the passage is from.
    """
    packed = pack([passage])
    start, stop = int(packed.starts[0]), int(packed.stops[0])
    buckets = np.stack([packed.buckets(model.space, order)[start:stop] for order in model.space.orders])
    scan: Scan = scanner.scan(passage)
    words = word_spans(passage, scan, model.word_bits)
    known = [(model.features[f], f, hits) for f, hits in concept_features(scan).items() if f in model.features]
    shape = common | passage_shapes(passage, scan)
    share, n_buckets = _shares(buckets)
    word_share, n_words = _shares(np.array([b for b, _, _ in words], dtype=np.int64))
    return PassageColumns(
        buckets,
        share,
        n_buckets**-0.5,
        words,
        word_share,
        n_words**-0.5,
        known,
        1.0 / (1.0 + len(known)) ** 0.5,
        [(model.shape_offset + _SHAPE_INDEX[name], name, value) for name, value in shape.items() if value],
    )


def _shares(buckets: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], float]:
    """Return 1 / the count of each element's value, and the number of different values, at least 1."""
    _, inverse, counts = np.unique(buckets, return_inverse=True, return_counts=True)
    return (1.0 / counts)[inverse].reshape(buckets.shape), float(max(1, len(counts)))


def main_logit(model: Model, columns: PassageColumns) -> float:
    """Return the full extortion logit of a passage, in nats."""
    main = model.main
    char = int(main.char[np.unique(columns.buckets)].sum(dtype=np.int64))
    word = int(main.word[np.unique([b for b, _, _ in columns.words])].sum(dtype=np.int64)) if columns.words else 0
    named, values = columns.named()
    return float(
        main.intercept
        + main.steps["char"] * columns.char_scale * char
        + main.steps["word"] * columns.word_scale * word
        + np.dot(main.named[named], values)
    )


def head_logits(model: Model, columns: PassageColumns) -> npt.NDArray[np.float64]:
    """Return the logits of all second-stage heads; shape (23,), order of `HEADS`, in nats."""
    heads = model.heads
    total = heads.intercepts.copy()
    coarse = np.unique(columns.buckets) >> head_shift(model)
    total += heads.char_step * columns.char_scale * heads.char[coarse].sum(axis=0, dtype=np.int64)
    if columns.words:
        rows = np.unique([b for b, _, _ in columns.words]) & (len(heads.word) - 1)
        total += heads.word_step * columns.word_scale * heads.word[rows].sum(axis=0, dtype=np.int64)
    named, values = columns.named()
    total += values @ heads.named[named]
    return np.asarray(total)


def head_shift(model: Model) -> int:
    """Bits by which an n-gram bucket is cut for the second-stage heads."""
    return model.space.bits - (len(model.heads.char).bit_length() - 1)


def sigmoid(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Logistic function, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def softmax(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Exponentials that add up to one, along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def probabilities(
    model: Model, logits: npt.NDArray[np.float64], passed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Calibrate logits; those of messages that did not pass the gate stay below the PROTECT cut-off."""
    c = model.calibration
    full = sigmoid(c.slope * logits + c.offset)
    gate = sigmoid(c.gate_slope * logits + c.gate_offset)
    ceiling = 0.5 * float(sigmoid(np.array(c.slope * model.levels.protect + c.offset)))
    return np.where(passed, full, np.minimum(gate, ceiling))


def levels_of(model: Model, logits: npt.NDArray[np.float64], passed: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return `Level.rank` of every message."""
    ranks = np.where(logits >= model.levels.review, Level.REVIEW.rank, Level.PROTECT.rank)
    return np.where(passed & (logits >= model.levels.protect), ranks, Level.NONE.rank).astype(np.uint8)


def threshold(model: Model, fpr: float) -> float:
    """Return the probability that everyday messages exceed at the given rate.

    Parameters
    ----------
    model : Model
        Its stored curve is interpolated in log rate; beyond its ends the tail is continued exponentially.
    fpr : float
        In (0, 1).

    Raises
    ------
    ValueError
        If `fpr` is outside (0, 1).
    """
    if not 0.0 < fpr < 1.0:
        raise ValueError(f"fpr is a rate between 0 and 1, such as 1e-4; got {fpr!r}")
    rates, logits = np.log(model.levels.curve[:, 0]), model.levels.curve[:, 1]
    x = np.log(fpr)
    if x < rates[-1]:
        slope = (logits[-1] - logits[-2]) / (rates[-1] - rates[-2])
        logit = logits[-1] + slope * (x - rates[-1])
    else:
        logit = float(np.interp(-x, -rates, logits))
    c = model.calibration
    return float(sigmoid(np.array(c.slope * logit + c.offset)))


assert len(HEADS) == SCHEME_SLICE.stop
