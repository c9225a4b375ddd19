"""How old the numbers of a page are, and whether that should worry anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

FRESH, OLD, STALE = "fresh", "old", "stale"
# A nightly programme: a night may be two hours late before anybody is warned.
OLD_AFTER, STALE_AFTER = timedelta(hours=26), timedelta(hours=50)


@dataclass(frozen=True)
class Age:
    """level: fresh, old (amber) or stale (red). text: for people. failure: of the last night."""

    level: str
    text: str
    failure: str = ""


def age_of(published_at: datetime, now: datetime, last_night: dict[str, Any] | None = None) -> Age:
    """Both instants naive UTC. last_night: `Services.last_night`; told when it failed since."""
    passed = max(now - published_at, timedelta(0))
    hours = int(passed.total_seconds() // 3600)
    if hours < 1:
        text = "less than an hour old"
    elif hours < 48:  # noqa: PLR2004  (two days, from where days are easier to grasp)
        text = f"{hours} hour{'s' if hours > 1 else ''} old"
    else:
        text = f"{hours // 24} days old"
    level = STALE if passed > STALE_AFTER else OLD if passed > OLD_AFTER else FRESH
    failure = ""
    if last_night and last_night.get("state") == "failed":
        failure = str(last_night.get("message") or "see HOME/logs")
    return Age(level, text, failure)
