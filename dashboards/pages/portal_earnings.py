"""Earnings of the partner that asks: the list, and one line explained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import LINE

from dashboards import words
from dashboards.errors import NotFoundError
from dashboards.filters import PERIODS
from dashboards.paging import SIZE, asked_code, window
from dashboards.portal import addresses
from dashboards.portal.asking import question_of
from dashboards.portal.earning_tables import earnings_table, with_words
from dashboards.portal.explained import sentences
from dashboards.portal.words import LINE_STATES, line_reason
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import PARTNER

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

ALWAYS = "all"
_EVER = (date(1900, 1, 1), date(2200, 1, 1))


@dataclass(frozen=True)
class Asked:
    """What the list is filtered by. period: of PERIODS, or ``all``; status empty: every state."""

    period: str
    start: date
    end: date
    status: str

    def values(self) -> dict[str, Any]:
        """For queries."""
        return {"start": self.start, "end": self.end, "status": self.status}


def earnings(visit: Visit) -> Response:
    """The list with its totals per currency, by state and period."""
    asked = _asked(visit)
    partner = {"partner_id": visit.partner_id}
    totals = visit.rows("portal/earnings_totals", **partner, **asked.values())
    rows = visit.rows(
        "portal/earnings", **partner, **asked.values(), lead_id="", commission_id="",
        **window(visit, "earnings"),
    )  # fmt: skip
    total = sum(row["lines"] for row in totals)
    return visit.render(
        "portal/earnings.html",
        tables=[
            _totals_table(totals),
            earnings_table(with_words(rows), "Earnings and take-backs", total=total),
        ],
        asked=asked,
        periods=[(ALWAYS, "Always"), *PERIODS.items()],
        states=[("", "Every state"), *LINE_STATES.items()],
        number=1 if visit.wants_csv else visit.page_number(),
        size=SIZE,
        total=total,
    )


def earning(visit: Visit) -> Response:
    """One line: where it comes from, how it came to its amount, what took from it, when paid."""
    partner = {"partner_id": visit.partner_id}
    commission_id = visit.path("commission_id")
    found = visit.rows(
        "portal/earnings", **partner, start=_EVER[0], end=_EVER[1], status="", lead_id="",
        commission_id=commission_id, limit=1, offset=0,
    )  # fmt: skip
    if not found or not commission_id:
        raise NotFoundError("there is no such line among your earnings")
    (row,) = with_words(found)
    entries = visit.rows("portal/earning_entries", **partner, commission_id=commission_id)
    takebacks = [
        {**each, "reason": line_reason(each)}
        for each in visit.rows("portal/earning_takebacks", **partner, commission_id=commission_id)
    ]
    return visit.render(
        "portal/earning.html",
        tables=[_entries_table(entries), _takebacks_table(takebacks)],
        row=row,
        line_states=LINE_STATES,
        steps=sentences(
            entries[-1]["explanation"] if entries else None,
            visit.partner_id,
            row["currency_code"],
            row["payout_currency_code"],
        ),
        question=question_of(visit, LINE, commission_id),
        addresses=addresses,
    )


def _asked(visit: Visit) -> Asked:
    status = asked_code(visit, "status", LINE_STATES)
    period = visit.asked("period", ALWAYS)
    if period in ("", ALWAYS):
        return Asked(ALWAYS, *_EVER, status)
    span = visit.filters().span
    return Asked(period, span.start, span.end, status)


def _totals_table(totals: list[dict[str, Any]]) -> Table:
    return Table(
        "totals",
        "Totals",
        [
            Column("payout_currency_code", "Currency"),
            Column("earned_amount_minor", "Earned", "money", "payout_currency_code"),
            Column("taken_amount_minor", "Taken back", "money", "payout_currency_code"),
            Column("net_amount_minor", "Together", "money", "payout_currency_code"),
            Column("lines", "Lines", "number"),
        ],
        totals,
        empty="Nothing was earned in this time.",
    )


def _entries_table(entries: list[dict[str, Any]]) -> Table:
    return Table(
        "postings",
        "What was posted for it",
        [
            Column("effective_date", "Day", "date"),
            Column("entry_kind", "What", words=words.ENTRY_KINDS),
            Column("payout_amount_minor", "Amount", "money", "payout_currency_code"),
            Column("available_date", "Available from", "date"),
            Column("posting_period", "Statement", href=_statement),
            Column(
                "payout_id", "Payout", "id",
                href=lambda row: addresses.payout(row["payout_id"]),
            ),
            Column("recorded_at", "Recorded", "instant"),
            Column("entry_id", "Entry", "id", is_csv_only=True),
        ],
        entries,
        empty="The next night posts it.",
    )  # fmt: skip


def _statement(row: Any) -> str | None:
    return f"/portal/statements/{row['posting_period']}" if row["posting_period"] else None


def _takebacks_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "takebacks",
        "What was taken back from it",
        [
            Column("effective_date", "Day", "date"),
            Column(
                "kind", "What", words=words.ENTRY_KINDS,
                href=lambda row: addresses.earning(row["commission_id"]),
            ),
            Column("reason", "Because of"),
            Column("payout_amount_minor", "Amount", "money", "payout_currency_code"),
        ],
        rows,
        empty="Nothing was taken back from it.",
    )  # fmt: skip


ENTRIES = [
    page("/portal/earnings", earnings, PARTNER),
    page("/portal/earnings/{commission_id}", earning, PARTNER),
]
