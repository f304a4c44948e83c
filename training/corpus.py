"""Our composed corpora: reading, and the vocabulary every row must keep to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sextortion_detect.results import PATTERN_IDS, Frame, Scheme

__all__ = [
    "CHANNELS",
    "DATASETS",
    "KINDS",
    "LABELS",
    "REGISTERS",
    "CorpusError",
    "Row",
    "Span",
    "load_corpus",
    "row_from",
]

DATASETS = Path(__file__).parent.parent / "datasets"
LABELS = ("extortion", "lure", "benign")
CHANNELS = ("dm", "sms", "email", "dating", "game", "comment", "voice", "document")
REGISTERS = (
    "textspeak", "casual", "formal", "machine_translated", "second_language", "regional", "caps", "voice_to_text",
    "polished", "evasive",
)  # fmt: skip
KINDS: tuple[str, ...] = tuple((DATASETS / "kinds.txt").read_text(encoding="utf-8").split())
"""Kinds of look-alikes: the 48 of the domain study, then neighbours that it does not list."""


class CorpusError(ValueError):
    """A corpus row breaks the schema; the message names file, line and field, never the text."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``text[start:end]`` that carry a pattern."""

    pattern: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a corpus; datasets/README.md describes the fields."""

    id: str
    text: str = field(repr=False)
    lang: str
    channel: str
    label: str
    patterns: tuple[str, ...]
    frame: str
    scheme: str | None
    kind: str | None
    register: str
    family: str
    spans: tuple[Span, ...] = ()
    weight: float = 1.0


_CLOSED: dict[str, tuple[str, ...]] = {
    "label": LABELS,
    "channel": CHANNELS,
    "register": REGISTERS,
    "frame": tuple(Frame),
}


def row_from(data: dict[str, Any], where: str) -> Row:
    """Check one row and build it.

    Parameters
    ----------
    data : dict
        The parsed JSON object.
    where : str
        File and line, for the error.

    Raises
    ------
    CorpusError
        If a field is missing, unknown or contradicts another.
    """
    try:
        spans = tuple(Span(**s) for s in data.get("spans", ()))
        row = Row(**{**data, "patterns": tuple(data["patterns"]), "spans": spans})
    except (KeyError, TypeError) as error:
        raise CorpusError(f"{where}: {type(error).__name__} {error}") from None
    if problem := _problem(row):
        raise CorpusError(f"{where}: {problem}")
    return row


def _problem(row: Row) -> str | None:
    """Return the first rule of docs/labelling.md that a row breaks."""
    for name, allowed in _CLOSED.items():
        if getattr(row, name) not in allowed:
            return f"{name} is {getattr(row, name)!r}, not one of {', '.join(allowed)}"
    rules = (
        (not set(row.patterns) <= set(PATTERN_IDS), "there is an unknown pattern"),
        (not row.text.strip(), "the text is empty"),
        ((row.label == "extortion") != (row.scheme in tuple(Scheme)), "extortion rows need a scheme, and only they do"),
        (
            (row.label == "benign") != (row.kind in KINDS),
            "benign rows need a kind of datasets/kinds.txt, and only they do",
        ),
        (row.label != "benign" and not row.patterns, f"an {row.label} row expresses at least one pattern"),
        (
            any(s.pattern not in row.patterns or not 0 <= s.start < s.end <= len(row.text) for s in row.spans),
            "a span lies outside the text or marks a pattern that the row does not have",
        ),
    )
    return next((message for broken, message in rules if broken), None)


def _read(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield row_from(json.loads(line), f"{path.name}:{number}")


def load_corpus(folder: Path = DATASETS) -> list[Row]:
    """Read ``datasets/<language>/*.jsonl`` in alphabetical order.

    Raises
    ------
    CorpusError
        If a row breaks the schema or an id returns.
    """
    rows = [row for path in sorted(folder.glob("*/*.jsonl")) for row in _read(path)]
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise CorpusError(f"the id {row.id} returns; ids are unique over all files")
        seen.add(row.id)
    return rows
