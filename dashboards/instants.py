"""Days that people write into forms, as instants: local midnight of the programme (M5)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from program.instants import day_start_utc

from dashboards.errors import BadInputError

if TYPE_CHECKING:
    from dashboards.visit import Visit

_YEARS = range(1970, 2201)


def asked_day(visit: Visit, name: str) -> datetime:
    """The start of a posted day, naive UTC. Raises: BadInputError."""
    found = optional_day(visit, name)
    if found is None:
        raise BadInputError(f"{name.replace('_', ' ')} is missing")
    return found


def optional_day(visit: Visit, name: str) -> datetime | None:
    """The same; None when nothing was written."""
    text = visit.field(name, 20)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"{name}={text}: write a day like 2026-02-28") from None
    if day.year not in _YEARS:
        raise BadInputError(f"{name}={text}: a day between 1970 and 2200")
    return day_start_utc(day, visit.workspace.program.program.timezone)
