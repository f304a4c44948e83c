"""A scan: messages → batches → scores, in this process or in several, in order and with bounded memory."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sextortion_detect.detector import Detector
from sextortion_detect.errors import UnreadableInputError
from sextortion_detect.inputs import Item, read_source
from sextortion_detect.results import Level
from sextortion_detect.sources import STDIN, BadFile, OnBytes, Source

__all__ = ["Row", "Scan", "bundled_detector"]

Row = dict[str, Any]  # what Verdict.to_dict() gives; it crosses processes, so it is plain

_BATCH = 2_048  # messages; enough to keep the kernel busy, few enough that results come at once
_BATCH_CHARACTERS = 8_000_000  # bounds memory when messages are long
_BATCHES_A_WORKER = 4  # handed out at once; more hides uneven batches, fewer keeps memory down
_MOST_BAD_ROWS = 100  # listed for one file; the rest is counted

_Scores = tuple[list[int], list[tuple[int, Row]]]  # messages of each level; index and verdict of those shown


@functools.cache
def bundled_detector() -> Detector:
    """Load the bundled model, once in every process."""
    return Detector.load()


@dataclass(slots=True)
class Scan:
    """Scores sources and keeps count.

    Parameters
    ----------
    column : str
        Where tables hold the message.
    level : Level
        Verdicts are made for this level and above.
    workers : int
        Processes; 1 stays in this one.
    complain : callable
        Told one line about every row or file that cannot be read; the line holds no message text.
    on_bytes : callable
        Told how many bytes of input were read.

    Attributes
    ----------
    levels : list of int
        Messages so far of each level.
    bad_rows, bad_files, good_files : int
        Likewise.
    """

    column: str
    level: Level
    workers: int
    complain: Callable[[str], object]
    on_bytes: OnBytes
    levels: list[int] = field(default_factory=lambda: [0] * len(Level))
    bad_rows: int = 0
    bad_files: int = 0
    good_files: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def messages(self) -> int:
        """How many were scored."""
        return sum(self.levels)

    @property
    def nothing_read(self) -> bool:
        """Whether the scan failed as a whole; empty files are no failure."""
        return not self.messages and (not self.good_files or self.bad_rows > 0)

    def summary(self) -> str:
        """Return the closing line."""
        seconds = time.perf_counter() - self.started
        levels = ", ".join(f"{n:,} {level.value}" for level, n in zip(Level, self.levels, strict=True))
        skipped = f", {self.bad_files:,} bad files" if self.bad_files else ""
        speed = self.messages / max(seconds, 1e-9)
        return (
            f"scanned {self.messages:,} messages: {levels}; {self.bad_rows:,} bad rows{skipped}; "
            f"{seconds:.1f} seconds, {speed:,.0f} messages a second"
        )

    def run(self, sources: Iterable[Source | BadFile]) -> Iterator[list[tuple[Item, Row]]]:
        """Yield, batch by batch and in order, the messages that reach the level, with their verdicts."""
        for batch, (levels, shown) in self._mapped(_batches(self._items(sources))):
            self.levels = [a + b for a, b in zip(self.levels, levels, strict=True)]
            yield [(batch[i], verdict) for i, verdict in shown]

    def _items(self, sources: Iterable[Source | BadFile]) -> Iterator[Item]:
        """Yield what can be read; report and count what cannot."""
        for source in sources:
            bad = source if isinstance(source, BadFile) else None
            if isinstance(source, Source):
                try:
                    yield from self._good_rows(source)
                    self.good_files += 1
                except UnreadableInputError as error:
                    bad = BadFile(source.path, str(error))
            if bad is not None:
                self.bad_files += 1
                self.complain(f"{_shown(bad.source)}: {bad.reason}")

    def _good_rows(self, source: Source) -> Iterator[Item]:
        bad = 0
        for row in read_source(source, self.column, self.on_bytes):
            if isinstance(row, Item):
                yield row
                continue
            bad += 1
            self.bad_rows += 1
            if bad <= _MOST_BAD_ROWS:
                self.complain(f"{_shown(row.source)}, row {row.row}: {row.reason}")
            elif bad == _MOST_BAD_ROWS + 1:
                self.complain(f"{_shown(row.source)}: further bad rows are counted, not listed")

    def _mapped(self, batches: Iterator[list[Item]]) -> Iterator[tuple[list[Item], _Scores]]:
        rank = self.level.rank
        if self.workers == 1:
            for batch in batches:
                yield batch, _score([item.text for item in batch], rank)
            return
        from joblib import Parallel, delayed  # noqa: PLC0415 - costs 0.2 s that most calls need not pay

        with Parallel(n_jobs=self.workers) as pool:
            while window := list(itertools.islice(batches, self.workers * _BATCHES_A_WORKER)):
                tasks = (delayed(_score)([item.text for item in batch], rank) for batch in window)
                yield from zip(window, pool(tasks), strict=True)


def _shown(path: str) -> str:
    return "standard input" if path == STDIN else path


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    characters = 0
    for item in items:
        batch.append(item)
        characters += len(item.text)
        if len(batch) == _BATCH or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _score(texts: list[str], rank: int) -> _Scores:
    """Count the levels of a batch, and make verdicts for the rows that are shown."""
    result = bundled_detector().score_batch(texts)
    shown = np.flatnonzero(result.level >= rank)
    counts: list[int] = np.bincount(result.level, minlength=len(Level)).tolist()
    return counts, [(int(i), result[int(i)].to_dict()) for i in shown]
