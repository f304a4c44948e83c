"""Public corpora: found where a copy is present, checked by hash, split by a hash of the text."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training.corpus import DATASETS, CorpusError

__all__ = ["Line", "data_root", "part_of", "read_public"]


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a public corpus."""

    text: str = field(repr=False)
    lang: str
    source: str
    role: str
    part: str


def data_root() -> Path:
    """Return the folder of public corpora: SEXTORTION_DATA, or ../shared/data beside the checkout."""
    return Path(os.environ.get("SEXTORTION_DATA") or DATASETS.parent.parent / "shared" / "data")


def part_of(text: str, train_share: float) -> str:
    """Assign a text to ``train``, ``calibrate`` or ``test`` by its own hash, so that equal texts never meet."""
    x = zlib.crc32(text.strip().lower().encode("utf-8", "surrogatepass")) / 2**32
    if x < train_share:
        return "train"
    return "calibrate" if x < (1 + train_share) / 2 else "test"


def _check(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise CorpusError(
            f"{path.name} is not the file that datasets/registry.toml names (SHA-256 {found[:12]}…): "
            "restore it, or record the new version there"
        )


def read_public(role: str, train_share: float) -> Iterator[Line]:
    """Read all present corpora of a role in registry order.

    Parameters
    ----------
    role : {"everyday", "hard"}
        Everyday talk, or look-alikes and neighbours.
    train_share : float
        See `part_of`.

    Raises
    ------
    CorpusError
        If a present file has another hash than the registry says.
    """
    registry = tomllib.loads((DATASETS / "registry.toml").read_text(encoding="utf-8"))["corpora"]
    for name, entry in registry.items():
        path = data_root() / entry["role"] / f"{name}.jsonl.gz"
        if entry["role"] != role or not path.is_file():
            continue
        _check(path, entry["sha256"])
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for raw in lines:
                data = json.loads(raw)
                yield Line(data["text"], data["lang"], name, role, part_of(data["text"], train_share))
