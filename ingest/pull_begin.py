"""Which landing a pull begins with: a killed one that goes on, or a new one with a new plan.

Does not belong here: making requests and completing the landing (`pull`), plans as values
(`history`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ingest.history import Plan, StreamHistory, plan_of
from ingest.landing import Landing, LandingIndex, LandingStore, LandingWriter

if TYPE_CHECKING:
    from ingest.pull import Stream

RESUME_WITHIN = timedelta(hours=36)
"""A killed pull older than this is not continued: its first pages would be stale."""
FORCED_REASON = "asked to read everything again"


def plan_pull(
    store: LandingIndex, kind: str, stream: Stream, history: StreamHistory, force_full: bool
) -> tuple[Landing | None, Plan]:
    """What a pull would ask for now: the killed pull that it would continue, None for a new one,
    and the plan. Writes nothing."""
    fingerprint = dict(stream.fingerprint(history.settings))
    for landing in store.of_stream(history.source, stream.name, kind):
        if landing.is_final or landing.is_abandoned:
            continue
        is_recent = history.now - landing.started_at <= RESUME_WITHIN
        is_same = landing.settings.get("fingerprint") == fingerprint
        # A killed pull that was to read everything is continued by any later one.
        if is_recent and is_same and (is_forced(landing) or not force_full):
            return landing, plan_of(landing)
    if force_full:
        return None, replace(stream.plan(history.forgotten()), reason=FORCED_REASON)
    return None, stream.plan(history)


def is_forced(landing: Landing) -> bool:
    """Whether the landing was begun to read everything again."""
    return bool(landing.settings.get("force_full"))


def open_pull(
    store: LandingStore, kind: str, stream: Stream, history: StreamHistory, force_full: bool
) -> LandingWriter:
    """A killed recent pull with the same fingerprint, else a new landing with a new plan.

    Killed pulls that are not continued are abandoned.
    """
    continued, plan = plan_pull(store, kind, stream, history, force_full)
    for landing in store.of_stream(history.source, stream.name, kind):
        if landing == continued:
            return LandingWriter(landing)
        if not landing.is_final and not landing.is_abandoned:
            LandingWriter(landing).abandon("not continued: too old, or asked for otherwise")
            store.refresh(landing)
    settings = {
        "fingerprint": dict(stream.fingerprint(history.settings)),
        "plan": {"mode": plan.mode, "bounds": dict(plan.bounds), "reason": plan.reason},
        "force_full": force_full,
    }
    return store.begin(history.source, stream.name, kind, history.now, settings)
