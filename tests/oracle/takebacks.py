"""What takes money back (M4, R1-R10): rows that reverse one earning.

Belongs here: refunds, chargebacks, credit notes, void, churn, and their cumulative allocation.
Does not belong here: the earning itself (commission.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from .billing import Billing, Invoice, MoneyBack
from .earnings import Earning
from .facts import Book, Row
from .leads import Lead
from .money import round_half_away
from .plan_terms import PlanVersion


@dataclass(frozen=True)
class TakeBack:
    """One take-back (or its reinstatement) of one earning, signed from the partner's view."""

    kind: str
    cause_type: str
    cause_id: str
    amount_minor: int
    payout_amount_minor: int
    effective_at: datetime | None
    available_date: date


@dataclass(frozen=True)
class _Step:
    """A fraction of the invoice going back at an instant; restored_at when it was given back."""

    at: datetime
    back: MoneyBack
    restored_at: datetime | None = None


def payout_of(earning: Earning, amount_minor: int) -> int:
    """R10: an amount of the earning's currency at the rate of the original."""
    return earning.conversion.convert(amount_minor)


def invoice_take_backs(book: Book, earning: Earning) -> list[TakeBack]:
    """All take-backs of a recurring earning, in event order (R6)."""
    rows = _cumulative(book, earning, earning.invoice)
    if earning.invoice.status == "void":
        # R4: void removes what was earned on the invoice, whatever had been taken back before.
        left = earning.amount_minor + sum(row.amount_minor for row in rows)
        payout_left = payout_of(earning, earning.amount_minor) + sum(
            row.payout_amount_minor for row in rows
        )
        rows.append(
            TakeBack(
                kind="correction",
                cause_type="invoice",
                cause_id=earning.invoice.invoice_id,
                amount_minor=-left,
                payout_amount_minor=-payout_left,
                effective_at=None,  # sources do not say when an invoice was voided
                available_date=earning.available_date,
            )
        )
    return rows


def _steps(earning: Earning, invoice: Invoice) -> list[_Step]:
    """R2, R3, R7, R8, R9: which events count under the earning's own policy, in event order."""
    plan = earning.plan
    steps = []
    for back in invoice.money_back:
        if back.kind == "chargeback":
            step = _dispute_step(back, plan.chargeback_on_open, plan.chargeback_on_lost)
        elif plan.refund_mode == "none":
            step = None
        else:
            step = _Step(back.at, back)
        if step is not None and not too_old(plan, earning.earned_at, step.at):
            steps.append(step)
    return sorted(steps, key=lambda s: (s.at, s.back.cause_type, s.back.cause_id))


def _dispute_step(back: MoneyBack, on_open: str, on_lost: str) -> _Step | None:
    """R2: reversed at opening or at loss; a win reinstates what the opening took."""
    if on_open == "reverse":
        restored_at = (back.closed_at or back.at) if back.dispute_status == "won" else None
        return _Step(back.at, back, restored_at)
    if back.dispute_status == "lost" and on_lost == "reverse":
        return _Step(back.closed_at or back.at, back)
    return None


def _cumulative(book: Book, earning: Earning, invoice: Invoice) -> list[TakeBack]:
    """M4, R6: target = round(original x cumulative fraction), capped; entry = the difference."""
    paid_minor = invoice.paid_minor
    if paid_minor <= 0:
        return []
    line_paid = earning.line.gross_minor * invoice.paid_share
    rows: list[TakeBack] = []
    fraction_back, money_back = Fraction(0), 0
    for step in _steps(earning, invoice):
        back = step.back
        if not back.line_id:
            share = Fraction(back.amount_minor, paid_minor)  # R1: of the invoice, every line
        elif back.line_id == earning.line.line_id and line_paid > 0:
            share = back.amount_minor / line_paid  # R1: of the line that the refund names
        else:
            share = Fraction(0)
        reached = min(fraction_back + share, Fraction(1))  # R6: capped at the earning
        if money_back + back.amount_minor >= paid_minor:
            reached = Fraction(1)  # M4: "a full reversal leaves exactly 0"
        before = round_half_away(earning.amount_minor * fraction_back)
        after = round_half_away(earning.amount_minor * reached)
        rows.append(_reversal(book, earning, step, before, after))
        if step.restored_at is not None:
            # R2: "reinstate the very amount"; what follows is counted as if it had never been
            rows.append(_reinstatement(book, earning, step, rows[-1]))
            continue
        fraction_back, money_back = reached, money_back + back.amount_minor
    return rows


