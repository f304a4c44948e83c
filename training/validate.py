"""Checks of the composed corpora: schema, duplicates, family leakage, coverage, skeletons, ethics.

A problem is one line, ``file:row-id: what is wrong and what to do``. It names rows by id and never shows their text.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import regex

from sextortion_detect.lexicon_files import words
from sextortion_detect.results import PATTERN_IDS, Scheme
from training.corpus import DATASETS, KINDS, LABELS, CorpusError, Row, row_from
from training.skeletons import near_pairs, opening, plain_words
from training.wallet_check import usable_wallets

__all__ = ["composition_table", "validate"]

_MINIMUM = {"extortion": 40, "lure": 10, "benign": 100}
_MINIMUM_EN = {"extortion": 300, "lure": 80, "benign": 700}
_DOMAIN_KINDS = KINDS[:48]
_SHORT, _LONG = 4, 80  # words
_SAME_OPENING = 3  # rows of one language and label


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row, the file that holds it, and its text as plain words."""

    file: str
    row: Row
    words: str

    @property
    def at(self) -> str:
        return f"{self.file}:{self.row.id}"


@dataclass(frozen=True)
class _Corpus:
    """All readable rows, with what several checks need."""

    entries: list[_Entry]

    @cached_property
    def by_language(self) -> dict[str, list[_Entry]]:
        groups: dict[str, list[_Entry]] = defaultdict(list)
        for entry in self.entries:
            groups[entry.row.lang].append(entry)
        return dict(groups)

    @cached_property
    def by_counted_language(self) -> dict[str, list[_Entry]]:
        """As `by_language`, with the scripts of one language together (hi and hi-Latn)."""
        groups: dict[str, list[_Entry]] = defaultdict(list)
        for language, entries in self.by_language.items():
            groups[language.partition("-")[0]] += entries
        return dict(groups)

    @cached_property
    def near_pairs(self) -> list[tuple[_Entry, _Entry]]:
        return [
            (entries[earlier], entries[later])
            for entries in self.by_language.values()
            for earlier, later in near_pairs([entry.words for entry in entries])
        ]


# --- reading -----------------------------------------------------------------------------------------------------


def _read(folder: Path, problems: list[str]) -> _Corpus:
    entries: list[_Entry] = []
    for path in sorted(folder.glob("*/*.jsonl")):
        file = f"{path.parent.name}/{path.name}"
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if line:
                _read_line(file, number, line, entries, problems)
    return _Corpus(entries)


def _read_line(file: str, number: int, line: str, entries: list[_Entry], problems: list[str]) -> None:
    where = f"{file}:line {number}"
    try:
        data = json.loads(line)
        if isinstance(data, dict) and isinstance(data.get("id"), str):
            where = f"{file}:{data['id']}"
        row = row_from(data, where)
        entries.append(_Entry(file, row, plain_words(row.text)))
    except json.JSONDecodeError as error:
        problems.append(f"{where}: not JSON ({error.msg}, column {error.colno}): write one object a line")
    except CorpusError as error:
        problems.append(f"{error}: correct the field")
    except (AttributeError, TypeError):
        problems.append(f"{where}: a field has the wrong type: compare with datasets/README.md")


# --- checks ------------------------------------------------------------------------------------------------------


def _check_ids(corpus: _Corpus) -> Iterator[str]:
    seen: set[str] = set()
    for entry in corpus.entries:
        if entry.row.id in seen:
            yield f"{entry.at}: the id returns: ids are unique over all files, give the row a new one"
        seen.add(entry.row.id)


def _check_folders(corpus: _Corpus) -> Iterator[str]:
    for entry in corpus.entries:
        if entry.row.lang != entry.file.partition("/")[0]:
            yield f"{entry.at}: lang is {entry.row.lang!r}: move the row to that folder or correct lang"


def _check_near_duplicates(corpus: _Corpus) -> Iterator[str]:
    for first, second in corpus.near_pairs:
        minimal_pair = _share_family(first, second) and first.row.label != second.row.label
        if not minimal_pair or first.words == second.words:
            yield f"{second.at}: near-duplicate of {first.row.id}: reword or remove one"


