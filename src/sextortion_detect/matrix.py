"""Texts → passages → one sparse matrix: what `scoring` computes for one message, for as many as a fit needs.

Only training and the estimators import this module; it needs SciPy, which scikit-learn brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse

from sextortion_detect.concepts import ConceptScanner
from sextortion_detect.features import SHAPES, Feature, concept_features, message_shapes, passage_shapes, word_spans
from sextortion_detect.lexicon_files import load_entities, load_lexicons
from sextortion_detect.ngrams import NgramSpace, pack
from sextortion_detect.normalise import fold
from sextortion_detect.passages import cut

__all__ = ["BLOCKS", "Columns", "Observed", "Vocabulary", "assemble", "observe"]

BLOCKS = ("char", "word", "concept", "shape")
_CHUNK = 4000  # messages one worker handles at a time
_SHAPE_INDEX = {name: i for i, name in enumerate(SHAPES)}


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything the feature blocks need to know about the passages of some texts, before columns are chosen.

    Parameters
    ----------
    owner : ndarray of shape (n,), int64
        Index of the text that each passage belongs to.
    char, word : csr_matrix
        Hashed blocks, scaled, of shape (n, buckets).
    concepts : list of tuple of Feature
        Concept features of each text.
    shape : ndarray of shape (n, len(SHAPES)), float32
        Shape columns.
    """

    owner: npt.NDArray[np.int64]
    char: sparse.csr_matrix
    word: sparse.csr_matrix
    concepts: list[tuple[Feature, ...]]
    shape: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.concepts)

    def take(self, rows: npt.NDArray[np.int64]) -> Observed:
        """Return the given passages."""
        concepts = [self.concepts[i] for i in rows]
        return Observed(self.owner[rows], self.char[rows], self.word[rows], concepts, self.shape[rows])

    def most(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Reduce passage scores to text scores: the highest of each text. Passages of a text stand together."""
        first = np.flatnonzero(np.r_[True, self.owner[1:] != self.owner[:-1]])
        return np.asarray(np.maximum.reduceat(scores, first))

    @staticmethod
    def stack(parts: Sequence[Observed]) -> Observed:
        """Put several lists of texts under each other, renumbering the owners."""
        offsets = np.cumsum([0, *(int(p.owner[-1]) + 1 for p in parts[:-1])])
        return Observed(
            np.concatenate([p.owner + offset for p, offset in zip(parts, offsets, strict=True)]),
            sparse.vstack([p.char for p in parts], format="csr"),
            sparse.vstack([p.word for p in parts], format="csr"),
            [c for p in parts for c in p.concepts],
            np.concatenate([p.shape for p in parts]),
        )


def _csr(rows: list[npt.NDArray[np.int64]], scale: npt.NDArray[np.float64], width: int) -> sparse.csr_matrix:
    lengths = np.fromiter((len(r) for r in rows), dtype=np.int64, count=len(rows))
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    indices = np.concatenate(rows).astype(np.int32) if rows else np.zeros(0, np.int32)
    data = np.repeat(scale, lengths).astype(np.float32)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), width))
    matrix.sum_duplicates()
    return matrix


def _observe_chunk(texts: Sequence[str], space: NgramSpace, word_bits: int, *, whole: bool) -> Observed:
    scanner = _scanner()
    folded = [fold(text) for text in texts]
    spans = [[(0, len(f.text))] if whole else cut(f.text) for f in folded]
    owner = np.repeat(np.arange(len(texts)), [len(s) for s in spans])
    passages = [f.text[s:e] for f, cuts in zip(folded, spans, strict=True) for s, e in cuts]
    packed = pack(passages)
    by_order = [packed.buckets(space, order) for order in space.orders]
    char_rows = [
        np.unique(np.concatenate([b[start:stop] for b in by_order]))
        for start, stop in zip(packed.starts, packed.stops, strict=True)
    ]
    word_rows: list[npt.NDArray[np.int64]] = []
    concepts: list[tuple[Feature, ...]] = []
    shape = np.zeros((len(passages), len(SHAPES)), dtype=np.float32)
    common = [message_shapes(text, f) for text, f in zip(texts, folded, strict=True)]
    for i, passage in enumerate(passages):
        scan = scanner.scan(passage)
        concepts.append(tuple(concept_features(scan)))
        word_rows.append(np.unique(np.array([b for b, _, _ in word_spans(passage, scan, word_bits)], dtype=np.int64)))
        for name, value in (common[owner[i]] | passage_shapes(passage, scan)).items():
            if value:
                shape[i, _SHAPE_INDEX[name]] = value
    char = _csr(char_rows, _presence_scale(char_rows), space.size)
    word = _csr(word_rows, _presence_scale(word_rows), 1 << word_bits)
    return Observed(owner, char, word, concepts, shape)


def _presence_scale(rows: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.float64]:
    """``1 / sqrt(n)`` for n different columns: presence counts, not repetition, so saying it twice changes nothing."""
    return np.asarray(1.0 / np.sqrt(np.maximum(1.0, [len(r) for r in rows])))


_SCANNERS: list[ConceptScanner] = []  # one per worker process, built on first use


def _scanner() -> ConceptScanner:
    if not _SCANNERS:
        _SCANNERS.append(ConceptScanner(load_lexicons(), load_entities()))
    return _SCANNERS[0]


def observe(
    texts: Sequence[str], space: NgramSpace, word_bits: int, *, workers: int = 1, whole: bool = False
) -> Observed:
    """Compute all feature blocks of many texts, in order.

    Parameters
    ----------
    texts : sequence of str
        Original texts.
    space : NgramSpace
        The n-gram block.
    word_bits : int
        log2 of the buckets of the word block.
    workers : int, default=1
        Processes.
    whole : bool, default=False
        One row a text, instead of one a passage.
    """
    chunks = [texts[i : i + _CHUNK] for i in range(0, len(texts), _CHUNK)]
    parts: Iterable[Observed] = Parallel(n_jobs=workers)(
        delayed(_observe_chunk)(chunk, space, word_bits, whole=whole) for chunk in chunks
    )
    return Observed.stack(list(parts))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The concept features that get a column."""

    features: tuple[Feature, ...]

    @classmethod
    def of(cls, observed: Observed, rows: npt.NDArray[np.int64], least: int) -> Vocabulary:
        """Keep what occurs in at least `least` of the given rows, in sorted order."""
        counts = Counter(f for i in rows for f in observed.concepts[i])
        return cls(tuple(sorted(f for f, n in counts.items() if n >= least)))

    def matrix(self, observed: Observed) -> sparse.csr_matrix:
        """Return the concept block, scaled as `scoring` scales it."""
        index = {f: i for i, f in enumerate(self.features)}
        rows = [np.array([index[f] for f in fs if f in index], dtype=np.int64) for fs in observed.concepts]
        scale = concept_scale(np.array([len(r) for r in rows]))
        return _csr(rows, scale, len(self.features))


def concept_scale(n_active: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """``1 / sqrt(1 + n)`` for n active concept columns: so that long texts weigh no more than short ones."""
    return np.asarray(1.0 / np.sqrt(1.0 + n_active))


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each block begins in the assembled matrix, and by what its columns are multiplied while fitting."""

    widths: tuple[int, int, int, int]
    boost: tuple[float, float, float, float]

    def split(self, weights: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
        """Cut fitted weights into blocks and undo the boost."""
        bounds = np.cumsum((0, *self.widths))
        return {name: weights[..., bounds[i] : bounds[i + 1]] * self.boost[i] for i, name in enumerate(BLOCKS)}


def assemble(
    observed: Observed, vocabulary: Vocabulary, boost: tuple[float, float, float, float]
) -> tuple[sparse.csr_matrix, Columns]:
    """Put the blocks side by side; a boost above 1 makes a block cheaper under the common L2 penalty."""
    blocks = (observed.char, observed.word, vocabulary.matrix(observed), sparse.csr_matrix(observed.shape))
    columns = Columns(tuple(b.shape[1] for b in blocks), boost)
    scaled = [b if k == 1.0 else b * np.float32(k) for b, k in zip(blocks, boost, strict=True)]
    return sparse.hstack(scaled, format="csr", dtype=np.float32), columns
