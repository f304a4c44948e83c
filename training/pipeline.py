"""The training run, step by step: the only place of training/ that knows the order."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sextortion_detect.matrix import Observed, Vocabulary
from sextortion_detect.ngrams import NgramSpace, pack, window_sums
from sextortion_detect.normalise import fold
from sextortion_detect.passages import cut
from sextortion_detect.results import PATTERN_IDS
from training.augment import augment
from training.calibrate import HeldOut, choose_levels, expected_calibration_error, fpr_curve, platt, summary
from training.corpus import Row, load_corpus
from training.export import fixed_point, write_model
from training.fit import Fitted, Target, coarse, fit_gate, fit_heads, fit_main, target_of
from training.public import Public, load_public, observe_texts, sample_lines, space_of
from training.scores import pattern_figures

__all__ = ["RECIPE", "Recipe", "load_recipe", "train"]

RECIPE = Path(__file__).with_name("recipe.toml")
Recipe = dict[str, Any]
Say = Callable[[str], None]
_FOLDS = 3
_TELLING = -3.0  # nats; below it a look-alike is in no danger of a level
_GATE_MARGIN = 0.3  # nats below PROTECT from which a corpus message must still pass the gate
_GATE_SLACK = 0.05  # nats for what fixed-point rounding moves
_PATTERN_FLOOR = 0.001  # what a message that did not pass the gate is said to express of any pattern
_GATE_PLATT = (1.0, -4.0)  # the gate only ranks; its probabilities are capped below PROTECT anyway


def load_recipe(path: Path = RECIPE) -> Recipe:
    """Read a recipe file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _fold_of(row: Row) -> int:
    """Assign a family to a fold by its hash, so that the assignment outlives additions to the corpus."""
    return zlib.crc32(row.family.encode()) % _FOLDS


@dataclass(frozen=True, slots=True)
class _Side:
    """A set of corpus rows ready to be fitted."""

    observed: Observed
    target: Target


def _side(rows: Sequence[Row], recipe: Recipe, *, augmented: bool) -> _Side:
    settings = dict(recipe["augment"])
    weight = settings.pop("weight")
    extra = augment(rows, settings, weight, recipe["seed"]) if augmented else []
    every = [*rows, *extra]
    observed = observe_texts([r.text for r in every], recipe)
    return _Side(observed, target_of(every, observed, recipe["weights"]))


@dataclass(frozen=True, slots=True)
class _Background:
    observed: Observed
    weight: npt.NDArray[np.float64]

    def part(self, n: int, rng: np.random.Generator) -> _Background:
        """Draw at most n passages, weighing together as much as all."""
        if n >= len(self.observed):
            return self
        rows = np.sort(rng.permutation(len(self.observed))[:n])
        return _Background(self.observed.take(rows), self.weight[rows] * (len(self.observed) / n))


def _background(public: Public | None, lines: npt.NDArray[np.int64], recipe: Recipe) -> _Background:
    if public is None:
        empty = observe_texts([""], recipe)
        return _Background(empty, np.ones(1))
    rows = public.passages_of(lines)
    roles = np.array([recipe["weights"][line.role] for line in public.lines])
    return _Background(public.observed.take(rows), roles[public.observed.owner[rows]])


