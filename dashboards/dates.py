"""Days of the programme."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from dashboards.visit import Visit


def local_day(visit: Visit) -> date:
    """The day of the request in the programme's time zone."""
    zone = ZoneInfo(visit.settings.workspace.program.program.timezone)
    return visit.now.replace(tzinfo=UTC).astimezone(zone).date()
