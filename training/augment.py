"""Seeded variations of corpus rows: what a real stream does to a message without changing what it is.

Each function takes a row and a random generator and returns a new row of the same family (so that splits stay
honest), or
None where the variation does not apply. `quoted` is the one that changes the label: a threat put between a victim's own
words is a plea for help. `recipe.toml` says how often each is used.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from training.corpus import Row

__all__ = ["VARIATIONS", "augment"]

Pool = Mapping[tuple[str, str], Sequence[Row]]  # (language, label or "quote" or "filler") -> rows
Variation = Callable[[Row, random.Random, Pool], Row | None]

_TEXT_SPEAK = {
    "you": "u", "your": "ur", "are": "r", "please": "pls", "because": "cuz", "before": "b4", "to": "2", "for": "4",
    "tonight": "2nite", "people": "ppl", "about": "abt", "with": "w", "want": "wanna", "everyone": "every1",
    "que": "q", "porque": "xq", "por": "x", "tu": "tu", "vous": "vs", "pour": "pr", "nicht": "nich", "ich": "i",
    "non": "nn", "che": "ke", "niet": "nie", "voce": "vc", "você": "vc", "nahi": "nhi", "yang": "yg", "dengan": "dgn",
}  # fmt: skip
_LOOKALIKES = str.maketrans("aeopcyxi", "аеорсухі")
_LEET = str.maketrans("aeiost", "43105+"[:6].replace("+", "7"))
_ZERO_WIDTH = "\u200b\u200c\u2060\ufeff"
_KEYS = "qwertyuiopasdfghjklzxcvbnm"
_QUOTED_PART = re.compile(r"[\"“„«]([^\"“”„«»]{12,})[\"”“»]")
_SENTENCE_END = re.compile(r"(?<=[.!?…\n])\s+")
_FILLER_KINDS = frozenset(
    {"everyday_talk", "marketing_urgency", "medical_and_intimate_care_talk", "live_stream_and_creator_talk"}
)


def _with_text(row: Row, text: str, tag: str) -> Row:
    return replace(row, id=f"{row.id}~{tag}", text=text, spans=())


def typos(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Swap, drop, double or mistype one letter in about every sixth word."""
    words = row.text.split(" ")
    for i, word in enumerate(words):
        if len(word) < 4 or not word.isalpha() or rng.random() > 1 / 6:
            continue
        at = rng.randrange(1, len(word) - 1)
        words[i] = rng.choice(
            (
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + (rng.choice(_KEYS) if word.isascii() else word[at]) + word[at + 1 :],
            )
        )
    return _with_text(row, " ".join(words), "typos")


