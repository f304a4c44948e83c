import pytest

from sextortion_detect.concepts import ConceptScanner
from sextortion_detect.errors import LexiconError
from sextortion_detect.lexicon_files import CONCEPTS, _parse_lexicon, lexicon_hash, load_entities, load_lexicons, words
from sextortion_detect.normalise import fold

LEXICONS = load_lexicons()
ENTITIES = load_entities()


def found(lexicon, sentence):
    return {hit.concept for hit in ConceptScanner([lexicon], []).scan(fold(sentence).text).hits}


@pytest.mark.parametrize("lexicon", LEXICONS, ids=lambda x: x.language)
def test_the_file_proves_itself(lexicon):
    silent = [(c, s) for c, s in lexicon.fires_on if c not in found(lexicon, s)]
    loud = [(c, s) for c, s in lexicon.quiet_on if c in found(lexicon, s)]
    assert not silent
    assert not loud


@pytest.mark.parametrize("lexicon", LEXICONS, ids=lambda x: x.language)
def test_every_concept_has_terms_and_proof(lexicon):
    assert {t.concept for t in lexicon.terms} == set(CONCEPTS)
    assert {c for c, _ in lexicon.fires_on} == {c for c, _ in lexicon.quiet_on} == set(CONCEPTS)


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda x: x.name)
def test_entities_prove_themselves(entity):
    assert entity.fires_on
    assert entity.quiet_on
    assert [s for s in entity.fires_on if not entity.pattern.search(fold(s).text)] == []
    assert [s for s in entity.quiet_on if entity.pattern.search(fold(s).text)] == []


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"nonsense": {"terms": ["x"]}}, "unknown concept"),
        ({"pay": {"terms": ["pay"], "fires": []}}, "unknown key fires"),
        ({"pay": {"terms": ["₹"]}}, "no word in it"),
        ({"pay": {"terms": ["pa*"]}}, "stem before a star"),
    ],
)
def test_bad_files_are_refused_with_a_reason(block, message):
    with pytest.raises(LexiconError, match=message) as caught:
        _parse_lexicon("xx", {"concepts": block})
    assert "lexicon/xx.toml" in str(caught.value)


def test_short_stems_are_fine_where_letters_carry_more():
    assert _parse_lexicon("xx", {"concepts": {"pay": {"terms": ["पै*"]}}}).terms


def test_words_of_scripts_without_spaces_are_characters():
    assert [m[0] for m in words("发给你 mum's")] == ["发", "给", "你", "mum", "s"]


def test_hash_is_stable():
    assert lexicon_hash() == lexicon_hash()
    assert len(lexicon_hash()) == 64
