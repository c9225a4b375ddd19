"""Names and texts in the letters that SEPA and NACHA files may carry.

What belongs here: the mapping into that character set. What does not: which field takes how many
characters. Source: EPC217-08 (SEPA character set), payouts reference 2.2.
"""

from __future__ import annotations

import unicodedata

LATIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
"""The EPC's Latin set: letters, digits, ``/ - ? : ( ) . , ' +`` and space."""

UNMAPPED = "."
_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "œ": "oe", "Œ": "OE", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH",
    "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "n", "Ŋ": "N", "ı": "i", "ĸ": "k",
    "&": "+", "_": "-", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-",
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'",
}  # fmt: skip


def to_latin(text: str, also: str = "") -> str:
    """The text in the Latin set, runs of spaces as one, none at the ends.

    Letters lose their marks or become their usual spelling (ß is ss, & is +); anything else
    becomes a point. also: characters to keep as they are, for a format that allows more.

    >>> to_latin("Łódź & Söhne ™")
    'Lodz + Sohne TM'
    """
    mapped = "".join(_mapped(character, also) for character in unicodedata.normalize("NFC", text))
    return " ".join(mapped.split())


def latin_name(name: str, max_characters: int, also: str = "") -> str:
    """A mapped name cut to what its field holds."""
    return to_latin(name, also)[:max_characters].rstrip()


def has_letter_or_digit(latin: str) -> bool:
    """Whether a mapped text still says something: points alone do not name anybody."""
    return any(character.isalnum() for character in latin)


def _mapped(character: str, also: str) -> str:
    if character in LATIN or character in also:
        return character
    if character in _LETTERS:
        return _LETTERS[character]
    if character.isspace():
        return " "
    plain = "".join(
        _LETTERS.get(part, part)
        for part in unicodedata.normalize("NFKD", character)
        if not unicodedata.combining(part)
    )
    if unicodedata.combining(character):
        return ""
    return plain if plain and all(part in LATIN for part in plain) else UNMAPPED
