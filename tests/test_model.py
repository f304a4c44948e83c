import hashlib
import io
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from sextortion_detect import Detector
from sextortion_detect.errors import ModelFormatError, ModelNotFoundError
from sextortion_detect.lexicon_files import lexicon_hash
from sextortion_detect.model import BUNDLED, load_model

BUNDLE = Path(str(files("sextortion_detect") / "models" / BUNDLED))


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(BUNDLE, tmp_path / "copy"))


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_folder_gives_the_same_verdicts_as_the_bundle(folder, detector):
    text = "pay 300 or your wife sees the video"
    assert Detector.load(folder).score(text) == detector.score(text)


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(ModelNotFoundError, match="python -m training"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path)


def test_missing_weights(folder):
    (folder / "weights.npz").unlink()
    with pytest.raises(ModelNotFoundError, match=r"weights\.npz is missing"):
        load_model(folder)


def test_broken_config(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelFormatError, match="not JSON"):
        load_model(folder)


@pytest.mark.parametrize("content", ["[1]", "3", '{"format": 1}', '{"format": 1, "sha256": {}}'])
def test_a_config_of_another_kind(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelFormatError):
        load_model(folder)


def test_another_format_says_which(folder):
    edit(folder, format=99)
    with pytest.raises(ModelFormatError, match="format 99"):
        load_model(folder)


def test_altered_weights_are_refused(folder):
    data = bytearray((folder / "weights.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "weights.npz").write_bytes(bytes(data))
    with pytest.raises(ModelFormatError, match="altered"):
        load_model(folder)


def test_pickles_are_refused(folder):
    buffer = io.BytesIO()
    np.savez(buffer, gate=np.array([{"a": 1}], dtype=object))
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    edit(folder, sha256={"weights.npz": hashlib.sha256(buffer.getvalue()).hexdigest()})
    with pytest.raises(ModelFormatError, match="damaged"):
        load_model(folder)


@pytest.mark.parametrize("change", [{"shapes": []}, {"heads": ["x"]}])
def test_other_columns_are_refused(folder, change):
    edit(folder, **change)
    with pytest.raises(ModelFormatError, match="other columns"):
        load_model(folder)


def test_a_missing_setting_is_a_damaged_folder(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config["orders"]
    path.write_text(json.dumps(config))
    with pytest.raises(ModelFormatError, match="damaged"):
        load_model(folder)


def test_the_bundled_model_was_trained_with_this_lexicon():
    assert json.loads((BUNDLE / "config.json").read_text())["lexicon_sha256"] == lexicon_hash(), "run `make train`"


def test_the_bundle_is_small():
    assert sum(p.stat().st_size for p in BUNDLE.iterdir()) < 5_500_000
    assert {p.name for p in BUNDLE.iterdir()} >= {"weights.npz", "config.json", "MODEL_CARD.md"}
