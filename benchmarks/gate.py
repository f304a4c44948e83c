"""Quality floors: the bundled model must be at least as good as floors.json says, on our own corpora.

``python -m benchmarks.gate`` checks; ``--update`` raises the floors to what is measured now. It refuses to lower one
unless ``--lower "reason"`` says why; the reason is kept in the file.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import click

from sextortion_detect import Detector, Level
from training.corpus import DATASETS, load_corpus

FLOORS = Path(__file__).with_name("floors.json")
# One flipped case among the rarest pattern's rows is worth about this much of a rate; less is noise of rounding.
EPSILON = 0.002


def corpus_hash() -> str:
    """Return the SHA-256 over all corpus files."""
    digest = hashlib.sha256()
    for path in sorted(DATASETS.glob("*/*.jsonl")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def measure() -> dict[str, float]:
    """Return every figure that has a floor; higher is better for each.

    Out-of-fold figures come from the model's own record; the rest is what the bundled model does with our corpora now.
    """
    detector = Detector.load()
    rows = load_corpus()
    level = detector.score_batch([r.text for r in rows]).level
    found: dict[str, list[bool]] = defaultdict(list)
    for row, rank in zip(rows, level, strict=True):
        if row.label == "extortion":
            found[f"recall at protect, {row.lang}"].append(rank >= Level.PROTECT.rank)
            found["recall at review"].append(rank >= Level.REVIEW.rank)
        elif row.label == "benign":
            found["look-alikes below review"].append(rank < Level.REVIEW.rank)
            if row.frame == "help_seeking":
                found["pleas for help below review"].append(rank < Level.REVIEW.rank)
    training: dict[str, Any] = detector.model_info["training"]
    held = training["held_out"]
    return {name: sum(values) / len(values) for name, values in sorted(found.items())} | {
        "out of fold: recall at protect": held["recall_protect"],
        "out of fold: recall at review": held["recall_review"],
        "out of fold: look-alikes below review": 1 - held["look_alike_review"],
        "out of fold: macro F1 of patterns": sum(p["f1"] for p in training["patterns"].values()) / 13,
        "out of fold: frame right": training["frame_accuracy"],
    }


@click.command()
@click.option("--update", is_flag=True, help="Raise the floors to what is measured now.")
@click.option("--lower", metavar="REASON", help="With --update: also lower floors, and record why.")
def main(update: bool, lower: str | None) -> None:
    """Check the bundled model against its floors."""
    measured, corpus = measure(), corpus_hash()
    stored = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.is_file() else {"floors": {}, "reasons": []}
    floors: dict[str, float] = stored["floors"]
    worse = [name for name, floor in floors.items() if measured.get(name, 0.0) < floor - EPSILON]
    for name, value in measured.items():
        mark = "BELOW" if name in worse else "ok"
        click.echo(f"{mark:5} {value:8.4f}  floor {floors.get(name, 0.0):8.4f}  {name}")
    if update:
        if worse and not lower:
            raise click.ClickException(f"{len(worse)} floors would fall; say why with --lower")
        reasons = [*stored["reasons"], lower] if lower else stored["reasons"]
        content = {"corpus_sha256": corpus, "floors": measured, "reasons": reasons}
        FLOORS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return
    if stored.get("corpus_sha256") != corpus:
        click.echo("the corpora changed since the floors were set: run with --update", err=True)
        sys.exit(1)
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
