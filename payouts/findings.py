"""What a verification reads and what it finds; shared by the modules that check.

What belongs here: the two records, and naming ids. What does not: any check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from payouts import segments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. ``detail`` says what was proved, or what is broken and where."""

    check: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Evidence:
    """What the checks read: one consistent view of the control database, and a private DuckDB."""

    home: Path
    control: Connection
    reader: DuckDBPyConnection
    segments: list[segments.SegmentRecord]

    @property
    def segment_paths(self) -> list[Path]:
        """Registered segments that exist; missing ones are a finding of their own."""
        paths = [(self.home / record.path).absolute() for record in self.segments]
        return [path for path in paths if path.is_file()]


def named(ids: Iterable[object]) -> str:
    """Ids in a message: sorted, the first few and how many more."""
    found = sorted(str(each) for each in ids)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


Check = Callable[[Evidence], Iterator[Finding]]
