import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from sextortion_detect.ngrams import NgramSpace, message_blocks, pack, window_sums
from sextortion_detect.normalise import fold

_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23)


def slow_bucket(window: bytes, order: int, bits: int) -> int:
    """The hash, written the obvious way."""
    cut = (int.from_bytes(window[:8].ljust(8, b"\0"), "little") << (64 - 8 * order)) % 2**64
    multiplier = (0x9E3779B97F4A7C15 * _PRIMES[order - 1]) % 2**64
    return (cut * multiplier % 2**64) >> (64 - bits)


def slow_sum(text: str, space: NgramSpace, weights: np.ndarray) -> int:
    """Every window of every order, one by one; the text stands between a blank and zeros."""
    data = b" " + text.encode("utf-8")
    padded = data + bytes(16)
    return sum(
        int(weights[slow_bucket(padded[i : i + 8], order, space.bits)])
        for order in space.orders
        for i in range(len(data))
    )


SPACE = NgramSpace((2, 3, 5, 8), 12)
WEIGHTS = np.random.default_rng(1).integers(-32_000, 32_000, SPACE.size).astype(np.int16)


@given(st.lists(texts, min_size=1, max_size=8))
def test_agrees_with_the_obvious_implementation(batch):
    folded = [fold(t).text for t in batch]
    assert window_sums(pack(folded), SPACE, WEIGHTS).tolist() == [slow_sum(t, SPACE, WEIGHTS) for t in folded]


@given(st.lists(texts, min_size=2, max_size=8))
def test_neighbours_do_not_matter(batch):
    folded = [fold(t).text for t in batch]
    together = window_sums(pack(folded), SPACE, WEIGHTS)
    alone = [int(window_sums(pack([t]), SPACE, WEIGHTS)[0]) for t in folded]
    assert together.tolist() == alone


def test_long_messages_are_summed_in_64_bits():
    top = np.full(SPACE.size, 32_000, dtype=np.int16)
    text = "x" * 40_000
    assert window_sums(pack([text, "y"]), SPACE, top)[0] == 4 * 32_000 * 40_001


@pytest.mark.parametrize("sizes", [[], [1], [0, 0], [600_000, 600_000, 3], [5] * 1500, [2_000_000]])
def test_blocks_cover_everything_once(sizes):
    texts_ = ["x" * n for n in sizes]
    seen = [i for block in message_blocks(texts_) for i in range(block.start, block.stop)]
    assert seen == list(range(len(sizes)))
