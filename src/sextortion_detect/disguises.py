"""Undo what senders do to words so that filters do not read them: look-alike letters, spacing, leet, stretching.

Works on text that `characters` has folded. Each rewrite leaves honest words alone: words of one script, amounts, units,
codes, addresses.
"""

from __future__ import annotations

import re

import regex

from sextortion_detect.characters import CYRILLIC_FOR_LATIN, LATIN_FOR_LOOKALIKE
from sextortion_detect.tape import Tape

__all__ = ["undo_disguises"]

_MIXED_WORD = regex.compile(r"(?<!\w)\w{2,40}(?!\w)")
_PLAIN_WORD = regex.compile(r"\w{1,12}")
_LATIN = regex.compile(r"\p{Latin}")
_PASSING_SCRIPT = regex.compile(r"[\p{Cyrillic}\p{Greek}\p{Armenian}]")
_SPACED = regex.compile(r"(?<![\w\p{M}])\p{L}\p{M}*(?: \p{L}\p{M}*){3,}(?![\w\p{M}])")
_DOTTED = regex.compile(r"(?<![\w@.])\p{L}\p{M}*(?:[.\-_*·|/\\~+•]\p{L}\p{M}*){2,}(?![\w@\p{M}])")
_STARRED = regex.compile(r"(?<=\p{L})[*|](?=\p{L})")
_LEET_WORD = regex.compile(r"(?<![\w@$!|#/.:-])[a-z0-9@$!|]{3,20}(?![\w@$|/])")
_LEET_INSIDE = re.compile(r"(?<=[a-z])[013457@$!|]{1,2}(?=[a-z])|^[$@](?=[a-z]{2})|(?<=[a-z]{3})[03$]$")
# Signs at either end of a word, read as letters only in a text that is plainly written so: "10min" and "mp4" are not.
_LEET_EDGES = re.compile(r"^[013457](?=[a-z])|(?<=[a-z]{2})[013457]$")
_LEET_ENOUGH = 2  # disguised words that show a text to be written so
_UNITS = regex.compile(r"\d+(?:min|mins|sec|hrs?|std|st|nd|rd|th|am|pm|eur|usd|gb|mb|kg|km|rb|jt|mil|tys|x|k|h|m|s)")
_LEET = str.maketrans("013457@$!|", "oieastasil")
_DIGIT = re.compile(r"\d")
_STRETCHED = regex.compile(r"(\p{L})\1{2,}")
_THRICE = 3  # "xxx" and "kkk" are words; longer runs of one letter alone fold to them


def _unmix(match: regex.Match[str]) -> str:
    """Fold a mixed-script word to the script that all its letters can pass for; leave honest mixtures alone."""
    word: str = match[0]
    if word.isascii() or not _LATIN.search(word) or not _PASSING_SCRIPT.search(word):
        return word
    to_latin = "".join(LATIN_FOR_LOOKALIKE.get(c, c) for c in word)
    if all(_LATIN.match(c) or not c.isalpha() for c in to_latin):
        return to_latin
    to_cyrillic = "".join(CYRILLIC_FOR_LATIN.get(c, c) for c in word)
    return word if any(_LATIN.match(c) for c in to_cyrillic) else to_cyrillic


def _unify(match: regex.Match[str]) -> str:
    """Fold a short word all of whose letters pass for Latin ones, in a text where other words mix scripts."""
    word: str = match[0]
    if word.isascii() or any(c.isalpha() and c not in LATIN_FOR_LOOKALIKE for c in word):
        return word
    return "".join(LATIN_FOR_LOOKALIKE.get(c, c) for c in word)


def _unleet(match: regex.Match[str], edges: re.Pattern[str] | None = None) -> str:
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
    if edges is not None and not _UNITS.fullmatch(swapped):
        swapped = edges.sub(lambda m: m[0].translate(_LEET), swapped)
    if sum(bool(_DIGIT.match(c)) for c in swapped) > 1:
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
    return "".join(c for c in match[0] if c.isalpha() or regex.match(r"\p{M}", c))


def undo_disguises(tape: Tape) -> None:
    """Rewrite disguised words on the tape and count them by kind."""
    if not tape.text.isascii():
        mixed = tape.rewrite(_MIXED_WORD, _unmix)
        tape.count("mixed_script", mixed)
        if mixed and len(_LATIN.findall(tape.text)) * 2 > len(tape.text):
            tape.rewrite(_PLAIN_WORD, _unify)
    tape.rewrite(_STARRED, lambda m: "")
    tape.count("spaced", tape.rewrite(_SPACED, _keep_letters) + tape.rewrite(_DOTTED, _keep_letters))
    leet = tape.rewrite(_LEET_WORD, _unleet)
    if leet >= _LEET_ENOUGH:
        leet += tape.rewrite(_LEET_WORD, lambda m: _unleet(m, _LEET_EDGES))
    tape.count("leet", leet)
    tape.count("stretched", tape.rewrite(_STRETCHED, _shorten))
