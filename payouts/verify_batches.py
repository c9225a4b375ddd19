"""Proof that batches, claims, exports and payout entries agree with each other.

What belongs here: checks on batches. What does not: the journal itself (``verify``).
Source: payouts reference 4.3: I4–I8, I16, I18.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from payouts import events, left_out
from payouts.claims import (
    CLAIMS_NAME,
    FOLDER,
    check_claims,
    claims_path,
    claims_scan,
)
from payouts.claims_proof import ClaimingBatch, claim_faults
from payouts.errors import PayoutsError
from payouts.findings import Check, Evidence, Finding, named
from payouts.parquet import parquet_scan, quoted
from payouts.payout_entries import ENTRY_KIND
from payouts.proposal_terms import PAYLOAD_KEY
from payouts.records import (
    BatchSummary,
    content_hash,
    list_batches,
    load_content,
    load_state,
)
from payouts.schema import batch_exceptions, batch_states, batches, payout_items
from payouts.signatures import signature_faults
from payouts.signed_decisions import decision_faults
from payouts.states import CLAIMING_STATES, EXPORTED_STATES, LIVE_STATES
from payouts.terms import ROLES, person
from payouts.verify_exports import exports_agree


def _finding(check: str, faults: list[str], proved: str) -> Finding:
    return Finding(check, not faults, "; ".join(faults) if faults else proved)


def _batch_states(evidence: Evidence) -> Iterator[Finding]:
    """Stored states follow from events; every proposed batch is still there."""
    faults = []
    proposed = {
        event.subject.removeprefix("batch:"): event
        for event in events.of_kinds(evidence.control, ("batch_proposed",))
    }
    stored = {row.batch_id: row for row in evidence.control.execute(select(batches))}
    projected = {row.batch_id for row in evidence.control.execute(select(batch_states))}
    if not proposed.keys() == stored.keys() == projected:
        differing = (proposed.keys() ^ stored.keys()) | (stored.keys() ^ projected)
        faults.append(f"batches and their events are not the same set: {named(differing)}")
    for batch_id, event in proposed.items():
        row = stored.get(batch_id)
        # What the proposal recorded beside the batch is proved elsewhere, or by the chain alone.
        names = event.payload.keys() - {PAYLOAD_KEY, left_out.PAYLOAD_KEY}
        if row is not None and (
            any(event.payload[name] != getattr(row, name) for name in names)
            or row.proposed_at != event.recorded_at
        ):
            faults.append(f"batch {batch_id} is not what its first event says")
        try:
            load_state(evidence.control, batch_id)
        except PayoutsError as error:
            faults.append(str(error))
    yield _finding("batch_states", faults, f"{len(stored)} batches follow from their events")


def _batch_contents(evidence: Evidence) -> Iterator[Finding]:
    """I6, I7, I16: total = items = claims, and the hash is the proposed one."""
    faults = []
    summaries = list_batches(evidence.control)
    stored = {row.batch_id: row for row in evidence.control.execute(select(batches))}
    for summary in summaries:
        content = load_content(evidence.control, summary.batch_id)
        if content_hash(content) != summary.content_hash:
            faults.append(f"the content of batch {summary.batch_id} does not have its hash")
        if (content.total_amount_minor, len(content.items)) != (
            summary.total_amount_minor,
            summary.items,
        ):
            faults.append(f"batch {summary.batch_id} does not add up to its items")
        faults += _other_currencies(evidence, summary)
        numbers = evidence.control.execute(
            select(batch_exceptions.c.number).where(batch_exceptions.c.batch_id == summary.batch_id)
        ).scalars()
        if sorted(numbers) != list(range(1, len(content.exceptions) + 1)):
            faults.append(f"the exceptions of batch {summary.batch_id} are numbered otherwise")
        row = stored[summary.batch_id]
        if (row.claims_path, row.claims_rows) != (
            f"{FOLDER}/{summary.batch_id}/{CLAIMS_NAME}",
            sum(item.entries for item in content.items),
        ):
            faults.append(f"batch {summary.batch_id} names other claims than its own")
        if any(item.amount_minor <= 0 for item in content.items):
            faults.append(f"batch {summary.batch_id} has an item that is not positive")
        try:
            check_claims(evidence.home, content)
        except PayoutsError as error:
            faults.append(str(error))
    yield _finding("batch_contents", faults, f"{len(summaries)} batches: total = items = claims")


def _other_currencies(evidence: Evidence, summary: BatchSummary) -> list[str]:
    """Items in another currency than their batch's, which the approved hash covers."""
    query = select(payout_items.c.payout_id).where(
        payout_items.c.batch_id == summary.batch_id,
        payout_items.c.currency_code != summary.currency_code,
    )
    found = evidence.control.execute(query).scalars().all()
    if not found:
        return []
    return [f"payouts of batch {summary.batch_id} are in another currency: {named(found)}"]


