"""The terms of an entry in words: one component of one plan version, from marts.dim_terms (T1).

Pure. A column that an older snapshot lacks says nothing. What does not belong here: the page of
the whole programme (`docs_rules`), and what an entry came to (`evidence_words`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from orchestration.cli_common import counted, money

Row = Mapping[str, Any]

# program.schema_base.OPEN_END, the end of a version that has none; importing it loads pydantic.
_OPEN_END = "2200-01-01"
_TRIGGERS = {
    "signup": "somebody signs up",
    "demo_booked": "a demo is booked",
    "demo_held": "a demo was held",
    "deal_won": "a deal is won",
    "first_payment": "the customer pays for the first time",
}
_HOLDS = {
    "paid": "after the invoice was paid",
    "event": "after the event",
    "month_end": "after the end of that month",
}
_MODES = {
    "marginal": "by the band that each fills",
    "whole": "the band that the period reaches counts for all of it",
    "forward": "from the band reached before",
}
_LIMITS = {
    "minimum": "at least {} per line (C7)",
    "maximum": "at most {} per line (C7)",
    "per_invoice": "at most {} per invoice (C6)",
    "per_customer": "at most {} per customer (C6)",
    "per_partner_month": "at most {} per partner and month (C6)",
    "per_programme_month": "at most {} per month for all partners (C6)",
}
_COUNTED = {"one_off": "one-off items", "usage": "usage", "setup": "setup", "credits": "credits",
            "shipping": "shipping"}  # fmt: skip


def terms_title(row: Row) -> str:
    """Which version and component it is."""
    until = row.get("valid_to_date")
    ends = f" until {until} (excluded)" if until and str(until) < _OPEN_END else ""
    return (
        f"plan {row['plan_id']}, version in force from {row['plan_version']}{ends}, "
        f"component {row['component_id']} ({row['kind']})"
    )


def terms_sentences(row: Row) -> list[str]:
    """What the component and its version say, a sentence each."""
    kind = row["kind"]
    of_kind = {"recurring": _recurring, "event": _event, "bonus": _bonus,
               "partner_referral": _referral}.get(kind)  # fmt: skip
    return [*(of_kind(row) if of_kind else ()), *_limits(row), *_common(row)]


def percent(rate: Decimal | str) -> str:
    """A rate as people write it: `20 %`."""
    return f"{(Decimal(rate) * 100).normalize():f} %"


def _recurring(row: Row) -> Iterator[str]:
    if row.get("rate") is not None:
        share = percent(row["rate"])
        yield f"{share} of each paid invoice line, without tax, {_span(row)} (C1, C3)"
    if row.get("first_payment_rate") is not None:
        yield f"{percent(row['first_payment_rate'])} of the customer's first payment (C7)"
    if row.get("country_rates"):
        yield f"by the customer's country: {_rates(row['country_rates'])} (C7)"
    if row.get("product_rates"):
        yield f"by product: {_rates(row['product_rates'])} (C7)"
    if row.get("tier_metric"):
        unit = ", in minor units" if row["tier_metric"] == "revenue" else ""
        yield (
            f"by {row['tier_metric']} per {row['tier_period']}, {_MODES[row['tier_mode']]}: "
            f"{_rates(row.get('tier_bands') or '')}{unit} (C5)"
        )
    if row.get("base_discounts") is not None:
        verb = "lower" if row["base_discounts"] == "reduce" else "do not lower"
        yield f"discounts {verb} the base (C2)"
    excluded = [text for name, text in _COUNTED.items() if row.get(f"base_{name}") == "exclude"]
    if excluded:
        yield f"not counted: {', '.join(excluded)} (C2)"
    if row.get("included_products"):
        yield f"only products {row['included_products']} (C2)"
    if row.get("excluded_products"):
        yield f"without products {row['excluded_products']} (C2)"
    if row.get("reactivation_mode") in ("restart", "stop"):
        then = "starts anew" if row["reactivation_mode"] == "restart" else "ends for good"
        yield f"after a gap of {counted(row['reactivation_gap_days'], 'day')} the time {then} (C4)"


def _span(row: Row) -> str:
    if row.get("is_for_life") or row.get("duration_months") is None:
        return "for as long as the customer pays"
    months = row["duration_months"]
    if months == 0:
        return "for the first payment only"
    if row.get("duration_basis") == "service_period":
        return f"for the days of service that lie in the first {counted(months, 'month')}"
    return f"for what starts in the first {counted(months, 'month')}"


def _event(row: Row) -> Iterator[str]:
    once = f"once per lead when {_TRIGGERS.get(row.get('trigger_stage'), row.get('trigger_stage'))}"
    if row.get("rate") is not None:
        yield f"{percent(row['rate'])} of the first won deal, {once} (C1)"
    else:
        yield f"{_amounts(row.get('amounts_minor'))}, {once} (C1)"


def _bonus(row: Row) -> Iterator[str]:
    yield (
        f"{_amounts(row.get('amounts_minor'))}, once per {row.get('bonus_period')}, when "
        f"{row.get('bonus_metric')} reach {row.get('bonus_threshold')}; never taken back (C1, C7)"
    )


def _referral(row: Row) -> Iterator[str]:
    months = row.get("referral_months")
    span = f"for {counted(months, 'month')}" if months is not None else "for good"
    yield (
        f"{percent(row['rate'])} of what a referred partner earns {span} from the day on which it "
        "joined (C7)"
    )


def _limits(row: Row) -> Iterator[str]:
    for limit in (row.get("limits_minor") or "").split(", "):
        role, _, amount = limit.partition(" ")
        if role in _LIMITS:
            yield _LIMITS[role].format(_amounts(amount))


def _common(row: Row) -> Iterator[str]:
    if row.get("terms_follow"):
        yield (
            "the terms of the day on which the lead became valid (T2)"
            if row["terms_follow"] == "pinned"
            else "the terms of the day of each event (T2)"
        )
    if row.get("hold_days") is not None:
        after = _HOLDS.get(row.get("hold_after"), f"after {row.get('hold_after')}")
        yield f"payable {counted(row['hold_days'], 'day')} {after} (P1)"
    if row.get("refund_mode"):
        share = "the refunded share" if row["refund_mode"] == "proportional" else "nothing"
        yield f"refunds take back {share} (R1)"
    if row.get("chargeback_on_open"):
        yield (
            f"chargebacks: {row['chargeback_on_open']} while open, "
            f"{row['chargeback_on_lost']} when lost, {row['chargeback_on_won']} when won (R2)"
        )
    if row.get("churn_mode") not in (None, "none"):
        table = f" ({row['churn_table']})" if row.get("churn_table") else ""
        yield (
            f"access that ends within {counted(row['churn_window_days'], 'day')} takes event "
            f"commissions back, {row['churn_mode']}{table} (R5)"
        )
    if row.get("max_age_days") is not None:
        yield f"nothing is taken back after {counted(row['max_age_days'], 'day')} (R8)"


def _rates(text: str) -> str:
    """`DE 0.250000, from 10 0.3` with its last words as percent."""
    shown = []
    for part in filter(None, text.split(", ")):
        name, _, rate = part.rpartition(" ")
        shown.append(f"{name} {percent(rate)}")
    return ", ".join(shown)


def _amounts(text: str | None) -> str:
    """`EUR 4500, USD 5000`, minor units, as people read amounts."""
    shown = []
    for part in filter(None, (text or "").split(", ")):
        currency, _, minor = part.partition(" ")
        shown.append(money(int(minor), currency))
    return " or ".join(shown) or "a fixed amount"
