"""Read the lexicon: one TOML file per language, and the language-free entities.

What is on disk is what is supported: a file in `lexicon/` is a language, and no list of languages stands anywhere else.
docs/lexicon.md tells how to write one.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import regex

from sextortion_detect.errors import LexiconError
from sextortion_detect.normalise import fold

__all__ = [
    "CONCEPTS",
    "ENTITY_FILE",
    "Entity",
    "Lexicon",
    "Term",
    "lexicon_hash",
    "load_entities",
    "load_lexicons",
    "words",
]

CONCEPTS = (
    "capture", "hold", "media", "intimate", "send", "publish", "reveal", "audience", "contacts", "pay", "money", "rail",
    "deadline", "condition", "harm", "hint", "remove", "block", "police", "secrecy", "lure", "switch", "device",
    "proof",
    "again", "authority", "orders", "plead", "help", "report", "play", "trade", "first", "second", "third", "negate",
)  # fmt: skip
"""What words can mean to the detector; docs/lexicon.md defines each."""

ENTITY_FILE = "entities.toml"
_MIN_STEM = 3  # letters before a star; two in scripts whose letters carry more
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"  # ー belongs to no script
    r"|[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]+",
    regex.VERSION1,
)


def words(folded: str) -> Iterator[regex.Match[str]]:
    """Find the words of a folded text; in scripts written without spaces every character is one."""
    return _WORD.finditer(folded)


@dataclass(frozen=True, slots=True)
class Term:
    """One entry: a sequence of words, each whole or (``True``) the beginning of a longer one."""

    words: tuple[tuple[str, bool], ...]
    concept: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language.

    Parameters
    ----------
    language : str
        BCP 47 tag, the name of the file.
    terms : tuple of Term
        In file order.
    fires_on, quiet_on : tuple of (concept, sentence)
        The file's own proof, run by the tests.
    """

    language: str
    terms: tuple[Term, ...]
    fires_on: tuple[tuple[str, str], ...]
    quiet_on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """A language-free shape, such as an amount of money."""

    name: str
    pattern: regex.Pattern[str]
    fires_on: tuple[str, ...]
    quiet_on: tuple[str, ...]


def _folder() -> Traversable:
    return files("sextortion_detect") / "lexicon"


def _parse_term(raw: str, concept: str, where: str) -> Term:
    parts: list[tuple[str, bool]] = []
    for piece in fold(raw).text.split():
        starred = piece.endswith("*")
        found = [m[0] for m in words(piece.rstrip("*"))]
        if not found:
            raise LexiconError(f"{where}: a term has no word in it; write letters, not only signs")
        parts += [(word, False) for word in found[:-1]] + [(found[-1], starred)]
        stem = found[-1]
        if starred and len(stem) < (_MIN_STEM if stem[0] < "\u0900" else _MIN_STEM - 1):
            raise LexiconError(f"{where}: the stem before a star is too short to mean anything; write the forms out")
    return Term(tuple(parts), concept)


def _parse_lexicon(language: str, data: dict[str, Any]) -> Lexicon:
    terms: list[Term] = []
    fires: list[tuple[str, str]] = []
    quiet: list[tuple[str, str]] = []
    for concept, block in data.get("concepts", {}).items():
        where = f"lexicon/{language}.toml [concepts.{concept}]"
        if concept not in CONCEPTS:
            raise LexiconError(f"{where}: unknown concept; docs/lexicon.md lists them")
        if unknown := set(block) - {"terms", "fires_on", "quiet_on"}:
            raise LexiconError(f"{where}: unknown key {sorted(unknown)[0]}")
        terms += [_parse_term(raw, concept, where) for raw in block["terms"]]
        fires += [(concept, s) for s in block.get("fires_on", ())]
        quiet += [(concept, s) for s in block.get("quiet_on", ())]
    return Lexicon(language, tuple(terms), tuple(fires), tuple(quiet))


def load_lexicons() -> tuple[Lexicon, ...]:
    """Read every language file, in alphabetical order.

    Raises
    ------
    LexiconError
        If a file breaks the rules; the error names the file and the block.
    """
    names = sorted(p.name for p in _folder().iterdir() if p.name.endswith(".toml") and p.name != ENTITY_FILE)
    return tuple(
        _parse_lexicon(name.removesuffix(".toml"), tomllib.loads((_folder() / name).read_text(encoding="utf-8")))
        for name in names
    )


def load_entities() -> tuple[Entity, ...]:
    """Read the language-free shapes of `entities.toml`, in file order."""
    data = tomllib.loads((_folder() / ENTITY_FILE).read_text(encoding="utf-8"))
    return tuple(
        Entity(
            name,
            regex.compile(block["pattern"], regex.VERBOSE | regex.VERSION1),
            tuple(block.get("fires_on", ())),
            tuple(block.get("quiet_on", ())),
        )
        for name, block in data["entities"].items()
    )


def lexicon_hash() -> str:
    """Return the SHA-256 over all lexicon files: a model records which lexicon it was trained with."""
    digest = hashlib.sha256()
    for path in sorted(_folder().iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
