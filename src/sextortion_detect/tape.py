"""A text under rewriting, with or without a map from every character back to the original."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import regex

__all__ = ["Replacement", "Tape"]

Replacement = tuple[int, int, str]
"""Start, end, new text."""


class Tape:
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
        """Rewrite every match of a pattern and return how many really changed."""
        return self.apply((m.start(), m.end(), make(m)) for m in pattern.finditer(self.text))

    def count(self, kind: str, number: int) -> None:
        """Add to the count of a kind of disguise; zero leaves the kind absent."""
        if number:
            self.counts[kind] = self.counts.get(kind, 0) + number
