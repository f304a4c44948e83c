"""Text → folded copy + a map from every folded character back to the original.

The folded copy is what features see. Each rewrite below undoes one disguise of the domain study's evasion list; how
often it had to is itself a feature (`Folded.counts`). Honest text in any script comes out as itself in lower case.
Nothing here looks at meaning. Scoring folds without the map, showing evidence folds with it: one code path, so both
see the same text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import regex

from sextortion_detect.characters import CYRILLIC_FOR_LATIN, FOLDED_CHARACTERS, LATIN_FOR_LOOKALIKE, is_invisible

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


Replacement = tuple[int, int, str]  # start, end, new text


class _Tape:
    """A text under rewriting, with or without the map."""

    def __init__(self, text: str, *, mapped: bool) -> None:
        self.text = text
        self.counts: dict[str, int] = {}
        self.starts: list[int] | None = list(range(len(text))) if mapped else None
        self.ends: list[int] | None = list(range(1, len(text) + 1)) if mapped else None

    def apply(self, replacements: Iterable[Replacement]) -> int:
        """Rewrite the given spans (in order, not overlapping) and return how many really changed something."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = changed = 0
        for start, end, new in replacements:
            if self.text[start:end] == new:
                continue
            changed += 1
            pieces += (self.text[done:start], new)
            if self.starts is not None and self.ends is not None:
                starts += self.starts[done:start]
                ends += self.ends[done:start]
                self._map_replacement(start, end, new, starts, ends)
            done = end
        if not changed:
            return 0
        if self.starts is not None and self.ends is not None:
            self.starts = starts + self.starts[done:]
            self.ends = ends + self.ends[done:]
        self.text = "".join(pieces) + self.text[done:]
        return changed

    def _map_replacement(self, start: int, end: int, new: str, starts: list[int], ends: list[int]) -> None:
        """Map letter by letter where letters were only dropped or swapped one for one, else to the whole span."""
        assert self.starts is not None
        assert self.ends is not None
        old = self.text[start:end]
        where: list[int] = []
        if len(old) == len(new):
            where = list(range(len(new)))
        else:
            at = 0
            for char in new:
                at = old.find(char, at)
                if at < 0:
                    break
                where.append(at)
                at += 1
        if len(where) == len(new):
            starts += [self.starts[start + i] for i in where]
            ends += [self.ends[start + i] for i in where]
        elif new:
            starts += [self.starts[start]] * len(new)
            ends += [self.ends[end - 1]] * len(new)

    def rewrite(self, pattern: regex.Pattern[str], make: Callable[[regex.Match[str]], str]) -> int:
        return self.apply((m.start(), m.end(), make(m)) for m in pattern.finditer(self.text))

    def count(self, kind: str, number: int) -> None:
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number


# --- markup and quoting -------------------------------------------------------------------------------------------

_TAG = regex.compile(r"</?[a-z][^<>]{0,2000}>", regex.IGNORECASE)
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


def _strip_markup(tape: _Tape) -> None:
    if "<" in tape.text:
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


def _fold_characters(tape: _Tape) -> None:
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


# --- disguised words ----------------------------------------------------------------------------------------------

_MIXED_WORD = regex.compile(r"(?=\w*\p{Latin})(?=\w*[\p{Cyrillic}\p{Greek}\p{Armenian}])\w{2,40}")
_LATIN = regex.compile(r"\p{Latin}")
_SPACED = regex.compile(r"(?<!\w)\p{L}(?: \p{L}){3,}(?!\w)")
_DOTTED = regex.compile(r"(?<![\w@.])\p{L}(?:[.\-_*·|/\\~+•]\p{L}){2,}(?![\w@])")
_LEET_WORD = regex.compile(r"(?<![\w@$!|#/.:-])[a-z0-9@$!|]{3,20}(?![\w@$|/])")
_LEET_INSIDE = re.compile(r"(?<=[a-z])[013457@$!|]{1,2}(?=[a-z])|^[$@](?=[a-z]{2})|(?<=[a-z]{3})[03$]$")
_LEET = str.maketrans("013457@$!|", "oieastasil")
_UNIT_TAIL = re.compile(r"\d")
_STRETCHED = regex.compile(r"(\p{L})\1{2,}")
_THRICE = 3  # "xxx" and "kkk" are words; longer runs of one letter alone fold to them


def _unmix(match: regex.Match[str]) -> str:
    """Fold a mixed-script word to the script that all its letters can pass for; leave honest mixtures alone."""
    word: str = match[0]
    to_latin = "".join(LATIN_FOR_LOOKALIKE.get(c, c) for c in word)
    if all(_LATIN.match(c) or not c.isalpha() for c in to_latin):
        return to_latin
    to_cyrillic = "".join(CYRILLIC_FOR_LATIN.get(c, c) for c in word)
    return word if any(_LATIN.match(c) for c in to_cyrillic) else to_cyrillic


def _unleet(match: regex.Match[str]) -> str:
    """Turn digits inside a word into letters; leave amounts, units, codes and addresses alone."""
    word: str = match[0]
    letters = sum(c.isalpha() for c in word)
    others = len(word) - letters
    if (
        not others
        or letters < 2
        or others > letters + 1
        or ("@" in word and match.string[match.end() : match.end() + 1] == ".")
    ):
        return word
    swapped = _LEET_INSIDE.sub(lambda m: m[0].translate(_LEET), word)
    if sum(bool(_UNIT_TAIL.match(c)) for c in swapped) > 1:
        return word  # digits remain: a code, an address or a model number, not a disguised word
    return swapped


def _shorten(match: regex.Match[str]) -> str:
    """Cut a stretched letter to one, unless the letter is the whole word."""
    letter: str = match[1]
    text = match.string
    alone = (
        not text[max(0, match.start() - 1) : match.start()].isalpha()
        and not text[match.end() : match.end() + 1].isalpha()
    )
    return letter * _THRICE if alone else letter


def _keep_letters(match: regex.Match[str]) -> str:
    return "".join(c for c in match[0] if c.isalpha())


def _undo_disguises(tape: _Tape) -> None:
    if not tape.text.isascii():
        tape.count("mixed_script", tape.rewrite(_MIXED_WORD, _unmix))
    tape.count("spaced", tape.rewrite(_SPACED, _keep_letters) + tape.rewrite(_DOTTED, _keep_letters))
    tape.count("leet", tape.rewrite(_LEET_WORD, _unleet))
    tape.count("stretched", tape.rewrite(_STRETCHED, _shorten))


_BLANKS = regex.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}|[^\S\n ]")

# What no rewrite below touches: plain ASCII without markup, quoting, digits or signs inside words, single letters in a
# row, stretched letters or odd blanks. Most chat is like this, and lower-casing it is all there is to do.
_PLAIN = re.compile(
    r"[<>&\t\x00-\x09\x0b-\x1f\x7f`]|[A-Za-z0-9][@$!|][A-Za-z]|[A-Za-z]\d+[A-Za-z]|[A-Za-z]{3}[03$]\b|(?<!\w)[@$][A-Za-z]"
    r"|\b[A-Za-z][ .\-_*|/\\~+][A-Za-z][ .\-_*|/\\~+][A-Za-z]\b|([A-Za-z])\1\1|\s\s",
    re.IGNORECASE,
)


def _run(text: str, *, mapped: bool) -> Folded:
    if text.isascii() and not _PLAIN.search(text):
        return Folded(text.lower(), {})
    tape = _Tape(text, mapped=mapped)
    _strip_markup(tape)  # before characters: entities decode to characters
    _fold_characters(tape)  # before disguises: they are written for lower case
    _undo_disguises(tape)
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