def train(folder: Path, recipe: Recipe, say: Say, rows: list[Row] | None = None) -> dict[str, Any]:
    """Run everything and write the model folder.

    Parameters
    ----------
    folder : Path
        Where the model goes.
    recipe : dict
        From `load_recipe`.
    say : callable
        Receives one line for each step.
    rows : list of Row, optional
        The corpus; all of datasets/ when left out.

    Returns
    -------
    dict
        The training figures, as stored in config.json.
    """
    rng = np.random.default_rng(recipe["seed"])
    rows = load_corpus() if rows is None else rows
    say(f"{len(rows):,} corpus rows")
    public = load_public(recipe, say)
    whole = _side(rows, recipe, augmented=True)
    vocabulary = Vocabulary.of(whole.observed, np.arange(len(whole.observed)), recipe["features"]["least_rows"])
    sample = sample_lines(public, recipe, rng) if public else np.zeros(0, np.int64)
    say(f"first fit: {len(vocabulary.features):,} concept features, {len(sample):,} background messages")
    background = _background(public, sample, recipe)
    quick = recipe["fit"] | ({"iterations": recipe["fit"]["first_iterations"]} if public else {})
    main = fit_main(whole.observed, whole.target, background.observed, background.weight, vocabulary, quick)
    if public:
        background = _background(public, _mine(public, main, vocabulary, sample, recipe), recipe)
        say(f"second fit with mined look-alikes: {len(background.weight):,} background passages")
        main = fit_main(whole.observed, whole.target, background.observed, background.weight, vocabulary, recipe["fit"])
    few = background.part(recipe["public"]["second_stage"], rng).observed
    gate = fit_gate(
        whole.observed, _for_gate(whole, main, vocabulary), background.observed, background.weight, recipe["fit"]
    )
    few_coarse = coarse(few, recipe["features"])
    whole_coarse = coarse(whole.observed, recipe["features"])
    heads = fit_heads(whole_coarse, whole.target, few_coarse, vocabulary, recipe["fit"], recipe["workers"])
    say("out-of-fold scores for calibration")
    smaller = background.part(recipe["public"]["folds"], rng)
    out_main, out_heads = _out_of_fold(rows, smaller, few_coarse, vocabulary, recipe, say)
    held = _held_out(rows, out_main, public, main, vocabulary)
    training, settings = _decide(rows, recipe, held, (gate, main), vocabulary, whole, public)
    figures = pattern_figures(rows, out_heads)
    training |= {
        "rows": len(rows),
        "public_messages": len(public.lines) if public else 0,
        "patterns": figures.table,
        "frame_accuracy": figures.frame_accuracy,
        "scheme_accuracy": figures.scheme_accuracy,
        "recipe": recipe,
    }
    settings |= {"name": folder.name, "pattern_thresholds": figures.thresholds, "training": training}
    write_model(folder, vocabulary, gate, main, heads, fpr_curve(held.background), settings)
    say(f"wrote {folder}")
    return training


def _for_gate(whole: _Side, main: Fitted, vocabulary: Vocabulary) -> npt.NDArray[np.float64]:
    """Weigh what must pass the gate: threats, lures, and look-alikes that the full score finds telling."""
    telling = main.logits(whole.observed, vocabulary) > _TELLING
    wanted = np.array([row.label != "benign" for row in whole.target.rows]) | telling
    return np.where(wanted, whole.target.weight, 0.0)


def _mine(
    public: Public, main: Fitted, vocabulary: Vocabulary, sample: npt.NDArray[np.int64], recipe: Recipe
) -> npt.NDArray[np.int64]:
    """Add the training lines that the first fit scores highest: what it would falsely alarm on."""
    scores = public.observed.most(main.logits(public.observed, vocabulary))
    train = np.flatnonzero([line.part == "train" for line in public.lines])
    order = train[np.argsort(-scores[train], kind="stable")[: recipe["public"]["mine"]]]
    return np.union1d(sample, order)


