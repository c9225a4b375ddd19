"""One part of a landing while its pages are collected: compressed line by line.

Compressing each page at once, while it is still in the processor's cache, is cheaper than keeping
twenty of them and compressing them together. Does not belong here: when a part is full, its name,
the manifest (`pull`, `landing`).
"""

from __future__ import annotations

import zstandard

ZSTD_LEVEL = 3


class PagePart:
    """Lines of one part, in memory, compressed.

    rows: lines. size_bytes: before compression. longest_line_bytes, kinds: what reading it needs.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.size_bytes = 0
        self.longest_line_bytes = 0
        self.kinds: set[str] = set()
        self._packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()
        self._packed: list[bytes] = []

    def add(self, line: bytes, kind: str) -> None:
        """Take one line of a kind of answer."""
        self.rows += 1
        self.size_bytes += len(line)
        self.longest_line_bytes = max(self.longest_line_bytes, len(line))
        self.kinds.add(kind)
        self._packed.append(self._packer.compress(line))

    def packed(self) -> bytes:
        """The whole part, compressed. Nothing can be added afterwards."""
        return b"".join(self._packed) + self._packer.flush()
