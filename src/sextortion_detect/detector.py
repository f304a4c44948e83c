"""The detector: the only place that knows the order of the steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sextortion_detect.concepts import ConceptScanner
from sextortion_detect.errors import InputTypeError, require_text
from sextortion_detect.explain import evidence_spans, explain_columns, gate_weights, main_weights, pattern_weights
from sextortion_detect.features import message_shapes
from sextortion_detect.lexicon_files import load_entities, load_lexicons
from sextortion_detect.model import HEADS, Model, load_model
from sextortion_detect.normalise import Folded, fold, fold_with_map
from sextortion_detect.passages import cut
from sextortion_detect.results import (
    PATTERN_IDS,
    BatchResult,
    Evidence,
    Explanation,
    Frame,
    Level,
    Message,
    Scheme,
    Verdict,
    VerdictSource,
)
from sextortion_detect.scoring import (
    FRAME_SLICE,
    SCHEME_SLICE,
    PassageColumns,
    columns_of,
    gate_logits,
    head_logits,
    levels_of,
    main_logit,
    probabilities,
    sigmoid,
    threshold,
)

__all__ = ["Detector"]

_FRAMES = tuple(f.value for f in Frame)
_SCHEMES = tuple(s.value for s in Scheme)
_N_PATTERNS = len(PATTERN_IDS)


@dataclass(frozen=True, slots=True)
class _Columns(VerdictSource):
    """What a batch computed, from which single verdicts are made on demand."""

    detector: Detector
    texts: Sequence[str] = field(repr=False)
    logits: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float32]
    level: npt.NDArray[np.uint8]
    patterns: npt.NDArray[np.float32]
    frames: npt.NDArray[np.uint8]
    schemes: npt.NDArray[np.uint8]

    def verdict_at(self, index: int) -> Verdict:
        level = Level.from_rank(int(self.level[index]))
        patterns = {pid: float(p) for pid, p in zip(PATTERN_IDS, self.patterns[index], strict=True)}
        return Verdict(
            float(self.probability[index]),
            level,
            patterns,
            self.detector._evidence(self.texts[index], level, self.patterns[index]),
            _FRAMES[self.frames[index]],
            _SCHEMES[self.schemes[index]] if level > Level.NONE else None,
            float(self.logits[index]),
        )


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage of a folded message that passed the gate."""

    start: int
    text: str
    columns: PassageColumns


