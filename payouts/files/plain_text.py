"""Positive pattern for text cells of files that machines read.

What belongs here: which characters such a cell may hold. What does not: neutralising cells for
people's spreadsheets; a machine-facing file is never altered, it is refused
(payouts reference, section 7).
"""

from __future__ import annotations

import unicodedata

MAX_CHARACTERS = 140
_PUNCTUATION = frozenset(" .,:;'’`´&()/+-_#!?@%°·–—\"“”«»*=")
_LETTER_CATEGORIES = ("L", "N")
_INSIDE_CATEGORIES = ("L", "M", "N")


def plain_text_fault(text: str) -> str | None:
    """Why a text may not stand in a machine-facing cell, None when it may.

    It begins with a letter or digit of any script, so never with a formula character, and holds
    only letters, digits, their marks and common punctuation: no control or invisible character,
    no line break. The answer never repeats the text, which may be a person's name.
    """
    if not text:
        return "is empty"
    if len(text) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS} characters"
    if unicodedata.category(text[0])[0] not in _LETTER_CATEGORIES:
        return "does not begin with a letter or digit"
    for position, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category[0] not in _INSIDE_CATEGORIES and character not in _PUNCTUATION:
            return f"holds a character that is not allowed (U+{ord(character):04X}) at {position}"
    return None
