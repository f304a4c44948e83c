"""Recognise webcam blackmail (sextortion) messages, offline.

Examples
--------
>>> from sextortion_detect import Detector
>>> det = Detector.load()
>>> det.score("see you at lunch").level
<Level.NONE: 'none'>
"""

from sextortion_detect.detector import Detector
from sextortion_detect.results import BatchResult, Evidence, Explanation, Level, Message, Pattern, Reason, Verdict
from sextortion_detect.version import __version__

__all__ = [
    "BatchResult",
    "Detector",
    "Evidence",
    "Explanation",
    "Level",
    "Message",
    "Pattern",
    "Reason",
    "Verdict",
    "__version__",
]
