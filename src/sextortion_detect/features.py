"""Concept hits + words + shape → named, language-independent columns.

Four blocks, each with its own scale so that chat lines and long mails are comparable:

- ``char``: hashed byte n-grams, from `ngrams` (1 / sqrt(number of windows) each);
- ``word``: hashed words and word pairs (1 / sqrt(number of them) each);
- ``has``, ``near``, ``trio``, ``wide``: which concepts occur, which follow each other closely, which meet in one
clause,   which meet in one passage. What is learnt in one language holds in all;
- ``shape``: length, casing, punctuation, disguises, who is spoken of; each in [0, 1].
"""

from __future__ import annotations

import zlib
from itertools import combinations, pairwise

from sextortion_detect.concepts import Hit, Scan
from sextortion_detect.normalise import FOLD_KINDS, Folded

__all__ = [
    "NEAR_WORDS",
    "SHAPES",
    "TRIO_WORDS",
    "WIDE_WORDS",
    "Feature",
    "concept_features",
    "feature_name",
    "message_shapes",
    "parse_feature",
    "passage_shapes",
    "word_spans",
]

NEAR_WORDS = 5  # b starts at most so many words after a ends
TRIO_WORDS = 12  # three concepts inside a clause or two
WIDE_WORDS = 40  # two concepts inside a passage

Feature = tuple[str, ...]
"""``("has", a)``, ``("near", a, b)``, ``("trio", a, b, c)`` or ``("wide", a, b)``; the last two sorted."""

_JOINERS = {"near": ">", "trio": "+", "wide": "+", "has": ""}


def feature_name(feature: Feature) -> str:
    """Return the readable name, for example ``near:hold>media``."""
    return f"{feature[0]}:{_JOINERS[feature[0]].join(feature[1:])}"


def parse_feature(name: str) -> Feature:
    """Turn a readable name back into the feature; the inverse of `feature_name`."""
    kind, _, rest = name.partition(":")
    return (kind, *rest.split(_JOINERS[kind])) if _JOINERS[kind] else (kind, rest)


def concept_features(scan: Scan) -> dict[Feature, tuple[Hit, ...]]:
    """List the concept features of a message, each with the hits where it first occurs.

    Parameters
    ----------
    scan : Scan
        From `ConceptScanner.scan`.

    Returns
    -------
    dict of Feature to tuple of Hit
        In order of first occurrence.
    """
    found: dict[Feature, tuple[Hit, ...]] = {}
    hits = scan.hits
    for i, hit in enumerate(hits):
        found.setdefault(("has", hit.concept), (hit,))
        nearby: dict[str, Hit] = {}
        for j in range(i + 1, len(hits)):  # not a slice: a long message would be copied for every hit
            other = hits[j]
            gap = other.first - hit.last
            if gap > WIDE_WORDS:
                break
            if gap <= 0 and other.start < hit.end:
                continue  # the same words under two concepts say nothing new
            if gap <= NEAR_WORDS:
                found.setdefault(("near", hit.concept, other.concept), (hit, other))
            if other.concept != hit.concept:
                if gap <= TRIO_WORDS:
                    nearby.setdefault(other.concept, other)
                low, high = sorted((hit.concept, other.concept))
                found.setdefault(("wide", low, high), (hit, other))
        for (a, hit_a), (b, hit_b) in combinations(nearby.items(), 2):
            found.setdefault(("trio", *sorted((hit.concept, a, b))), (hit, hit_a, hit_b))
    return found


SHAPES: tuple[str, ...] = (
    *(f"fold_{kind}" for kind in FOLD_KINDS),
    "capitals", "emoji", "questions", "exclamations", "quotation", "lines", "digits", "handles", "links",
    "share_first", "share_second", "share_third", "starts_quoted",
    *(f"mix_{bits:05b}{frame}" for bits in range(1, 32) for frame in ("", "_framed")),
)  # fmt: skip
"""Names of the shape columns, in order. Length is not among them: with it, fewer threats by others were found."""


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole else 0.0


def message_shapes(original: str, folded: Folded) -> dict[str, float]:
    """Return the shape columns that belong to the whole message: disguises, capitals, emoji; each in [0, 1]."""
    letters = sum(map(str.isalpha, original))
    capitals = letters > 8 and sum(map(str.isupper, original)) > 0.6 * letters
    emoji = 0 if original.isascii() else sum(0x1F000 <= ord(c) <= 0x1FAFF for c in original)
    values = {f"fold_{kind}": _share(count, 3) for kind, count in folded.counts.items()}
    return values | {"capitals": float(capitals), "emoji": _share(emoji, 4)}


_ANY_OF = (
    {"send", "publish", "reveal"},  # somebody will be shown
    {"audience", "contacts"},  # who
    {"pay", "money", "amount", "rail", "wallet", "orders"},  # what is wanted
    {"deadline", "clock", "countdown", "condition", "block", "police", "secrecy", "harm"},  # pressure
)


def _mixture(concepts: set[str]) -> str:
    """Name which of the five parts of extortion meet in a passage: possession, showing, audience, demand, pressure.

    Pairs and triples are scaled down where many are active; this column is not, so that a message with all its parts
    in the open is the surest one. The parts are those of the domain study's composition rules (section 2.4).
    """
    holds_media = "hold" in concepts and not concepts.isdisjoint({"media", "intimate"})
    possession = holds_media or not concepts.isdisjoint({"capture", "device"})
    bits = "".join("1" if part else "0" for part in (possession, *(concepts & words for words in _ANY_OF)))
    return f"mix_{bits}_framed" if concepts & {"help", "report"} else f"mix_{bits}"


def passage_shapes(text: str, scan: Scan) -> dict[str, float]:
    """Return the shape columns of a passage of folded text: who is spoken of, how it is punctuated; each in [0, 1]."""
    n_words = len(scan.words)
    found = dict.fromkeys(("first", "second", "third", "handle", "link"), 0)
    for hit in scan.hits:
        if hit.concept in found:
            found[hit.concept] += 1
    mixture = _mixture({hit.concept for hit in scan.hits})
    return {
        mixture: float("1" in mixture),
        "questions": _share(text.count("?") + text.count("؟"), 3),
        "exclamations": _share(text.count("!"), 3),
        "quotation": _share(text.count('"'), 4),
        "lines": _share(text.count("\n"), 10),
        "digits": _share(sum(map(str.isdigit, text)), 0.3 * len(text)),
        "handles": _share(found["handle"], 3),
        "links": _share(found["link"], 2),
        "share_first": _share(found["first"], n_words),
        "share_second": _share(found["second"], n_words),
        "share_third": _share(found["third"], n_words),
        "starts_quoted": float(text.lstrip().startswith('"')),
    }


def word_spans(folded: str, scan: Scan, bits: int) -> list[tuple[int, int, int]]:
    """Hash the words and word pairs of a message.

    Parameters
    ----------
    folded : str
        The folded text.
    scan : Scan
        Its scan.
    bits : int
        log2 of the number of buckets.

    Returns
    -------
    list of (bucket, start, end)
        CRC-32 of the words' UTF-8, cut to `bits`; characters of the folded text.
    """
    spans = scan.words
    mask = (1 << bits) - 1
    tokens = [folded[s:e].encode("utf-8") for s, e in spans]
    out = [(zlib.crc32(token) & mask, s, e) for token, (s, e) in zip(tokens, spans, strict=True)]
    for (a, b), ((start, _), (_, end)) in zip(pairwise(tokens), pairwise(spans), strict=True):
        out.append((zlib.crc32(a + b" " + b) & mask, start, end))
    return out
