"""Local days and UTC instants (rules M5 and M6). Reads no clock: the day is always passed in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def day_start_utc(day: date, timezone: str) -> datetime:
    """UTC instant, naive, at which the local day begins.

    Where midnight is skipped (spring) that is the first instant that exists; where it comes twice
    (autumn) it is the first of the two.
    timezone: IANA name, for example America/New_York.
    """
    local = datetime.combine(day, time(0), tzinfo=ZoneInfo(timezone))
    return local.astimezone(UTC).replace(tzinfo=None)


def day_end_utc(as_of: date, timezone: str) -> datetime:
    """UTC instant, naive and exclusive, at which the local day `as_of` ends (M5, M6).

    A fact counts in the night of `as_of` when its instant is earlier than this.
    """
    return day_start_utc(as_of + timedelta(days=1), timezone)
