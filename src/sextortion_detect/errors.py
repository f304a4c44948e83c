"""Every exception the package raises on purpose.

::

    SextortionDetectError
    ├── ModelError               a model folder cannot be used
    │   ├── ModelNotFoundError   (also FileNotFoundError)
    │   └── ModelFormatError     (also ValueError) damaged, altered or of another format
    ├── LexiconError             (also ValueError) a lexicon file breaks the rules of docs/lexicon.md
    ├── InputTypeError           (also TypeError) something other than text was given to be scored
    └── UnreadableInputError     (also ValueError) a file to be scanned cannot be read as what it is

No message of these exceptions ever contains text that was to be scored.
"""

from __future__ import annotations

__all__ = [
    "InputTypeError",
    "LexiconError",
    "ModelError",
    "ModelFormatError",
    "ModelNotFoundError",
    "SextortionDetectError",
    "UnreadableInputError",
]


class SextortionDetectError(Exception):
    """Base of all exceptions raised by this package."""


class ModelError(SextortionDetectError):
    """A model folder cannot be used."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """The folder is not there, or lacks one of its files."""


class ModelFormatError(ModelError, ValueError):
    """The folder is damaged, was altered after export, or has a format this version does not read."""


class LexiconError(SextortionDetectError, ValueError):
    """A lexicon file breaks the rules of docs/lexicon.md."""


class InputTypeError(SextortionDetectError, TypeError):
    """Something other than text was given to be scored."""


class UnreadableInputError(SextortionDetectError, ValueError):
    """A file cannot be read as what its name or content says it is."""


TEXT_HINT = (
    "expected str or Message, got {kind}{where}. Decode bytes first, for example data.decode('utf-8', 'replace'); "
    "for a whole list use score_batch()."
)


def require_text(value: object, position: int | None = None) -> str:
    """Return `value` if it is text; otherwise raise an error that says what to do.

    Parameters
    ----------
    value : object
        What the caller wants scored.
    position : int, optional
        Its index in a batch, named in the error.

    Returns
    -------
    str
        The text itself.

    Raises
    ------
    InputTypeError
        If `value` is not a str. The error names the type, never the content.
    """
    if isinstance(value, str):
        return value
    where = "" if position is None else f" at position {position}"
    raise InputTypeError(TEXT_HINT.format(kind=type(value).__name__, where=where))
