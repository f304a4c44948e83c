"""Every check of training.validate fires on one bad row and stays quiet on its near-miss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.corpus import DATASETS, KINDS
from training.skeletons import near_pairs, opening, plain_words
from training.validate import composition_table, validate
from training.wallet_check import is_base58check, is_bech32, usable_wallets

Rows = list[dict[str, Any]]

THREAT = {"label": "extortion", "scheme": "live", "kind": None, "patterns": ["recording_claim"]}
LURE = {"label": "lure", "kind": None, "patterns": ["webcam_lure"]}
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"  # the published address of the first block
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"  # the example of BIP-173


def row(text: str = "the rain stopped before lunch", **changes: Any) -> dict[str, Any]:
    base = {
        "id": "xx-1", "text": text, "lang": "xx", "channel": "dm", "label": "benign", "patterns": [], "frame": "direct",
        "scheme": None, "kind": "everyday_talk", "register": "casual", "family": changes.get("id", "xx-1"), "spans": [],
    }  # fmt: skip
    return {**base, **changes}


def check(folder: Path, rows: Rows) -> list[str]:
    for data in rows:
        path = folder / data.pop("_folder", data["lang"]) / "rows.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(data) + "\n")
    return validate(folder)


def numbered(count: int, lang: str = "xx", **changes: Any) -> Rows:
    letter = changes.get("label", "benign")[0]
    return [row(f"{letter} {n} " * 3, id=f"{lang}-{letter}{n}", lang=lang, **changes) for n in range(count)]


def enough(threats: int, lures: int, neighbours: int, lang: str = "xx") -> Rows:
    return numbered(threats, lang, **THREAT) + numbered(lures, lang, **LURE) + numbered(neighbours, lang)


def openings(*first_words: str) -> Rows:
    return [row(f"{words} number {n} of {n * n}", id=f"xx-{n}") for n, words in enumerate(first_words)]


SPAN = {"pattern": "recording_claim", "start": 0}
LONG = "we met at the market on a cold bright morning"
CASES: dict[str, tuple[str, Rows, Rows]] = {
    "unknown label": ("label is", [row(label="threat")], [row()]),
    "wrong type": ("wrong type", [row(text=7)], [row(text="7")]),
    "missing field": ("KeyError", [{"id": "xx-1", "lang": "xx"}], [row()]),
    "span outside": (
        "span lies outside",
        [row("i kept it", **THREAT | {"spans": [{**SPAN, "end": 10}]})],
        [row("i kept it", **THREAT | {"spans": [{**SPAN, "end": 9}]})],
    ),
    "id returns": ("id returns", [row(), row("another text")], [row(), row("another text", id="xx-2")]),
    "id returns in another file": ("id returns", [row(), row(lang="yy")], [row(), row(lang="yy", id="yy-1")]),
    "wrong folder": ("move the row", [row(_folder="yy")], [row(_folder="xx")]),
    "near-duplicate": (
        "near-duplicate",
        [row(LONG), row(LONG + "!!! twice", id="xx-2", family="xx-1")],
        [row(LONG), row("we met at the station on a wet dark evening", id="xx-2", family="xx-1")],
    ),
    "near-duplicate, not a minimal pair": (
        "near-duplicate",
        [row(LONG), row(LONG + " twice", id="xx-2", family="xx-1")],
        [row(LONG), row(LONG + " twice", id="xx-2", family="xx-1", **THREAT)],
    ),
    "one text, two labels": (
        "near-duplicate",
        [row(LONG), row(LONG + "!", id="xx-2", family="xx-1", **THREAT)],
        [row(LONG), row(LONG + " twice!", id="xx-2", family="xx-1", **THREAT)],
    ),
    "near-duplicate leaks": (
        "another family",
        [row(LONG), row(LONG + " twice", id="xx-2", **THREAT)],
        [row(LONG), row(LONG + " twice", id="xx-2", family="xx-1", **THREAT)],
    ),
    "equal text leaks over languages": (
        "another family",
        [row(LONG), row(LONG, id="yy-1", lang="yy")],
        [row(LONG), row(LONG + " and then again at the station", id="yy-1", lang="yy")],
    ),
    "family spans languages": (
        "stays in one language",
        [row(), row("other", id="yy-1", lang="yy", family="xx-1")],
        [row(), row("other", id="yy-1", lang="yy")],
    ),
    "few threats": ("xx:extortion: 39 rows", enough(39, 10, 100), enough(40, 10, 100)),
    "few lures": ("xx:lure: 9 rows", enough(40, 9, 100), enough(40, 10, 100)),
    "few look-alikes": ("xx:benign: 99 rows", enough(40, 10, 99), enough(40, 10, 100)),
    "English needs more": ("rows where", enough(300, 80, 699, "en"), enough(300, 80, 700, "en")),
    "scripts count together": (
        "rows where",
        enough(20, 5, 50, "hi") + enough(20, 5, 49, "hi-Latn"),
        enough(20, 5, 50, "hi") + enough(20, 5, 50, "hi-Latn"),
    ),
    "kind missing in English": (KINDS[0], [row(kind=KINDS[0])], [row(kind=KINDS[0], lang="en")]),
    "scheme missing": ("no row has impostor", [row(**THREAT)], [row(**THREAT | {"scheme": "impostor"})]),
    "pattern missing": ("no row has proof_offer", [row()], [row(patterns=["proof_offer"])]),
    "no fragment": ("at most 4", [row("one two three four five", **THREAT)], [row("one two three four", **THREAT)]),
    "no long row": ("at least 80", [row("w " * 79, **THREAT)], [row("w " * 80, **THREAT)]),
    "skeleton": (
        "opens like",
        openings("did you see The", "did you see the", "Did you see the", "did you, see the!"),
        openings("did you see the", "did you see the", "did you see the", "did you see a"),
    ),
    "base58 wallet": ("holds a wallet", [row(f"send to {GENESIS}")], [row(f"send to {GENESIS[:-1]}b")]),
    "bech32 wallet": ("holds a wallet", [row(f"bitcoin:{SEGWIT.upper()}")], [row(f"bitcoin:{SEGWIT[:-1]}5")]),
    "Ethereum wallet": ("holds a wallet", [row("0x" + "a1" * 20)], [row("0x" + "a1" * 19)]),
    "UK phone": ("holds a phone", [row("ring 07700 100 123")], [row("ring 07700 900 123")]),
    "UK landline": ("holds a phone", [row("ring 0161 497 0123")], [row("ring 0161 496 0123")]),
    "US phone": ("holds a phone", [row("ring +1 (212) 555-0201")], [row("ring +1 (212) 555-0101")]),
    "phone in full": ("holds a phone", [row("ring +48 600 123 456")], [row("ring +48 600 123")]),
    "phone or amount": ("holds a phone", [row("0171 500 6000")], [row("Rp 1.500.000.000 on 12.03.2026 14:05")]),
    "mail address": ("holds an e-mail", [row("write to kim@mail.com")], [row("c@m, p@y, write to kim@a.example.org")]),
    "link": ("holds a link", [row("open https://photos.host/x")], [row("open https://photos.example/x")]),
    "bare link": ("holds a link", [row("look at my-pics.com")], [row("look at my-pics.test, letter.pdf, V.Sa")]),
    "help line in a threat": ("holds a link", [row("no StopNCII.org", **THREAT)], [row("see StopNCII.org.")]),
}  # fmt: skip


@pytest.mark.parametrize(("phrase", "bad", "fine"), CASES.values(), ids=CASES)
def test_check_fires_on_the_bad_row_only(phrase: str, bad: Rows, fine: Rows, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "fine").mkdir()
    assert any(phrase in problem for problem in check(tmp_path / "bad", [dict(r) for r in bad]))
    assert not any(phrase in problem for problem in check(tmp_path / "fine", [dict(r) for r in fine]))


def test_all_broken_lines_are_reported(tmp_path: Path) -> None:
    (tmp_path / "xx").mkdir()
    (tmp_path / "xx" / "rows.jsonl").write_text('{"id": \n[]\n{"id": "xx-9"}\n', encoding="utf-8")
    found = [problem.partition(": ")[0] for problem in validate(tmp_path) if problem.startswith("xx/")]
    assert found == ["xx/rows.jsonl:line 1", "xx/rows.jsonl:line 2", "xx/rows.jsonl:xx-9"]


def test_no_problem_shows_a_text(tmp_path: Path) -> None:
    rows = [dict(r) for _, bad, _ in CASES.values() for r in bad if isinstance(r.get("text"), str)]
    texts = {r["text"] for r in rows if len(r["text"]) > 12}
    assert not [problem for problem in check(tmp_path, rows) if any(text in problem for text in texts)]


def test_near_pairs_are_exact() -> None:
    words = ["send", "the", "clip", "to", "your", "mother", "before", "noon", "or", "pay", "me", "now"]
    texts = [" ".join(words[i:j] + words[k:]) for i in range(4) for j in range(i, 12, 3) for k in range(4, 12, 3)]
    grams = [{t[i : i + 5] for i in range(max(1, len(t) - 4))} for t in texts]
    similar = {
        (i, j) for j in range(len(texts)) for i in range(j)
        if 10 * len(grams[i] & grams[j]) >= 6 * len(grams[i] | grams[j])
    }  # fmt: skip
    assert similar == set(near_pairs(texts))
    assert 100 < len(similar) < len(texts) ** 2 / 2


def test_plain_words_keep_vowel_signs() -> None:
    assert plain_words("«वीडियो», भाई!") == "वीडियो भाई"
    assert opening("one two three") is None
    assert opening("one two three four five") == "one two three four"


VALID_BECH32 = [  # BIP-173, then BIP-350
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11" + "q" * 82 + "c8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11" + "l" * 82 + "ludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
INVALID_BECH32 = [
    "\x201nwldj5", "\x7f1axkwrx", "\x801eym55h", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3",
    "de1lg7wt\xff", "A1G7SGD8", "10a06t8", "1qzzfhee",
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
    "\x201xj0phk", "\x7f1g6xzxy", "\x801vctc34", "qyrz8wqd2c9m", "1qyrz8wqd2c9m", "y1b0jsk6g", "lt1igcx5c0",
    "in1muywd", "mm1crxm3i", "au1s5cgom", "M1VUXWEZ", "16plkw9", "1p2gdwpf",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
]  # fmt: skip


@pytest.mark.parametrize("token", VALID_BECH32)
def test_published_bech32_vectors_are_valid(token: str) -> None:
    assert is_bech32(token)
    assert not is_bech32(token[:-1] + ("q" if token[-1].lower() != "q" else "p"))


@pytest.mark.parametrize("token", INVALID_BECH32)
def test_published_bech32_counterexamples_are_invalid(token: str) -> None:
    assert not is_bech32(token)


def test_wallets() -> None:
    assert is_base58check(GENESIS)
    assert not is_base58check(GENESIS.lower())
    assert not is_base58check("1" * 8)
    assert usable_wallets(f"{GENESIS}, {SEGWIT}\n{SEGWIT[:-1]}") == 2


def test_the_repository_has_no_problems() -> None:
    assert validate() == []


def test_the_table_of_the_datasheet_is_up_to_date() -> None:
    readme = (DATASETS / "README.md").read_text(encoding="utf-8")
    table = readme.partition("<!-- table -->\n")[2].partition("\n<!-- /table -->")[0]
    assert table == composition_table(), "run: python -m training.validate"
