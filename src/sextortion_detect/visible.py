"""HTML → the text that its reader sees.

Bulk mails carry poems and news in white, tiny or hidden letters to water the threat down, so what is not shown is not
read. Decided element by element from attributes and inline styles, inherited as browsers do; style sheets are not
applied, so text hidden by a class name counts as visible.

The parser of the standard library rescans unclosed constructs, which is quadratic on hostile input. It is therefore fed
in small steps, and a construct that stays open for `_LONGEST_TAG` characters is dropped up to the next ">".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from html.parser import HTMLParser

__all__ = ["visible_text"]

_STEP = 8_192  # characters fed at once
_LONGEST_TAG = 65_536  # characters; longer ones are pictures inlined into an attribute
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_UNREAD = frozenset({"script", "style", "title", "template"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table"}
    | {"tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_CLOSED_BY_ITSELF = frozenset({"li", "td", "th", "tr", "dd", "dt", "option"})  # a new one ends the one before
_PALE = 0xF0  # of 255, in every channel: white to the eye
_DEEPEST_QUOTE = 5


@dataclass(frozen=True, slots=True)
class _Look:
    """How the text of an element is drawn."""

    gone: bool = False  # final for everything inside
    unseen: bool = False  # this and the rest can be undone by an element inside
    tiny: bool = False
    pale: bool = False
    on_white: bool = True
    quotes: int = 0

    @property
    def visible(self) -> bool:
        return not (self.gone or self.unseen or self.tiny or (self.pale and self.on_white))


def visible_text(markup: str) -> str:
    """Return what a reader sees of an HTML document, one line per block, quoted replies behind ``> ``.

    Drops scripts, styles, comments, titles, and elements with the attribute ``hidden`` or a style of ``display:none``,
    ``visibility:hidden``, ``opacity:0``, a font size of 0 or 1, or white letters on white. Leaves out texts of images.

    Parameters
    ----------
    markup : str
        A document or a fragment, well formed or not.

    Returns
    -------
    str
        Plain text with entities decoded.
    """
    reader = _Reader()
    text = _without_comments(markup)
    for at in range(0, len(text), _STEP):
        reader.feed_step(text[at : at + _STEP])
    return reader.finish()


def _without_comments(markup: str) -> str:
    """Cut comments out first: they may be long, and an unclosed one is kept as text because it may be the message."""
    kept: list[str] = []
    at = 0
    while (start := markup.find("<!--", at)) >= 0 and (end := markup.find("-->", start + 4)) >= 0:
        kept.append(markup[at:start])
        at = end + 3
    rest = markup[at:]
    return "".join(kept) + (rest.replace("<!--", " ") if "<!--" in rest else rest)


class _Reader(HTMLParser):
    """Walks the tags, keeps the looks of the open elements, and writes lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack: list[tuple[str, _Look]] = [("", _Look())]
        self._open: Counter[str] = Counter()
        self._lines: list[list[str]] = [[]]
        self._quotes: list[int] = [0]
        self._dropping = False

    # --- feeding

    def feed_step(self, text: str) -> None:
        if self._dropping:
            _, closed, text = text.partition(">")
            self._dropping = not closed
        self.feed(text)
        if len(self.rawdata) <= _LONGEST_TAG:
            return
        if self.cdata_elem:
            self.rawdata = self.rawdata[-16:]  # the end of a long script; its closing tag may be cut in half here
        else:
            self.rawdata, self._dropping = "", True

    def finish(self) -> str:
        if not self.cdata_elem:
            self.rawdata = self.rawdata.replace(
                "<", " "
            )  # an unclosed tag at the end is shown, and is not scanned again
        self.close()
        lines: list[str] = []
        for pieces, depth in zip(self._lines, self._quotes, strict=True):
            line = " ".join("".join(pieces).split())
            if line:
                lines.append("> " * depth + line)
        return "\n".join(lines)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        # `<![if !mso]>` and the like: the standard library raises on unknown ones and looks far ahead for known ones
        return self.rawdata.find(">", i) + 1 or -1

    # --- events

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._close_implied(tag)
        look = _look_of(tag, dict(attrs), self._stack[-1][1])
        if tag in _BLOCKS:
            self._new_line(look.quotes)
        elif tag in _CELLS:
            self._lines[-1].append(" ")
        if tag not in _VOID:
            self._stack.append((tag, look))
            self._open[tag] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # browsers ignore the slash: <div/> opens a div

    def handle_endtag(self, tag: str) -> None:
        if self._open[tag]:
            while self._pop() != tag:
                pass
        if tag in _BLOCKS:
            self._new_line(self._stack[-1][1].quotes)

    def handle_data(self, data: str) -> None:
        if self._stack[-1][1].visible:
            self._lines[-1].append(data)

    # --- bookkeeping

    def _close_implied(self, tag: str) -> None:
        top = self._stack[-1][0]
        if (top == "p" and tag in _BLOCKS and tag != "br") or (top == tag and tag in _CLOSED_BY_ITSELF):
            self._pop()

    def _pop(self) -> str:
        tag, _ = self._stack.pop()
        self._open[tag] -= 1
        return tag

    def _new_line(self, quotes: int) -> None:
        self._lines.append([])
        self._quotes.append(quotes)


