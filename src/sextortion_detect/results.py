"""What the detector answers with: frozen values that hold no message text."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

__all__ = [
    "PATTERN_IDS",
    "BatchResult",
    "Evidence",
    "Explanation",
    "Frame",
    "Level",
    "Message",
    "Pattern",
    "Reason",
    "Scheme",
    "Verdict",
]


class Level(enum.Enum):
    """How much attention a message deserves; ordered NONE < PROTECT < REVIEW.

    Attributes
    ----------
    rank : int
        0, 1 or 2; the code used in `BatchResult.level`.
    """

    NONE = "none"
    PROTECT = "protect"
    REVIEW = "review"

    @property
    def rank(self) -> int:
        """Position in the order, 0 to 2."""
        return _LEVEL_ORDER.index(self.value)

    @classmethod
    def from_rank(cls, rank: int) -> Level:
        """Return the level whose `rank` is given."""
        return cls(_LEVEL_ORDER[rank])

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Level) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, Level) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, Level) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, Level) else NotImplemented


_LEVEL_ORDER = ("none", "protect", "review")


class Pattern(enum.StrEnum):
    """The thirteen things a message can express; docs/labelling.md defines each."""

    PAYMENT_DEMAND = "payment_demand"
    THREAT_TO_CIRCULATE = "threat_to_circulate"
    CONTACT_LIST_EXPOSURE = "contact_list_exposure"
    RECORDING_CLAIM = "recording_claim"
    DEVICE_COMPROMISE = "device_compromise"
    DEADLINE_PRESSURE = "deadline_pressure"
    IMAGE_COERCION = "image_coercion"
    WEBCAM_LURE = "webcam_lure"
    PLATFORM_SWITCH = "platform_switch"
    SILENCE_ISOLATION = "silence_isolation"
    PROOF_OFFER = "proof_offer"
    REPEAT_DEMAND = "repeat_demand"
    AUTHORITY_IMPERSONATION = "authority_impersonation"


PATTERN_IDS: tuple[str, ...] = tuple(p.value for p in Pattern)


class Frame(enum.StrEnum):
    """Who speaks to whom: at the reader, asking for help, reporting, or playing."""

    DIRECT = "direct"
    HELP_SEEKING = "help_seeking"
    REPORTED = "reported"
    PLAYFUL = "playful"


class Scheme(enum.StrEnum):
    """The kind of extortion; subtypes A to G of the literature."""

    LIVE = "live"
    MASS_MAIL = "mass_mail"
    IMAGE_COERCION = "image_coercion"
    KNOWN_PERSON = "known_person"
    LOAN_APP = "loan_app"
    IMPOSTOR = "impostor"


@dataclass(frozen=True, slots=True)
class Message:
    """A text with what the caller knows about it.

    Parameters
    ----------
    text : str
        The message. Never shown in this object's repr.
    id : str, optional
        The caller's own identifier.
    sender : str, optional
        Who wrote it, in the caller's terms.
    at : float, optional
        Time in seconds.
    """

    text: str = field(repr=False)
    id: str | None = None
    sender: str | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that carried a pattern.

    Parameters
    ----------
    pattern : str
        One of `PATTERN_IDS`.
    start, end : int
        Code points of the original text, ``0 <= start < end <= len(text)``.
    weight : float
        What these characters added to the pattern's logit, in nats.
    """

    pattern: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Reason:
    """One additive part of a logit.

    Parameters
    ----------
    name : str
        The feature, for example ``near:hold>media`` or ``char``.
    weight : float
        What it adds to the logit, in nats.
    spans : tuple of (int, int)
        The characters of the original text it stands on; empty for features of the whole message.
    """

    name: str
    weight: float
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The full account of one logit: ``intercept + sum of reason weights == logit``.

    Parameters
    ----------
    head : str
        ``extortion`` or a pattern id.
    logit : float
        Before calibration, in nats.
    intercept : float
        The head's constant.
    reasons : tuple of Reason
        Every non-zero part, strongest first.
    """

    head: str
    logit: float
    intercept: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the detector says about one message, never about a person.

    Parameters
    ----------
    probability : float
        In [0, 1]: that the message leverages exposure of intimate or compromising material against its reader, at the
        prevalence stated in the model card.
    level : Level
        NONE, PROTECT (a private notice to the recipient) or REVIEW (a human queue).
    patterns : dict of str to float
        Probability of each of the 13 patterns, in column order.
    evidence : tuple of Evidence
        The words that carried the patterns, strongest first; empty below PROTECT unless a pattern is likely.
    frame : str
        ``direct``, ``help_seeking``, ``reported`` or ``playful``.
    scheme : str or None
        The most likely kind of extortion when the level is above NONE.
    logit : float
        The uncalibrated score, in nats; `Detector.explain` adds up to it.
    """

    probability: float
    level: Level
    patterns: Mapping[str, float]
    evidence: tuple[Evidence, ...]
    frame: str
    scheme: str | None
    logit: float

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values, without any message text."""
        return {
            "probability": self.probability,
            "level": self.level.value,
            "patterns": dict(self.patterns),
            "evidence": [
                {"pattern": e.pattern, "start": e.start, "end": e.end, "weight": e.weight} for e in self.evidence
            ],
            "frame": self.frame,
            "scheme": self.scheme,
        }


class VerdictSource:
    """Makes the Verdict of one row when somebody asks for it; the detector implements it."""

    def verdict_at(self, index: int) -> Verdict:
        """Return the verdict of row `index`, ``0 <= index < n``."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class BatchResult(Sequence[Verdict]):
    """Columns for a batch; a `Verdict` is only built for the rows that are indexed.

    Parameters
    ----------
    probability : ndarray of shape (n,), float32
        See `Verdict`.
    level : ndarray of shape (n,), uint8
        `Level.rank`.
    patterns : ndarray of shape (n, 13), float32
        Columns in the order of `pattern_ids`.
    source : VerdictSource
        Builds single verdicts on demand.
    pattern_ids : tuple of str
        The 13 ids.
    """

    probability: npt.NDArray[np.float32]
    level: npt.NDArray[np.uint8]
    patterns: npt.NDArray[np.float32]
    source: VerdictSource
    pattern_ids: tuple[str, ...] = PATTERN_IDS

    def __len__(self) -> int:
        return len(self.probability)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Verdict]: ...
    def __getitem__(self, index: int | slice) -> Verdict | Sequence[Verdict]:
        if isinstance(index, slice):
            return [self.source.verdict_at(i) for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"row {index} of a batch of {len(self)}")
        return self.source.verdict_at(position)

    def __iter__(self) -> Iterator[Verdict]:
        return (self.source.verdict_at(i) for i in range(len(self)))

    def __repr__(self) -> str:
        counts = np.bincount(self.level, minlength=3)
        named = ", ".join(f"{level.value} {counts[level.rank]}" for level in Level)
        return f"BatchResult({len(self)} messages: {named})"
