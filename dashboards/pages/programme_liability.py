"""Liability: what is owed to partners, by month and state, and when it is expected to be paid.

What does not belong here: the pay dates themselves (`programme_calendar`), entries
(`programme_entries`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import addresses, words
from dashboards.charts import Chart, Series
from dashboards.metrics import metric
from dashboards.paging import asked_text
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from dashboards.visit import Visit

Record = dict[str, Any]
# In the order in which money moves on; what was paid is owed no more.
OWED_STATES = ("on_hold", "held", "available", "in_batch")
_CHART_MONTHS = 24


def liability(visit: Visit) -> Response:
    """Both tables and a chart per currency."""
    currency = asked_text(visit, "currency").upper()
    rows = visit.rows("programme/liability", currency=currency)
    forecast = visit.rows("programme/forecast", currency=currency)
    totals = _totals(rows)
    charts = [_chart(each["payout_currency_code"], rows) for each in totals]
    return visit.render(
        "programme/liability.html",
        tables=[_totals_table(totals), _months_table(rows), _forecast_table(forecast)],
        charts=charts,
        drawn=charts,
        totals=totals,
        currency=currency,
        owed=metric("owed"),
    )


def _totals(rows: list[Record]) -> list[Record]:
    names = [f"{state}_amount_minor" for state in (*OWED_STATES, "paid", "owed")]
    currencies = sorted({row["payout_currency_code"] for row in rows})
    return [
        {
            "payout_currency_code": currency,
            **{
                name: sum(row[name] for row in rows if row["payout_currency_code"] == currency)
                for name in names
            },
        }
        for currency in currencies
    ]


def _chart(currency: str, rows: list[Record]) -> Chart:
    months = [row for row in rows if row["payout_currency_code"] == currency][-_CHART_MONTHS:]
    return Chart(
        f"liability-{currency.lower()}",
        f"Owed in {currency}",
        "By the month of posting, and how far it has come.",
        "stacked",
        [row["posting_month"] for row in months],
        [
            Series(words.LIABILITY_STATES[state], [row[f"{state}_amount_minor"] for row in months])
            for state in OWED_STATES
        ],
        unit=currency,
    )


def _states(with_month: bool) -> list[Column]:
    labels = {**words.LIABILITY_STATES, "owed": metric("owed").label}
    return [
        Column(
            f"{state}_amount_minor", label, "money", currency_key="payout_currency_code",
            href=_entries_of(state) if with_month and state != "owed" else None,
            hint=metric("owed").definition if state == "owed" else "",
        )
        for state, label in labels.items()
    ]  # fmt: skip


def _entries_of(state: str) -> Callable[[Any], str | None]:
    """To the entries behind a number; nothing stands behind a zero."""
    return lambda row: (
        addresses.entries(
            month=row["posting_month"], state=state, currency=row["payout_currency_code"]
        )
        if row[f"{state}_amount_minor"]
        else None
    )


def _totals_table(rows: list[Record]) -> Table:
    return Table(
        "totals",
        "Together",
        [Column("payout_currency_code", "Currency"), *_states(with_month=False)],
        rows,
        empty="Nothing was ever posted.",
    )


def _months_table(rows: list[Record]) -> Table:
    return Table(
        "months",
        "By month of posting",
        [
            Column("posting_month", "Month"),
            Column("payout_currency_code", "Currency"),
            *_states(with_month=True),
            Column("entries", "Entries", "number"),
        ],
        list(reversed(rows)),
        empty="Nothing was ever posted.",
        note="Each number leads to the entries that it is made of.",
    )


def _forecast_table(rows: list[Record]) -> Table:
    return Table(
        "forecast",
        "Expected payouts",
        [
            Column("pay_date", "Pay date", "date"),
            Column(
                "amount_minor", "Expected", "money", currency_key="payout_currency_code",
                href=lambda row: addresses.entries(
                    pay_date=row["pay_date"], currency=row["payout_currency_code"]
                ),
                hint=metric("expected_payout").definition,
            ),
            Column("partners", "Partners", "number"),
        ],
        rows,
        empty="Nothing is expected to be paid.",
    )  # fmt: skip


ENTRIES = [page("/liability", liability, STAFF)]
