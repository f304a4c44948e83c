"""Verdicts → lines for people (table) or programs (jsonl), written as they come.

Message text appears only when asked for, and then never as it stands: it may hold terminal commands, invisible
characters or right-to-left tricks.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TextIO

import click

from sextortion_detect.inputs import Item
from sextortion_detect.scan import Row

__all__ = ["JsonLines", "Report", "Table", "harmless", "verdict_lines"]

_PATTERN_NAMES = {
    "payment_demand": "payment demand",
    "threat_to_circulate": "threat to share",
    "contact_list_exposure": "contact list",
    "recording_claim": "recording claim",
    "device_compromise": "hacked device",
    "deadline_pressure": "deadline",
    "image_coercion": "image coercion",
    "webcam_lure": "webcam lure",
    "platform_switch": "platform switch",
    "silence_isolation": "silence",
    "proof_offer": "proof offer",
    "repeat_demand": "repeat demand",
    "authority_impersonation": "fake authority",
}
_LIKELY = 0.5
_MOST_PATTERNS = 3
_MOST_QUOTES = 6
_LONGEST_QUOTE = 60
_NARROWEST, _WIDEST = 100, 160
_STYLES: dict[str, dict[str, Any]] = {"review": {"fg": "red", "bold": True}, "protect": {"fg": "yellow"}, "none": {}}
_FIXED = (7, 6, 23)  # level, chance, "help seeking / loan app" and its like
_GAP = "  "


class Report(Protocol):
    """Where rows go."""

    def row(self, item: Item, verdict: Row) -> None:
        """Write one message's verdict."""

    def close(self, level: str) -> None:
        """Write what is due when no row came; `level` is the lowest level that was asked for."""


class JsonLines:
    """One JSON object a line, in ASCII, so that no terminal or code page can trip over it.

    Parameters
    ----------
    out : TextIO
        Where to.
    show_text : bool
        Whether to add the message as ``text``.
    """

    def __init__(self, out: TextIO, *, show_text: bool) -> None:
        self._out, self._show_text = out, show_text

    def row(self, item: Item, verdict: Row) -> None:
        """Write source, row and id, then the verdict."""
        record = {"source": item.source, "row": item.row, "id": item.id, **verdict}
        if self._show_text:
            record["text"] = item.text
        self._out.write(json.dumps(record) + "\n")

    def close(self, level: str) -> None:
        """Write nothing: an empty answer is an empty file."""


