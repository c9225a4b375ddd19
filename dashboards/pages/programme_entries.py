"""Lists behind the numbers of liability and forecast, and of money that earns nothing.

Entries are shown for one posting month, one pay date or one partner. What does not belong here:
commission lines (`programme_commissions`).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dashboards import addresses, words
from dashboards.errors import BadInputError
from dashboards.line_words import unpaid_text
from dashboards.metrics import metric
from dashboards.paging import SIZE, asked_code, asked_text, window
from dashboards.pay_calendar import available_between
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_NO_DAYS = (date(1, 1, 2), date(1, 1, 1))


def entries(visit: Visit) -> Response:
    """Entries of the journal with their states."""
    filters = {
        "month": asked_text(visit, "month"),
        "partner": asked_text(visit, "partner"),
        "kind": asked_code(visit, "kind", words.ENTRY_KINDS),
        "currency": asked_text(visit, "currency").upper(),
        "state": asked_code(visit, "state", words.LIABILITY_STATES),
    }
    if filters["month"] and not _MONTH.fullmatch(filters["month"]):
        raise BadInputError(f"month={filters['month'][:20]}: write a month like 2026-02")
    pay_date = _pay_date(visit)
    if pay_date is not None and not filters["currency"]:
        raise BadInputError("a pay date needs its currency: each rail has days of its own")
    if not (filters["month"] or filters["partner"] or pay_date):
        filters["month"] = f"{visit.as_of:%Y-%m}"
    first, last = available_between(visit, pay_date, filters["currency"]) if pay_date else _NO_DAYS
    values: dict[str, Any] = {
        **filters, "pay_date": pay_date, "first_available": first, "last_available": last,
    }  # fmt: skip
    totals = visit.rows("programme/entries_totals", **values)
    found = visit.rows("programme/entries", **values, **window(visit, "entries"))
    total = sum(row["entries"] for row in totals)
    return visit.render(
        "programme/entries.html",
        tables=[_totals(totals), entries_table(found, total)],
        filters=filters,
        pay_date=pay_date,
        total=total,
        page_number=visit.page_number(),
        page_size=SIZE,
        kinds=[("", "All"), *words.ENTRY_KINDS.items()],
        states=[("", "All"), *words.LIABILITY_STATES.items()],
        partners=visit.rows("programme/partner_names"),
    )


def unearned(visit: Visit) -> Response:
    """Paid invoice lines that earn nothing, each with its one reason (B6)."""
    filters = {
        "reason": asked_text(visit, "reason"),
        "currency": asked_text(visit, "currency").upper(),
        "customer": asked_text(visit, "customer"),
    }
    totals = visit.rows("programme/unearned_totals", **filters)
    found = visit.rows("programme/unearned", **filters, **window(visit, "lines"))
    total = sum(row["lines"] for row in totals)
    return visit.render(
        "programme/unearned.html",
        tables=[unearned_totals_table(totals), _unearned_table(found, total)],
        filters=filters,
        reasons=[("", "All"), *words.UNEARNED_REASONS.items()],
        total=total,
        page_number=visit.page_number(),
        page_size=SIZE,
    )


def entries_table(
    rows: list[dict[str, Any]], total: int | None = None, caption: str = "Entries"
) -> Table:
    """Entries of the journal, each with its explanation."""
    return Table(
        "entries",
        caption,
        [
            Column("effective_date", "Day", "date"),
            Column(
                "entry_kind", "Kind", words=words.ENTRY_KINDS,
                href=lambda row: addresses.explain(row["entry_id"]),
            ),
            Column(
                "partner_id", "Partner",
                href=lambda row: addresses.partner(row["partner_id"]),
            ),
            Column("source_id", "For", "id"),
            Column("cause_id", "Because of", "id"),
            Column("amount_minor", "Amount", "money"),
            Column(
                "part_amount_minor", "Pays", "money", currency_key="payout_currency_code",
                hint="The part of the entry that is in this state, in the payout currency.",
            ),
            Column("entry_state", "State", "badge", words=words.LIABILITY_STATES),
            Column("hold_text", "Held because"),
            Column(
                "batch_id", "Batch", "id", href=lambda row: addresses.batch(row["batch_id"])
            ),
            Column("posting_period", "Posted in"),
            Column("available_date", "Payable from", "date"),
            Column(
                "commission_id", "Commission", "id",
                href=lambda row: addresses.commission(row["commission_id"]),
            ),
            Column("entry_id", "Entry", "id", is_csv_only=True),
            Column("source_type", "For", is_csv_only=True),
            Column("cause_type", "Because of", is_csv_only=True),
            Column("segment", "Segment", is_csv_only=True),
        ],
        [{**row, "hold_text": unpaid_text(row["hold_reason"])} for row in rows],
        empty="No entry matches.",
        total=total,
    )  # fmt: skip


def unearned_totals_table(rows: list[dict[str, Any]]) -> Table:
    """Reasons with counts and amounts, each leading to its lines."""
    return Table(
        "unearned",
        "Paid lines that earn nothing, by reason",
        [
            Column(
                "reason",
                "Reason",
                words=words.UNEARNED_REASONS,
                href=lambda row: addresses.unearned(
                    reason=row["reason"], currency=row["currency_code"]
                ),
            ),
            Column("lines", "Lines", "number"),
            Column("amount_minor", "Paid", "money", hint=metric("unearned").definition),
        ],
        rows,
        empty="No line matches.",
    )


def _totals(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "totals",
        "Totals of all entries that match",
        [
            Column("payout_currency_code", "Currency"),
            Column("entries", "Entries", "number"),
            Column("amount_minor", "Together", "money", currency_key="payout_currency_code"),
        ],
        rows,
        empty="No entry matches.",
    )


def _unearned_table(rows: list[dict[str, Any]], total: int) -> Table:
    return Table(
        "lines",
        "Lines",
        [
            Column("first_paid_date", "Paid on", "date"),
            Column(
                "invoice_line_id", "Invoice line", "id",
                href=lambda row: addresses.explain(row["invoice_line_id"]),
            ),
            Column("reason", "Reason", words=words.UNEARNED_REASONS),
            Column("amount_minor", "Amount", "money"),
            Column("invoice_id", "Invoice", "id"),
            Column("customer_id", "Customer"),
            Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"])),
        ],
        rows,
        empty="No line matches.",
        total=total,
    )  # fmt: skip


def _pay_date(visit: Visit) -> date | None:
    text = asked_text(visit, "pay_date")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"pay_date={text}: write a day like 2026-03-16") from None
    if abs(day - visit.as_of) > timedelta(days=3660):
        raise BadInputError(f"pay_date={text}: at most ten years from {visit.as_of}")
    return day


ENTRIES = [page("/entries", entries, STAFF), page("/unearned", unearned, STAFF)]
