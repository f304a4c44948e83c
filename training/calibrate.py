"""Logits on data the fit never saw → probabilities at a stated prevalence, cut-offs by false-positive budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

__all__ = ["HeldOut", "choose_levels", "expected_calibration_error", "fpr_curve", "platt"]

Floats = npt.NDArray[np.float64]
_TAIL = 1e-3  # the exponential tail is fitted to the highest 0.1 % of everyday logits
_RATES = np.logspace(-0.3, -7, 64)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Logits of messages that took no part in the fit.

    Parameters
    ----------
    threats, look_alikes : ndarray
        Corpus rows, out of fold.
    everyday, hard : dict of str to ndarray
        Calibration parts of the public corpora, by source; empty where no copy is present.
    """

    threats: Floats
    look_alikes: Floats
    everyday: Mapping[str, Floats]
    hard: Mapping[str, Floats]

    @property
    def background(self) -> Floats:
        """All everyday logits, or the look-alikes when no public corpus is present."""
        return np.concatenate(list(self.everyday.values())) if self.everyday else self.look_alikes


def fpr_curve(negatives: Floats) -> Floats:
    """Return (false-positive rate, logit) pairs, rate falling.

    Rates above 0.1 % are empirical quantiles; below, an exponential tail (the peaks-over-threshold method with shape
    0, see
    Coles 2001, chapter 4) is fitted to the excesses over the 0.1 % quantile, because 1 in 100,000 cannot be read off
    a few hundred thousand lines.
    """
    base = float(np.quantile(negatives, 1 - _TAIL))
    excess = negatives[negatives > base] - base
    mean = float(excess.mean()) if len(excess) else 1.0
    logits = [
        float(np.quantile(negatives, 1 - rate)) if rate >= _TAIL else base + mean * float(np.log(_TAIL / rate))
        for rate in _RATES
    ]
    return np.column_stack([_RATES, np.maximum.accumulate(logits).round(4)])


def at_rate(curve: Floats, rate: float) -> float:
    """Return the logit exceeded at `rate`, interpolated in log rate."""
    return float(np.interp(-np.log(rate), -np.log(curve[:, 0]), curve[:, 1]))


def choose_levels(held: HeldOut, budgets: Mapping[str, float]) -> tuple[float, float]:
    """Return the logits of PROTECT and REVIEW: the lowest that keep every budget of the recipe."""
    curve = fpr_curve(held.background)
    protect = [at_rate(curve, budgets["protect_everyday"])]
    protect += [
        float(np.quantile(z, 1 - budgets["protect_worst_source"])) for z in held.everyday.values() if len(z) >= 2000
    ]
    review = [
        at_rate(curve, budgets["review_everyday"]),
        float(np.quantile(held.look_alikes, 1 - budgets["review_look_alike"])),
    ]
    if held.hard:
        hard = np.concatenate(list(held.hard.values()))
        protect.append(float(np.quantile(hard, 1 - budgets["protect_hard"])))
        review.append(float(np.quantile(hard, 1 - budgets["review_hard"])))
    return max(protect), max(*review, max(protect) + 0.1)


def _mixture(held: HeldOut, settings: Mapping[str, float]) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Put the held-out logits together with weights that make up the stated prevalence and mix."""
    groups: list[tuple[Floats, bool, float]] = [(held.threats, True, settings["prevalence"])]
    rest = 1.0 - settings["prevalence"]
    shares = [(held.look_alikes, settings["look_alike_share"])]
    if held.hard:
        shares.append((np.concatenate(list(held.hard.values())), settings["hard_share"]))
    if held.everyday:
        shares.append((held.background, 1.0 - sum(s for _, s in shares)))
    total = sum(s for _, s in shares)
    groups += [(z, False, rest * share / total) for z, share in shares]
    logits = np.concatenate([z for z, _, _ in groups])
    labels = np.concatenate([np.full(len(z), positive) for z, positive, _ in groups])
    weights = np.concatenate([np.full(len(z), mass / len(z)) for z, _, mass in groups])
    return logits, labels, weights


def platt(held: HeldOut, settings: Mapping[str, float]) -> tuple[float, float]:
    """Fit ``P(extortion) = 1 / (1 + exp(-(slope * logit + offset)))`` (Platt 1999) at the stated prevalence."""
    logits, labels, weights = _mixture(held, settings)
    model = LogisticRegression(C=1e6, max_iter=1000, tol=1e-8)
    model.fit(logits[:, None], labels, sample_weight=weights * len(logits))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def expected_calibration_error(held: HeldOut, settings: Mapping[str, float], slope: float, offset: float) -> float:
    """Return the ECE over 15 bins of equal mass at the stated prevalence (Naeini et al. 2015)."""
    logits, labels, weights = _mixture(held, settings)
    p = 1 / (1 + np.exp(-(slope * logits + offset)))
    order = np.argsort(p)
    p, labels, weights = p[order], labels[order], weights[order]
    mass = np.cumsum(weights) / weights.sum()
    bins = np.minimum((mass * 15).astype(int), 14)
    error = 0.0
    for b in range(15):
        inside = bins == b
        if inside.any():
            w = weights[inside] / weights[inside].sum()
            error += weights[inside].sum() / weights.sum() * abs(float(w @ p[inside]) - float(w @ labels[inside]))
    return float(error)


def summary(held: HeldOut, protect: float, review: float) -> dict[str, Any]:
    """Return the held-out figures that the model card prints."""
    return {
        "threats": len(held.threats),
        "recall_protect": float((held.threats >= protect).mean()),
        "recall_review": float((held.threats >= review).mean()),
        "look_alikes": len(held.look_alikes),
        "look_alike_protect": float((held.look_alikes >= protect).mean()),
        "look_alike_review": float((held.look_alikes >= review).mean()),
        "everyday": {
            name: {"n": len(z), "protect": int((z >= protect).sum()), "review": int((z >= review).sum())}
            for name, z in sorted({**held.everyday, **held.hard}.items())
        },
    }
