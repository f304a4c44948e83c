"""scikit-learn estimators: the featurizer on its own, and a classifier that can be retrained on other data.

Both take lists (or arrays, or series) of str as X. They learn from scratch; the bundled model is `Detector`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from sextortion_detect.errors import InputTypeError, require_text
from sextortion_detect.features import SHAPES, feature_name
from sextortion_detect.matrix import BLOCKS, Observed, Vocabulary, assemble, observe
from sextortion_detect.ngrams import MAX_ORDER, NgramSpace

__all__ = ["ExtortionClassifier", "MessageFeaturizer"]

_Y = npt.NDArray[Any]


def _texts(x: Any) -> list[str]:
    """Return X as a list of str, or say what is wrong with it."""
    if isinstance(x, str) or not isinstance(x, Iterable):
        raise InputTypeError("X is a list of messages; put a single text into a list: [text]")
    if getattr(x, "ndim", 1) != 1:
        raise InputTypeError("X has more than one dimension; pass one column of texts, for example frame['text']")
    return [require_text(value, i) for i, value in enumerate(x)]


def _check_space(orders: tuple[int, ...], *bits: int) -> None:
    if not orders or any(not 1 <= order <= MAX_ORDER for order in orders):
        raise ValueError(f"orders must be n-gram lengths between 1 and {MAX_ORDER}; got {orders!r}")
    if any(not 1 <= b <= 30 for b in bits):
        raise ValueError("bits and word_bits must lie between 1 and 30")


class MessageFeaturizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn messages into the columns that the bundled model scores, one row a message (the model cuts long ones).

    Parameters
    ----------
    blocks : tuple of {"char", "word", "concept", "shape"}, default=("char", "word", "concept", "shape")
        Which blocks to return, in this order: hashed byte n-grams, hashed words and word pairs, language-independent
        concept features, shape.
    orders : tuple of int, default=(3, 4, 5)
        Lengths of the n-grams, in bytes, 1 to 8.
    bits : int, default=18
        log2 of the number of n-gram buckets.
    word_bits : int, default=16
        log2 of the number of word buckets.
    least_rows : int, default=2
        A concept feature gets a column when it occurs in so many rows of the training data.
    sparse_output : bool, default=True
        Return a csr_matrix. False returns an array, as `set_output(transform="pandas")` needs; leave the hashed
        blocks out then.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The concept features that have a column.

    Examples
    --------
    >>> from sextortion_detect.estimators import MessageFeaturizer
    >>> MessageFeaturizer().fit_transform(["see you at lunch", "pay or i post it"]).shape[0]
    2
    """

    def __init__(
        self,
        *,
        blocks: tuple[str, ...] = BLOCKS,
        orders: tuple[int, ...] = (3, 4, 5),
        bits: int = 18,
        word_bits: int = 16,
        least_rows: int = 2,
        sparse_output: bool = True,
    ) -> None:
        self.blocks = blocks
        self.orders = orders
        self.bits = bits
        self.word_bits = word_bits
        self.least_rows = least_rows
        self.sparse_output = sparse_output

    def _observe(self, x: Any) -> Observed:
        return observe(_texts(x), NgramSpace(tuple(self.orders), self.bits), self.word_bits, whole=True)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Choose the concept columns.

        Parameters
        ----------
        X : iterable of str of length n_samples
            Messages.
        y : ignored

        Raises
        ------
        ValueError
            If a parameter is out of range.
        InputTypeError
            If X is not a list of texts.
        """
        unknown = set(self.blocks) - set(BLOCKS)
        if unknown or not self.blocks:
            raise ValueError(f"blocks must be some of {', '.join(BLOCKS)}; got {self.blocks!r}")
        _check_space(tuple(self.orders), self.bits, self.word_bits)
        texts = _texts(X)
        if not texts:
            raise ValueError("X holds no message; the featurizer needs some to choose its columns")
        observed = self._observe(texts)
        self.vocabulary_ = Vocabulary.of(observed, np.arange(len(observed)), self.least_rows)
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Fit and return the columns of the same messages; X may be a generator."""
        return super().fit_transform(_texts(X), y, **fit_params)

    def transform(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Return the columns of messages.

        Parameters
        ----------
        X : iterable of str of length n_samples
            Messages.

        Returns
        -------
        csr_matrix or ndarray of shape (n_samples, n_features), float32
            Blocks side by side.
        """
        check_is_fitted(self)
        observed = self._observe(X)
        parts = {
            "char": lambda: observed.char,
            "word": lambda: observed.word,
            "concept": lambda: self.vocabulary_.matrix(observed),
            "shape": lambda: sparse.csr_matrix(observed.shape),
        }
        matrix = sparse.hstack([parts[name]() for name in self.blocks], format="csr", dtype=np.float32)
        return matrix if self.sparse_output else matrix.toarray()

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the column names, for example ``near:hold>media`` or ``char:1234``."""
        check_is_fitted(self)
        names: dict[str, list[str]] = {
            "char": [f"char:{i}" for i in range(1 << self.bits)] if "char" in self.blocks else [],
            "word": [f"word:{i}" for i in range(1 << self.word_bits)] if "word" in self.blocks else [],
            "concept": [feature_name(f) for f in self.vocabulary_.features],
            "shape": [f"shape:{name}" for name in SHAPES],
        }
        return np.array([n for block in self.blocks for n in names[block]], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


class ExtortionClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A binary classifier of messages on the project's features; a message scores as its most telling passage.

    Parameters
    ----------
    C : float, default=3.0
        Inverse strength of the L2 penalty.
    class_weight : dict or "balanced", default=None
        As in scikit-learn.
    orders, bits, word_bits, least_rows
        As in `MessageFeaturizer`.
    max_iter : int, default=300
        Iterations of the solver at most.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels seen in fit, sorted; the second one is the positive class.
    """

    def __init__(
        self,
        *,
        C: float = 3.0,  # noqa: N803 - scikit-learn's name
        class_weight: Any = None,
        orders: tuple[int, ...] = (3, 4, 5),
        bits: int = 18,
        word_bits: int = 16,
        least_rows: int = 2,
        max_iter: int = 300,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.orders = orders
        self.bits = bits
        self.word_bits = word_bits
        self.least_rows = least_rows
        self.max_iter = max_iter

    def _observe(self, x: Any) -> Observed:
        return observe(_texts(x), NgramSpace(tuple(self.orders), self.bits), self.word_bits)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit on labelled messages.

        Parameters
        ----------
        X : iterable of str of length n_samples
            Messages.
        y : array-like of shape (n_samples,)
            Two classes.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the messages.

        Raises
        ------
        ValueError
            If y has other than two classes or another length than X.
        """
        _check_space(tuple(self.orders), self.bits, self.word_bits)
        texts, labels = _texts(X), np.asarray(y)
        if labels.shape != (len(texts),):
            raise ValueError(f"y has shape {labels.shape}, but X holds {len(texts)} messages")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"y must hold two classes; it holds {len(self.classes_)}")
        observed = self._observe(texts)
        self.vocabulary_ = Vocabulary.of(observed, np.arange(len(observed)), self.least_rows)
        matrix, _ = assemble(observed, self.vocabulary_, (1.0, 1.0, 1.0, 1.0))
        weight = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        shared = weight / np.bincount(observed.owner)
        model = LogisticRegression(C=self.C, class_weight=self.class_weight, max_iter=self.max_iter)
        self.model_ = model.fit(matrix, codes[observed.owner], sample_weight=shared[observed.owner])
        return self

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """Return the logit of the positive class; shape (n_samples,)."""
        check_is_fitted(self)
        texts = _texts(X)
        if not texts:
            return np.zeros(0)
        observed = self._observe(texts)
        matrix, _ = assemble(observed, self.vocabulary_, (1.0, 1.0, 1.0, 1.0))
        return observed.most(self.model_.decision_function(matrix))

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """Return probabilities of both classes; shape (n_samples, 2)."""
        p = 0.5 * (1.0 + np.tanh(0.5 * self.decision_function(X)))
        return np.column_stack([1.0 - p, p])

    def predict(self, X: Any) -> _Y:  # noqa: N803 - scikit-learn's name
        """Return the likelier class of each message; shape (n_samples,)."""
        logits = self.decision_function(X)
        return np.asarray(self.classes_[(logits > 0).astype(int)])

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_class = False
        return tags
