"""MODEL_CARD.md, written from what the training run and the evaluation measured; no figure in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sextortion_detect.results import Frame

__all__ = ["levels_row", "write_card"]

_FRAMES = frozenset(Frame)
_INTRODUCTION = """\
# Model card: {name}

Scores messages for extortion with intimate material. Linear heads over hashed byte n-grams, words, language-independent
concept features and shape; see ARCHITECTURE.md. Written by `python -m training`; every figure below was measured by
that command.

## Intended use

Warning recipients privately (level PROTECT) and ordering a human queue (level REVIEW). A verdict is about a message,
never about a person.

**Not to be used** to punish anyone without a human decision, to search private messages of partners, children,
employees or
citizens, to find LGBTQ+ people or sex workers, to publish lists of senders, or as an oracle that tells senders their
score.

## Trained on

{rows:,} composed messages of datasets/ (CC BY 4.0; see its datasheet), varied as recipe.toml says, and {public:,}
lines of the public
corpora in datasets/registry.toml. No private messages. Labels were checked once; native speakers have not read every
language.
"""
_ARITHMETIC = """\
## What a probability means

Probabilities are calibrated at a prevalence of {prevalence:.0%} (expected calibration error {ece:.4f} on held-out
data, 15 bins of equal
mass). On a platform where 1 message in 100,000 is extortion, at the REVIEW cut-off about {tp:.1f} true and {fp:.1f}
false messages reach the queue in every million, going by the out-of-fold recall on our corpora and the false-positive
budget that the cut-off was chosen for.
"""


def _percent(value: dict[str, float]) -> str:
    return f"{value['rate']:.2%} ({value['low']:.2%} to {value['high']:.2%}; {value['hits']:,.0f} of {value['n']:,.0f})"


def levels_row(title: str, group: dict[str, Any]) -> str:
    """Return one table row with the rates of both levels and their intervals."""
    return f"| {title} | {_percent(group['protect'])} | {_percent(group['review'])} |"


def _evaluation(report: dict[str, Any]) -> Iterator[str]:
    head = report.get("headline", {})
    yield "## Measured by the exported model\n\nShare of messages at each level, with 95 % Clopper-Pearson intervals.\n"
    yield "| data | PROTECT or above | REVIEW |\n|---|---|---|"
    names = {
        "everyday_all": "everyday lines, all",
        "everyday_test": "everyday lines that no step of the training saw",
        "hard_all": "look-alikes of other people, all",
        "hard_test": "look-alikes that no step of the training saw",
    }
    for key, title in names.items():
        if f"{key}_protect" in head:
            yield levels_row(title, {"protect": head[f"{key}_protect"], "review": head[f"{key}_review"]})
    for key, title in (
        ("real_mails", "real extortion mails (recall)"),
        ("other_authors_extortion", "threats by other authors (recall)"),
        ("other_authors_lure", "lures by other authors"),
        ("other_authors_benign", "look-alikes by other authors"),
    ):
        if key in head:
            yield levels_row(title, head[key])
    yield (
        "\nThe recipe's settings were compared on the real mails and the texts by other authors: these figures are "
        "somewhat better than those on texts that nobody looked at. None of their lines was trained on."
    )
    if "other_authors" in report:
        yield from _slices(report["other_authors"])


def _slices(groups: dict[str, Any]) -> Iterator[str]:
    yield f"\nFrame right on texts by other authors: {_percent(groups['frame_right'])}.\n"
    yield "### By language, texts by other authors, at PROTECT\n"
    yield "| language | threats found | look-alikes flagged |\n|---|---|---|"
    languages = [k.split(":")[1] for k in groups if k.startswith("extortion:") and k.count(":") == 1]
    for language in languages:
        if f"benign:{language}" in groups and language not in _FRAMES:
            found, flagged = groups[f"extortion:{language}"]["protect"], groups[f"benign:{language}"]["protect"]
            yield f"| {language} | {_percent(found)} | {_percent(flagged)} |"
    schemes = [k for k in groups if k.startswith("extortion:scheme:")]
    yield "\n### By scheme, texts by other authors\n\n| scheme | PROTECT or above | REVIEW |\n|---|---|---|"
    yield from (levels_row(k.split(":")[2], groups[k]) for k in schemes)
    kinds = [k for k in groups if k.startswith("extortion:kind:") and groups[k]["protect"]["n"] >= 8]
    worst = sorted(kinds, key=lambda k: groups[k]["protect"]["rate"])[:6]
    yield "\n### What it misses most, texts by other authors\n\n| kind | PROTECT or above | REVIEW |\n|---|---|---|"
    yield from (levels_row(k.split(":", 2)[2], groups[k]) for k in worst)


def _patterns(training: dict[str, Any]) -> Iterator[str]:
    yield "\n## Patterns, frame and scheme (our corpora, out of fold)\n"
    yield "Each pattern at the cut-off that suits it best on these rows.\n"
    yield "| pattern | rows | F1 |\n|---|---|---|"
    for name, figures in training["patterns"].items():
        yield f"| {name} | {figures['n']} | {figures['f1']:.2f} |"
    mean = sum(f["f1"] for f in training["patterns"].values()) / len(training["patterns"])
    yield f"| **macro** | | **{mean:.2f}** |"
    yield f"\nFrame right: {training['frame_accuracy']:.1%}. Scheme right: {training['scheme_accuracy']:.1%}."


def _everyday(report: dict[str, Any]) -> Iterator[str]:
    for role in ("everyday", "hard"):
        if role in report:
            yield f"\n### {role} sources\n\n| source | lines | PROTECT or above | REVIEW |\n|---|---|---|---|"
            for source, c in report[role].items():
                n = c["all:n"]
                yield f"| {source} | {n:,} | {c['all:protect'] / n:.4%} | {c['all:review'] / n:.4%} |"


def write_card(folder: Path) -> None:
    """Write ``MODEL_CARD.md`` beside the config it describes.

    Parameters
    ----------
    folder : Path
        A model folder with config.json and, when the evaluation ran, evaluation.json.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    measured = folder / "evaluation.json"
    report = json.loads(measured.read_text(encoding="utf-8")) if measured.is_file() else {}
    training = config["training"]
    recall = training["held_out"]["recall_review"]
    budget = training["recipe"]["levels"]["review_everyday"]
    parts = [
        _INTRODUCTION.format(name=config["name"], rows=training["rows"], public=training["public_messages"]),
        _ARITHMETIC.format(
            prevalence=config["calibration"]["prevalence"], ece=training["ece"], tp=10 * recall, fp=1e6 * budget
        ),
        *_evaluation(report),
        *_patterns(training),
        *_everyday(report),
    ]
    (folder / "MODEL_CARD.md").write_text("\n".join(parts) + "\n", encoding="utf-8")
