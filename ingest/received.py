"""Take a dropped file in: hash it, keep its bytes, and give readers a UTF-8 copy of it.

Belongs here: bytes and encodings. Does not belong here: columns, rows, DuckDB.

Encodings (sources.md section 5): UTF-8 with or without BOM, UTF-16 with BOM or plainly recognisable
without, and what is not valid UTF-8 as cp1252 (what Excel writes on Windows); or the one that is
declared for the entity, latin-1 included.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import FileChangingError, FileRefusedError
from ingest.landing import LandingWriter

CHUNK_BYTES = 1 << 20
ZSTD_LEVEL = 3
READABLE_NAME = "readable"
AUTO = "auto"
ENCODING_ADVICE = "Save the file as UTF-8 and drop it again."


@dataclass(frozen=True)
class Received:
    """A file whose bytes are kept in the landing.

    readable: temporary copy, UTF-8 without BOM (Parquet: the bytes themselves).
    lines: physical lines counted by line feeds; 0 for Parquet. has_nul: any NUL character.
    """

    sha256: str
    size_bytes: int
    encoding: str
    readable: Path
    lines: int
    has_nul: bool


def receive(
    path: Path,
    writer: LandingWriter,
    expected_sha256: str,
    is_text: bool,
    encoding: str = AUTO,
) -> Received:
    """Keep the bytes of a file as the part `received.*` and make the readable copy.

    expected_sha256: of the file when it was looked at first. encoding: as declared.
    Raises: FileChangingError if the bytes are no longer those; FileRefusedError if no encoding
    fits; OSError if the disk is full.
    """
    part_name = "received" + path.suffix.lower() + (".zst" if is_text else "")
    temporary = writer.temporary_path(part_name)
    digest, size = _copy(path, temporary, is_text)
    if digest != expected_sha256:
        raise FileChangingError(
            f"{path.name}: changed while it was read",
            "Write files under a name ending .part and rename them when they are complete.",
        )
    writer.commit_part(
        part_name, "received", rows=0, original_name=path.name, original_sha256=digest
    )
    return open_received(writer, part_name, path.name, digest, size, is_text, encoding)


def open_received(
    writer: LandingWriter,
    part_name: str,
    file_name: str,
    digest: str,
    size: int,
    is_text: bool,
    encoding: str = AUTO,
) -> Received:
    """Make the readable copy of kept bytes, the part of that name.

    digest, size: of the file as it was dropped. encoding: as declared; `auto` finds it.
    Raises: FileRefusedError if no encoding fits, or the declared one does not.
    """
    kept = writer.directory / part_name
    if not is_text:
        return Received(digest, size, "binary", kept, 0, False)
    encoding = (
        detect_encoding(_bytes_of(kept), file_name)
        if encoding == AUTO
        else _forced_encoding(encoding, kept, file_name)
    )
    readable = writer.temporary_path(READABLE_NAME)
    lines, has_nul = _write_readable(kept, readable, encoding, file_name)
    return Received(digest, size, encoding, readable, lines, has_nul)


def _copy(path: Path, target: Path, is_text: bool) -> tuple[str, int]:
    import zstandard

    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as source, target.open("wb") as raw_target:
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj() if is_text else None
        while chunk := source.read(CHUNK_BYTES):
            hasher.update(chunk)
            size += len(chunk)
            raw_target.write(compressor.compress(chunk) if compressor else chunk)
        if compressor:
            raw_target.write(compressor.flush())
    return hasher.hexdigest(), size


def _bytes_of(compressed: Path) -> Iterator[bytes]:
    import zstandard

    with compressed.open("rb") as opened:
        reader = zstandard.ZstdDecompressor().stream_reader(opened)
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk


def detect_encoding(chunks: Iterator[bytes], file_name: str) -> str:
    """Python's name of the encoding of these bytes.

    Raises: FileRefusedError for UTF-32, and for bytes that neither UTF-8 nor cp1252 has.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252, is_first = True, True, True
    for chunk in chunks:
        if is_first:
            is_first = False
            wide = _wide_encoding(chunk, file_name)
            if wide:
                return wide
        if is_utf8:
            is_utf8 = _decodes(decoder, chunk)
        is_cp1252 = is_cp1252 and not chunk.translate(None, _CP1252_DEFINED)
    if is_utf8 and _decodes(decoder, b"", final=True):
        return "utf-8-sig"
    if is_cp1252:
        return "cp1252"
    raise FileRefusedError(f"{file_name}: is neither UTF-8 nor cp1252 text", ENCODING_ADVICE)


def _forced_encoding(declared: str, kept: Path, file_name: str) -> str:
    """Python's name of a declared encoding for these bytes.

    Raises: FileRefusedError for latin-1 with bytes that it has no letters for: cp1252 puts its
    quotation marks and the euro sign there, and as latin-1 they would be lost in silence.
    """
    if declared == "utf-8":
        return "utf-8-sig"
    if declared == "utf-16":
        start = next(_bytes_of(kept), b"")
        # Without a mark and without Latin letters at its start: what Windows writes.
        return _wide_encoding(start, file_name) or "utf-16-le"
    if declared == "latin-1":
        if any(chunk.translate(None, _LATIN1_DEFINED) for chunk in _bytes_of(kept)):
            raise FileRefusedError(
                f"{file_name}: holds bytes that latin-1 has no letters for",
                "Declare its encoding as cp1252, or save the file as UTF-8 and drop it again.",
            )
    return declared


_LATIN1_DEFINED = bytes(set(range(256)) - set(range(0x80, 0xA0)))
_CP1252_DEFINED = bytes(set(range(256)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(start: bytes, file_name: str) -> str | None:
    """utf-16 by its BOM, or by the zero halves of its first two letters; else None."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefusedError(f"{file_name}: is UTF-32, which is not read", ENCODING_ADVICE)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) >= 4:
        if start[1] == 0 == start[3] and start[0] and start[2]:
            return "utf-16-le"
        if start[0] == 0 == start[2] and start[1] and start[3]:
            return "utf-16-be"
    return None


def _write_readable(kept: Path, readable: Path, encoding: str, name: str) -> tuple[int, bool]:
    """Write the UTF-8 copy; returns its physical lines and whether it has a NUL character."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, has_nul, last = 0, False, b"\n"
    with readable.open("wb") as target:
        try:
            for text in _decoded(kept, decoder):
                target.write(text)
                lines += text.count(b"\n")
                has_nul = has_nul or b"\0" in text
                last = text[-1:] or last
        except UnicodeError:
            raise FileRefusedError(
                f"{name}: near line {lines + 1} is not valid {encoding}",
                ENCODING_ADVICE,
            ) from None
    return lines + (last != b"\n"), has_nul


def _decoded(kept: Path, decoder: codecs.IncrementalDecoder) -> Iterator[bytes]:
    for chunk in _bytes_of(kept):
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", True).encode()
