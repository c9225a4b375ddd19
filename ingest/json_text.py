"""JSON texts that hold half a character.

A program that cuts a text in the middle of an emoji sends one half of a surrogate pair, such as
`"\\ud83d"`. It is no text, so strict readers refuse the whole answer: one visitor's form would stop
a source for good. Does not belong here: requests (`http`), rows (`objects`).
"""

from __future__ import annotations

import re

HALVES = re.compile(
    r"(?<!\\)((?:\\\\)*)"
    r"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""Escapes of surrogates after an even number of backslashes: a whole pair, or a half."""
REPLACEMENT = r"\ufffd"


def without_halves(text: str) -> str:
    """The JSON text with U+FFFD for each half of a surrogate pair; all else as it was."""
    return HALVES.sub(lambda found: found[1] + (found[2] or REPLACEMENT), text)