def _check_leakage(corpus: _Corpus) -> Iterator[str]:
    equal: dict[str, list[_Entry]] = defaultdict(list)
    families: dict[str, str] = {}
    for entry in corpus.entries:
        equal[entry.words].append(entry)
        language = families.setdefault(entry.row.family, entry.row.lang)
        if language != entry.row.lang:
            yield f"{entry.at}: its family also has rows in {language!r}: a family stays in one language, rename it"
    pairs = [pair for group in equal.values() for pair in combinations(group, 2)]
    for first, second in dict.fromkeys((a.at, b.at) for a, b in pairs + corpus.near_pairs if not _share_family(a, b)):
        yield f"{second}: says the same as {first} in another family: give both one family or reword one"


def _share_family(a: _Entry, b: _Entry) -> bool:
    return a.row.family == b.row.family


def _check_language_coverage(corpus: _Corpus) -> Iterator[str]:
    for language, entries in sorted(corpus.by_counted_language.items()):
        found = Counter(entry.row.label for entry in entries)
        for label, minimum in (_MINIMUM_EN if language == "en" else _MINIMUM).items():
            if found[label] < minimum:
                yield f"{language}:{label}: {found[label]} rows where {minimum} are needed: compose more"


def _check_vocabulary_coverage(corpus: _Corpus) -> Iterator[str]:
    rows = [entry.row for entry in corpus.entries]
    wanted: tuple[tuple[str, tuple[str, ...], set[str | None]], ...] = (
        ("en:kind", _DOMAIN_KINDS, {row.kind for row in rows if row.lang == "en"}),
        ("corpus:scheme", tuple(Scheme), {row.scheme for row in rows}),
        ("corpus:pattern", PATTERN_IDS, {pattern for row in rows for pattern in row.patterns}),
    )
    for where, names, found in wanted:
        for name in names:
            if name not in found:
                yield f"{where}: no row has {name}: compose some"


def _check_length_coverage(corpus: _Corpus) -> Iterator[str]:
    for language, entries in sorted(corpus.by_counted_language.items()):
        threats = [entry.row.text for entry in entries if entry.row.label == "extortion"]
        shortest = min((len(text.split()) for text in threats), default=_SHORT)
        longest = max((sum(1 for _ in words(text)) for text in threats), default=_LONG)  # Chinese has no blanks
        if shortest > _SHORT:
            yield f"{language}:extortion: no row of at most {_SHORT} words: compose fragments"
        if longest < _LONG:
            yield f"{language}:extortion: no row of at least {_LONG} words: compose long mails"


def _check_skeletons(corpus: _Corpus) -> Iterator[str]:
    groups: dict[tuple[str, ...], list[_Entry]] = defaultdict(list)
    for entry in corpus.entries:
        if first_words := opening(entry.words):
            groups[entry.row.lang, entry.row.label, first_words].append(entry)
    for entries in groups.values():
        for entry in entries[_SAME_OPENING:]:
            yield f"{entry.at}: opens like {_SAME_OPENING} other rows ({entries[0].row.id} first): reword its opening"


# --- ethics ------------------------------------------------------------------------------------------------------

_RESERVED_HOST = regex.compile(r"(?:.*\.)?(?:example\.(?:com|org|net)|example|invalid|test)", regex.IGNORECASE)
_HELP_HOSTS = frozenset({"stopncii.org", "cybercrime.gov.in", "commissariatodips.it", "patrolisiber.id"})
_MAIL = regex.compile(r"[\w.+-]+@((?:[\w-]+\.)+\p{L}{2,})")
_TOP_LEVEL = (
    "com|org|net|info|biz|io|me|ly|gg|app|xyz|site|online|shop|club|link|tv|cc|ru|su|рф|ua|by|de|at|ch|fr|be|es|mx|ar|it"
    "|pt|br|pl|nl|in|ph|id|uk|eu|ie|us|ca|au|cz|to|co|gov"
)
_LINK = regex.compile(
    rf"(?<![\w@.-])(?:https?://|www\.)([\w.-]+\w)|(?<![\w@.-])((?:[\w-]+\.)+(?:{_TOP_LEVEL}))(?![\w-]|\.\w)",
    regex.IGNORECASE,
)
_PHONE = regex.compile(r"(?<![\w.,])\+?\(?\d(?:[ \u00a0()./-]{0,2}\d){8,14}(?![\w])")
_AMOUNT_OR_DATE = regex.compile(r"\d{1,3}(?:[.,]\d{3})+|\d{1,4}([./-])\d{1,2}\1\d{2,4}(?: .*)?")
_RESERVED_PHONE = regex.compile(r"(?:44|0)?(?:7700900|1632960|20794609|1\d[13-8]4960|1\d14960)\d{3}|1?\d{3}55501\d\d")


