"""Text → folded copy + a map from every folded character back to the original.

The folded copy is what features see. Each rewrite below undoes one disguise of the domain study's evasion list; how
often it had to is itself a feature (`Folded.counts`). Honest text in any script comes out as itself in lower case.
Nothing here looks at meaning. Scoring folds without the map, showing evidence folds with it: one code path, so both
see the same text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from sextortion_detect.characters import FOLDED_CHARACTERS, is_invisible
from sextortion_detect.disguises import undo_disguises
from sextortion_detect.tape import Replacement, Tape

__all__ = ["FOLD_KINDS", "Folded", "fold", "fold_with_map"]

FOLD_KINDS = ("markup", "quoted", "invisible", "fancy", "mixed_script", "spaced", "leet", "stretched")
"""The disguises and wrappings that are counted, in the order in which they are undone."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded copy of a text.

    Parameters
    ----------
    text : str
        Lower case, disguises undone.
    counts : dict of str to int
        How often each of `FOLD_KINDS` was undone; kinds that were not are absent.
    starts, ends : list of int or None
        Character i of `text` stands for ``original[starts[i]:ends[i]]``; None means position i is position i.
    """

    text: str
    counts: dict[str, int]
    starts: list[int] | None = None
    ends: list[int] | None = None

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original characters behind ``text[start:end]``, for ``0 <= start < end <= len(text)``."""
        if self.starts is None or self.ends is None:
            return start, end
        return min(self.starts[start:end]), max(self.ends[start:end])


# --- markup and quoting -------------------------------------------------------------------------------------------

_TAG = regex.compile(
    r"</?(?:a|b|i|u|p|br|hr|em|li|ol|ul|td|th|tr|h[1-6]|div|img|pre|sub|sup|span|font|html|head|body|meta|link|title|table"
    r"|tbody|thead|center|strong|small|style|script|blockquote|o:p|!doctype)(?:\s[^<>]{0,2000})?/?>",
    regex.IGNORECASE,
)
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", regex.IGNORECASE)
_BREAKING_TAG = regex.compile(r"</?(?:br|p|div|tr|li|h\d|table)\b", regex.IGNORECASE)
_QUOTE_MARK = regex.compile(r"^(?:[ \t]*>)+[ \t]?", regex.MULTILINE)
_HIDDEN_BLOCKS = (("<!--", "-->"), ("<style", "</style>"), ("<script", "</script>"))


def _hidden_blocks(text: str, opening: str, closing: str) -> Iterator[Replacement]:
    """Yield comments, styles and scripts; by `find`, so that hostile markup stays linear."""
    lowered, at = text.lower(), 0
    if len(lowered) != len(text):  # a few letters grow when lower-cased; then only the exact spelling is looked for
        lowered = text
    while (start := lowered.find(opening, at)) >= 0 and (end := lowered.find(closing, start)) >= 0:
        at = end + len(closing)
        yield start, at, " "


def _strip_markup(tape: Tape) -> None:
    if "<" in tape.text and _TAG.search(tape.text):  # without a real tag, angle brackets are text that the reader sees
        for opening, closing in _HIDDEN_BLOCKS:
            tape.count("markup", tape.apply(list(_hidden_blocks(tape.text, opening, closing))))
        tape.count("markup", tape.rewrite(_TAG, lambda m: "\n" if _BREAKING_TAG.match(m[0]) else " "))
    if "&" in tape.text:
        tape.rewrite(_ENTITY, lambda m: html.unescape(m[0]))
    if ">" in tape.text:
        tape.count("quoted", tape.rewrite(_QUOTE_MARK, lambda m: ""))


# --- characters ---------------------------------------------------------------------------------------------------

_FANCY = regex.compile(r"[\uFF01-\uFF5E\U0001D400-\U0001D7FF\u24B6-\u24E9\U0001F130-\U0001F189\u1D00-\u1D22]")
_INSIDE_WORD = regex.compile(r"(?<=\p{L})[\p{Cf}\u034F\u115F\u1160\u3164\uFFA0\uFE00-\uFE0F]+(?=\p{L})")
_JOINING_SCRIPT = regex.compile(r"[\p{Arabic}\p{Devanagari}\p{Bengali}\p{Tamil}\p{Sinhala}\p{Malayalam}\p{Khmer}]")


def _fold_characters(tape: Tape) -> None:
    if not tape.text.isascii():
        hidden = _INSIDE_WORD.findall(tape.text)
        if hidden and not _JOINING_SCRIPT.search(tape.text):  # there the zero-width joiners are honest spelling
            tape.count("invisible", sum(is_invisible(char) for run in hidden for char in run))
        tape.count("fancy", len(_FANCY.findall(tape.text)))
    if tape.starts is None:
        tape.text = tape.text.translate(FOLDED_CHARACTERS)
        return
    table = FOLDED_CHARACTERS
    tape.apply((i, i + 1, table[ord(char)]) for i, char in enumerate(tape.text))


_BLANKS = regex.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}|[^\S\n ]")

# What no rewrite below touches: plain ASCII without markup, quoting, digits or signs inside words, single letters in a
# row, stretched letters or odd blanks. Most chat is like this, and lower-casing it is all there is to do.
_PLAIN = re.compile(
    r"[<>&\t\x00-\x09\x0b-\x1f\x7f`]|[@$!|*0-9][A-Za-z]|[A-Za-z]{3}[03$](?!\w)|[A-Za-z][*|][A-Za-z]"
    r"|(?<!\w)[A-Za-z][ .\-_*|/\\~+][A-Za-z][ .\-_*|/\\~+][A-Za-z]|([A-Za-z])\1\1|\s\s",
    re.IGNORECASE,
)


def _run(text: str, *, mapped: bool) -> Folded:
    if text.isascii() and not _PLAIN.search(text):
        return Folded(text.lower(), {})
    tape = Tape(text, mapped=mapped)
    _strip_markup(tape)  # before characters: entities decode to characters
    _fold_characters(tape)  # before disguises: they are written for lower case
    undo_disguises(tape)
    tape.rewrite(_BLANKS, lambda m: "\n" if "\n" in m[0] else " ")
    return Folded(tape.text, tape.counts, tape.starts, tape.ends)


def fold(text: str) -> Folded:
    """Fold a text without the map; see `fold_with_map`.

    Parameters
    ----------
    text : str
        Any string, lone surrogates included.

    Returns
    -------
    Folded
        With ``starts`` and ``ends`` left out.
    """
    return _run(text, mapped=False)


def fold_with_map(text: str) -> Folded:
    """Fold a text and keep, for every folded character, the original characters it came from.

    Lower-cases, drops accents of Latin letters, removes markup, quote marks and invisible characters, maps telling
    emoji to
    words, folds look-alike letters inside words that mix scripts, joins s p a c e d letters, undoes leet inside words
    and s-t-r-e-t-c-h-e-d letters. Leaves alone: words of one script, amounts, codes, addresses, punctuation.

    Parameters
    ----------
    text : str
        Any string.

    Returns
    -------
    Folded
        ``text`` equals that of `fold`.
    """
    return _run(text, mapped=True)