def _reversal(book: Book, earning: Earning, step: _Step, before: int, after: int) -> TakeBack:
    own_date = book.zone.local_date(step.at)
    return TakeBack(
        kind=step.back.kind,
        cause_type=step.back.cause_type,
        cause_id=step.back.cause_id,
        amount_minor=before - after,
        payout_amount_minor=payout_of(earning, before) - payout_of(earning, after),
        effective_at=step.at,
        available_date=max(own_date, reversed_available(earning, before, after)),
    )


def _reinstatement(book: Book, earning: Earning, step: _Step, reversal: TakeBack) -> TakeBack:
    own_date = book.zone.local_date(step.restored_at)
    return TakeBack(
        kind="reinstatement",
        cause_type=reversal.cause_type,
        cause_id=reversal.cause_id,
        amount_minor=-reversal.amount_minor,
        payout_amount_minor=-reversal.payout_amount_minor,
        effective_at=step.restored_at,
        available_date=max(own_date, reversal.available_date),
    )


def reversed_available(earning: Earning, before: int, after: int) -> date:
    """R10: the latest hold among the entries reversed, the oldest reversed first.

    A step against the others, which M3 may leave, reverses nothing and is not reversed.
    """
    low, high = sorted((abs(before), abs(after)))
    dates = []
    reached = 0
    for part in earning.parts:
        if (part.amount_minor > 0) != (earning.amount_minor > 0):
            continue
        start, reached = reached, reached + abs(part.amount_minor)
        if start < high and low < reached:
            dates.append(part.available_date)
    return max(dates, default=earning.available_date)


def churn_take_back(book: Book, billing: Billing, lead: Lead, earning: Earning) -> TakeBack | None:
    """R5: access ending within the window of the anchor takes back an event commission."""
    plan = earning.plan
    anchor = churn_anchor(billing, lead)
    if plan.churn_mode == "none" or anchor is None:
        return None
    for ended_at, subscription_id in _endings(book, lead):
        used_days = (book.zone.local_date(ended_at) - anchor).days
        if used_days < 0:
            continue  # R5: access that ended before the first charge took nothing paid away
        share = _churn_share(earning, used_days)
        if share == 0 or ended_at < earning.earned_at or too_old(plan, earning.earned_at, ended_at):
            continue
        taken = round_half_away(earning.amount_minor * share)
        own_date = book.zone.local_date(ended_at)
        return TakeBack(
            kind="churn",
            cause_type="subscription",
            cause_id=subscription_id,
            amount_minor=-taken,
            payout_amount_minor=-payout_of(earning, taken),
            effective_at=ended_at,
            available_date=max(own_date, earning.available_date),
        )
    return None


def _canceled_at(book: Book, row: Row) -> datetime | None:
    """R5: a subscription that still runs (cancelled at period end) has not ended: decision 0009."""
    if row.get("status") in ("active", "trialing", "past_due"):
        return None
    return book.instant(row, "canceled_at")


def _endings(book: Book, lead: Lead) -> list[tuple[datetime, str]]:
    """R5: ends of subscriptions after which no other subscription of the lead was running."""
    spans = [
        (
            book.instant(row, "started_at"),
            book.instant(row, "ended_at") or _canceled_at(book, row),
            row["subscription_id"],
        )
        for row in book.rows("subscriptions")
        if row["customer_id"] in lead.customer_ids
    ]
    return sorted(
        (end, subscription_id)
        for _, end, subscription_id in spans
        if end is not None
        and not any(
            other != subscription_id and started <= end and (other_end is None or other_end > end)
            for started, other_end, other in spans
        )
    )


def _churn_share(earning: Earning, used_days: int) -> Fraction:
    """R5: full, prorated by days, or by table; 0 outside the window (its end is exclusive)."""
    plan = earning.plan
    window = plan.churn_window_days
    if window is not None and used_days >= window:
        return Fraction(0)
    if plan.churn_mode == "prorated":
        return Fraction(window - used_days, window)
    if plan.churn_mode == "table":
        shares = [share for under_days, share in plan.churn_table if used_days < under_days]
        return shares[0] if shares else Fraction(0)
    return Fraction(1)


def churn_anchor(billing: Billing, lead: Lead) -> date | None:
    """R5: the earliest C3 anchor among the lead's customers."""
    anchors = [billing.anchor_line(customer_id) for customer_id in lead.customer_ids]
    return min((line.start_date for line in anchors if line), default=None)


def too_old(plan: PlanVersion, earned_at: datetime, taken_at: datetime) -> bool:
    """R8: later than `max_age_days` (N x 24 hours) after it was earned."""
    return plan.max_age_days is not None and taken_at > earned_at + timedelta(
        days=plan.max_age_days
    )
