"""Text that the vendored font can show: anything else becomes a mark, so that no name stops a PDF.

PDF/UA forbids a character without a glyph. What the font lacks (most emojis, East Asian scripts)
is shown as U+FFFD; characters that only steer, such as a reversed direction, are left out, because
they could make a name change how the amount beside it reads.
"""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from pathlib import Path

FONTS = Path(__file__).resolve().parent / "fonts"
_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_MARK = "\N{REPLACEMENT CHARACTER}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_SPACES = ("Zl", "Zp")
_LONGEST_PIECE = 12
"""Characters of a word between two places where a line may break: the narrowest column's width."""


def shown(text: str) -> str:
    """The text in characters of the font, on one line."""
    return " ".join("".join(map(_shown, unicodedata.normalize("NFC", text))).split())


def breakable(text: str) -> str:
    """The same, with places where a long id may be broken over lines; nothing visible is added."""
    return " ".join(
        _BREAK.join(
            word[start : start + _LONGEST_PIECE] for start in range(0, len(word), _LONGEST_PIECE)
        )
        for word in shown(text).split(" ")
    )


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SPACES or character in "\t\n\r\v\f":
        return " "
    if category == "Cf":
        return ""
    is_private = category in ("Cc", "Co", "Cs", "Cn")
    return _MARK if is_private or ord(character) not in covered() else character


@cache
def covered() -> frozenset[int]:
    """Code points that both weights of the font have a glyph for."""
    regular, bold = (_code_points((FONTS / name).read_bytes()) for name in _FILES)
    return regular & bold


def _code_points(font: bytes) -> frozenset[int]:
    """Those of the font's full character map (OpenType specification, cmap format 12)."""
    (table_count,) = struct.unpack_from(">H", font, 4)
    for number in range(table_count):
        tag, _, start, _ = struct.unpack_from(">4sLLL", font, 12 + 16 * number)
        if tag == b"cmap":
            return _of_map(font, start)
    raise ValueError("the font has no character map")


def _of_map(font: bytes, start: int) -> frozenset[int]:
    (map_count,) = struct.unpack_from(">H", font, start + 2)
    for number in range(map_count):
        (offset,) = struct.unpack_from(">L", font, start + 8 + 8 * number)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if form == 12:  # noqa: PLR2004  (segmented coverage of all of Unicode)
            (group_count,) = struct.unpack_from(">L", font, start + offset + 12)
            groups = struct.iter_unpack(
                ">LLL", font[start + offset + 16 : start + offset + 16 + 12 * group_count]
            )
            return frozenset(point for first, last, _ in groups for point in range(first, last + 1))
    raise ValueError("the font's character map does not cover all of Unicode")
