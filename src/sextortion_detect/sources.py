"""Paths and standard input → streams of bytes that are ASCII-compatible, decompressed and counted.

A file's ending names its kind, its first bytes name its encoding, and gzip is recognised by its mark.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from sextortion_detect.errors import UnreadableInputError

__all__ = ["KINDS", "STDIN", "BadFile", "OnBytes", "Source", "find_sources", "open_source"]

STDIN = "-"
_ENDINGS = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".eml": "eml",
    ".mbox": "mbox",
}
KINDS = tuple(dict.fromkeys(_ENDINGS.values()))
_NOT_TEXT = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"%PDF-", b"SQLite format 3", b"PAR1", b"7z\xbc\xaf")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or `STDIN`, and how to read it."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class BadFile:
    """A path that could not be read, and what to do about it."""

    source: str
    reason: str


OnBytes = Callable[[int], object]


# --- finding files ------------------------------------------------------------------------------------------------


def find_sources(
    paths: Sequence[str], input_format: str | None = None, exclude: Path | None = None
) -> Iterator[Source | BadFile]:
    """Walk files and folders in sorted order.

    Parameters
    ----------
    paths : sequence of str
        Files, folders, or `STDIN`.
    input_format : str, optional
        One of `KINDS`, for standard input (default txt) and for files named one by one; in folders the ending decides.
    exclude : Path, optional
        A file that is left out, because results are being written to it.

    Yields
    ------
    Source or BadFile
        In folders, hidden files and files of other kinds are passed over.
    """
    for path in paths:
        if path == STDIN:
            yield Source(STDIN, input_format or "txt")
        elif Path(path).is_dir():
            yield from _search(path, exclude)
        elif not Path(path).exists():
            yield BadFile(path, "no such file or folder; check the path")
        elif (kind := input_format or _kind_of(path)) is None:
            yield BadFile(path, f"unknown kind of file; name it with --input-format ({', '.join(KINDS)})")
        else:
            yield Source(path, kind)


def _search(folder: str, exclude: Path | None) -> Iterator[Source | BadFile]:
    found = False
    for entry in _walk(folder):
        found = True
        if isinstance(entry, BadFile) or exclude is None or not exclude.exists() or not exclude.samefile(entry.path):
            yield entry
    if not found:
        yield BadFile(folder, f"holds no file that can be scanned ({', '.join(sorted(_ENDINGS))})")


def _walk(folder: str) -> Iterator[Source | BadFile]:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        yield BadFile(folder, _os_reason(error))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):  # links to folders may form a ring
            yield from _walk(entry.path)
        elif (kind := _kind_of(entry.name)) and entry.is_file():
            yield Source(entry.path, kind)


def _kind_of(name: str) -> str | None:
    return _ENDINGS.get(Path(name.lower().removesuffix(".gz")).suffix)


def _os_reason(error: OSError) -> str:
    return f"cannot be read ({error.strerror or 'input error'}); check the path and your permissions"


# --- bytes --------------------------------------------------------------------------------------------------------


class _Raw(io.RawIOBase):
    """Bytes from a function; `io.BufferedReader` adds lines and look-ahead."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _metered(stream: BinaryIO, on_bytes: OnBytes) -> io.BufferedReader:
    take = getattr(stream, "read1", stream.read)  # read1 hands a pipe's bytes on as they come

    def read(size: int) -> bytes:
        data = cast(bytes, take(size))
        on_bytes(len(data))
        return data

    return io.BufferedReader(_Raw(read), 1 << 16)


def _as_utf8(stream: io.BufferedReader, encoding: str) -> io.BufferedReader:
    """Transcode while reading, so that every reader deals with ASCII-compatible lines only."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(size: int) -> bytes:
        while True:
            data = stream.read(max(1, size // 4))  # a character has at most twice as many bytes in UTF-8
            encoded = decoder.decode(data, final=not data).encode("utf-8", "replace")
            if encoded or not data:
                return encoded

    return io.BufferedReader(_Raw(read), 1 << 16)


def _plain_stream(stream: io.BufferedReader) -> io.BufferedReader:
    """Undo gzip and the byte-order mark."""
    if stream.peek(2)[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream)), 1 << 16)
    head = stream.peek(64)
    if head.startswith(_NOT_TEXT):
        raise UnreadableInputError("is a picture, archive or database, not text; extract the messages first")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            stream.read(len(mark))
            return stream if encoding == "utf-8" else _as_utf8(stream, encoding)
    if len(head) >= 4 and head[1::2].count(0) * 2 > len(head) // 2 and 0 not in head[::2]:
        return _as_utf8(stream, "utf-16-le")  # what Windows writes, with the mark lost
    return stream


@contextmanager
def open_source(source: Source, on_bytes: OnBytes) -> Iterator[io.BufferedReader]:
    """Open a source for its reader.

    Parameters
    ----------
    source : Source
        What `find_sources` found.
    on_bytes : callable
        Told how many bytes were read, before decompression.

    Yields
    ------
    BufferedReader
        gzip undone, UTF-16 and UTF-32 turned into UTF-8, byte-order mark dropped. Other encodings are left to the
        reader, line by line.

    Raises
    ------
    UnreadableInputError
        If the content is not text.
    OSError
        If it cannot be opened.
    """
    if source.path == STDIN:
        yield _plain_stream(_metered(sys.stdin.buffer, on_bytes))
        return
    with Path(source.path).open("rb", buffering=0) as raw:
        yield _plain_stream(_metered(cast(BinaryIO, raw), on_bytes))
