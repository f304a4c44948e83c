import time

import pytest
from conftest import cases
from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from sextortion_detect.characters import is_invisible
from sextortion_detect.disguises import undo_disguises
from sextortion_detect.normalise import _BLANKS, FOLD_KINDS, _fold_characters, _strip_markup, fold, fold_with_map
from sextortion_detect.tape import Tape


@pytest.mark.parametrize("case", cases("folding"), ids=lambda c: c["why"])
def test_case(case):
    found = fold(case["text"])
    assert found.text == case["folded"]
    assert found.counts == case["counts"]


@given(texts)
def test_map_does_not_change_the_text(text):
    plain, mapped = fold(text), fold_with_map(text)
    assert plain.text == mapped.text
    assert plain.counts == mapped.counts
    assert set(plain.counts) <= set(FOLD_KINDS)


@given(texts)
def test_every_folded_character_maps_into_the_original(text):
    mapped = fold_with_map(text)
    for i in range(len(mapped.text)):
        start, end = mapped.original_span(i, i + 1)
        assert 0 <= start < end <= len(text)


@given(texts)
def test_folded_text_can_be_encoded_and_holds_no_nul(text):
    assert b"\0" not in fold(text).text.encode("utf-8")


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_the_fast_path_skips_nothing(text):
    """Regression: plain-looking texts were lower-cased only where the full path would have undone a disguise."""
    tape = Tape(text, mapped=False)
    _strip_markup(tape)
    _fold_characters(tape)
    undo_disguises(tape)
    tape.rewrite(_BLANKS, lambda m: "\n" if "\n" in m[0] else " ")
    assert fold(text).text == tape.text


def test_joined_letters_map_to_their_own_places():
    mapped = fold_with_map("now s e n d it")
    at = mapped.text.index("send")
    assert [mapped.original_span(at + i, at + i + 1) for i in range(4)] == [(4, 5), (6, 7), (8, 9), (10, 11)]


def test_an_emoji_word_maps_to_the_emoji():
    mapped = fold_with_map("hi 📸 you")
    at = mapped.text.index("record")
    assert mapped.original_span(at, at + 6) == (3, 4)


@pytest.mark.parametrize(
    "hostile", ["<!--", "<", "&", "a.", "a ", "> ", "1a", "\u200b", "<style", "aé", "я", "ab", "क्", "_"]
)
def test_hostile_repetition_ends(hostile):
    started = time.perf_counter()
    fold(hostile * 50_000 + "中")
    assert time.perf_counter() - started < 30  # a guard against hanging, not a measurement


def test_capital_that_grows_when_lowered_inside_markup():
    assert "visible" in fold("İ<!-- x -->visible").text


def test_invisible():
    assert is_invisible("\u200b")
    assert is_invisible("\ufe0f")
    assert is_invisible("\u00ad")
    assert not is_invisible("a")