def _out_of_fold(
    rows: list[Row], background: _Background, few: Observed, vocabulary: Vocabulary, recipe: Recipe, say: Say
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Score every corpus row by a model that saw no row of its family."""
    folds = np.array([_fold_of(r) for r in rows])
    out = np.zeros(len(rows))
    out_heads: npt.NDArray[np.float64] | None = None
    for part in range(_FOLDS):
        inside = _side([r for r, f in zip(rows, folds, strict=True) if f != part], recipe, augmented=True)
        left = [i for i, f in enumerate(folds) if f == part]
        observed = observe_texts([rows[i].text for i in left], recipe)
        main = fit_main(
            inside.observed, inside.target, background.observed, background.weight, vocabulary, recipe["fit"]
        )
        inside_coarse = coarse(inside.observed, recipe["features"])
        heads = fit_heads(inside_coarse, inside.target, few, vocabulary, recipe["fit"], recipe["workers"])
        out[left] = observed.most(main.logits(observed, vocabulary))
        logits = heads.logits(coarse(observed, recipe["features"]), vocabulary)
        if out_heads is None:
            out_heads = np.zeros((len(rows), logits.shape[1]))
        out_heads[left] = np.column_stack([observed.most(logits[:, k]) for k in range(logits.shape[1])])
        say(f"  part {part + 1} of {_FOLDS}")
    assert out_heads is not None
    return out, out_heads


def _held_out(
    rows: list[Row], out: npt.NDArray[np.float64], public: Public | None, main: Fitted, vocabulary: Vocabulary
) -> HeldOut:
    threats = np.array([r.label == "extortion" for r in rows])
    benign = np.array([r.label == "benign" for r in rows])
    everyday: dict[str, npt.NDArray[np.float64]] = {}
    hard: dict[str, npt.NDArray[np.float64]] = {}
    if public:
        scores = public.observed.most(main.logits(public.observed, vocabulary))
        everyday = {name: scores[ids] for name, ids in public.sources("calibrate", "everyday").items()}
        hard = {name: scores[ids] for name, ids in public.sources("calibrate", "hard").items()}
    return HeldOut(out[threats], out[benign], everyday, hard)


def _runtime_gate(
    rows: list[Row], space: NgramSpace, table: npt.NDArray[np.int16], step: float
) -> npt.NDArray[np.float64]:
    """Score corpus rows as the gate will at run time: it counts repeated n-grams, which the fit does not."""
    out = []
    for row in rows:
        folded = fold(row.text).text
        packed = pack([folded[s:e] for s, e in cut(folded)])
        out.append(float((step * packed.scale * window_sums(packed, space, table)).max()))
    return np.array(out)


def _gate_threshold(
    rows: list[Row],
    public: Public | None,
    gate: Fitted,
    whole: _Side,
    scores: npt.NDArray[np.float64],
    recipe: Recipe,
) -> tuple[float, float]:
    """Open the gate as wide as the budget allows, and at least for every corpus message that has or is near a level.

    `scores` are the full logits of the corpus passages, minus the PROTECT cut-off.
    """
    table, step = fixed_point(gate.blocks["char"])
    of_rows = _runtime_gate(rows, space_of(recipe), table, step) + float(gate.intercept)
    needed = (whole.observed.most(scores) > -_GATE_MARGIN)[: len(rows)]
    lowest = float(of_rows[needed].min()) - _GATE_SLACK
    if public is None:
        return round(lowest, 3), 1.0
    everyday = np.asarray(public.observed.char @ gate.blocks["char"] + gate.intercept)
    threshold = min(lowest, float(np.quantile(everyday, 1 - recipe["gate"]["most_open"])))
    return round(threshold, 3), round(float((everyday >= threshold).mean()), 4)


def _decide(
    rows: list[Row],
    recipe: Recipe,
    held: HeldOut,
    fitted: tuple[Fitted, Fitted],
    vocabulary: Vocabulary,
    whole: _Side,
    public: Public | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Calibrate and choose cut-offs; return the figures and the settings for the config."""
    gate, main = fitted
    slope, offset = (round(x, 4) for x in platt(held, recipe["calibration"]))
    protect, review = (round(x, 3) for x in choose_levels(held, recipe["levels"]))
    scores = main.logits(whole.observed, vocabulary) - protect
    gate_threshold, gate_open = _gate_threshold(rows, public, gate, whole, scores, recipe)
    features = recipe["features"]
    settings = {
        "orders": features["orders"],
        "bits": features["bits"],
        "word_bits": features["word_bits"],
        "gate_threshold": gate_threshold,
        "calibration": {
            "slope": slope,
            "offset": offset,
            "gate_slope": _GATE_PLATT[0],
            "gate_offset": _GATE_PLATT[1],
            "prevalence": recipe["calibration"]["prevalence"],
        },
        "levels": {"protect": protect, "review": review},
        "pattern_floor": [_PATTERN_FLOOR] * len(PATTERN_IDS),
    }
    figures = {
        "gate_open_share": gate_open,
        "held_out": summary(held, protect, review),
        "ece": round(expected_calibration_error(held, recipe["calibration"], slope, offset), 5),
    }
    return figures, settings
