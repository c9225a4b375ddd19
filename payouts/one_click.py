"""All batches of a pay date at once: what is to be done, then all of it after typing the totals.

What belongs here: the plan of one person for one pay date, and approving it as a whole.
What does not: the rules of one approval (``approvals``) and the export (``export``).
Source: payouts reference 7 (brakes); I25.

Who types the totals says that they looked at them: one wrong digit and nothing is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection

from payouts.approval_checks import may_approve, required_approvals
from payouts.approvals import approve_in, stale_reasons
from payouts.errors import BatchStaleError, DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.freshness import mark_stale
from payouts.records import BatchContent, BatchException, list_batches, load_content, load_state
from payouts.signatures import approval_message
from payouts.states import FINANCE_APPROVED, LIVE_STATES, BatchState
from payouts.store import Store
from payouts.terms import ApprovalRules, person

APPROVE, EXPORT, WAIT, STALE = "approve", "export", "wait", "stale"
_TYPED = re.compile(r"(?P<amount>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
                    r"\s*(?P<code>[A-Z]{3})")  # fmt: skip


@dataclass(frozen=True)
class PlannedBatch:
    """One live batch and what becomes of it: ``approve``, ``export``, or, with the reason, ``wait``
    or ``stale``: its payout terms have changed, so that nobody approves it any more.

    ``missing``: approvals per role that it needs before the act, ``min_identity`` how its approvers
    must prove who they are. ``is_complete``: whether it is fully approved after the act.
    ``message``: what this person signs, see ``signatures``.
    """

    batch_id: str
    state: str
    currency_code: str
    rail: str
    items: int
    total_amount_minor: int
    content_hash: str
    missing: Mapping[str, int]
    min_identity: str
    exceptions: tuple[BatchException, ...]
    act: str
    reason: str
    is_complete: bool
    message: str


@dataclass(frozen=True)
class PayPlan:
    """What one person would do for one pay date. Totals: minor units per currency, of what is done.

    Batches that wait or are stale are shown and not counted.
    """

    pay_date: str
    actor: str
    role: str
    batches: tuple[PlannedBatch, ...]
    totals_minor: Mapping[str, int]

    def acting(self, act: str) -> list[PlannedBatch]:
        """The batches with which this is done."""
        return [batch for batch in self.batches if batch.act == act]


def plan(
    connection: Connection,
    *,
    pay_date: date,
    actor: str,
    role: str,
    rules: ApprovalRules,
    at: datetime,
    with_export: bool = False,
) -> PayPlan:
    """What this person can do now for a pay date; writes nothing.

    with_export: also count the batches that are fully approved already. at: naive UTC.
    """
    approver = person(actor)
    planned = tuple(
        _planned(connection, summary.batch_id, approver, role, rules, at, with_export)
        for summary in list_batches(connection, LIVE_STATES)
        if summary.pay_date == pay_date
    )
    totals: dict[str, int] = {}
    for batch in planned:
        if batch.act in (APPROVE, EXPORT):
            code = batch.currency_code
            totals[code] = totals.get(code, 0) + batch.total_amount_minor
    return PayPlan(pay_date.isoformat(), approver, role, planned, dict(sorted(totals.items())))


def approve_all(
    store: Store,
    home: Path,
    *,
    pay_date: date,
    actor: str,
    role: str,
    typed: Iterable[str],
    rules: ApprovalRules,
    recorded_at: datetime,
    with_export: bool = False,
    identity_level: str = "os_user",
    signatures: Mapping[str, str] | None = None,
) -> PayPlan:
    """Approve every batch of a pay date that waits for this person, or none of them.

    typed: totals as a person types them, ``12,345.67 USD``, one per currency of the plan.
    signatures: by batch id; each that is approved needs one, if any is given.
    Returns the plan that was carried out.
    Raises: DecisionRefusedError when there is nothing to do, the totals are others, or any single
    approval is refused. Nothing is recorded then. BatchStaleError when the payout terms have
    changed since the proposal of one: those are stale now, and no other is approved, because the
    totals were read with them.
    """
    typed_minor = parse_totals(typed)
    with store.write() as connection:
        done = plan(
            connection, pay_date=pay_date, actor=actor, role=role, rules=rules, at=recorded_at,
            with_export=with_export,
        )  # fmt: skip
        stale = done.acting(STALE)
        for batch in stale:
            mark_stale(
                connection, load_state(connection, batch.batch_id), [batch.reason],
                actor=person(actor), recorded_at=recorded_at,
            )  # fmt: skip
        if not stale:
            check_totals(done, typed_minor)
            for batch in done.acting(APPROVE):
                approve_in(
                    connection,
                    home,
                    batch.batch_id,
                    approved_hash=batch.content_hash,
                    actor=actor,
                    role=role,
                    rules=rules,
                    recorded_at=recorded_at,
                    identity_level=identity_level,
                    signature=_signature_of(batch.batch_id, signatures),
                )
    if stale:
        _refuse_stale(store, home, stale)
    return done


def _refuse_stale(store: Store, home: Path, stale: list[PlannedBatch]) -> None:
    for batch in stale:
        discard_unregistered_export(store, home, batch.batch_id)
    shown = "; ".join(f"{batch.batch_id}, {batch.reason}" for batch in stale)
    raise BatchStaleError(
        f"no batch was approved; stale now, with their entries free: {shown}. Propose again "
        "(partnerledger batches propose --pay-date), then look at the pay date anew"
    )


def check_totals(planned: PayPlan, typed_minor: Mapping[str, int]) -> None:
    """Raises: DecisionRefusedError when there is nothing to do, or the totals are others.

    The right totals are in no message: they are to be read from the batches.
    """
    if not planned.totals_minor:
        waiting = "; ".join(f"{batch.batch_id}: {batch.reason}" for batch in planned.batches)
        raise DecisionRefusedError(
            f"nothing of pay date {planned.pay_date} waits for {planned.actor} as {planned.role}"
            f"{f' ({waiting})' if waiting else ''}. Nothing was recorded"
        )
    wrong = sorted(
        code
        for code in planned.totals_minor.keys() | typed_minor.keys()
        if planned.totals_minor.get(code) != typed_minor.get(code)
    )
    if wrong:
        raise DecisionRefusedError(
            f"the total typed in {', '.join(wrong)} is not that of pay date {planned.pay_date}; "
            "look at the batches again. Nothing was recorded"
        )


def parse_totals(typed: Iterable[str]) -> dict[str, int]:
    """Totals that a person typed, in minor units per currency.

    Commas between thousands may be written, and must stand where they belong.
    Raises: DecisionRefusedError for what is no amount with a currency, or a currency named twice.
    """
    from program.currencies import to_minor
    from program.errors import CurrencyError

    totals: dict[str, int] = {}
    for text in typed:
        found = _TYPED.fullmatch(text.strip())
        if found is None:
            raise DecisionRefusedError(
                f"{text!r} is no total; write it like 12,345.67 USD, without a sign. Nothing was "
                "recorded"
            )
        code = found["code"]
        if code in totals:
            raise DecisionRefusedError(f"the total in {code} is given twice; nothing was recorded")
        try:
            totals[code] = to_minor(Decimal(found["amount"].replace(",", "")), code)
        except CurrencyError as error:
            raise DecisionRefusedError(f"{error}. Nothing was recorded") from error
    return totals


def _planned(
    connection: Connection,
    batch_id: str,
    approver: str,
    role: str,
    rules: ApprovalRules,
    at: datetime,
    with_export: bool,
) -> PlannedBatch:
    content, state = load_content(connection, batch_id), load_state(connection, batch_id)
    missing = _missing(content, state, rules)
    act, reason = WAIT, ""
    if state.state == FINANCE_APPROVED:
        act, reason = (
            (EXPORT, "") if with_export else (WAIT, "it is approved, and waits for export")
        )
    else:
        try:
            may_approve(connection, content, state, approver, role, rules, at)
            act = APPROVE
        except DecisionRefusedError as error:
            reason = str(error)
    changed = "; ".join(stale_reasons(connection, batch_id, rules)) if act != WAIT else ""
    if changed:
        act, reason = STALE, changed
    return PlannedBatch(
        batch_id=batch_id,
        state=state.state,
        currency_code=content.currency_code,
        rail=content.rail,
        items=len(content.items),
        total_amount_minor=content.total_amount_minor,
        content_hash=state.content_hash,
        missing=missing,
        min_identity=rules.identity_for(content.total_amount_minor, content.currency_code),
        exceptions=content.exceptions,
        act=act,
        reason=reason,
        is_complete=act != STALE and (not missing or (act == APPROVE and missing == {role: 1})),
        message=approval_message(content, state.content_hash, role, state.approval_round),
    )


def _missing(content: BatchContent, state: BatchState, rules: ApprovalRules) -> dict[str, int]:
    """Approvals per role that a batch still needs."""
    given = [approval.role for approval in state.approvals]
    return {
        role: needed - given.count(role)
        for role, needed in required_approvals(content, rules).items()
        if needed > given.count(role)
    }


def _signature_of(batch_id: str, signatures: Mapping[str, str] | None) -> str | None:
    if signatures is None:
        return None
    if batch_id not in signatures:
        # It was proposed after the person had signed the others.
        raise DecisionRefusedError(
            f"batch {batch_id} was not signed; look at the batches again. Nothing was recorded"
        )
    return signatures[batch_id]