def _claims(evidence: Evidence) -> Iterator[Finding]:
    """I4, and every claimed entry is in the journal with the same partner and amount."""
    claiming = list_batches(evidence.control, CLAIMING_STATES)
    present = [
        summary for summary in claiming if claims_path(evidence.home, summary.batch_id).is_file()
    ]
    paths = [claims_path(evidence.home, summary.batch_id) for summary in present]
    if not paths:
        yield _finding("claims", [], "no claims")
        return
    scan = claims_scan(paths)
    live = {summary.batch_id for summary in claiming if summary.state in LIVE_STATES}
    listed = ", ".join(quoted(batch_id) for batch_id in sorted(live)) or "''"
    twice, excessive, rows = evidence.reader.execute(
        f"with claims as (select *, coalesce(entry_amount_minor, payout_amount_minor) as whole, "
        f"batch_id in ({listed}) as is_live from {scan}), entries as (select entry_id, "
        "count(*) filter (is_live) as live_claims, count(*) - count(distinct batch_id) as repeats, "
        "sum(payout_amount_minor) as claimed, max(whole) as whole, "
        "bool_or(sign(payout_amount_minor) <> sign(whole)) as turns from claims group by 1) "
        "select count(*) filter (live_claims > 1 or repeats > 0), "
        "count(*) filter (abs(claimed) > abs(whole) or turns), count(*) from entries"
    ).fetchone()
    faults = [f"{twice} entries are claimed by two live batches"] if twice else []
    if excessive:
        faults.append(f"{excessive} entries are claimed by two batches, or for more than they are")
    claimed = [ClaimingBatch(summary.batch_id, summary.cutoff_date) for summary in present]
    faults += claim_faults(evidence.reader, evidence.home, claimed, evidence.segment_paths)
    yield _finding("claims", faults, f"{rows} entries claimed once, all in the journal")


def _approvals(evidence: Evidence) -> Iterator[Finding]:
    """I8: every exported batch has distinct approvers of both roles, none its maker."""
    faults = []
    exported = list_batches(evidence.control, EXPORTED_STATES)
    for summary in exported:
        state = load_state(evidence.control, summary.batch_id)
        approvers = [name for approval in state.approvals for name in approval.people]
        roles = {approval.role for approval in state.approvals}
        if (
            len(set(approvers)) != len(approvers)
            or person(state.maker) in approvers
            or roles != set(ROLES)
            or any(approval.content_hash != state.content_hash for approval in state.approvals)
        ):
            faults.append(f"batch {summary.batch_id} was exported without four eyes on its hash")
    yield _finding("approvals", faults, f"{len(exported)} exported batches, four eyes each")


def _signatures(evidence: Evidence) -> Iterator[Finding]:
    """Every signed approval is of its batch as it is now, every signed decision of its event."""
    checked, faults = signature_faults(evidence.control)
    yield _finding("signatures", faults, f"{checked} signed approvals, each of its batch")
    checked, faults = decision_faults(evidence.control)
    yield _finding("signed_decisions", faults, f"{checked} signed decisions, each of its event")


def _payout_entries(evidence: Evidence) -> Iterator[Finding]:
    """I5, I6: the journal's payout entries are exactly the items of exported batches, negated."""
    wanted = sorted(
        (item.payout_id, item.partner_id, content.batch_id, -item.amount_minor,
         content.currency_code)
        for summary in list_batches(evidence.control, EXPORTED_STATES)
        for content in (load_content(evidence.control, summary.batch_id),)
        for item in content.items
    )  # fmt: skip
    paths = evidence.segment_paths
    posted = (
        evidence.reader.execute(
            "select source_id, partner_id, cause_id, payout_amount_minor, payout_currency_code "
            f"from {parquet_scan(paths)} where entry_kind = '{ENTRY_KIND}' order by all"
        ).fetchall()
        if paths
        else []
    )
    faults = []
    if posted != wanted:
        differing = {row[0] for row in set(posted) ^ set(wanted)} or {row[0] for row in posted}
        faults.append(
            f"payout entries are not the items of exported batches: payouts {named(differing)}"
        )
    yield _finding("payout_entries", faults, f"{len(posted)} payout entries, one per exported item")


BATCH_CHECKS: tuple[Check, ...] = (
    _batch_states,
    _batch_contents,
    _claims,
    _approvals,
    _signatures,
    exports_agree,
    _payout_entries,
)