class Table:
    """Columns for reading, with the words that mattered on lines beneath when asked for.

    Parameters
    ----------
    out : TextIO
        Where to.
    show_text : bool
        Whether to quote the evidence.
    colour : bool
        Whether levels are coloured.
    width : int, optional
        In characters; by default that of the terminal, but 100 to 160.
    """

    def __init__(self, out: TextIO, *, show_text: bool, colour: bool, width: int | None = None) -> None:
        self._out, self._show_text, self._colour = out, show_text, colour
        columns = width or shutil.get_terminal_size((_NARROWEST, 24)).columns
        self._width = min(max(columns, _NARROWEST), _WIDEST)
        free = self._width - sum(_FIXED) - 4 * len(_GAP)
        patterns = min(49, free * 3 // 5)  # 49: the three longest names
        self._widths = (*_FIXED[:2], patterns, _FIXED[2], free - patterns)
        self._empty = True

    def row(self, item: Item, verdict: Row) -> None:
        """Write one message."""
        if self._empty:
            self._write(("level", "chance", "patterns", "frame / scheme", "where"), "none")
            self._empty = False
        where = _tail(harmless(f"{item.source}:{item.row}"), self._widths[-1])
        if item.id is not None:
            where += f" ({harmless(item.id)})"
        cells = (verdict["level"], _percent(verdict["probability"]), _patterns(verdict), _kind(verdict), where)
        self._write(cells, verdict["level"])
        if self._show_text:
            indent = " " * (_FIXED[0] + len(_GAP))
            for line in _wrap(_quotes(verdict, item.text), self._width - len(indent)):
                self._out.write(f"{indent}{line}\n")

    def close(self, level: str) -> None:
        """Say so if there was nothing to show."""
        if self._empty:
            self._out.write(f"nothing at level {level} or above\n" if level != "none" else "no messages\n")

    def _write(self, cells: tuple[str, ...], level: str) -> None:
        wrapped = [list(_wrap([cell], width)) or [""] for cell, width in zip(cells, self._widths, strict=True)]
        for i in range(max(map(len, wrapped))):
            parts = [lines[i] if i < len(lines) else "" for lines in wrapped]
            padded = [part + " " * (width - _cells(part)) for part, width in zip(parts, self._widths, strict=True)]
            if self._colour and _STYLES[level]:
                padded[0] = click.style(padded[0], **_STYLES[level])
            self._out.write(_GAP.join(padded).rstrip() + "\n")


def verdict_lines(verdict: Row, text: str | None = None) -> Iterator[str]:
    """Yield one verdict as readable lines.

    Parameters
    ----------
    verdict : dict
        From `Verdict.to_dict`.
    text : str, optional
        The message, if the words that mattered are to be quoted.
    """
    yield f"level     {verdict['level']}"
    yield f"chance    {_percent(verdict['probability'])}"
    yield f"patterns  {_patterns(verdict)}"
    yield f"frame     {verdict['frame'].replace('_', ' ')}"
    yield f"scheme    {(verdict['scheme'] or '-').replace('_', ' ')}"
    if text is not None:
        yield f"words     {' '.join(_quotes(verdict, text)) or '-'}"


# --- cells --------------------------------------------------------------------------------------------------------


def _percent(probability: float) -> str:
    return f"{min(probability * 100, 99.9):.1f}%"  # never certain


def _patterns(verdict: Row) -> str:
    strongest = sorted(verdict["patterns"].items(), key=lambda p: (-p[1], p[0]))[:_MOST_PATTERNS]
    return ", ".join(_name(pattern) for pattern, p in strongest if p >= _LIKELY) or "-"


def _name(pattern: str) -> str:
    return _PATTERN_NAMES.get(pattern, pattern.replace("_", " "))


def _kind(verdict: Row) -> str:
    parts = [verdict["frame"], verdict["scheme"]]
    return " / ".join(part.replace("_", " ") for part in parts if part)


def _quotes(verdict: Row, text: str) -> list[str]:
    """Quote the strongest words, each stretch once, under the pattern that they carried."""
    taken: list[tuple[int, int]] = []
    quoted: dict[str, list[str]] = {}
    for evidence in verdict["evidence"]:
        start, end = evidence["start"], evidence["end"]
        if len(taken) == _MOST_QUOTES:
            break
        if any(start < e and s < end for s, e in taken):
            continue
        taken.append((start, end))
        shown = harmless(text[start : min(end, start + _LONGEST_QUOTE)]) + ("…" if end - start > _LONGEST_QUOTE else "")
        quoted.setdefault(_name(evidence["pattern"]), []).append(f'"{shown}"')
    return ["; ".join(f"{name}: {', '.join(quotes)}" for name, quotes in quoted.items())]


# --- characters ---------------------------------------------------------------------------------------------------


def harmless(text: str) -> str:
    """Make text safe to print: blanks and newlines become one space, all that is not printable a visible dot.

    Parameters
    ----------
    text : str
        Anything, terminal escape sequences and lone surrogates included.

    Returns
    -------
    str
        Printable characters only. Honest letters of every script stay.
    """
    return "".join(char if char.isprintable() else "·" for char in " ".join(text.split()))


def _cells(text: str) -> int:
    """Return how many columns a terminal takes for it."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _tail(text: str, width: int) -> str:
    """Shorten from the left: the end of a path tells more."""
    while _cells(text) > width:  # again only where characters are wide
        text = "…" + text[max(2, len(text) - width + 1) :]
    return text


def _wrap(texts: Iterable[str], width: int) -> Iterator[str]:
    """Fill lines of at most `width` columns with words; what is too long for a line is cut."""
    line = ""
    for word in (piece for text in texts for whole in text.split() for piece in _cut(whole, width)):
        if line and _cells(line) + 1 + _cells(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield line


def _cut(word: str, width: int) -> Iterator[str]:
    piece, used = "", 0
    for char in word:
        cells = _cells(char)
        if used + cells > width:
            yield piece
            piece, used = "", 0
        piece += char
        used += cells
    yield piece
