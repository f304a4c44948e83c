"""Bytes of a mail → what its reader sees: the subject and the visible text of the bodies.

Senders of bulk blackmail hide: behind transfer encodings, wrong charsets, and a plain part that says nothing.
Everything here is linear in the size of the mail, and a broken mail gives what can still be read.
"""

from __future__ import annotations

import base64
import codecs
import email
import email.errors
import email.header
import functools
from dataclasses import dataclass, field
from email.message import Message
from email.policy import EmailPolicy, Policy, compat32, default
from typing import Any

from sextortion_detect.visible import visible_text

__all__ = ["Mail", "decode_text", "read_mail"]

_LONGEST_SUBJECT = 4_000  # characters; the header parser of the standard library is quadratic
_LONGEST_HEADER = 1_000  # characters; of all the others only type, encoding and file name matter
_DEEPEST = 40  # parts within parts; forwarded chains end long before
_NO_CHARSETS = frozenset({"punycode", "idna", "undefined"})  # quadratic, or no charset at all
_LATIN = frozenset({"ascii", "iso8859-1", "iso8859-15", "cp1252"})  # often declared where UTF-8 was meant
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))


@dataclass(frozen=True, slots=True)
class Mail:
    """The readable parts of a mail.

    Parameters
    ----------
    subject : str
        Decoded; empty if there is none.
    bodies : tuple of str
        Visible text of every body part, forwarded mails included, in order.
    broken : int
        How many parts could not be decoded in full.
    """

    subject: str = field(repr=False)
    bodies: tuple[str, ...] = field(repr=False)
    broken: int

    @property
    def text(self) -> str:
        """Subject and bodies, with a blank line between them."""
        return "\n\n".join(part for part in (self.subject, *self.bodies) if part)


# --- characters ---------------------------------------------------------------------------------------------------


def decode_text(data: bytes, charset: str | None = None) -> str:
    """Decode bytes whose charset is unknown, or declared and perhaps wrong. Never fails.

    Parameters
    ----------
    data : bytes
        Without a UTF-16 mark that is meant for a whole file; a UTF-8 mark is dropped.
    charset : str, optional
        What the sender declares.

    Returns
    -------
    str
        By the first that fits: UTF-8 (also where a Latin charset is declared), the declared charset, UTF-16 if marked
        so, UTF-8 with a few broken characters, Windows-1252 with replacement characters.
    """
    declared = _codec_name(charset) if charset else None
    if declared is None or declared in _LATIN or declared == "utf-8":
        try:
            return data.decode().removeprefix("\ufeff")
        except UnicodeDecodeError:
            pass
    if declared is not None and declared not in {"utf-8", "ascii", "iso8859-1"}:
        try:
            return data.decode(declared)
        except (LookupError, ValueError):  # LookupError: a codec that is no charset, such as hex
            pass
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    repaired = data.decode("utf-8-sig", "replace")
    broken = repaired.count("\ufffd")
    whole = len(repaired) - len(repaired.encode("ascii", "ignore")) - broken
    return repaired if whole > broken else data.decode("cp1252", "replace")


def _codec_name(charset: str) -> str | None:
    try:
        name = codecs.lookup(charset.strip()).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return None
    return None if name in _NO_CHARSETS else name


def _decode_header(raw: str) -> str:
    """Decode encoded words (RFC 2047) and stray 8-bit characters; broken ones stay as they are."""
    unfolded = " ".join(line.strip() for line in raw[:_LONGEST_SUBJECT].splitlines())
    if not unfolded.isascii():
        return decode_text(unfolded.encode("ascii", "surrogateescape") if _escaped(unfolded) else unfolded.encode())
    try:
        chunks = email.header.decode_header(unfolded)
    except email.errors.HeaderParseError:
        return unfolded
    return "".join(c if isinstance(c, str) else decode_text(c, charset) for c, charset in chunks).strip()


def _escaped(text: str) -> bool:
    return all(ord(char) < 0x80 or 0xDC80 <= ord(char) <= 0xDCFF for char in text)


# --- structure ----------------------------------------------------------------------------------------------------


