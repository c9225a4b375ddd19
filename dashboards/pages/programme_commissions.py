"""The commission ledger: every line that was earned or taken back, always bounded.

It is the one list over the largest fact, so it shows one partner, or 31 days at most. What does not
belong here: one commission (`programme_commission`) and entries of the journal
(`programme_entries`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dashboards import words
from dashboards.errors import BadInputError
from dashboards.lead_view import commissions_table
from dashboards.paging import SIZE, asked_code, asked_text, window
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

MOST_DAYS = 31
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)
LINE_KINDS = {
    code: text
    for code, text in words.ENTRY_KINDS.items()
    if code not in ("payout", "payout_return", "write_off", "withholding")
}


def ledger(visit: Visit) -> Response:
    """The ledger."""
    filters: dict[str, Any] = {
        "partner": asked_text(visit, "partner"),
        "customer": asked_text(visit, "customer"),
        "kind": asked_code(visit, "kind", LINE_KINDS),
        "plan": asked_text(visit, "plan"),
        "status": asked_code(visit, "status", words.LINE_STATES),
        "currency": asked_text(visit, "currency").upper(),
        "payout_currency": asked_text(visit, "payout_currency").upper(),
    }
    start, end = asked_days(visit, bool(filters["partner"]))
    values = {**filters, "start": start or FIRST_DAY, "end": end or LAST_DAY}
    totals = visit.rows("programme/ledger_totals", **values)
    found = visit.rows("programme/ledger", **values, **window(visit, "commissions"))
    total = sum(row["lines"] for row in totals)
    return visit.render(
        "programme/commissions.html",
        tables=[_totals(totals), _payout_totals(totals), commissions_table(found, "Lines", total)],
        filters=filters,
        start=start,
        end=end,
        total=total,
        page_number=visit.page_number(),
        page_size=SIZE,
        kinds=_options(LINE_KINDS),
        states=_options(words.LINE_STATES),
        plans=[("", "All"), *((row["plan_id"],) * 2 for row in visit.rows("programme/plan_ids"))],
        partners=visit.rows("programme/partner_names"),
        most_days=MOST_DAYS,
    )


def asked_days(visit: Visit, is_one_partner: bool) -> tuple[date | None, date | None]:
    """First and last day, both included; None is no bound, for one partner alone.

    Without a partner the newest 31 days of the snapshot, or what is asked for within 31 days.
    Raises: BadInputError for more days, and for what is no day.
    """
    start, end = _day(visit, "from"), _day(visit, "to")
    reach = timedelta(days=MOST_DAYS - 1)
    if not is_one_partner:
        if end is None:
            end = visit.as_of if start is None else min(start + reach, max(start, visit.as_of))
        if start is None:
            start = end - reach
    if start is not None and end is not None:
        if end < start:
            raise BadInputError(f"from={start} lies after to={end}")
        days = (end - start).days + 1
        if not is_one_partner and days > MOST_DAYS:
            raise BadInputError(
                f"from={start} to={end} are {days} days: without a partner the ledger shows "
                f"{MOST_DAYS} at most. Name a partner, or fewer days"
            )
    return start, end


def _day(visit: Visit, name: str) -> date | None:
    text = asked_text(visit, name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"{name}={text}: write a day like 2026-02-28") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadInputError(f"{name}={text}: a day between {FIRST_DAY.year} and {LAST_DAY.year}")
    return day


def _options(known: dict[str, str]) -> list[tuple[str, str]]:
    return [("", "All"), *known.items()]


def _totals(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "totals",
        "Totals of all lines that match",
        [
            Column("currency_code", "Currency"),
            Column("lines", "Lines", "number"),
            Column("earned_amount_minor", "Earned", "money"),
            Column("taken_back_amount_minor", "Taken back", "money"),
            Column("amount_minor", "Together", "money"),
        ],
        _added(rows, "currency_code"),
        empty="No line matches.",
    )


def _payout_totals(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "payout-totals",
        "The same in the currencies that partners are paid in",
        [
            Column("payout_currency_code", "Currency"),
            Column("lines", "Lines", "number"),
            Column("payout_amount_minor", "Together", "money", currency_key="payout_currency_code"),
        ],
        _added(rows, "payout_currency_code"),
        empty="No line matches.",
    )


def _added(rows: list[dict[str, Any]], currency_key: str) -> list[dict[str, Any]]:
    """Rows of one currency added up; an amount in another one is never among what is added."""
    names = ["lines"]
    names += (
        ["earned_amount_minor", "taken_back_amount_minor", "amount_minor"]
        if currency_key == "currency_code"
        else ["payout_amount_minor"]
    )
    return [
        {
            currency_key: currency,
            **{
                name: sum(row[name] for row in rows if row[currency_key] == currency)
                for name in names
            },
        }
        for currency in sorted({row[currency_key] for row in rows})
    ]


ENTRIES = [page("/commissions", ledger, STAFF)]
