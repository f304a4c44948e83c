"""README.md, filled in from docs/README.in.md with what the bundled model does and measured: nothing typed by hand."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sextortion_detect.lexicon_files import load_lexicons
from training.card import levels_row
from training.corpus import DATASETS

__all__ = ["write_readme"]

_ROOT = DATASETS.parent
_SCAN_LINES = 24
_CODE = """\
from sextortion_detect import Detector

det = Detector.load()
text = "i saved our whole video call. 300 in gift cards by tonight or your wife gets it"
v = det.score(text)
print(v.level.value, round(v.probability, 2), v.frame, v.scheme)
print([name for name, p in v.patterns.items() if p > 0.5])
for e in v.evidence[:3]:
    print(e.pattern, "->", text[e.start : e.end])
print(det.score("i saved you a seat, pay me back tonight").level.value)
"""
_ROWS = {
    "everyday_all": "everyday lines",
    "everyday_test": "… of these, lines no training step saw",
    "hard_all": "look-alikes: hate, scams, ransom notes, counselling",
    "hard_test": "… of these, lines no training step saw",
    "real_mails": "real extortion mails (found)",
    "other_authors_extortion": "chat, SMS and mail threats composed by others (found)",
    "other_authors_benign": "their look-alikes, written to be as close as possible",
}


def _scan() -> str:
    """Return the first rows that `make scan` prints."""
    command = [sys.executable, "-m", "sextortion_detect", "scan", "examples/inbox", "--show-text"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True, env={"COLUMNS": "110"})
    lines = done.stdout.splitlines()
    return "\n".join(f"    {line}".rstrip() for line in [*lines[:_SCAN_LINES], "…"])


def _output() -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(_CODE, "README.md", "exec"), {})
    return printed.getvalue()


def _rates(report: dict[str, Any]) -> str:
    head = report["headline"]
    lines = ["| messages | PROTECT or above | REVIEW |", "|---|---|---|"]
    for key, title in _ROWS.items():
        group = head.get(key) or {level: head.get(f"{key}_{level}") for level in ("protect", "review")}
        if group["protect"]:
            lines.append(levels_row(title, group))
    return "\n".join(lines)


def write_readme(model: Path) -> None:
    """Write README.md for a model folder.

    Parameters
    ----------
    model : Path
        The bundled model, with its evaluation.json.
    """
    page = (_ROOT / "docs" / "README.in.md").read_text(encoding="utf-8")
    report = json.loads((model / "evaluation.json").read_text(encoding="utf-8"))
    languages = {lexicon.language.partition("-")[0] for lexicon in load_lexicons()}
    parts = {
        "@LANGUAGES@": str(len(languages)),
        "@SCAN@": _scan(),
        "@CODE@": _CODE,
        "@OUT@": _output(),
        "@RATES@": _rates(report),
    }
    for mark, text in parts.items():
        page = page.replace(mark, text)
    (_ROOT / "README.md").write_text(page, encoding="utf-8")
