"""One character at a time: what a code point is folded to, whatever stands around it.

Sources: Unicode NFKC for compatibility forms; the look-alike tables are our own selection from Unicode's
confusables (UTS #39), limited to letters met in disguised mail and chat; emoji meanings after the project's domain
study. Telling emoji become English words, because the concept scan knows every language at once.
"""

from __future__ import annotations

import unicodedata

__all__ = ["CYRILLIC_FOR_LATIN", "FOLDED_CHARACTERS", "LATIN_FOR_LOOKALIKE", "is_invisible"]

_EMOJI_WORDS = {
    "record": "📸🎥📹📷🎦⏺📼🤳",
    "nude": "🍆🍑🔞🍒",
    "money": "💸💰💳🪙💵💶💷💴🤑",
    "timer": "⏳⌛⏰⏱🔟🕛",
    "quiet": "🤫🙊🤐",
    "contacts": "👥📲📇📱",
    "family": "👪",
    "viral": "📤🚀🌍🌎🌏📢📣📡",
    "delete": "🗑",
    "police": "👮🚔🚓",
    "forbidden": "🚫⛔",
    "haha": "😂🤣😹😆😜😝🤪",
    "snapchat": "👻",
    "telegram": "✈",
    "boss": "👔",
}
_PUNCTUATION = {"'": "’‘‛`´ʼ′", '"': "“”„‟«»″", "-": "–—‒―‐‑−", "…": "..."}
_LATIN_EXTRA = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "þ": "th", "ð": "d", "ħ": "h", "ı": "i", "ŋ": "n",
    "ɑ": "a", "ɡ": "g", "ɩ": "i", "ɪ": "i", "ʏ": "y", "ʙ": "b", "ʜ": "h", "ʟ": "l", "ɴ": "n", "ʀ": "r", "ꜱ": "s",
    "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ɢ": "g", "ᴊ": "j", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o", "ᴘ": "p", "ᴛ": "t",
    "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ᴢ": "z", "ꝑ": "p", "ɗ": "d", "ɓ": "b", "ƙ": "k",
}  # fmt: skip
_OTHER_LETTERS = {"ё": "е", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": ""}
_NEGATIVE_SQUARED_A = 0x1F170  # 🅰 to 🆉 are letters that NFKC leaves alone
_REGIONAL_A = 0x1F1E6  # 🇦 to 🇿

# Lower-case letters of other scripts that pass for Latin ones. Only ever applied inside words that mix scripts.
LATIN_FOR_LOOKALIKE = dict(
    zip(
        "аеорсухіјѕһкмтвнԁԛԝпиьгӏѵαβεηικνορτυχγωσδμօոսհցգաε",
        "aeopcyxijshkmtbhdqwnubrlvabenikvoptuxywsduonuhgqwe",
        strict=True,
    )
)
CYRILLIC_FOR_LATIN = dict(zip("aeopcyxkmtbhu3", "аеорсухкмтвниз", strict=True))

_INVISIBLE_EXTRA = {0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x2800, 0x3164, 0xFFA0}


def is_invisible(char: str) -> bool:
    """Tell whether a character shows nothing: zero-width, bidi and format controls, variation selectors, fillers."""
    code = ord(char)
    if code in _INVISIBLE_EXTRA or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return True
    return unicodedata.category(char) == "Cf"


def _fold_letter(char: str) -> str:
    """Fold one decomposed character: drop accents on Latin letters, lower-case, western digits."""
    lowered = char.lower()
    if lowered in _LATIN_EXTRA:
        return _LATIN_EXTRA[lowered]
    if lowered in _OTHER_LETTERS:
        return _OTHER_LETTERS[lowered]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    parts = unicodedata.normalize("NFD", lowered)
    if len(parts) > 1 and parts[0].isascii():
        return "".join(_LATIN_EXTRA.get(p, p) for p in parts if not unicodedata.combining(p))
    return lowered


class _FoldTable(dict[int, str]):
    """A `str.translate` table that works out each code point the first time it is met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = self._work_out(code)
        return folded

    @staticmethod
    def _work_out(code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if char in "\n\t ":
            return char
        if char in "\r\x0b\x0c\x85\x1c\x1d\x1e\x1f" or category in {"Zl", "Zp"}:
            return "\n"
        if category == "Cs":
            return "\ufffd"  # a lone surrogate cannot be encoded; keep its place
        if category in {"Cc", "Cf"} or is_invisible(char) or 0x0300 <= code <= 0x036F or 0x064B <= code <= 0x0652:
            return ""
        if _NEGATIVE_SQUARED_A <= code < _NEGATIVE_SQUARED_A + 26:
            return chr(ord("a") + code - _NEGATIVE_SQUARED_A)
        if _REGIONAL_A <= code < _REGIONAL_A + 26:
            return chr(ord("a") + code - _REGIONAL_A)
        return "".join(_fold_letter(part) for part in unicodedata.normalize("NFKC", char))


def _build_table() -> _FoldTable:
    table = _FoldTable()
    for word, emojis in _EMOJI_WORDS.items():
        table.update({ord(emoji): f" {word} " for emoji in emojis})
    for plain, forms in _PUNCTUATION.items():
        if len(forms) > 1 and plain != "…":
            table.update({ord(form): plain for form in forms})
    table[ord("…")] = "..."
    return table


FOLDED_CHARACTERS: dict[int, str] = _build_table()
"""Maps a code point to its folded form: lower case, without accents on Latin letters, invisible characters gone."""