class _ShortHeaders(EmailPolicy):
    """The default policy, with headers cut to a length that its parser handles in no time, and parsed once only."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[: _LONGEST_SUBJECT if name.lower() == "subject" else _LONGEST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed_header(name, value)  # asked for some ten times a part


@functools.lru_cache(maxsize=64)
def _parsed_header(name: str, value: str) -> Any:
    return default.header_fetch_parse(name, value)


def read_mail(data: bytes) -> Mail:
    """Read a mail as its recipient would.

    Takes the plain part of alternatives if it says what the HTML part says, else the HTML part. Follows forwarded mails
    that are attached; leaves all other attachments, and named text files, alone. Quote marks (``>``) stay.

    Parameters
    ----------
    data : bytes
        The whole mail, from its first header.

    Returns
    -------
    Mail
        Whatever could be read; never an exception for broken content.
    """
    policies: tuple[Policy, ...] = (_ShortHeaders(), compat32)
    for policy in policies:
        try:
            return _read_message(email.message_from_bytes(data, policy=policy))
        except Exception:  # hostile headers raise nearly anything inside the default policy
            continue
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    return Mail("", (decode_text(body or head),), 1)


def _read_message(message: Message) -> Mail:
    walk = _Walk()
    bodies = [text for text in walk.texts(message, 0) if text.strip()]
    return Mail(_subject(message), tuple(bodies), walk.broken)


def _subject(message: Message) -> str:
    raw = next((str(value) for name, value in message.raw_items() if name.lower() == "subject"), "")
    return _decode_header(raw)


class _Walk:
    """Collects the visible texts of a message and counts the parts that are broken."""

    def __init__(self) -> None:
        self.broken = 0

    def texts(self, part: Message, depth: int) -> list[str]:
        kind = part.get_content_type()
        if depth > _DEEPEST:
            self.broken += 1
            return []
        if part.is_multipart():
            children = [child for child in part.get_payload() if isinstance(child, Message)]
            if kind == "multipart/alternative":
                return self._alternative(children, depth + 1)
            subjects = [_subject(child) for child in children] if kind == "message/rfc822" else []
            return subjects + [text for child in children for text in self.texts(child, depth + 1)]
        if kind.startswith("multipart/"):
            self.broken += 1  # the boundary never came: the payload is one raw text
        elif not kind.startswith("text/") or kind == "text/calendar" or _is_attachment(part):
            return []
        return [self._leaf(part, kind)]

    def _alternative(self, children: list[Message], depth: int) -> list[str]:
        plain = [t for c in children if c.get_content_type() == "text/plain" for t in self.texts(c, depth)]
        rich = [t for c in children if c.get_content_type() != "text/plain" for t in self.texts(c, depth)]
        said, shown = set(" ".join(plain).lower().split()), set(" ".join(rich).lower().split())
        if not shown:
            return plain
        if len(shown & said) * 2 >= len(shown):
            return plain
        stub = len(said) < 40 and ("html" in said or any("html" in word for word in said))
        return rich if stub else plain + rich  # two different messages: the reader sees one of them, so keep both

    def _leaf(self, part: Message, kind: str) -> str:
        text = decode_text(self._payload(part), part.get_content_charset())
        if kind == "text/html":
            return visible_text(text)
        text = text.replace("\r\n", "\n")
        if str(part.get_param("format", "")).lower() == "flowed":
            return _unflow(text, delete_space=str(part.get_param("delsp", "")).lower() == "yes")
        return text.strip("\n")

    def _payload(self, part: Message) -> bytes:
        known = len(part.defects)
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if len(part.defects) > known:
            self.broken += 1
            if any(isinstance(d, email.errors.InvalidBase64LengthDefect) for d in part.defects):
                kept = data.translate(None, _NOT_BASE64)  # one character too many: cut it off
                data = base64.b64decode(kept[: len(kept) // 4 * 4])
        return data


def _is_attachment(part: Message) -> bool:
    disposition = str(part.get("content-disposition", "")).partition(";")[0].strip().lower()
    return disposition == "attachment" or (disposition != "inline" and part.get_filename() is not None)


def _unflow(text: str, *, delete_space: bool) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); lines join only within one depth of quoting."""
    done: list[str] = []
    open_depth = -1  # quote depth of a paragraph that goes on, -1 for none
    for line in text.split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        content = unquoted.removeprefix(" ")
        soft = content.endswith(" ") and content != "-- "
        kept = content[:-1] if soft and delete_space else content
        if depth == open_depth and content != "-- ":
            done.append(kept)
        else:
            done += ["\n" if done else "", f"{'>' * depth} " if depth else "", kept]
        open_depth = depth if soft else -1
    return "".join(done).strip("\n")
