"""Proof that registrations, messages and rulings are what was entered and decided.

What belongs here: checks on decisions about leads. What does not: the chain itself (``verify``).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from payouts import events
from payouts.findings import Check, Evidence, Finding
from payouts.lead_rows import HASHED_TABLES, REGISTRATIONS, HashedTable, event_id, row_sha256
from payouts.registrations import SOURCE
from payouts.rulings import RULING_PREFIX, WHOLE_PPM, load_rulings


def _lead_rows(evidence: Evidence) -> Iterator[Finding]:
    """Each row of the two tables has its event with its hash, and each such event its row."""
    for hashed in HASHED_TABLES:
        yield row_finding(evidence, hashed)


def row_finding(evidence: Evidence, hashed: HashedTable) -> Finding:
    """Whether each row of a table has its event with its hash, and each such event its row."""
    faults, rows = _row_faults(evidence, hashed)
    detail = "; ".join(faults) + "; restore the control database from a backup"
    proved = f"{rows} rows, each with its event"
    return Finding(hashed.table.name, not faults, detail if faults else proved)


def _row_faults(evidence: Evidence, hashed: HashedTable) -> tuple[list[str], int]:
    recorded = {event.seq: event for event in events.of_kinds(evidence.control, (hashed.kind,))}
    stored = {row["seq"]: row for row in evidence.control.execute(select(hashed.table)).mappings()}
    changed = [
        seq
        for seq, row in stored.items()
        if (event := recorded.get(seq)) is not None
        and (row[hashed.id_column], row_sha256(hashed, row))
        != (event_id(hashed.prefix, event.hash), event.payload["row_sha256"])
    ]
    found = {
        "changed": changed,
        "removed": recorded.keys() - stored.keys(),
        "added without its event": stored.keys() - recorded.keys(),
    }
    faults = [
        f"{len(numbers)} rows {what}, such as that of event {min(numbers)}"
        for what, numbers in found.items()
        if numbers
    ]
    return faults, len(stored)


def _lead_decisions(evidence: Evidence) -> Iterator[Finding]:
    """Whoever entered a registration or proposed a ruling did not approve it; credits add up."""
    rulings = load_rulings(evidence.control)
    faults = [
        f"the credits of ruling {ruling.ruling_id} do not add up"
        for ruling in rulings
        if ruling.credits and sum(ruling.credits.values()) != WHOLE_PPM
    ]
    makers = _makers(evidence)
    approvals = events.of_kinds(evidence.control, ("registration_approved", "ruling_approved"))
    faults += [
        f"{event.subject} was approved by its maker (event {event.seq})"
        for event in approvals
        if makers.get(event.subject) == event.actor
    ]
    proved = f"{len(approvals)} approvals with four eyes, {len(rulings)} rulings that add up"
    yield Finding("lead_decisions", not faults, "; ".join(faults) if faults else proved)


def _makers(evidence: Evidence) -> dict[str, str]:
    """Who made what is decided on, by the subject of the decisions."""
    makers = {}
    kinds = (REGISTRATIONS.kind, "ruling_proposed")
    for event in events.of_kinds(evidence.control, kinds):
        if event.kind == REGISTRATIONS.kind:
            registration_id = event_id(REGISTRATIONS.prefix, event.hash)
            key = f"{SOURCE}:{event.payload['entity']}:{registration_id}"
            makers[f"registration:{key}"] = event.actor
        else:
            makers[f"ruling:{event_id(RULING_PREFIX, event.hash)}"] = event.actor
    return makers


LEAD_CHECKS: tuple[Check, ...] = (_lead_rows, _lead_decisions)
