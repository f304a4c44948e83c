"""Score everything at hand with an exported model, through the same Detector that users call."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from scipy.stats import beta

from sextortion_detect.detector import Detector
from sextortion_detect.results import Level
from training.registry import data_root, read_public

__all__ = ["evaluate", "interval", "rate"]

_CHUNK = 8192


def interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval of Clopper and Pearson (1934) for `hits` in `n`."""
    if n == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def rate(hits: int, n: int) -> dict[str, float]:
    """Return count, size, share and interval as one JSON-ready value."""
    low, high = interval(hits, n)
    return {"hits": hits, "n": n, "rate": hits / n if n else 0.0, "low": low, "high": high}


_DETECTORS: dict[Path, Detector] = {}  # one per worker process


def _levels(folder: Path, texts: Sequence[str]) -> tuple[list[int], list[float]]:
    detector = _DETECTORS.setdefault(folder, Detector.load(folder))
    result = detector.score_batch(texts)
    return result.level.tolist(), result.probability.tolist()


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _public(folder: Path, role: str, recipe: dict[str, Any]) -> dict[str, Any]:
    """Count alarms per source, over all lines and over those that no step of the training saw."""
    share, workers = recipe["public"]["train_share"], recipe["workers"]
    counts: dict[str, Counter[str]] = defaultdict(Counter)

    def work() -> Iterator[Any]:
        for chunk in _chunks(read_public(role, share)):
            keys = [(line.source, line.part) for line in chunk]
            yield delayed(_with_keys)(folder, keys, [line.text for line in chunk])

    for keys, levels in Parallel(n_jobs=workers, return_as="generator")(work()):
        for (source, part), level in zip(keys, levels, strict=True):
            for where in ("all", part):
                counts[source][f"{where}:n"] += 1
                counts[source][f"{where}:protect"] += level >= Level.PROTECT.rank
                counts[source][f"{where}:review"] += level >= Level.REVIEW.rank
    return {source: dict(c) for source, c in sorted(counts.items())}


def _with_keys(folder: Path, keys: list[Any], texts: list[str]) -> tuple[list[Any], list[int]]:
    return keys, _levels(folder, texts)[0]


def _read_rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((data_root() / name).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            rows += [row for row in map(json.loads, lines) if "text" in row]
    return rows


def _composed(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Report recall by language and kind, and look-alike alarms by language and frame."""
    detector = Detector.load(folder)
    result = detector.score_batch([r["text"] for r in rows])
    groups: dict[str, list[int]] = defaultdict(list)
    for row, level in zip(rows, result.level.tolist(), strict=True):
        label = row["label"]
        for key in (
            label,
            f"{label}:{row.get('lang')}",
            f"{label}:kind:{row.get('kind')}",
            f"{label}:{row.get('frame')}",
        ):
            groups[key].append(level)
        if label == "extortion" and row.get("scheme"):
            groups[f"extortion:scheme:{row['scheme']}"].append(level)
    return {
        key: {
            level.value: rate(sum(x >= level.rank for x in levels), len(levels))
            for level in (Level.PROTECT, Level.REVIEW)
        }
        for key, levels in sorted(groups.items())
    } | {"frame_right": rate(*_frames(rows, [v.frame for v in result]))}


def _frames(rows: list[dict[str, Any]], frames: list[str]) -> tuple[int, int]:
    pairs = [(r["frame"], f) for r, f in zip(rows, frames, strict=True) if r.get("frame")]
    return sum(a == b for a, b in pairs), len(pairs)


def _total(counts: dict[str, Any], part: str, level: str) -> dict[str, float]:
    n = sum(c.get(f"{part}:n", 0) for c in counts.values())
    return rate(sum(c.get(f"{part}:{level}", 0) for c in counts.values()), n)


def evaluate(folder: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    """Measure an exported model on whatever public and measuring data is present.

    Parameters
    ----------
    folder : Path
        The model folder.
    recipe : dict
        Tells which lines the training saw, and how many processes to use.

    Returns
    -------
    dict
        ``headline`` with totals, then one entry for each kind of data; every rate with its 95 % interval.
    """
    report: dict[str, Any] = {"headline": {}}
    for role in ("everyday", "hard"):
        counts = _public(folder, role, recipe)
        if counts:
            report[role] = counts
            for part in ("all", "test"):
                for level in ("protect", "review"):
                    report["headline"][f"{role}_{part}_{level}"] = _total(counts, part, level)
    mails = _read_rows("threats_dev")
    if mails:
        report["real_mails"] = _composed(folder, mails)
        report["headline"]["real_mails"] = report["real_mails"]["extortion"]
    others = _read_rows("second_author")
    if others:
        report["other_authors"] = _composed(folder, others)
        for label in ("extortion", "lure", "benign"):
            report["headline"][f"other_authors_{label}"] = report["other_authors"][label]
    return report
