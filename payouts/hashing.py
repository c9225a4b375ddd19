"""Canonical text and hashes: the same facts always give the same bytes.

What belongs here: canonical JSON, instants as text, SHA-256 of text and files.
What does not: which facts go into a hash; each record decides that where it is defined.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

GENESIS_HASH = "0" * 64
_CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, no spaces and plain UTF-8; dates as ISO 8601.

    Raises: TypeError for floats (amounts are integers, rates are text) and unknown types.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form; use int, str, date or None")


def instant_text(instant: datetime) -> str:
    """An instant as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``. A naive instant is UTC (contract of the room).

    Fixed width, so that text order is time order in any database.
    """
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def parse_instant(text: str) -> datetime:
    """The naive UTC instant that ``instant_text`` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def sha256_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, 64 lower-case hex digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_bytes(content: bytes) -> str:
    """SHA-256 of bytes, 64 lower-case hex digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces so that a large segment needs no memory."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
