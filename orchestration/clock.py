"""The only place, besides the command line, that knows the time.

What does not belong here: anything that decides. The night's `as_of` is a parameter everywhere
below this module (M6).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present instant, naive UTC, whole microseconds."""
    return datetime.now(UTC).replace(tzinfo=None)


def default_as_of(timezone: str, now: datetime) -> date:
    """The last local day that is over at `now` (naive UTC): yesterday in the programme's zone."""
    local = now.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone))
    return local.date() - timedelta(days=1)
