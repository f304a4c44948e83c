"""Fitted heads → a model folder, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sextortion_detect.features import SHAPES, feature_name
from sextortion_detect.lexicon_files import lexicon_hash
from sextortion_detect.matrix import Vocabulary
from sextortion_detect.model import FORMAT, HEADS
from sextortion_detect.version import __version__
from training.fit import Fitted

__all__ = ["fixed_point", "write_model"]

_LARGEST = 32_000  # of int16; sums of 4 orders x 16,000 windows then stay inside 32 bits
_NEGLIGIBLE = 1e-3  # weights below this share of the largest are dropped: they cost bytes and change nothing
_DECIMALS = 4  # of a nat: far below what changes a verdict, far above what the machine's rounding changes
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: archives must not differ by their clock


def fixed_point(weights: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int16], float]:
    """Round weights to 16-bit multiples of one step, and return both."""
    largest = float(np.abs(weights).max()) if weights.size else 0.0
    if not largest:
        return np.zeros(weights.shape, np.int16), 1.0
    step = float(f"{largest / _LARGEST:.4g}") or 1.0  # a short number, the same for the same fit
    kept = np.where(np.abs(weights) < _NEGLIGIBLE * largest, 0.0, weights)
    # One byte of precision is plenty for a hashed weight and compresses far better than two.
    coarse = np.round(kept / step / 256) * 256
    return np.clip(coarse, -_LARGEST, _LARGEST).astype(np.int16), step


def _npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Write an npz whose bytes depend on the arrays alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _named(fitted: Fitted) -> npt.NDArray[np.float32]:
    """Concept and shape weights as one table, features first."""
    return (
        np.concatenate([fitted.blocks["concept"], fitted.blocks["shape"]], axis=-1)
        .T.round(_DECIMALS)
        .astype(np.float32)
    )


def write_model(
    folder: Path,
    vocabulary: Vocabulary,
    gate: Fitted,
    main: Fitted,
    heads: Fitted,
    curve: npt.NDArray[np.float64],
    settings: Mapping[str, Any],
) -> None:
    """Write ``weights.npz`` and ``config.json``.

    Parameters
    ----------
    folder : Path
        Created when missing; its two files are replaced.
    vocabulary, gate, main, heads
        From the fit.
    curve : ndarray of shape (k, 2)
        From `calibrate.fpr_curve`.
    settings : mapping
        ``name``, ``orders``, ``bits``, ``word_bits``, ``gate_threshold``, ``calibration``, ``levels``,
        ``pattern_thresholds``, ``pattern_floor`` and ``training`` of the config.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "gate": gate.blocks["char"],
        "char": main.blocks["char"],
        "word": main.blocks["word"],
        "heads_char": heads.blocks["char"].T,
        "heads_word": heads.blocks["word"].T,
    }
    arrays: dict[str, npt.NDArray[Any]] = {}
    steps: dict[str, float] = {}
    for name, table in tables.items():
        arrays[name], steps[name] = fixed_point(table)
    arrays |= {"named": _named(main), "heads_named": _named(heads), "curve": curve}
    data = _npz(arrays)
    config = {
        "format": FORMAT,
        "version": __version__,
        "created_with": {"numpy": np.__version__},
        "lexicon_sha256": lexicon_hash(),
        "heads": list(HEADS),
        "shapes": list(SHAPES),
        "steps": steps,
        "intercepts": {
            "gate": round(float(gate.intercept), _DECIMALS),
            "extortion": round(float(main.intercept), _DECIMALS),
            "heads": [round(float(x), _DECIMALS) for x in heads.intercept],
        },
        **settings,
        "sha256": {"weights.npz": hashlib.sha256(data).hexdigest()},
        "features": [feature_name(f) for f in vocabulary.features],
    }
    (folder / "weights.npz").write_bytes(data)
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
