"""What several test files need: the bundled detector, the case tables, the measuring data when it is present."""

import json
from pathlib import Path

import pytest
from hypothesis import settings

from sextortion_detect import Detector

settings.register_profile("default", deadline=None)  # a slow machine is not a bug
settings.load_profile("default")

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector.load()


def cases(name: str) -> list[dict]:
    """Read a table of cases."""
    lines = (CASES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
