"""What a file is when it is no UTF-8 text: the encoding or container that its bytes show.

What belongs here: telling what was found, for messages. What does not: reading the file in another
encoding. An amount or an id that was guessed from bytes is none; who sent the file saves it again.
"""

from __future__ import annotations

import re

_UTF_32, _UTF_16 = "UTF-32 text", "UTF-16 text"
# Byte-order marks: UTF-32 before UTF-16, whose mark is the beginning of the other's.
_MARKS = (
    (b"\xff\xfe\x00\x00", _UTF_32), (b"\x00\x00\xfe\xff", _UTF_32),
    (b"\xff\xfe", _UTF_16), (b"\xfe\xff", _UTF_16),
)  # fmt: skip
_CONTAINERS = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
)
_LOOKED_AT_BYTES = 1 << 12
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)""")


def other_than_text(content: bytes) -> str | None:
    """What a file is that can be no text of one byte per ASCII character; None when it can."""
    for mark, name in (*_MARKS, *_CONTAINERS):
        if content.startswith(mark):
            return name
    head = content[:_LOOKED_AT_BYTES]
    if b"\x00" not in head:
        return None
    # ASCII characters in UTF-16: every second byte is zero, the first of each pair or the second.
    first, second = head[0::2].count(0), head[1::2].count(0)
    if min(first, second) == 0 and max(first, second) * 4 >= len(head):
        return f"{_UTF_16} without a byte-order mark"
    return "no text (it holds zero bytes)"


def undecodable(content: bytes) -> tuple[int, str] | None:
    """Line and reason of the first bytes that are no UTF-8; None when all are."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        found = (
            "no encoding of text"
            if re.search(rb"[\x00-\x08\x0e-\x1f]", content)
            else "Windows-1252 or another encoding of one byte per character"
        )
        return line, f"is no UTF-8 text: byte 0x{byte:02X}, found {found}"
    return None


def undecodable_xml(content: bytes) -> tuple[int, str] | None:
    """The same for XML that declares no other encoding than UTF-8; its reader takes UTF-16 too."""
    if other_than_text(content) == _UTF_32:
        return 1, f"is {_UTF_32}, not UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:4]:
        return None
    declared = _XML_ENCODING.search(content[:200])
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        return None
    return undecodable(content)
