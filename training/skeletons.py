"""Which texts say nearly the same, and which open alike: an exact index over character 5-grams."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

import regex

__all__ = ["near_pairs", "opening", "plain_words"]

_NEAR = 60  # percent: Jaccard similarity of character 5-grams from which two texts say the same
_GRAM = 5
_MEETINGS = 4  # shared rare grams before two texts are compared
_OPENING = 4  # words
_NOT_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def plain_words(text: str) -> str:
    """Return a text in lower case, its words separated by single spaces and without punctuation."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def opening(words: str) -> str | None:
    """Return the first four words of a plain text, or None if it is shorter."""
    parts = words.split(" ", _OPENING)[:_OPENING]
    return " ".join(parts) if len(parts) == _OPENING else None


def _grams(words: str) -> set[str]:
    return {words[i : i + _GRAM] for i in range(max(1, len(words) - _GRAM + 1))}


def near_pairs(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find all pairs whose 5-grams have a Jaccard similarity of at least 0.6.

    Two sets that similar share four of the rarest ``0.4 * size + 4`` members of each (or all they share, if smaller),
    so only texts that meet so often in an index of those are compared: exact, and 20,000 messages take seconds.

    Parameters
    ----------
    texts : sequence of str
        Plain texts, see `plain_words`.

    Yields
    ------
    tuple of int
        Positions of the earlier and the later text.
    """
    grams = [_grams(text) for text in texts]
    frequency = Counter(gram for members in grams for gram in members)
    index: dict[str, list[int]] = defaultdict(list)
    for later, members in enumerate(grams):
        rarest = sorted(members, key=lambda gram: (frequency[gram], gram))
        del rarest[len(members) * (100 - _NEAR) // 100 + _MEETINGS :]
        met = Counter(chain.from_iterable(index[gram] for gram in rarest))
        enough = min(_MEETINGS, -(-_NEAR * len(members) // 100))
        for earlier in sorted(number for number, times in met.items() if times >= enough):
            shared = len(members & grams[earlier])
            if 100 * shared >= _NEAR * (len(members) + len(grams[earlier]) - shared):
                yield earlier, later
        for gram in rarest:
            index[gram].append(later)
