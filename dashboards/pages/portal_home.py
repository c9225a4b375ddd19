"""The portal's first page: what is paid next, what was earned, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from payouts.onboarding import checklist

from dashboards.charts import Chart, Series
from dashboards.metrics import metric
from dashboards.portal.conversation import open_requests
from dashboards.portal.earning_tables import earnings_table, with_words
from dashboards.portal.next_payout import STATES, next_payouts, obstacles
from dashboards.portal.recorded import (
    is_settled,
    local_today,
    own_disputes,
    own_registrations,
    payee_of,
    profile_of,
)
from dashboards.portal.words import LINE_STATES, MOVEMENTS, STEPS
from dashboards.routing import page
from dashboards.users import PARTNER

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_NEWEST = 10
_CHART_MONTHS = 12
EVER = {"start": date(1900, 1, 1), "end": date(2200, 1, 1)}
_OWN_STEPS = ("terms", "payout_details", "tax_form")


def home(visit: Visit) -> Response:
    """Next payout, tiles, chart, what to do, the balance explained, the newest earnings."""
    partner = {"partner_id": visit.partner_id}
    profile = profile_of(visit)
    payouts = visit.rows("portal/payouts", payout_id="", **partner)
    balances = visit.rows("portal/balances", **partner)
    today = local_today(visit)
    with visit.control() as connection:
        payee = payee_of(connection, visit.partner_id)
        keys = [each.key for each in own_registrations(connection, visit.partner_id)]
        keys += [row["submission_key"] for row in _submissions(visit)]
        requests = open_requests(connection, visit, keys)
        disputes = [each for each in own_disputes(connection, visit.partner_id) if each.is_open]
    currencies = [row["payout_currency_code"] for row in balances]
    if not currencies and profile.get("payout_currency_code"):
        currencies = [profile["payout_currency_code"]]
    newest = visit.rows(
        "portal/earnings", **partner, **EVER, status="", lead_id="", commission_id="",
        limit=_NEWEST, offset=0,
    )  # fmt: skip
    return visit.render(
        "portal/home.html",
        tables=[earnings_table(with_words(newest), "Newest earnings", is_short=True)],
        charts=(drawn := _charts(visit)),
        drawn=drawn,
        profile=profile,
        balances=balances,
        activity=visit.row("portal/activity", **partner),
        nexts=next_payouts(
            payouts,
            visit.rows("portal/expected_payouts", **partner),
            visit.rules.minimums_minor,
            currencies,
            today,
        ),
        next_states=STATES,
        obstacles=obstacles(visit, payee, profile.get("status"), today, payouts),
        steps=[
            (each.step, STEPS.get(each.step, each.step))
            for each in checklist(payee, today)
            if not is_settled(each, payee) and each.step in _OWN_STEPS
        ],
        requests=requests,
        disputes=disputes,
        explained=explained(visit, f"{visit.as_of:%Y-%m}"),
        period=f"{visit.as_of:%Y-%m}",
        metric=metric,
    )


def explained(visit: Visit, period: str) -> list[dict[str, Any]]:
    """From the balance before a month to now, one record per currency with its steps."""
    found: dict[str, dict[str, int]] = {}
    for row in visit.rows("portal/movements", partner_id=visit.partner_id, period=period):
        found.setdefault(row["payout_currency_code"], {})[row["movement"]] = row["amount_minor"]
    return [
        {
            "currency_code": code,
            "opening": sums.get("opening", 0),
            "moved": [(word, sums[name]) for name, word in MOVEMENTS.items() if name in sums],
            "closing": sum(sums.values()),
        }
        for code, sums in sorted(found.items())
    ]


def _submissions(visit: Visit) -> Iterable[Mapping[str, Any]]:
    return visit.rows("portal/submissions", partner_id=visit.partner_id, lead_id="")


def _charts(visit: Visit) -> list[Chart]:
    """Per currency the last twelve months, by how far the amounts have come."""
    months = _months(visit.as_of)
    rows = visit.rows(
        "portal/earnings_by_month",
        partner_id=visit.partner_id,
        start=date.fromisoformat(f"{months[0]}-01"),
        end=visit.as_of,
    )
    charts = []
    for code in sorted({row["payout_currency_code"] for row in rows}):
        of_code = [row for row in rows if row["payout_currency_code"] == code]
        amounts = {(row["month"], row["status"]): row["amount_minor"] for row in of_code}
        charts.append(
            Chart(
                f"earned-{code.lower()}",
                f"Earned per month, {code}",
                "Less what was taken back, by how far it has come.",
                "stacked",
                months,
                [
                    Series(word, [amounts.get((month, status), 0) for month in months])
                    for status, word in LINE_STATES.items()
                    if any(row["status"] == status for row in of_code)
                ],
                unit=code,
                partial=1,
            )
        )
    return charts


def _months(as_of: date) -> list[str]:
    place = as_of.year * 12 + as_of.month - 1
    return [
        f"{month // 12:04d}-{month % 12 + 1:02d}"
        for month in range(place - _CHART_MONTHS + 1, place + 1)
    ]


ENTRIES = [page("/portal", home, PARTNER)]
