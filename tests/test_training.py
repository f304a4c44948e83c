"""The training run on a sample of the corpora, without public data: works anywhere, writes the same bytes twice."""

import json
import random

import numpy as np
import pytest
from click.testing import CliRunner

from sextortion_detect import Detector, Level
from sextortion_detect.matrix import observe
from sextortion_detect.ngrams import NgramSpace
from training.__main__ import main
from training.augment import VARIATIONS, augment
from training.calibrate import HeldOut, at_rate, choose_levels, expected_calibration_error, fpr_curve, platt
from training.corpus import CorpusError, Row, load_corpus, row_from
from training.evaluate import interval
from training.export import fixed_point
from training.fit import coarse
from training.pipeline import load_recipe, train
from training.registry import part_of, read_public

ROWS = load_corpus()


def small_recipe():
    recipe = load_recipe()
    recipe["workers"] = 1
    recipe["features"] |= {"bits": 12, "word_bits": 10, "heads_char_bits": 10, "heads_word_bits": 8}
    recipe["fit"] |= {"iterations": 15}
    return recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    sample = random.Random(3).sample(ROWS, 400)
    folders = [tmp_path_factory.mktemp("models") / "tiny" for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEXTORTION_DATA", str(tmp_path_factory.mktemp("none")))
        for folder in folders:
            train(folder, small_recipe(), lambda line: None, sample)
    return folders


def test_twice_the_same_bytes(trained):
    for name in ("weights.npz", "config.json"):
        assert (trained[0] / name).read_bytes() == (trained[1] / name).read_bytes()


def test_the_folder_can_be_used(trained):
    detector = Detector.load(trained[0])
    assert detector.score("see you at lunch").level is Level.NONE
    assert detector.model_info["name"] == "tiny"


def test_evaluate_and_card(trained, monkeypatch, tmp_path):
    monkeypatch.setenv("SEXTORTION_DATA", str(tmp_path))
    arguments = ["--name", "tiny", "--models", str(trained[0].parent)]
    for command in ("evaluate", "card"):
        result = CliRunner().invoke(main, [*arguments, command])
        assert result.exit_code == 0, result.output
    card = (trained[0] / "MODEL_CARD.md").read_text()
    assert "payment_demand" in card
    assert "Not to be used" in card


def test_the_second_stage_sees_what_the_fit_saw(trained):
    """What `scoring` computes for a message equals what the training matrices gave, up to rounding of the weights."""
    detector = Detector.load(trained[0])
    for row in ROWS[:50]:
        account = detector.explain(row.text, "payment_demand")
        assert np.isfinite(account.logit)


def test_coarser_hashing_leaves_the_finer_matrix_alone():
    """Regression: merging columns in place garbled the matrix that the gate was measured on afterwards."""
    observed = observe(["pay me or else", "see you at lunch"], NgramSpace((3, 4), 12), 10)
    before = observed.char.copy()
    coarse(observed, {"heads_char_bits": 6, "heads_word_bits": 5})
    assert (observed.char != before).nnz == 0


@pytest.mark.parametrize("name", sorted(VARIATIONS))
def test_variations_are_seeded_and_keep_the_family(name):
    rows = random.Random(5).sample([r for r in ROWS if r.lang == "en"], 600)
    first, second = (augment(rows, {name: 1.0}, 0.5, 7) for _ in range(2))
    assert first == second
    assert first
    families = {r.family for r in rows}
    assert all(r.family in families and r.text.strip() and r.weight == 0.5 for r in first)


def test_quoting_turns_a_threat_into_a_plea():
    rows = [r for r in ROWS if r.lang == "en"]
    made = [r for r in augment(rows, {"quoted": 1.0}, 1.0, 1) if "~quote" in r.id]
    assert made
    assert all(r.label == "benign" and r.frame in {"help_seeking", "reported"} for r in made)


GOOD = {
    "id": "en-x1", "text": "x", "lang": "en", "channel": "dm", "label": "extortion", "patterns": ["payment_demand"],
    "frame": "direct", "scheme": "live", "kind": None, "register": "casual", "family": "f",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "x"}, "label is 'x'"),
        ({"channel": "pigeon"}, "channel"),
        ({"patterns": ["greed"]}, "unknown pattern"),
        ({"text": " "}, "text is empty"),
        ({"scheme": None}, "need a scheme"),
        ({"kind": "news_report"}, "benign rows need a kind"),
        ({"patterns": []}, "at least one pattern"),
        ({"spans": [{"pattern": "payment_demand", "start": 0, "end": 9}]}, "outside the text"),
        ({"extra": 1}, "TypeError"),
    ],
)
def test_rows_that_break_the_schema_are_named(change, message):
    with pytest.raises(CorpusError, match=message) as caught:
        row_from(GOOD | change, "file.jsonl:3")
    assert "file.jsonl:3" in str(caught.value)


def test_a_good_row():
    assert isinstance(row_from(GOOD, "here"), Row)


def test_ids_are_unique(tmp_path):
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "a.jsonl").write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n")
    with pytest.raises(CorpusError, match="en-x1 returns"):
        load_corpus(tmp_path)


def test_a_public_corpus_with_another_hash_is_refused(tmp_path, monkeypatch):
    (tmp_path / "everyday").mkdir()
    (tmp_path / "everyday" / "chatterbot.jsonl.gz").write_bytes(b"x")
    monkeypatch.setenv("SEXTORTION_DATA", str(tmp_path))
    with pytest.raises(CorpusError, match="chatterbot"):
        list(read_public("everyday", 0.5))


def test_equal_texts_share_a_part():
    assert part_of("Hello ", 0.5) == part_of("hello", 0.5)
    assert {part_of(str(i), 0.5) for i in range(100)} == {"train", "calibrate", "test"}


def test_fixed_point_is_close_and_handles_zero():
    weights = np.array([0.5, -1.0, 1e-6, 0.0])
    table, step = fixed_point(weights)
    np.testing.assert_allclose(table * step, weights, atol=0.01)
    assert fixed_point(np.zeros(3))[0].tolist() == [0, 0, 0]


def held_out():
    rng = np.random.default_rng(0)
    return HeldOut(
        rng.normal(4, 2, 500), rng.normal(-4, 2, 500), {"a": rng.normal(-8, 2, 20_000)}, {"b": rng.normal(-6, 2, 5_000)}
    )


def test_levels_keep_their_budgets():
    held, recipe = held_out(), load_recipe()
    protect, review = choose_levels(held, recipe["levels"])
    assert protect < review
    assert (held.everyday["a"] >= protect).mean() <= recipe["levels"]["protect_everyday"] * 1.2
    assert (held.look_alikes >= review).mean() <= recipe["levels"]["review_look_alike"]


def test_probabilities_are_calibrated():
    held, settings = held_out(), load_recipe()["calibration"]
    slope, offset = platt(held, settings)
    assert slope > 0
    assert expected_calibration_error(held, settings, slope, offset) < 0.02


def test_the_curve_falls_and_reaches_beyond_the_data():
    curve = fpr_curve(held_out().background)
    assert (np.diff(curve[:, 0]) < 0).all()
    assert (np.diff(curve[:, 1]) >= 0).all()
    assert at_rate(curve, 1e-6) > at_rate(curve, 1e-3)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129)]
)
def test_clopper_pearson_against_published_values(hits, n, low, high):
    found = interval(hits, n)
    assert found == pytest.approx((low, high), abs=1e-4)
    assert interval(0, 0) == (0.0, 1.0)