class Detector:
    """Scores messages for extortion with intimate material.

    Parameters
    ----------
    model : Model
        From `model.load_model`; `Detector.load` is the usual way.

    Notes
    -----
    Stateless between calls and safe to share between threads. Uses no network, writes no file, logs nothing.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._scanner = ConceptScanner(load_lexicons(), load_entities())

    @classmethod
    def load(cls, path: str | Path | None = None) -> Detector:
        """Load the bundled model, or the model folder at `path`.

        Raises
        ------
        ModelNotFoundError, ModelFormatError
            If the folder cannot be used; the message says why and what to do.
        """
        return cls(load_model(path))

    @property
    def pattern_ids(self) -> tuple[str, ...]:
        """The 13 pattern ids, in column order."""
        return PATTERN_IDS

    @property
    def model_info(self) -> dict[str, Any]:
        """Name, version, hashes and training figures of the model."""
        return dict(self._model.info)

    def threshold(self, fpr: float = 1e-4) -> float:
        """Return the probability that everyday messages exceed at rate `fpr`, from the model's stored curve.

        Parameters
        ----------
        fpr : float, default=1e-4
            False-positive budget on everyday messages, in (0, 1).
        """
        return threshold(self._model, fpr)

    def score(self, text: str | Message) -> Verdict:
        """Judge one message.

        Parameters
        ----------
        text : str or Message
            The text as its recipient would see it.

        Returns
        -------
        Verdict
            The same as the batch path gives.

        Raises
        ------
        InputTypeError
            If `text` is neither.
        """
        return self.score_batch([text])[0]

    def score_batch(self, texts: Iterable[str | Message]) -> BatchResult:
        """Judge many messages at once.

        Parameters
        ----------
        texts : iterable of str or Message
            Any number, any length.

        Returns
        -------
        BatchResult
            Columns; a `Verdict` with evidence is made for a row when it is indexed.

        Raises
        ------
        InputTypeError
            If `texts` is a single text or holds something else than text.
        """
        if isinstance(texts, str | bytes | Message) or not isinstance(texts, Iterable):
            raise InputTypeError("score_batch() takes a list of messages; for a single one use score()")
        plain = [require_text(t.text if isinstance(t, Message) else t, i) for i, t in enumerate(texts)]
        model, n = self._model, len(plain)
        folded = [fold(text) for text in plain]
        spans = [cut(f.text) for f in folded]
        owner = np.repeat(np.arange(n), [len(s) for s in spans]) if n else np.zeros(0, np.int64)
        passages = [f.text[s:e] for f, cuts in zip(folded, spans, strict=True) for s, e in cuts]
        gate = gate_logits(model, passages)
        open_ = gate >= model.main.gate_threshold
        logits = np.full(n, -np.inf)
        np.maximum.at(logits, owner, gate)
        passed = np.zeros(n, dtype=bool)
        passed[owner[open_]] = True
        logits[passed] = -np.inf
        heads = np.full((n, len(HEADS)), -np.inf)
        means = np.zeros((n, len(HEADS)))
        common: dict[int, dict[str, float]] = {}
        for at in np.flatnonzero(open_):
            i = int(owner[at])
            if i not in common:
                common = {i: message_shapes(plain[i], folded[i])}  # passages of a message stand together: keep one
            columns = columns_of(model, self._scanner, passages[at], common[i])
            logits[i] = max(logits[i], main_logit(model, columns))
            of_passage = head_logits(model, columns)
            heads[i] = np.maximum(heads[i], of_passage)
            means[i] += of_passage
        return self._result(plain, logits, passed, heads, means)

    def _result(
        self,
        texts: list[str],
        logits: npt.NDArray[np.float64],
        passed: npt.NDArray[np.bool_],
        heads: npt.NDArray[np.float64],
        means: npt.NDArray[np.float64],
    ) -> BatchResult:
        model = self._model
        level = levels_of(model, logits, passed)
        probability = probabilities(model, logits, passed).astype(np.float32)
        patterns = np.where(passed[:, None], sigmoid(heads[:, :_N_PATTERNS]), model.heads.floor).astype(np.float32)
        frames = means[:, FRAME_SLICE].argmax(axis=1).astype(np.uint8)  # no passage: the first frame, direct
        schemes = means[:, SCHEME_SLICE].argmax(axis=1).astype(np.uint8)
        source = _Columns(self, texts, logits, probability, level, patterns, frames, schemes)
        return BatchResult(probability, level, patterns, source)

    def _open_passages(self, text: str, *, everything: bool = False) -> tuple[list[_Passage], Folded]:
        """Fold with the map and return the passages that pass the gate (or all), with the map."""
        folded = fold_with_map(text)
        spans = cut(folded.text)
        gate = gate_logits(self._model, [folded.text[s:e] for s, e in spans])
        keep = [span for span, g in zip(spans, gate, strict=True) if everything or g >= self._model.main.gate_threshold]
        common = message_shapes(text, folded)
        return [
            _Passage(s, folded.text[s:e], columns_of(self._model, self._scanner, folded.text[s:e], common))
            for s, e in keep
        ], folded

    def _evidence(self, text: str, level: Level, patterns: npt.NDArray[np.float32]) -> tuple[Evidence, ...]:
        """Show the words of every likely pattern; at PROTECT and above, of the likeliest one at least."""
        strong = [p for p, value in enumerate(patterns) if value >= self._model.pattern_thresholds[p]]
        if not strong and level > Level.NONE:
            strong = [int(np.argmax(patterns))]
        if not strong:
            return ()
        passages, folded = self._open_passages(text)
        logits = [head_logits(self._model, p.columns) for p in passages]
        found: list[Evidence] = []
        for column in strong if passages else ():
            best = max(range(len(passages)), key=lambda i: float(logits[i][column]))
            passage = passages[best]

            def to_original(start: int, end: int, offset: int = passage.start) -> tuple[int, int]:
                return folded.original_span(offset + start, offset + end)

            pattern = PATTERN_IDS[column]
            found += evidence_spans(self._model, passage.text, passage.columns, pattern, to_original)
        return tuple(sorted(found, key=lambda e: (-e.weight, e.start, e.pattern)))

    def explain(self, text: str | Message, head: str = "extortion") -> Explanation:
        """Account for a score: every part of the logit, with the characters it stands on.

        Parameters
        ----------
        text : str or Message
            The message.
        head : str, default="extortion"
            ``extortion``, a pattern id, ``frame:…`` or ``scheme:…``.

        Returns
        -------
        Explanation
            Of the passage that decided. ``intercept`` plus all weights equals ``logit`` to 1e-9; for ``extortion``
            that is `Verdict.logit`. Below the gate the parts are those of the gate.

        Raises
        ------
        ValueError
            If there is no such head.
        """
        if head != "extortion" and head not in HEADS:
            raise ValueError(f"there is no head {head!r}; choose extortion, {', '.join(HEADS)}")
        plain = require_text(text.text if isinstance(text, Message) else text)
        passages, folded = self._open_passages(plain)
        gated = not passages
        if gated:
            passages, folded = self._open_passages(plain, everything=True)
        if head != "extortion":
            options = [(p, pattern_weights(self._model, p.columns, head)) for p in passages]
        else:
            apply = gate_weights if gated else main_weights
            options = [(p, apply(self._model, p.columns)) for p in passages]
        passage, weights = max(options, key=lambda o: o[1].logit)
        return explain_columns(
            self._model,
            passage.text,
            passage.columns,
            weights,
            lambda start, end: folded.original_span(passage.start + start, passage.start + end),
        )
