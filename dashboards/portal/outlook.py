"""What a lead can still bring by the partner's plan, in words: fixed amounts, and shares to come.

What does not belong here: what it has brought (portal/earnings.sql). Nothing here is promised: the
rules judge each event on its day. Rules: C1, C3, T2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dashboards.lead_view import exact_percent
from dashboards.templating import money, plural

_AMOUNT = re.compile(r"([A-Z]{3}) ([0-9]+)")
_TRIGGERS = {
    "signup": "when they sign up",
    "demo_booked": "when a demo is booked",
    "demo_held": "when a demo is held",
    "deal_won": "when a deal is won",
    "first_payment": "when they pay for the first time",
}


def outlook(terms: Iterable[Mapping[str, Any]], reached: Iterable[str]) -> list[str]:
    """One sentence per part of the plan that can still pay on a lead.

    terms: rows of portal/lead_outlook.sql. reached: stages that are behind the lead, which pay no
    fixed amount again.
    """
    behind = set(reached)
    found = []
    for row in terms:
        if row["kind"] == "recurring":
            found.append(_recurring(row))
        elif row["trigger_stage"] not in behind:
            found.append(_event(row))
    return [sentence for sentence in found if sentence]


def _event(row: Mapping[str, Any]) -> str:
    when = _TRIGGERS.get(row["trigger_stage"], "at its event")
    if row["rate"] is not None:
        return f"{exact_percent(row['rate'])} of the deal {when}."
    amounts = dict(_AMOUNT.findall(row["amounts_minor"] or ""))
    code = row["payout_currency_code"]
    return f"{money(int(amounts[code]), code)} {when}." if code in amounts else ""


def _recurring(row: Mapping[str, Any]) -> str:
    rate = "A share by tiers" if row["is_tiered"] else exact_percent(row["rate"])
    if not rate:
        return ""
    if row["is_for_life"]:
        return f"{rate} of what they pay, for life."
    months = row["duration_months"]
    if not months:
        return f"{rate} of their first payment."
    return f"{rate} of what they pay for the first {plural(months, 'month')}."
