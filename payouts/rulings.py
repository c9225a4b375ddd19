"""Manual rulings on attribution: who brought a lead, decided by people with evidence (A6).

What belongs here: proposing, deciding, revoking and reading rulings. What does not: what a ruling
does to credits and entries; the models do that.
Rules: A2, A6 (semantics.md); four eyes as for batches.

A ruling is proposed, then approved or declined; an approved one can be revoked, which is final.
All of it stands in events: a ruling holds ids, shares, a reason and a reference, nothing personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.holds import check_decider
from payouts.lead_rows import event_id
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import identifier, shown_actor, written

WHOLE_PPM = 1_000_000
PROPOSED, APPROVED, DECLINED, REVOKED = "proposed", "approved", "declined", "revoked"
_KINDS = {state: f"ruling_{state}" for state in (PROPOSED, APPROVED, DECLINED, REVOKED)}
RULING_PREFIX = "rul"
# A declined ruling may be approved after all; everything else goes one way.
_POSSIBLE_FROM = {APPROVED: (PROPOSED, DECLINED), DECLINED: (PROPOSED,), REVOKED: (APPROVED,)}
_WHAT_TO_DO = {
    APPROVED: "revoke it to end it",
    DECLINED: "approve it, or propose another ruling",
    PROPOSED: "approve or decline it",
    REVOKED: "that is final; propose a new ruling",
}


@dataclass(frozen=True)
class Ruling:
    """One ruling as it stands. Instants are fixed-width UTC text.

    credits: partner id → parts per million, 1,000,000 in sum; empty when nobody is credited.
    ``reason`` is that of the newest event, whose number is ``arrival``; names are without domain.
    """

    ruling_id: str
    lead_id: str
    state: str
    credits: Mapping[str, int]
    proposed_at: str
    proposed_by: str
    proposal_reason: str
    decided_at: str | None
    decided_by: str | None
    reason: str
    evidence: str
    arrival: int


def propose_ruling(
    store: Store,
    *,
    lead_id: str,
    credits: Mapping[str, int],
    reason: str,
    evidence: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Ruling:
    """Propose who is credited for a lead; it changes nothing until another person approves it.

    credits: partner id → parts per million, together 1,000,000; empty to credit nobody.
    evidence: a reference to what proves it. Whether lead and partners exist, the caller knows.
    Raises: DecisionRefusedError when credits do not add up, a reason or evidence is missing, or
    the same person's same proposal still waits.
    """
    lead = identifier(lead_id, "the lead")
    shares = _checked_credits(credits)
    payload = {"credits": shares, "evidence": written(evidence, "the evidence")}
    reason = written(reason, "the reason")
    proposer = identifier(person(actor), "the person who proposes")
    with store.write() as connection:
        for event, ruling in _folded(connection).values():
            if ruling.state == PROPOSED and (ruling.lead_id, ruling.credits, event.actor) == (
                lead,
                shares,
                proposer,
            ):
                raise DecisionRefusedError(
                    f"the same was proposed already as {ruling.ruling_id} and waits for a "
                    "decision; nothing was recorded"
                )
        event = events.append(
            connection,
            kind=_KINDS[PROPOSED],
            subject=f"lead:{lead}",
            actor=proposer,
            recorded_at=recorded_at,
            payload=payload,
            reason=reason,
            identity_level=identity_level,
        )
    return _proposed(event)


def decide_ruling(
    store: Store,
    *,
    ruling_id: str,
    is_approved: bool,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Ruling:
    """Approve or decline a ruling, with a role and a reason; whoever proposed it never approves.

    is_approved: False declines. Raises: DecisionRefusedError.
    """
    state = APPROVED if is_approved else DECLINED
    verb = "approve a ruling" if is_approved else "decline a ruling"
    return _turn(store, ruling_id, state, verb, reason, actor, rules, recorded_at, identity_level)


def revoke_ruling(
    store: Store,
    *,
    ruling_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Ruling:
    """Revoke an approved ruling, with a role and a reason: the lead is attributed without it.

    Raises: DecisionRefusedError.
    """
    return _turn(
        store, ruling_id, REVOKED, "revoke a ruling", reason, actor, rules, recorded_at,
        identity_level,
    )  # fmt: skip


def load_rulings(connection: Connection) -> list[Ruling]:
    """All rulings as they stand, oldest proposal first."""
    return [ruling for _, ruling in _folded(connection).values()]


def _turn(
    store: Store,
    ruling_id: str,
    state: str,
    verb: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str,
) -> Ruling:
    reason = written(reason, "the reason")
    decider = identifier(person(actor), "the person who decides")
    check_decider(rules, decider, reason, verb)
    with store.write() as connection:
        found = _folded(connection).get(ruling_id.strip())
        if found is None:
            raise DecisionRefusedError(
                f"there is no ruling {ruling_id!r}; look up its id. Nothing was recorded"
            )
        proposal, ruling = found
        if ruling.state not in _POSSIBLE_FROM[state]:
            raise DecisionRefusedError(
                f"ruling {ruling.ruling_id} is {ruling.state} and cannot become {state}: "
                f"{_WHAT_TO_DO[ruling.state]}. Nothing was recorded"
            )
        if state == APPROVED and decider == proposal.actor:
            raise DecisionRefusedError(
                f"{decider} proposed ruling {ruling.ruling_id} and may not approve it (four "
                "eyes); another person with a role must. Nothing was recorded"
            )
        event = events.append(
            connection,
            kind=_KINDS[state],
            subject=f"ruling:{ruling.ruling_id}",
            actor=decider,
            recorded_at=recorded_at,
            reason=reason,
            identity_level=identity_level,
        )
    return _after(ruling, event)


def _checked_credits(credits: Mapping[str, int]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for partner_id, credit_ppm in credits.items():
        partner = identifier(partner_id, "a credited partner")
        if partner in shares:
            raise DecisionRefusedError(
                f"partner {partner} is named twice; add its credits up. Nothing was recorded"
            )
        if isinstance(credit_ppm, bool) or not isinstance(credit_ppm, int) or credit_ppm <= 0:
            raise DecisionRefusedError(
                f"the credit of partner {partner} is not a positive whole number of parts per "
                "million; leave out who gets nothing. Nothing was recorded"
            )
        shares[partner] = credit_ppm
    total = sum(shares.values())
    if shares and total != WHOLE_PPM:
        raise DecisionRefusedError(
            f"the credits add up to {total:,} parts per million, not to {WHOLE_PPM:,}; correct "
            "them, or credit nobody. Nothing was recorded"
        )
    return shares


def _folded(connection: Connection) -> dict[str, tuple[events.Event, Ruling]]:
    """Each ruling by id with its first event."""
    rulings: dict[str, tuple[events.Event, Ruling]] = {}
    for event in events.of_kinds(connection, _KINDS.values()):
        if event.kind == _KINDS[PROPOSED]:
            ruling = _proposed(event)
            rulings[ruling.ruling_id] = (event, ruling)
        else:
            ruling_id = event.subject.removeprefix("ruling:")
            proposal, ruling = rulings[ruling_id]
            rulings[ruling_id] = (proposal, _after(ruling, event))
    return rulings


def _proposed(event: events.Event) -> Ruling:
    return Ruling(
        ruling_id=event_id(RULING_PREFIX, event.hash),
        lead_id=event.subject.removeprefix("lead:"),
        state=PROPOSED,
        credits=event.payload["credits"],
        proposed_at=event.recorded_at,
        proposed_by=shown_actor(event.actor),
        proposal_reason=event.reason,
        decided_at=None,
        decided_by=None,
        reason=event.reason,
        evidence=event.payload["evidence"],
        arrival=event.seq,
    )


def _after(ruling: Ruling, event: events.Event) -> Ruling:
    return replace(
        ruling,
        state=event.kind.removeprefix("ruling_"),
        decided_at=event.recorded_at,
        decided_by=shown_actor(event.actor),
        reason=event.reason,
        arrival=event.seq,
    )
