import pytest
from hypothesis import given
from strategies import texts

from sextortion_detect import concepts
from sextortion_detect.concepts import ConceptScanner
from sextortion_detect.features import concept_features, feature_name, parse_feature, passage_shapes, word_spans
from sextortion_detect.lexicon_files import Lexicon, Term, load_entities, load_lexicons, words
from sextortion_detect.normalise import fold


def lexicon(language, **terms):
    entries = [
        Term(tuple((w.rstrip("*"), w.endswith("*")) for w in t.split()), c) for c, ts in terms.items() for t in ts
    ]
    return Lexicon(language, tuple(entries), (), ())


LEXICONS = load_lexicons()
SCANNER = ConceptScanner(LEXICONS, load_entities())
ENGLISH = next(x for x in LEXICONS if x.language == "en")
ENGLISH_SCANNER = ConceptScanner([ENGLISH], [])


def slow_terms(one, folded):
    """All terms at all places, tried one by one."""
    tokens = [m[0] for m in words(folded)]
    hits = set()
    for term in one.terms:
        for i in range(len(tokens) - len(term.words) + 1):
            window = tokens[i : i + len(term.words)]
            if all(t.startswith(w) if star else t == w for t, (w, star) in zip(window, term.words, strict=True)):
                hits.add((term.concept, i, i + len(term.words) - 1))
    return hits


@given(texts)
def test_the_trie_finds_what_trying_everything_finds(text):
    folded = fold(text).text
    fast = {(h.concept, h.first, h.last) for h in ENGLISH_SCANNER.scan(folded).hits}
    assert fast == slow_terms(ENGLISH, folded)


@given(texts)
def test_hits_lie_inside_the_text_and_in_order(text):
    folded = fold(text).text
    scan = SCANNER.scan(folded)
    assert all(0 <= h.start < h.end <= len(folded) for h in scan.hits)
    assert [h.first for h in scan.hits] == sorted(h.first for h in scan.hits)


def test_closed_class_words_count_for_the_best_language_only():
    a = lexicon("a", first=["i"], pay=["pay"], audience=["boss"])
    b = lexicon("b", second=["i"])
    scan = ConceptScanner([a, b], []).scan("i pay boss")
    assert {h.concept for h in scan.hits} == {"first", "pay", "audience"}
    assert scan.languages == ("a",)


def test_other_concepts_count_in_every_language():
    a = lexicon("a", pay=["pay"], audience=["boss"])
    b = lexicon("b", send=["tuma"])
    assert {h.concept for h in ConceptScanner([a, b], []).scan("pay boss tuma").hits} == {"pay", "audience", "send"}


def test_the_word_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(concepts, "_CACHED_WORDS", 3)
    scanner = ConceptScanner([lexicon("a", pay=["pay"])], [])
    scanner.scan("one two three four five pay")
    assert len(scanner._first_nodes) <= 3


def test_pairs_keep_their_order_and_reach():
    scanner = ConceptScanner([lexicon("a", hold=["have"], media=["video"])], [])
    assert ("near", "hold", "media") in concept_features(scanner.scan("have the video"))
    assert ("near", "media", "hold") not in concept_features(scanner.scan("have the video"))
    far = concept_features(scanner.scan("have " + "x " * 20 + "video"))
    assert ("near", "hold", "media") not in far
    assert ("wide", "hold", "media") in far
    assert ("wide", "hold", "media") not in concept_features(scanner.scan("have " + "x " * 60 + "video"))


def test_one_word_under_two_concepts_makes_no_pair():
    scanner = ConceptScanner([lexicon("a", hold=["tape"], media=["tape"])], [])
    assert set(concept_features(scanner.scan("tape"))) == {("has", "hold"), ("has", "media")}


@pytest.mark.parametrize("feature", [("has", "pay"), ("near", "a", "b"), ("trio", "a", "b", "c"), ("wide", "a", "b")])
def test_names_can_be_read_back(feature):
    assert parse_feature(feature_name(feature)) == feature


@given(texts)
def test_shapes_are_shares(text):
    folded = fold(text).text
    values = passage_shapes(folded, SCANNER.scan(folded))
    assert all(0 <= v <= 1 for v in values.values())


def test_word_pairs_span_both_words():
    folded = "pay me"
    spans = [(s, e) for _, s, e in word_spans(folded, SCANNER.scan(folded), 16)]
    assert spans == [(0, 3), (4, 6), (0, 6)]
