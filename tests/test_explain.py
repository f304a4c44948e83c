import pytest
from conftest import cases
from hypothesis import example, given, settings
from strategies import texts

from sextortion_detect import Detector
from sextortion_detect.model import HEADS

DETECTOR = Detector.load()
ALL = [c["text"] for name in ("obvious_threats", "stay_below_review", "folding") for c in cases(name)]


def check(text, head):
    account = DETECTOR.explain(text, head)
    total = account.intercept + sum(r.weight for r in account.reasons)
    assert abs(total - account.logit) <= 1e-9
    for reason in account.reasons:
        assert all(0 <= start < end <= len(text) for start, end in reason.spans)
    return account


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
def test_reasons_add_up_on_every_case(text):
    assert abs(check(text, "extortion").logit - DETECTOR.score(text).logit) <= 1e-9


@settings(max_examples=80)
@given(texts)
@example("")
@example("\u200b")
@example("👍")
@example("é")
def test_reasons_add_up_on_any_string(text):
    assert abs(check(text, "extortion").logit - DETECTOR.score(text).logit) <= 1e-9


@pytest.mark.parametrize("head", HEADS)
def test_every_head_adds_up(head):
    check(ALL[0], head)


def test_reasons_are_named_and_sorted():
    account = check(ALL[0], "extortion")
    sizes = [abs(r.weight) for r in account.reasons]
    assert sizes == sorted(sizes, reverse=True)
    kinds = {r.name.split(":")[0] for r in account.reasons}
    assert {"char", "word", "has", "near", "shape"} <= kinds


def test_below_the_gate_the_gate_is_explained():
    account = check("ok", "extortion")
    assert account.head in {"gate", "extortion"}


def test_evidence_shows_the_words():
    text = "Hello. i recorded our whole video call, pay 300 on cash app or your family gets it"
    shown = {e.pattern: text[e.start : e.end] for e in DETECTOR.score(text).evidence}
    assert "pay" in shown["payment_demand"]
    assert "recorded" in shown["recording_claim"]


def test_evidence_points_at_the_disguised_original():
    text = "i r\u200becorded you, p4y 300 on c.a.s.h app or your fаmily gets the v1deo"
    for evidence in DETECTOR.score(text).evidence:
        assert text[evidence.start : evidence.end].strip()


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="there is no head 'guilt'"):
        DETECTOR.explain("x", "guilt")
