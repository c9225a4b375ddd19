"""Whether a live batch may still be paid as approved: holds, gates, facts, expiry.

What belongs here: finding what changed since the proposal, and marking batches stale.
What does not: people's decisions (``approvals``).
Source: payouts reference 3.1 (rows *stale* and *expire*); I14, I15.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from payouts import candidates, events
from payouts.claims import claims_path
from payouts.errors import ExportRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.hashing import instant_text, parse_instant
from payouts.holds import held_entries, load_holds, with_former_leads
from payouts.payees import load_payees, load_payers
from payouts.proposal_terms import changed_terms
from payouts.records import BatchContent, append_batch_event, list_batches, load_content, load_state
from payouts.selection import RAILS_WITH_DETAILS, left_out_reason
from payouts.states import FINANCE_APPROVED, LIVE_STATES, BatchState
from payouts.store import Store
from payouts.terms import ApprovalRules, PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def expired_reason(
    state: BatchState,
    rules: ApprovalRules,
    now: datetime,
    connection: Connection,
) -> str | None:
    """Why an approval has expired at ``now``, None when it has not.

    N days are N × 24 hours from the last approval, end excluded (M5). A clock that was set back
    counts as standing where the last event was recorded.
    """
    if state.state != FINANCE_APPROVED:
        return None
    recorded = events.head_recorded_at(connection)
    try:
        expires_at = parse_instant(state.state_since) + timedelta(days=rules.expire_days)
    except OverflowError:
        return f"the approval bears an impossible time ({state.state_since}); check the clock"
    if max(instant_text(now), recorded) < instant_text(expires_at):
        return None
    return f"the approval expired after {rules.expire_days} days"


def control_faults(
    connection: Connection, home: Path, content: BatchContent, rules: PayoutRules
) -> list[str]:
    """What decisions in the control database say against paying a batch now."""
    faults = []
    open_holds = [hold for hold in load_holds(connection) if hold.is_open]
    held = held_entries(home, content.batch_id, with_former_leads(connection, open_holds))
    if held:
        faults.append(f"{held} of its entries are held by a decision")
    return faults + terms_faults(connection, content, rules) + account_faults(connection, content)


def terms_faults(connection: Connection, content: BatchContent, rules: PayoutRules) -> list[str]:
    """Which terms are not those under which a batch was proposed any more; a proposal of today
    could have other partners, amounts, days or rails. Decision 0059."""
    faults = []
    rail = rules.rail_for(content.currency_code)
    if rail != content.rail:
        faults.append(f"payouts.rails now names {rail} for {content.currency_code}")
    if rules.legal_entity != content.legal_entity:
        faults.append("program.legal_entity has changed")
    return faults + changed_terms(connection, content.batch_id, rules, content.currency_code)


def account_faults(connection: Connection, content: BatchContent) -> list[str]:
    """Which accounts of a batch are not those in force any more; ids and partners, no accounts."""
    faults = []
    if content.content_version == 1:
        return faults
    names_accounts = content.rail in RAILS_WITH_DETAILS
    payer = load_payers(connection).get(content.rail)
    if names_accounts and (payer.details_id if payer else None) != content.payer_details_id:
        faults.append(f"the account to pay from by {content.rail} has changed")
    payees = load_payees(connection)
    for item in content.items:
        payee = payees.get(item.partner_id)
        details_id = payee.details_id if payee and names_accounts else None
        now = (details_id, payee.payee_fingerprint if payee else None)
        if now != (item.details_id, item.payee_fingerprint):
            faults.append(f"the payout details of partner {item.partner_id} have changed")
    return faults


def changed_reasons(
    connection: Connection,
    home: Path,
    content: BatchContent,
    *,
    warehouse: DuckDBPyConnection,
    as_of: date,
    rules: PayoutRules,
    relation: str = candidates.CANDIDATES_RELATION,
    today: date | None = None,
) -> list[str]:
    """Everything that changed about a live batch since its proposal; empty when it may be paid.

    warehouse: DuckDB with the candidates, of the night ``as_of``. today: the local day of now where
    it is later; a form that has ended since, or a cooling-off, counts.
    Raises: ExportRefusedError when they cannot be read, or are older than the batch: unknown is
    not unchanged.
    """
    import duckdb

    if as_of < content.as_of:
        raise ExportRefusedError(
            f"batch {content.batch_id} was proposed by the night of {content.as_of}, and what is "
            f"published is of {as_of}; nothing was exported. Publish the night of "
            f"{content.as_of} first"
        )
    gates_on = max(as_of, today or as_of)
    faults = control_faults(connection, home, content, rules)
    try:
        faults += candidates.claimed_entry_faults(
            warehouse, relation, claims_path(home, content.batch_id)
        )
        facts = candidates.partner_facts(
            warehouse, relation, [item.partner_id for item in content.items]
        )
    except duckdb.Error as error:
        raise ExportRefusedError(
            f"the warehouse cannot tell whether batch {content.batch_id} is still payable: "
            f"{str(error).splitlines()[0]}; nothing was exported. Run a night first"
        ) from error
    payees = load_payees(connection)
    for item in content.items:
        fact = facts.get(item.partner_id)
        if fact is None:
            faults.append(f"partner {item.partner_id} is not known any more")
            continue
        if fact.partner_name != item.partner_name:
            faults.append(f"the name of partner {item.partner_id} has changed")
        reason = left_out_reason(
            partner_id=item.partner_id,
            partner_name=fact.partner_name,
            partner_status=fact.partner_status,
            is_pilot=fact.is_pilot,
            amount_minor=item.amount_minor,
            currency_code=content.currency_code,
            payees=payees,
            rules=rules,
            as_of=gates_on,
        )
        if reason is not None:
            faults.append(f"partner {item.partner_id} fails {reason}")
    return faults


def mark_stale(
    connection: Connection,
    state: BatchState,
    reasons: list[str],
    *,
    actor: str,
    recorded_at: datetime,
) -> BatchState:
    """Make a live batch stale in the caller's write transaction; its entries are free again."""
    return append_batch_event(
        connection,
        state,
        kind="batch_stale",
        actor=actor,
        recorded_at=recorded_at,
        payload={"reasons": reasons},
        reason="; ".join(reasons),
    )


def refresh_batches(
    store: Store,
    home: Path,
    warehouse: DuckDBPyConnection,
    *,
    as_of: date,
    rules: PayoutRules,
    approval_rules: ApprovalRules,
    recorded_at: datetime,
    actor: str = "system:night",
    relation: str = candidates.CANDIDATES_RELATION,
) -> list[tuple[str, str]]:
    """Make every live batch stale that expired or changed; for the night, before proposing.

    Returns batch ids with the reason.
    """
    stale = []
    with store.write() as connection:
        for summary in list_batches(connection, LIVE_STATES):
            state = load_state(connection, summary.batch_id)
            expired = expired_reason(state, approval_rules, recorded_at, connection)
            reasons = (
                [expired]
                if expired
                else changed_reasons(
                    connection,
                    home,
                    load_content(connection, summary.batch_id),
                    warehouse=warehouse,
                    as_of=as_of,
                    rules=rules,
                    relation=relation,
                )
            )
            if reasons:
                mark_stale(connection, state, reasons, actor=actor, recorded_at=recorded_at)
                stale.append((summary.batch_id, "; ".join(reasons)))
    for batch_id, _ in stale:
        discard_unregistered_export(store, home, batch_id)
    return stale
