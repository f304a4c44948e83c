"""Find what the words of a message mean: concept hits from every language at once, entities from none.

Language is never a gate: all lexicons are always on, because short chat lines mix languages and no identifier is
reliable
on them. Only closed-class words (I, you, if, not), which are short and collide between languages, count for just those
languages that explain the message best.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sextortion_detect.lexicon_files import CONCEPTS, Entity, Lexicon, words

__all__ = ["CLOSED_CLASS", "ConceptScanner", "Hit", "Scan"]

CLOSED_CLASS = frozenset({"first", "second", "third", "negate", "condition"})
_BEST_SHARE = 0.7  # a language counts when it covers at least this share of what the best one covers
_CACHED_WORDS = 200_000  # bound of the in-memory word cache
_LONGEST_STEM = 40  # letters; longer words than any lexicon entry need no more looking up
_LONGEST_TERM = 12  # words; characters in Chinese and Japanese


@dataclass(frozen=True, slots=True)
class Hit:
    """A concept or entity found in a folded text.

    Parameters
    ----------
    concept : str
        One of `CONCEPTS` or the name of an entity.
    first, last : int
        Index of its first and last word in the message.
    start, end : int
        Characters of the folded text.
    """

    concept: str
    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scan:
    """All hits of a message, in order of position, and its words as (start, end) in the folded text."""

    hits: tuple[Hit, ...]
    words: tuple[tuple[int, int], ...]
    languages: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """A node of the word trie: what may follow, and what ends here."""

    exact: dict[str, _Node] = field(default_factory=dict)
    stems: dict[str, _Node] = field(default_factory=dict)
    ends: list[tuple[int, str]] = field(default_factory=list)  # (language index, concept)

    def follow(self, word: str) -> Iterable[_Node]:
        if (node := self.exact.get(word)) is not None:
            yield node
        if self.stems:
            for length in range(1, min(len(word), _LONGEST_STEM) + 1):
                if (node := self.stems.get(word[:length])) is not None:
                    yield node


_Found = tuple[int, int, int, str]  # first word, last word, language index, concept


class ConceptScanner:
    """Matches all lexicons and entities in one walk over the words of a message.

    Parameters
    ----------
    lexicons : sequence of Lexicon
        From `lexicon_files.load_lexicons`.
    entities : sequence of Entity
        From `lexicon_files.load_entities`.
    """

    def __init__(self, lexicons: Sequence[Lexicon], entities: Sequence[Entity]) -> None:
        self.languages = tuple(lexicon.language for lexicon in lexicons)
        self.names: tuple[str, ...] = CONCEPTS + tuple(entity.name for entity in entities)
        self._entities = tuple(entities)
        self._root = _Node()
        self._first_nodes: dict[str, tuple[_Node, ...]] = {}
        for index, lexicon in enumerate(lexicons):
            for term in lexicon.terms:
                self._insert(term.words, index, term.concept)

    def _insert(self, term: tuple[tuple[str, bool], ...], language: int, concept: str) -> None:
        node = self._root
        for word, starred in term:
            branch = node.stems if starred else node.exact
            node = branch.setdefault(word, _Node())
        if (language, concept) not in node.ends:
            node.ends.append((language, concept))

    def _begin(self, word: str) -> tuple[_Node, ...]:
        nodes = self._first_nodes.get(word)
        if nodes is None:
            if len(self._first_nodes) >= _CACHED_WORDS:
                self._first_nodes.clear()
            nodes = self._first_nodes[word] = tuple(self._root.follow(word))
        return nodes

    def _terms(self, tokens: list[str]) -> list[_Found]:
        """Walk the trie from every word and note each term that ends."""
        found: list[_Found] = []
        for i, token in enumerate(tokens):
            active: Iterable[_Node] = self._begin(token)
            j = i
            while active:
                for node in active:
                    found += [(i, j, language, concept) for language, concept in node.ends]
                j += 1
                if j >= len(tokens) or j - i >= _LONGEST_TERM:
                    break
                active = [after for node in active for after in node.follow(tokens[j])]
        return found

    def _best_languages(self, found: list[_Found]) -> frozenset[int]:
        """Languages whose terms cover nearly as many words as the best one's."""
        covered: dict[int, set[int]] = {}
        for first, last, language, _ in found:
            covered.setdefault(language, set()).update(range(first, last + 1))
        most = max((len(c) for c in covered.values()), default=0)
        return frozenset(language for language, c in covered.items() if len(c) >= _BEST_SHARE * most)

    def scan(self, folded: str) -> Scan:
        """Find every concept and entity.

        Parameters
        ----------
        folded : str
            Text from `normalise.fold`.

        Returns
        -------
        Scan
            Each (concept, words) pair once, however many languages share it.
        """
        matches = list(words(folded))
        spans = tuple((m.start(), m.end()) for m in matches)
        found = self._terms([m[0] for m in matches])
        best = self._best_languages(found)
        kept = {
            (first, last, concept)
            for first, last, language, concept in found
            if concept not in CLOSED_CLASS or language in best
        }
        hits = [Hit(concept, first, last, spans[first][0], spans[last][1]) for first, last, concept in kept]
        hits += self._entity_hits(folded, spans)
        hits.sort(key=lambda h: (h.first, h.last, h.concept, h.start))
        return Scan(tuple(hits), spans, tuple(self.languages[i] for i in sorted(best)))

    def _entity_hits(self, folded: str, spans: tuple[tuple[int, int], ...]) -> list[Hit]:
        hits: list[Hit] = []
        starts = [s for s, _ in spans]
        for entity in self._entities:
            for match in entity.pattern.finditer(folded):
                first, last = _words_under(starts, match.start(), match.end())
                hits.append(Hit(entity.name, first, last, match.start(), match.end()))
        return hits


def _words_under(starts: list[int], start: int, end: int) -> tuple[int, int]:
    """Return the first and last word that begin inside a span; the nearest word before it if none does."""
    first = bisect_left(starts, start)
    last = bisect_left(starts, end) - 1
    return (first, last) if first <= last else (max(0, first - 1), max(0, first - 1))
