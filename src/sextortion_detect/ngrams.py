"""Hashed byte n-grams of folded text, for a whole batch at once.

The texts of a block are joined into one buffer; overlapping 8-byte words are read from it by stride tricks, cut to n
bytes, and hashed by multiply-shift (Dietzfelbinger et al. 1997, "A reliable randomized algorithm for the closest-pair
problem"). Weights are 16-bit fixed-point numbers, so sums are exact integers: they do not depend on the order of
summation or on what else is in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MAX_ORDER", "NgramSpace", "Packed", "message_blocks", "pack", "window_sums"]

MAX_ORDER = 8  # bytes of the longest n-gram: what fits in one 64-bit word
_PAD = MAX_ORDER - 1  # zero bytes between messages, so that no window sees two of them
_SEPARATOR = "\0" * _PAD + " "
_MULTIPLIERS = tuple(
    # Odd 64-bit constants: the golden-ratio multiplier of Knuth (TAOCP 3, 6.4) times successive odd primes.
    np.uint64(0x9E3779B97F4A7C15 * prime & 0xFFFFFFFFFFFFFFFF)
    for prime in (3, 5, 7, 11, 13, 17, 19, 23)
)
_LONG_MESSAGE = 16_000  # bytes; 4 orders x 2^15 x this stays below 2^31, so shorter ones are summed in 32 bits
_BLOCK_MESSAGES = 512  # measured in the prototype: a block that stays in cache is twice as fast as one of 4,096
_BLOCK_CHARS = 1 << 20


@dataclass(frozen=True, slots=True)
class NgramSpace:
    """Which n-grams are counted, and into how many buckets.

    Parameters
    ----------
    orders : tuple of int
        Lengths in bytes, each 1 to 8.
    bits : int
        log2 of the number of buckets, 1 to 30.
    """

    orders: tuple[int, ...]
    bits: int

    @property
    def size(self) -> int:
        """Number of buckets."""
        return 1 << self.bits


@dataclass(frozen=True, slots=True)
class Packed:
    """Folded texts joined into one buffer.

    Parameters
    ----------
    words : ndarray of shape (n_bytes,), uint64
        The 8 bytes that start at each position, little-endian.
    starts, stops : ndarray of shape (n,), int64
        Windows of message i start in ``[starts[i], stops[i])``.
    """

    words: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]

    @property
    def scale(self) -> npt.NDArray[np.float64]:
        """``1 / sqrt(number of windows)`` of each message: keeps chat lines and long mails comparable."""
        return 1.0 / np.sqrt((self.stops - self.starts).astype(np.float64))

    def buckets(self, space: NgramSpace, order: int) -> npt.NDArray[np.int64]:
        """Return the bucket of the window of `order` bytes that starts at each position."""
        cut = self.words << np.uint64(64 - 8 * order) if order < MAX_ORDER else self.words
        hashed = (cut * _MULTIPLIERS[order - 1]) >> np.uint64(64 - space.bits)
        return hashed.view(np.int64)


def pack(folded: Sequence[str]) -> Packed:
    """Join folded texts (no NUL in them; `normalise` removes it) into one buffer.

    Parameters
    ----------
    folded : sequence of str
        At least one text.
    """
    joined = (" " + _SEPARATOR.join(folded) + "\0" * (2 * MAX_ORDER)).encode("utf-8")
    data = np.frombuffer(joined, dtype=np.uint8)
    n_bytes = len(data) - MAX_ORDER
    words = np.lib.stride_tricks.as_strided(np.frombuffer(joined, dtype="<u8", count=1), (n_bytes,), (1,))
    zero = data[:n_bytes] == 0
    starts = np.flatnonzero(zero[:-1] & ~zero[1:]) + 1
    starts = np.concatenate((np.zeros(1, dtype=np.int64), starts))
    stops = np.flatnonzero(~zero[:-1] & zero[1:]) + 1
    return Packed(words, starts, stops)


def window_sums(packed: Packed, space: NgramSpace, weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Sum fixed-point weights over all windows of every message.

    Parameters
    ----------
    packed : Packed
        Of n messages.
    space : NgramSpace
        At most 4 orders.
    weights : ndarray of shape (space.size,), int16
        One weight a bucket.

    Returns
    -------
    ndarray of shape (n,), int64
        Exact sums.
    """
    total = np.zeros(len(packed.words), dtype=np.int32)
    for order in space.orders:
        total += weights.take(packed.buckets(space, order), mode="clip")
    bounds = np.empty(2 * len(packed.starts), dtype=np.int64)
    bounds[0::2], bounds[1::2] = packed.starts, packed.stops
    wide = np.int64 if int((packed.stops - packed.starts).max()) > _LONG_MESSAGE else np.int32
    return np.add.reduceat(total, bounds, dtype=wide)[::2].astype(np.int64)


def message_blocks(folded: Sequence[str]) -> Iterator[slice]:
    """Cut a batch into slices that stay in cache: at most 512 messages or about a million characters each."""
    start = chars = 0
    for i, text in enumerate(folded):
        chars += len(text)
        if i - start >= _BLOCK_MESSAGES or chars > _BLOCK_CHARS:
            if i > start:
                yield slice(start, i)
            start, chars = i, len(text)
    if start < len(folded):
        yield slice(start, len(folded))
