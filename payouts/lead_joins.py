"""Leads that joined another after people had seen them: the id that disappeared is remembered.

What belongs here: remembering each join once, as an event. What does not: finding joins (SQL).
Decision 0029.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from payouts import events

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from payouts.store import Store

EVENT_KIND = "leads_joined"
ACTOR = "system:night"
# An event stays small enough to read, also when a merged company joins thousands of leads.
JOINS_PER_EVENT = 500


@dataclass(frozen=True)
class LeadJoin:
    """One former lead and the lead it had become part of when that was first noticed."""

    alias_lead_id: str
    lead_id: str
    joined_at: str


def record_lead_joins(
    store: Store, joins: Iterable[tuple[str, str]], recorded_at: datetime
) -> list[LeadJoin]:
    """Remember joins (former lead, present lead) that are not known yet; returns the new ones."""
    with store.write() as connection:
        known = {join.alias_lead_id for join in load_lead_joins(connection)}
        new = sorted(pair for pair in joins if pair[0] not in known)
        for pairs in _chunks(new):
            events.append(
                connection,
                kind=EVENT_KIND,
                subject="leads:joined",
                actor=ACTOR,
                recorded_at=recorded_at,
                payload={"joins": [list(pair) for pair in pairs]},
            )
        added = {pair[0] for pair in new}
        return [join for join in load_lead_joins(connection) if join.alias_lead_id in added]


def load_lead_joins(connection: Connection) -> list[LeadJoin]:
    """All joins, oldest first; ``joined_at`` is when the join was recorded, as text."""
    return [
        LeadJoin(alias_lead_id, lead_id, event.recorded_at)
        for event in events.of_kinds(connection, (EVENT_KIND,))
        for alias_lead_id, lead_id in event.payload["joins"]
    ]


def former_lead_ids(connection: Connection, lead_id: str) -> set[str]:
    """All ids under which entries of a lead may have been claimed: its own and what joined it."""
    joined: dict[str, list[str]] = {}
    for join in load_lead_joins(connection):
        joined.setdefault(join.lead_id, []).append(join.alias_lead_id)
    ids, open_ids = {lead_id}, [lead_id]
    while open_ids:
        for alias in joined.get(open_ids.pop(), ()):
            if alias not in ids:
                ids.add(alias)
                open_ids.append(alias)
    return ids


def _chunks(pairs: list[tuple[str, str]]) -> Iterable[list[tuple[str, str]]]:
    return (
        pairs[start : start + JOINS_PER_EVENT] for start in range(0, len(pairs), JOINS_PER_EVENT)
    )