def _check_wallets(corpus: _Corpus) -> Iterator[str]:
    for entry in corpus.entries:
        if usable_wallets(entry.row.text):
            yield f"{entry.at}: holds a wallet that could be real: change a character or cut it short"


def _check_phones(corpus: _Corpus) -> Iterator[str]:
    for entry in corpus.entries:
        for found in _PHONE.findall(entry.row.text):
            digits = "".join(filter(str.isdigit, found))
            if not _AMOUNT_OR_DATE.fullmatch(found) and not _RESERVED_PHONE.fullmatch(digits):
                yield f"{entry.at}: holds a phone number outside the reserved ranges: use 07700 900xxx or 555-01xx"


def _check_addresses(corpus: _Corpus) -> Iterator[str]:
    for entry in corpus.entries:
        if not all(_RESERVED_HOST.fullmatch(host) for host in _MAIL.findall(entry.row.text)):
            yield f"{entry.at}: holds an e-mail address that could be real: use one of example.com"


def _check_links(corpus: _Corpus) -> Iterator[str]:
    for entry in corpus.entries:
        for with_scheme, bare in _LINK.findall(entry.row.text):
            helps = entry.row.label == "benign" and bare.lower() in _HELP_HOSTS
            if not helps and not _RESERVED_HOST.fullmatch(with_scheme or bare):
                yield f"{entry.at}: holds a link that could be real: use a .example host"


_CHECKS: tuple[Callable[[_Corpus], Iterator[str]], ...] = (
    _check_ids,
    _check_folders,
    _check_near_duplicates,
    _check_leakage,
    _check_language_coverage,
    _check_vocabulary_coverage,
    _check_length_coverage,
    _check_skeletons,
    _check_wallets,
    _check_phones,
    _check_addresses,
    _check_links,
)


def validate(folder: Path = DATASETS) -> list[str]:
    """Check all rows of ``folder/<language>/*.jsonl``.

    Parameters
    ----------
    folder : Path, optional
        The folder of corpora.

    Returns
    -------
    list of str
        One line a problem, ``file:row-id: what is wrong and what to do``; empty if all is well. No line shows a text.
    """
    problems: list[str] = []
    corpus = _read(folder, problems)
    return problems + [problem for check in _CHECKS for problem in check(corpus)]


def composition_table(folder: Path = DATASETS) -> str:
    """Count the rows of every language, as the Markdown table of datasets/README.md.

    Parameters
    ----------
    folder : Path, optional
        The folder of corpora.

    Returns
    -------
    str
        One table row a language, then the total.
    """
    corpus = _read(folder, [])
    lines = ["| language | extortion | lures | look-alikes | families | with spans | median words |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    for language, entries in [*sorted(corpus.by_language.items()), ("all", corpus.entries)]:
        rows = [entry.row for entry in entries]
        labels = Counter(row.label for row in rows)
        counts: list[int | str] = [labels[label] for label in LABELS]
        counts += [len({row.family for row in rows}), sum(bool(row.spans) for row in rows)]
        counts.append(f"{statistics.median(len(row.text.split()) for row in rows):g}")
        lines.append(f"| {language} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def _write_table(readme: Path = DATASETS / "README.md") -> None:
    before, start, rest = readme.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- /table -->")
    readme.write_text(before + start + composition_table(readme.parent) + "\n" + end + after, encoding="utf-8")


if __name__ == "__main__":
    _write_table()  # python -m training.validate brings the table of datasets/README.md up to date
