import logging
import subprocess
import sys

import pytest

from sextortion_detect import Detector
from sextortion_detect.errors import SextortionDetectError

CANARY = "zanzibar-heron-4711"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_scoring_loads_no_scikit_learn_scipy_or_joblib_and_opens_no_socket():
    code = """
import sys, socket
class Closed(socket.socket):
    def __init__(self, *a, **k): raise AssertionError("a socket was opened")
socket.socket = Closed
import pickle
def refuse(*a, **k): raise AssertionError("a pickle was read")
pickle.load = pickle.loads = pickle.Unpickler = refuse
import sextortion_detect
v = sextortion_detect.Detector.load().score("pay 300 or everyone sees the video")
print(v.level.value, [m for m in ("sklearn", "scipy", "joblib", "click") if m in sys.modules])
"""
    assert run(code).strip().endswith("[]")


def test_no_text_in_logs_output_or_verdicts(caplog, capsys):
    detector = Detector.load()
    text = f"pay 300 to {CANARY} or your wife sees the video we recorded"
    with caplog.at_level(logging.DEBUG):
        verdict = detector.score(text)
        batch = detector.score_batch([text])
    printed = capsys.readouterr()
    for place in (caplog.text, printed.out, printed.err, repr(verdict), str(verdict.to_dict()), repr(batch)):
        assert CANARY not in place


def test_no_text_in_exceptions():
    detector = Detector.load()
    with pytest.raises(SextortionDetectError) as caught:
        detector.score_batch(["fine", [CANARY]])
    assert CANARY not in str(caught.value)
