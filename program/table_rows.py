"""What all writers of the raw tables `program__*` share: rows, and versions as spans of days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from program.schema_base import OPEN_END

Row = dict[str, Any]
Rows = dict[str, list[Row]]


class _Versioned(Protocol):
    @property
    def effective_from(self) -> date: ...


VersionT = TypeVar("VersionT", bound=_Versioned)


def spans(versions: Sequence[VersionT]) -> list[tuple[VersionT, Row]]:
    """Versions in order of time, each with its half-open span: until the next, or for ever."""
    ordered = sorted(versions, key=lambda version: version.effective_from)
    starts = [version.effective_from for version in ordered]
    spanned = [
        {"valid_from_date": start, "valid_to_date": end}
        for start, end in pairwise([*starts, OPEN_END])
    ]
    return list(zip(ordered, spanned, strict=True))
