"""Floors on messages that other people wrote, where a copy of them is present (see datasets/README.md)."""

import json
import random

import pytest

from sextortion_detect import Level
from training.registry import data_root, read_public

ROOT = data_root()
ARTICLE = ROOT.parent / "domain" / "founding_article.txt"
needs = pytest.mark.skipif


@needs(not (ROOT / "threats_dev").is_dir(), reason="no copy of the real extortion mails")
def test_real_mails_reach_protect(detector):
    path = ROOT / "threats_dev" / "list_mail.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    level = detector.score_batch(texts).level
    assert (level >= Level.PROTECT.rank).mean() >= 0.9


@needs(not (ROOT / "everyday").is_dir(), reason="no copy of the everyday corpora")
def test_everyday_lines_rarely_reach_protect(detector):
    lines = [line.text for line in read_public("everyday", 0.5) if line.part == "test"]
    level = detector.score_batch(random.Random(11).sample(lines, 30_000)).level
    assert (level >= Level.PROTECT.rank).mean() <= 1e-3


@needs(not ARTICLE.is_file(), reason="no copy of the article that started the project")
def test_the_founding_article_stays_below_review(detector):
    assert detector.score(ARTICLE.read_text(encoding="utf-8")).level < Level.REVIEW
