"""Proof that disputes are what was opened, were decided by others, and hold while they are open.

What belongs here: checks on disputes. What does not: the chain itself (``verify``).
Source: payouts reference 8; decision 0054.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from payouts import events
from payouts.adjustments import load_adjustments
from payouts.dispute_records import (
    ADJUSTMENT,
    DECIDE,
    DISPUTES,
    OUTCOMES,
    PAYOUT,
    POSSIBLE_IN,
    REJECTED,
    RULING,
    TURN_KINDS,
    Dispute,
    after,
    load_disputes,
    opened,
)
from payouts.findings import Check, Evidence, Finding
from payouts.hashing import sha256_text
from payouts.holds import load_holds
from payouts.rulings import load_rulings
from payouts.schema import commission_disputes
from payouts.verify_leads import row_finding


def _disputes(evidence: Evidence) -> Iterator[Finding]:
    """Each row has its event with its hash and that of its evidence, and each event its row."""
    finding = row_finding(evidence, DISPUTES)
    if not finding.ok:
        yield finding
        return
    attached = {
        row.seq: sha256_text(row.evidence)
        for row in evidence.control.execute(select(commission_disputes))
    }
    faults = [
        f"the evidence of dispute {dispute.dispute_id} is not what was attached"
        for dispute in load_disputes(evidence.control)
        if attached.get(dispute.arrival) != dispute.evidence_sha256
    ]
    yield Finding(finding.check, not faults, "; ".join(faults) if faults else finding.detail)


def _dispute_decisions(evidence: Evidence) -> Iterator[Finding]:
    """Turns come as they may, nobody decided a dispute of their own, remedies exist."""
    faults: list[str] = []
    disputes: dict[str, Dispute] = {}
    openers: dict[str, str] = {}
    for event in events.of_kinds(evidence.control, (DISPUTES.kind, *TURN_KINDS)):
        if event.kind == DISPUTES.kind:
            dispute = opened(event)
            disputes[dispute.dispute_id] = dispute
            openers[dispute.dispute_id] = event.actor
            continue
        known = disputes.get(event.subject.removeprefix("dispute:"))
        if known is None:
            faults.append(f"{event.subject} was never opened (event {event.seq})")
            continue
        if known.state not in POSSIBLE_IN[event.kind]:
            faults.append(f"{event.subject} was {known.state} at {event.kind} (event {event.seq})")
        if event.kind == DECIDE and openers[known.dispute_id] == event.actor:
            faults.append(f"{event.subject} was decided by who opened it (event {event.seq})")
        disputes[known.dispute_id] = after(known, event)
    faults += _remedy_faults(evidence, disputes.values())
    proved = f"{len(disputes)} disputes, in order and decided by others than who opened them"
    yield Finding("dispute_decisions", not faults, "; ".join(faults) if faults else proved)


def _remedy_faults(evidence: Evidence, disputes: Iterable[Dispute]) -> Iterator[str]:
    decided = [dispute for dispute in disputes if dispute.state in OUTCOMES]
    # Read where some dispute names them: what is broken there alone is a finding of its own.
    remedies = {dispute.remedy for dispute in decided}
    adjustments = load_adjustments(evidence.control) if ADJUSTMENT in remedies else []
    naming = {each.adjustment_id: (each.partner_id, each.evidence) for each in adjustments}
    rulings = {each.ruling_id for each in load_rulings(evidence.control)}
    for dispute in decided:
        if (dispute.state == REJECTED) != (dispute.remedy is None):
            yield f"dispute {dispute.dispute_id} is {dispute.state} with remedy {dispute.remedy}"
        if dispute.remedy == RULING and dispute.ruling_id not in rulings:
            yield f"dispute {dispute.dispute_id} names ruling {dispute.ruling_id}, which is missing"
        wanted = (dispute.partner_id, f"dispute {dispute.dispute_id}")
        if dispute.remedy == ADJUSTMENT and naming.get(dispute.adjustment_id or "") != wanted:
            yield f"dispute {dispute.dispute_id} has no adjustment that names it"


def _dispute_holds(evidence: Evidence) -> Iterator[Finding]:
    """A line or lead is held by its own hold exactly as long as its dispute is open."""
    holds = {hold.hold_id: hold for hold in load_holds(evidence.control)}
    disputes = load_disputes(evidence.control)
    faults = []
    for dispute in disputes:
        hold = holds.get(dispute.hold_id or "")
        if dispute.subject_type == PAYOUT:
            if dispute.hold_id is not None:
                faults.append(f"dispute {dispute.dispute_id} of a payout has a hold")
        elif hold is None or (hold.dispute_id, hold.subject_type, hold.subject_id) != (
            dispute.dispute_id,
            dispute.subject_type,
            dispute.subject_id,
        ):
            faults.append(f"dispute {dispute.dispute_id} does not have its hold")
        elif hold.is_open != dispute.is_open:
            faults.append(
                f"dispute {dispute.dispute_id} is {dispute.state} and its hold is "
                f"{'open' if hold.is_open else 'released'}"
            )
    proved = f"{sum(dispute.is_open for dispute in disputes)} open disputes, held while open"
    yield Finding("dispute_holds", not faults, "; ".join(faults) if faults else proved)


DISPUTE_CHECKS: tuple[Check, ...] = (_disputes, _dispute_decisions, _dispute_holds)
