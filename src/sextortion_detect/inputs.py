"""Streams → messages, one after the other, with bounded memory.

A row that cannot be read becomes a `BadRow`, which says where and why but never holds text. To add a kind of file:
write a reader with the signature of `_read_txt`, enter it in `_READERS`, and its endings in sources.py.
"""

from __future__ import annotations

import csv
import importlib
import io
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sextortion_detect.errors import UnreadableInputError
from sextortion_detect.mail import decode_text, read_mail
from sextortion_detect.sources import STDIN, OnBytes, Source, open_source

__all__ = ["BadRow", "Item", "read_source"]

LONGEST_ROW = 256 * 1024 * 1024  # bytes; bounds memory against a gzip bomb, and real exports stay far below
_TOO_LONG = "longer than 256 MiB"
_PARQUET_ROWS = 2_048
_HEADER_LINE = re.compile(rb"[!-9;-~]+:")


@dataclass(frozen=True, slots=True)
class Item:
    """One message.

    Parameters
    ----------
    source : str
        The path as given, or ``-``.
    row : int
        Line of a txt or jsonl file, row of a table (the header of a csv is row 1), number of a mail; counted from 1.
    id : str or None
        The file's own identifier, where it has one.
    text : str
        Never empty. Not shown in this object's repr.
    """

    source: str
    row: int
    id: str | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read; `reason` holds none of its text."""

    source: str
    row: int
    reason: str


Rows = Iterator[Item | BadRow]


def read_source(source: Source, text_column: str = "text", on_bytes: OnBytes = lambda n: None) -> Rows:
    """Yield the messages of one source; blank ones are passed over.

    Parameters
    ----------
    source : Source
        From `sources.find_sources`.
    text_column : str, default="text"
        The column or field that holds the message, in csv, jsonl and parquet.
    on_bytes : callable, optional
        Told how many bytes of the file were read.

    Yields
    ------
    Item or BadRow
        In the order of the file.

    Raises
    ------
    UnreadableInputError
        If the file cannot be read, or not to its end; the text says what to do and holds none of the content.
    """
    try:
        if source.kind == "parquet":
            yield from _read_parquet(source.path, text_column, on_bytes)
            return
        with open_source(source, on_bytes) as stream:
            yield from _READERS[source.kind](stream, source.path, text_column)
    except (EOFError, zlib.error) as error:
        raise UnreadableInputError("its compressed data is damaged; make a new copy of the file") from error
    except OSError as error:
        reason = error.strerror or "damaged or of another format"
        raise UnreadableInputError(f"cannot be read ({reason}); check the file and your permissions") from error


def _checked(source: str, row: int, text: object, identifier: object = None) -> Item | BadRow | None:
    """Return the row if it holds text, a BadRow if it cannot, None if it is blank."""
    if not isinstance(text, str):
        return BadRow(source, row, "no text")
    if text.count("\0") * 10 > len(text):  # a few are a trick to break scanners, many are not text
        return BadRow(source, row, "binary data, not text")
    if not text or text.isspace():
        return None
    named = str(identifier) if isinstance(identifier, (str, int)) and identifier != "" else None
    return Item(source, row, named, text)


# --- one message a line -------------------------------------------------------------------------------------------


def _lines(stream: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """Yield numbered lines; None for one that is too long to be held."""
    row = 0
    while line := stream.readline(LONGEST_ROW):
        row += 1
        if len(line) == LONGEST_ROW and not line.endswith(b"\n"):
            while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
            yield row, None
        else:
            yield row, line


def _read_txt(stream: io.BufferedReader, source: str, column: str) -> Rows:
    for row, line in _lines(stream):
        if line is None:
            yield BadRow(source, row, _TOO_LONG)
        elif (entry := _checked(source, row, decode_text(line).rstrip("\r\n"))) is not None:
            yield entry


def _read_jsonl(stream: io.BufferedReader, source: str, column: str) -> Rows:
    for row, line in _lines(stream):
        if line is None:
            yield BadRow(source, row, _TOO_LONG)
        elif not line.isspace():
            try:
                record = json.loads(decode_text(line))
            except (ValueError, RecursionError):
                yield BadRow(source, row, "broken JSON")
                continue
            if not isinstance(record, dict) or column not in record:
                yield BadRow(source, row, f"no field {column!r}; name it with --text-column")
            elif (entry := _checked(source, row, record[column], record.get("id"))) is not None:
                yield entry


# --- tables -------------------------------------------------------------------------------------------------------


def _read_csv(stream: io.BufferedReader, source: str, column: str) -> Rows:
    csv.field_size_limit(LONGEST_ROW)  # a setting of the process; its default rejects long mails
    lines = (decode_text(line) if line is not None else "\0\n" for _, line in _lines(stream))
    first = next(lines, None)
    if first is None:
        return
    delimiter = _delimiter(first, column)
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
    names = _names(next(reader))
    text_at = names.index(_name(column))
    id_at = names.index("id") if "id" in names else len(names)
    row = 1
    while True:
        row += 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield BadRow(source, row, "broken CSV")
            continue
        if fields:
            cells = dict(enumerate(fields))
            if (entry := _checked(source, row, cells.get(text_at), cells.get(id_at))) is not None:
                yield entry


def _delimiter(header: str, column: str) -> str:
    """Take the delimiter that makes the wanted column appear; guessing from content would be fooled by messages."""
    for delimiter in ",;\t|":
        if _name(column) in _names(next(csv.reader([header], delimiter=delimiter))):
            return delimiter
    raise UnreadableInputError(f"its first line names no column {column!r}; name the right one with --text-column")


def _name(name: str) -> str:
    return name.strip().lower()


def _names(fields: list[str]) -> list[str]:
    return [_name(field_) for field_ in fields]


def _read_parquet(path: str, column: str, on_bytes: OnBytes) -> Rows:
    if path == STDIN:
        raise UnreadableInputError("parquet cannot be read from standard input; give the file's path")
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UnreadableInputError("parquet needs pyarrow; pip install sextortion-detect[arrow]") from error
    try:
        with parquet.ParquetFile(path) as table:
            yield from _parquet_rows(table, path, column, on_bytes)
    except ValueError as error:  # what pyarrow raises for damaged files
        if isinstance(error, UnreadableInputError):
            raise
        raise UnreadableInputError("is damaged or not parquet; make a new copy of the file") from error


def _parquet_rows(table: Any, path: str, column: str, on_bytes: OnBytes) -> Rows:
    names = table.schema_arrow.names
    if column not in names:
        raise UnreadableInputError(f"has no column {column!r}; name the right one with --text-column")
    size, total = Path(path).stat().st_size, max(1, table.metadata.num_rows)
    columns = [column, "id"] if "id" in names and column != "id" else [column]
    row = 0
    for batch in table.iter_batches(batch_size=_PARQUET_ROWS, columns=columns):
        cells = [[_cell(value) for value in batch.column(name)] for name in columns]
        for text, *identifier in zip(*cells, strict=True):
            row += 1
            if text is not None and (entry := _checked(path, row, text, *identifier)) is not None:
                yield entry
        on_bytes(size * batch.num_rows // total)


def _cell(value: Any) -> object:
    try:
        return value.as_py()
    except UnicodeDecodeError:  # parquet does not check that its strings are UTF-8
        return decode_text(value.as_buffer().to_pybytes())


# --- mail ---------------------------------------------------------------------------------------------------------


def _read_eml(stream: io.BufferedReader, source: str, column: str) -> Rows:
    data = stream.read(LONGEST_ROW + 1)
    if len(data) > LONGEST_ROW:
        raise UnreadableInputError(f"{_TOO_LONG}; is it an mbox? then use --input-format mbox")
    yield from _mail_rows(source, 1, data)


def _mail_rows(source: str, row: int, data: bytes) -> Rows:
    if not data.strip():
        return
    mail = read_mail(data)
    if mail.broken:
        yield BadRow(source, row, f"{mail.broken} broken part(s) of the mail; the rest was read")
    if (entry := _checked(source, row, mail.text)) is not None:
        yield entry


def _read_mbox(stream: io.BufferedReader, source: str, column: str) -> Rows:
    for row, data in enumerate(_split_mbox(stream), 1):
        if data is None:
            yield BadRow(source, row, _TOO_LONG)
        else:
            yield from _mail_rows(source, row, data)


def _split_mbox(stream: io.BufferedReader) -> Iterator[bytes | None]:
    """Cut at "From " lines between a blank line and a header, so that a sentence in a mail does not cut it."""
    held: list[bytes] | None = None
    size, blank, line = 0, True, stream.readline(LONGEST_ROW)
    while line:
        following = stream.readline(LONGEST_ROW)
        if blank and line.startswith(b"From ") and (_HEADER_LINE.match(following) or held is None):
            if held is not None:
                yield b"".join(held) if size <= LONGEST_ROW else None
            held, size = [], 0
        elif held is not None:
            size += len(line)
            if size <= LONGEST_ROW:
                held.append(line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line)
        elif not line.isspace():
            raise UnreadableInputError(
                'is no mbox (its first line does not begin with "From "); try --input-format eml'
            )
        blank, line = line.isspace(), following
    if held is not None:
        yield b"".join(held) if size <= LONGEST_ROW else None


_READERS: dict[str, Callable[[io.BufferedReader, str, str], Rows]] = {
    "txt": _read_txt,
    "jsonl": _read_jsonl,
    "csv": _read_csv,
    "eml": _read_eml,
    "mbox": _read_mbox,
}
