"""The pay calendar: when accrual closes, who looks until when, what is paid on which day (P4).

What does not belong here: the rule (`program.calendar`) and deciding on batches (`approvals`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from payouts.periods import closed_periods
from payouts.records import BatchSummary, list_batches
from program.calendar import PayDate, business_day
from program.holidays import rail_holidays

from dashboards import addresses, words
from dashboards.metrics import metric
from dashboards.pay_calendar import pay_dates
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

Record = dict[str, Any]
_BEFORE, _AFTER = timedelta(days=62), timedelta(days=366)
_GONE = ("stale", "rejected")
OVER, REVIEW, OPEN = "over", "in_review", "open"
PHASES = {OVER: "Over", REVIEW: "In review", OPEN: "Accrues"}


def calendar(visit: Visit) -> Response:
    """Pay dates of two months back and a year ahead, with what is expected and what was batched."""
    as_of = visit.as_of
    dates = pay_dates(visit, as_of - _BEFORE, as_of + _AFTER)
    forecast = visit.rows("programme/forecast", currency="")
    with visit.control() as connection:
        batches = [each for each in list_batches(connection) if each.state not in _GONE]
        closed = [vars(each) for each in closed_periods(connection)]
    rows = _rows(visit, dates, forecast, batches)
    rows.sort(
        key=lambda row: (row["pay_date"], row["currency_code"], row["rail"], row["batch_id"] or "")
    )
    return visit.render(
        "programme/calendar.html",
        tables=[_table(rows), _closed_table(closed)],
        next_date=visit.metadata.get("next_pay_date"),
        schedule=visit.workspace.program.payouts.schedule,
        expire_days=visit.workspace.program.approvals.expire_days,
    )


def _rows(
    visit: Visit,
    dates: dict[str, list[PayDate]],
    forecast: list[Record],
    batches: list[BatchSummary],
) -> list[Record]:
    """One row per pay date, rail and currency, or batch of it; one of a date that pays nothing.

    What is expected or batched on a day that the present terms do not have stands on its own.
    """
    terms = visit.workspace.program.payouts
    found: dict[tuple[date, str], dict[str, list[BatchSummary]]] = defaultdict(
        lambda: defaultdict(list)
    )
    expected = {}
    for row in forecast:
        key = (row["pay_date"], terms.rail_for(row["payout_currency_code"]))
        expected[(*key, row["payout_currency_code"])] = row
        found[key][row["payout_currency_code"]] += []
    first = visit.as_of - _BEFORE
    for batch in batches:
        if batch.pay_date >= first:
            found[(batch.pay_date, batch.rail)][batch.currency_code].append(batch)
    days = {(each.pay_date, rail): each for rail in dates for each in dates[rail]}
    rows = []
    for pay_date, rail in days.keys() | found.keys():
        shared = _day(visit, pay_date, rail, days.get((pay_date, rail)))
        by_currency = found.get((pay_date, rail)) or {"": []}
        for currency, own in by_currency.items():
            due = expected.get((pay_date, rail, currency), {})
            rows += [
                {
                    **shared,
                    "currency_code": currency,
                    # Beside the first batch alone: it is expected once.
                    "amount_minor": due.get("amount_minor") if place == 0 else None,
                    "partners": due.get("partners") if place == 0 else None,
                    "batch_id": batch.batch_id if batch else None,
                    "batch_amount_minor": batch.total_amount_minor if batch else None,
                    "batch_state": batch.state if batch else None,
                }
                for place, batch in enumerate(own or [None])
            ]
    return rows


def _day(visit: Visit, pay_date: date, rail: str, each: PayDate | None) -> Record:
    """What the terms say of a pay date."""
    as_of = visit.as_of
    if each is None:
        phase = OVER if pay_date <= as_of else REVIEW
        return {"pay_date": pay_date, "cutoff_date": None, "review_from": None, "review_to": None,
                "rail": rail, "phase": phase}  # fmt: skip
    holidays = rail_holidays(rail, pay_date - timedelta(days=31), pay_date)
    last = business_day(pay_date - timedelta(days=1), "previous", holidays)
    return {
        "pay_date": pay_date,
        "cutoff_date": each.cutoff_date,
        "review_from": each.cutoff_date + timedelta(days=1),
        "review_to": max(last, each.cutoff_date),
        "rail": rail,
        "phase": OVER if pay_date <= as_of else REVIEW if each.cutoff_date <= as_of else OPEN,
    }


def _table(rows: list[Record]) -> Table:
    return Table(
        "calendar",
        "Pay dates",
        [
            Column("cutoff_date", "Accrual closes", "date",
                   hint="What is available by the end of this day is paid."),
            Column("review_from", "Review from", "date",
                   hint="The first night on or past the cut-off proposes the batches."),
            Column("review_to", "Review until", "date",
                   hint="The last business day before the pay date."),
            Column("pay_date", "Pay date", "date"),
            Column("phase", "Now", "badge", words=PHASES),
            Column("rail", "Rail"),
            Column(
                "amount_minor", metric("expected_payout").label, "money",
                hint=metric("expected_payout").definition,
                href=lambda row: addresses.entries(
                    pay_date=row["pay_date"], currency=row["currency_code"]
                ),
            ),
            Column("partners", "Partners", "number"),
            Column("batch_id", "Batch", "id", href=lambda row: addresses.batch(row["batch_id"])),
            Column("batch_amount_minor", "Its total", "money"),
            Column("batch_state", "Its state", "badge", words=words.BATCH_STATES),
        ],
        rows,
    )  # fmt: skip


def _closed_table(rows: list[Record]) -> Table:
    return Table(
        "closed",
        "Months that are closed for posting",
        [
            Column("period", "Month"),
            Column("closed_at", "Closed", "instant"),
            Column("closed_by", "Who"),
        ],
        rows,
        empty="No month is closed; later differences are posted in their own month.",
    )


ENTRIES = [page("/calendar", calendar, STAFF)]
