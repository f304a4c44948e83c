"""Read and verify a model folder: ``weights.npz``, ``config.json``, ``MODEL_CARD.md``. Nothing is ever unpickled.

To change the format safely: raise `FORMAT`, keep reading the older number here, write the new one in
training/export.py, and add a folder in the old format to tests/data so that a test keeps loading it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sextortion_detect.errors import ModelFormatError, ModelNotFoundError
from sextortion_detect.features import SHAPES, Feature, parse_feature
from sextortion_detect.ngrams import NgramSpace
from sextortion_detect.results import PATTERN_IDS, Frame, Scheme

__all__ = ["BUNDLED", "FORMAT", "HEADS", "Calibration", "HeadBlock", "Levels", "MainHead", "Model", "load_model"]

FORMAT = 1
BUNDLED = "base-1"
HEADS: tuple[str, ...] = (*PATTERN_IDS, *(f"frame:{f.value}" for f in Frame), *(f"scheme:{s.value}" for s in Scheme))
"""Columns of the second stage: 13 patterns, 4 frames, 6 schemes."""


@dataclass(frozen=True, slots=True)
class MainHead:
    """The extortion head and its gate.

    Parameters
    ----------
    gate, char : ndarray of shape (space.size,), int16
        Fixed-point weights of byte n-grams, for the gate and for the full score.
    word : ndarray of shape (2 ** word_bits,), int16
        Fixed-point weights of words and word pairs.
    named : ndarray of shape (n_named,), float64
        Weights of concept features, then of shapes.
    steps : dict of str to float
        What one unit of ``gate``, ``char`` and ``word`` is worth, in nats.
    gate_intercept, intercept : float
        Constants, in nats.
    gate_threshold : float
        Gate logit below which the full score is not computed.
    """

    gate: npt.NDArray[np.int16]
    char: npt.NDArray[np.int16]
    word: npt.NDArray[np.int16]
    named: npt.NDArray[np.float64]
    steps: dict[str, float]
    gate_intercept: float
    intercept: float
    gate_threshold: float


@dataclass(frozen=True, slots=True)
class HeadBlock:
    """All heads of the second stage, side by side; columns as `HEADS`.

    Parameters
    ----------
    char : ndarray of shape (2 ** char_bits, 23), int16
        The n-gram buckets of the main head, cut to their highest `char_bits` bits.
    word : ndarray of shape (2 ** word_bits, 23), int16
        Likewise for words, cut to their lowest bits.
    named : ndarray of shape (n_named, 23), float64
        Concept features, then shapes.
    char_step, word_step : float
        What one unit is worth, in nats.
    intercepts : ndarray of shape (23,), float64
        In nats.
    floor : ndarray of shape (13,), float64
        Pattern probabilities reported for messages that do not pass the gate.
    """

    char: npt.NDArray[np.int16]
    word: npt.NDArray[np.int16]
    named: npt.NDArray[np.float64]
    char_step: float
    word_step: float
    intercepts: npt.NDArray[np.float64]
    floor: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logits to probabilities: ``1 / (1 + exp(-(slope * logit + offset)))``, Platt (1999), at a stated prevalence."""

    slope: float
    offset: float
    gate_slope: float
    gate_offset: float
    prevalence: float


@dataclass(frozen=True, slots=True)
class Levels:
    """Logit cut-offs of the levels, and the curve they were read from.

    Parameters
    ----------
    protect, review : float
        Logits at or above which a message has that level.
    curve : ndarray of shape (k, 2), float64
        Column 0: false-positive rate on everyday messages, falling; column 1: the logit that is exceeded so often.
    """

    protect: float
    review: float
    curve: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """A verified model, ready for scoring."""

    name: str
    space: NgramSpace
    word_bits: int
    main: MainHead
    heads: HeadBlock
    calibration: Calibration
    levels: Levels
    features: dict[Feature, int]
    pattern_thresholds: npt.NDArray[np.float64]
    info: dict[str, Any] = field(repr=False)

    @property
    def shape_offset(self) -> int:
        """Column of the first shape among the named ones."""
        return len(self.features)


def load_model(path: str | Path | None = None) -> Model:
    """Read a model folder and check that it is whole.

    Parameters
    ----------
    path : str or Path, optional
        A folder that ``python -m training`` wrote; the bundled model when left out.

    Raises
    ------
    ModelNotFoundError
        If the folder or one of its files is missing.
    ModelFormatError
        If a file was altered after export, or the format is not one this version reads.
    """
    if path is None:
        with as_file(files("sextortion_detect") / "models" / BUNDLED) as folder:
            return _load_folder(folder)
    return _load_folder(Path(path))


def _load_folder(folder: Path) -> Model:
    for name in ("config.json", "weights.npz"):
        if not (folder / name).is_file():
            raise ModelNotFoundError(
                f"{folder} is not a model folder: {name} is missing. `python -m training` writes one; "
                "Detector.load() without a path uses the bundled model."
            )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFormatError(f"{folder / 'config.json'} is not JSON; restore the folder or train again") from error
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise ModelFormatError(
            f"{folder} has format {found!r}; this version reads format {FORMAT}. "
            "Upgrade sextortion-detect, or train the model again with the installed version."
        )
    data = (folder / "weights.npz").read_bytes()
    try:
        _check_hash(data, config["sha256"]["weights.npz"], folder)
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            return _build(config, {name: arrays[name] for name in arrays.files})
    except ModelFormatError:
        raise
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelFormatError(f"{folder} is damaged ({type(error).__name__}); restore it or train again") from error


def _check_hash(data: bytes, expected: str, folder: Path) -> None:
    if hashlib.sha256(data).hexdigest() != expected:
        raise ModelFormatError(f"{folder / 'weights.npz'} does not match the hash in config.json: it was altered")


def _build(config: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Model:
    features = {parse_feature(name): i for i, name in enumerate(config["features"])}
    if list(config["shapes"]) != list(SHAPES) or list(config["heads"]) != list(HEADS):
        raise ModelFormatError("the model was trained for other columns; train it again with this version")
    main = MainHead(
        arrays["gate"],
        arrays["char"],
        arrays["word"],
        arrays["named"].astype(np.float64),
        config["steps"],
        config["intercepts"]["gate"],
        config["intercepts"]["extortion"],
        config["gate_threshold"],
    )
    heads = HeadBlock(
        arrays["heads_char"],
        arrays["heads_word"],
        arrays["heads_named"].astype(np.float64),
        config["steps"]["heads_char"],
        config["steps"]["heads_word"],
        np.array(config["intercepts"]["heads"]),
        np.array(config["pattern_floor"]),
    )
    levels = Levels(config["levels"]["protect"], config["levels"]["review"], arrays["curve"].astype(np.float64))
    info = {k: config[k] for k in ("name", "version", "created_with", "lexicon_sha256", "sha256", "training")}
    return Model(
        config["name"],
        NgramSpace(tuple(config["orders"]), config["bits"]),
        config["word_bits"],
        main,
        heads,
        Calibration(**config["calibration"]),
        levels,
        features,
        np.array(config["pattern_thresholds"]),
        info,
    )