def casing(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """All capitals, all small, or no punctuation."""
    bare = re.sub(r"[.,;:!?'’]", "", row.text)
    return _with_text(row, rng.choice((row.text.upper(), row.text.lower(), bare, bare.lower())), "case")


def text_speak(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Shorten the words that people shorten."""
    words = [_TEXT_SPEAK.get(w.lower(), w) if rng.random() < 0.7 else w for w in row.text.split(" ")]
    text = " ".join(words)
    return _with_text(row, text.lower(), "speak") if text != row.text else None


def evasion(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Disguise about a third of the longer words the way senders do (domain study, section 4)."""
    words = row.text.split(" ")
    for i, word in enumerate(words):
        if len(word) < 3 or not word.isalpha() or rng.random() > 0.35:
            continue
        at = rng.randrange(1, len(word))
        words[i] = rng.choice(
            (
                word.lower().translate(_LEET),
                word.lower().translate(_LOOKALIKES),
                word[:at] + rng.choice(_ZERO_WIDTH) + word[at:],
                rng.choice(".-*_").join(word),
                word[:at] + word[at] * rng.randint(2, 4) + word[at:],
            )
        )
    return _with_text(row, " ".join(words), "evade")


def numbers(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Other amounts, times and counts of the same length."""
    if not re.search(r"\d", row.text):
        return None
    return _with_text(row, re.sub(r"[1-9]", lambda m: rng.choice("123456789"), row.text), "digits")


def joined(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Two to five messages of the same language and label in a row, as one long message."""
    others = pool.get((row.lang, row.label), ())
    if len(others) < 8:
        return None
    parts = [row, *(rng.choice(others) for _ in range(rng.randint(1, 4)))]
    rng.shuffle(parts)
    text = rng.choice((" ", "\n", "\n\n", ". ")).join(p.text for p in parts)
    patterns = tuple(sorted({p for part in parts for p in part.patterns}))
    frames = {p.frame for p in parts}
    frame = (
        row.frame if row.label != "benign" or len(frames) == 1 else "reported" if "direct" not in frames else row.frame
    )
    return replace(_with_text(row, text, "join"), patterns=patterns, frame=frame)


def embedded(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Small talk before or after: a threat stays a threat among pleasantries."""
    filler = pool.get((row.lang, "filler"), ())
    if row.label == "benign" or not filler:
        return None
    parts = [row.text]
    for _ in range(rng.randint(1, 3)):
        parts.insert(rng.choice((0, len(parts))), rng.choice(filler).text)
    return _with_text(row, rng.choice((" ", "\n")).join(parts), "embed")


def fragment(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """One sentence of a longer threat, when the marked spans show that it says or implies the threat itself."""
    telling = [s for s in row.spans if s.pattern in {"threat_to_circulate", "contact_list_exposure", "recording_claim"}]
    if row.label != "extortion" or len(row.text) < 80 or not telling:
        return None
    bounds = [0, *(m.end() for m in _SENTENCE_END.finditer(row.text)), len(row.text)]
    options = []
    for start, end in pairwise(bounds):
        inside = {s.pattern for s in row.spans if s.start >= start and s.end <= end}
        if end - start > 15 and (len(inside) > 1 or "threat_to_circulate" in inside):
            options.append((start, end, inside))
    if len(options) < 1 or len(bounds) < 3:
        return None
    start, end, inside = rng.choice(options)
    return replace(_with_text(row, row.text[start:end].strip(), "part"), patterns=tuple(sorted(inside)))


def quoted(row: Row, rng: random.Random, pool: Pool) -> Row | None:
    """Put the threat where a victim of the same language quotes another one: the label turns to a plea for help."""
    frames = pool.get((row.lang, "quote"), ())
    if row.label != "extortion" or not frames or len(row.text) > 500:
        return None
    frame = rng.choice(frames)
    text = _QUOTED_PART.sub(lambda m: f'"{row.text}"', frame.text, count=1)
    return replace(frame, id=f"{row.id}~quote", text=text, spans=(), family=row.family)


VARIATIONS: dict[str, Variation] = {
    "typos": typos, "casing": casing, "text_speak": text_speak, "evasion": evasion, "numbers": numbers,
    "joined": joined, "embedded": embedded, "fragment": fragment, "quoted": quoted,
}  # fmt: skip


def _pool(rows: Sequence[Row]) -> Pool:
    pool: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        pool[row.lang, row.label].append(row)
        if row.kind in _FILLER_KINDS and row.frame == "direct":
            pool[row.lang, "filler"].append(row)
        if row.frame in {"help_seeking", "reported"} and _QUOTED_PART.search(row.text):
            pool[row.lang, "quote"].append(row)
    return pool


def augment(rows: Sequence[Row], rates: Mapping[str, float], weight: float, seed: int) -> list[Row]:
    """Return variations of `rows`, without the rows themselves.

    Parameters
    ----------
    rows : sequence of Row
        Only rows of the training side of a split: joined and quoted rows mix several of them.
    rates : mapping of str to float
        Expected copies of each row by each variation; rows of threats and lures count double, as there are fewer.
    weight : float
        Weight of a variation relative to its row.
    seed : int
        Same seed, same rows, same result.
    """
    rng = random.Random(seed)
    pool = _pool(rows)
    out: list[Row] = []
    for row in rows:
        for name, rate in rates.items():
            expected = rate * (1 if row.label == "benign" else 2)
            for copy in range(int(expected) + (rng.random() < expected % 1)):
                new = VARIATIONS[name](row, rng, pool)
                if new is not None and new.text.strip() and new.text != row.text:
                    out.append(replace(new, id=f"{new.id}{copy}", weight=row.weight * weight))
    return out