# --- looks --------------------------------------------------------------------------------------------------------


def _look_of(tag: str, attrs: dict[str, str | None], parent: _Look) -> _Look:
    look = parent
    if tag == "blockquote" and ("quote" in (attrs.get("class") or "") or attrs.get("type") == "cite"):
        look = replace(look, quotes=min(look.quotes + 1, _DEEPEST_QUOTE))  # other blockquotes only indent
    if tag in _UNREAD or "hidden" in attrs:
        look = replace(look, gone=True)
    if ground := attrs.get("bgcolor"):
        look = replace(look, on_white=_is_pale(ground))
    if tag == "font" and (colour := attrs.get("color")):
        look = replace(look, pale=_is_pale(colour))
    for declaration in (attrs.get("style") or "").split(";"):
        name, _, value = declaration.partition(":")
        look = _styled(look, name.strip().lower(), value.lower().replace("!important", "").strip())
    return look


def _styled(look: _Look, name: str, value: str) -> _Look:
    """Apply one declaration."""
    if (name == "display" and value == "none") or (name == "opacity" and _number(value) == 0):
        return replace(look, gone=True)
    if name == "visibility":
        return replace(look, unseen=value in {"hidden", "collapse"})
    if name == "font-size":
        size = _number(value)  # None for a word such as "medium"
        return replace(look, tiny=size is not None and (size == 0 or (size <= 1 and value.endswith(("px", "pt")))))
    if name == "color" and value != "inherit":
        return replace(look, pale=_is_pale(value))
    if name in {"background", "background-color"} and value not in {"", "transparent", "none", "inherit"}:
        return replace(look, on_white=_is_pale(value.partition(" ")[0] if value.startswith("#") else value))
    return look


def _number(value: str) -> float | None:
    digits = value[:12].rstrip("abcdefghijklmnopqrstuvwxyz% ")
    try:
        return float(digits)
    except ValueError:
        return None


def _is_pale(colour: str) -> bool:
    """Say whether a CSS colour looks white; unknown ones do not."""
    colour = colour[:40].replace(" ", "").lower()
    if colour in {"white", "transparent"}:
        return True
    try:
        if colour.startswith("#"):
            digits = colour[1:] if len(colour) >= 7 else "".join(c * 2 for c in colour[1:])
            channels = [int(digits[i : i + 2], 16) for i in (0, 2, 4)]
        elif colour.startswith("rgb"):
            channels = [int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
        else:
            return False
    except ValueError:
        return False
    return all(channel >= _PALE for channel in channels)
