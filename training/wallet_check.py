"""Checksums of wallet addresses, so that the corpora hold none that somebody could own.

Base58check covers Bitcoin, Litecoin and TRON addresses; bech32 (BIP-173) and bech32m (BIP-350) cover SegWit and
Lightning. Ethereum and Monero addresses use Keccak, which the standard library lacks: their full length alone counts.
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["is_base58check", "is_bech32", "usable_wallets"]

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANTS = (1, 0x2BC830A3)  # bech32, bech32m
_TOKEN = re.compile(r"[A-Za-z0-9]{25,}")
_FULL_LENGTH = re.compile(r"0[xX][0-9a-fA-F]{40}|[48][1-9A-HJ-NP-Za-km-z]{94}")


def is_base58check(token: str) -> bool:
    """Return whether a token decodes to at least 20 bytes followed by their own checksum."""
    number = 0
    for letter in token:
        if letter not in _BASE58:
            return False
        number = number * 58 + _BASE58.index(letter)
    zeros = len(token) - len(token.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    digest = hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()
    return len(data) >= 24 and digest[:4] == data[-4:]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def is_bech32(token: str) -> bool:
    """Return whether a token has a valid bech32 or bech32m checksum, whatever its prefix."""
    if token not in (token.lower(), token.upper()) or not 8 <= len(token) <= 90:
        return False
    prefix, separator, data = token.lower().rpartition("1")
    if not prefix or not separator or len(data) < 6:
        return False
    if any(not 33 <= ord(letter) <= 126 for letter in prefix) or any(letter not in _BECH32 for letter in data):
        return False
    codes = [ord(letter) for letter in prefix]
    expanded = [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]
    return _polymod(expanded + [_BECH32.index(letter) for letter in data]) in _CONSTANTS


def usable_wallets(text: str) -> int:
    """Count the tokens of a text that somebody could send money to.

    Parameters
    ----------
    text : str
        A message.

    Returns
    -------
    int
        Tokens with a valid checksum, or of the full length of a kind whose checksum is not checked here.
    """
    tokens = _TOKEN.findall(text)
    return sum(bool(_FULL_LENGTH.fullmatch(t)) or is_base58check(t) or is_bech32(t) for t in tokens)
