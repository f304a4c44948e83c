from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from strategies import texts

from sextortion_detect.normalise import fold
from sextortion_detect.passages import LONGEST, cut


@given(texts | st.builds(lambda t, n: t * n, texts, st.integers(1, 200)))
def test_every_character_is_in_a_passage_and_none_is_too_long(text):
    folded = fold(text).text
    spans = cut(folded)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(folded)
    assert all(end - start <= LONGEST for start, end in spans)
    for (_, end), (start, _) in pairwise(spans):
        assert start <= end


def test_short_texts_are_one_passage():
    assert cut("") == [(0, 0)]
    assert cut("x" * LONGEST) == [(0, LONGEST)]


def test_borders_fall_on_blanks():
    text = "word " * 300
    assert all(start == 0 or text[start - 1] == " " for start, _ in cut(text))
