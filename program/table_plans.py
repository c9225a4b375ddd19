"""Plans as rows of the raw tables `program__*`: versions, components, and the lists they hold.

Pure: plans in, rows out. Amounts become minor units here (M1); bands and thresholds of revenue
are in the programme's reporting currency (C5).
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from program.currencies import to_minor
from program.schema_plans import (
    BonusComponent,
    EventComponent,
    PartnerReferralComponent,
    RecurringComponent,
)
from program.table_rows import Row, Rows, spans

if TYPE_CHECKING:
    from program.schema import Program
    from program.schema_base import Amounts
    from program.schema_plans import Component, PlanVersion, Tiers

CAPS = ("per_invoice", "per_customer", "per_partner_month", "per_programme_month")


def add_plans(rows: Rows, program: Program) -> None:
    """Fill the tables of plans; order is that of the plans' ids, then of time, then of the file."""
    currency_code = program.program.reporting_currency
    for plan in sorted(program.plans, key=lambda plan: plan.id):
        for version, span in spans(plan.versions):
            key = {"plan_id": plan.id, "plan_version": version.effective_from.isoformat()}
            rows["program__plan_versions"].append({**key, **span, **_version_terms(version)})
            churn = version.clawback.churn
            rows["program__churn_table"].extend(
                {**key, "under_days": band.under_days, "share": band.share}
                for band in (churn.table if churn else ())
            )
            for order, component in enumerate(version.components, start=1):
                _add_component(
                    rows, {**key, "component_id": component.id}, order, component, currency_code
                )


def _version_terms(version: PlanVersion) -> Row:
    clawback = version.clawback
    churn = clawback.churn
    return {
        "terms_follow": version.terms_follow,
        "hold_days": version.hold.days,
        "hold_after": version.hold.after,
        "refund_mode": clawback.refund.mode,
        "chargeback_on_open": clawback.chargeback.on_open,
        "chargeback_on_lost": clawback.chargeback.on_lost,
        "chargeback_on_won": clawback.chargeback.on_won,
        "churn_mode": churn.mode if churn else "none",
        "churn_window_days": churn.window_days if churn else None,
        "max_age_days": clawback.max_age_days,
    }


def _add_component(
    rows: Rows, key: Row, order: int, component: Component, currency_code: str
) -> None:
    row: Row = {
        **key,
        "component_order": order,
        "kind": component.kind,
        "duration_is_for_life": False,
    }
    if isinstance(component, RecurringComponent):
        row |= _recurring_terms(component)
        _add_recurring_lists(rows, key, component, currency_code)
    elif isinstance(component, EventComponent):
        row |= {"trigger": component.trigger, "rate": component.rate}
        _add_amounts(rows, key, "amount", component.amount or {})
    elif isinstance(component, BonusComponent):
        row |= {
            "bonus_metric": component.metric,
            "bonus_period": component.period,
            "bonus_threshold": _value(component.threshold, component.metric, currency_code),
        }
        _add_amounts(rows, key, "amount", component.amount)
    elif isinstance(component, PartnerReferralComponent):
        row |= {"rate": component.rate, "referral_months": component.months}
    rows["program__components"].append(row)


def _recurring_terms(component: RecurringComponent) -> Row:
    base, duration, tiers = component.base, component.duration, component.tiers
    return {
        "rate": component.rate,
        "duration_months": duration.months,
        "duration_is_for_life": duration.months is None,
        "duration_basis": duration.basis,
        "base_discounts": base.discounts,
        "base_one_off": base.one_off,
        "base_usage": base.usage,
        "base_setup": base.setup,
        "base_credits": base.credits,
        "base_shipping": base.shipping,
        "first_payment_rate": component.first_payment_rate,
        "reactivation_mode": component.reactivation.mode,
        "reactivation_gap_days": component.reactivation.gap_days,
        "tier_metric": tiers.metric if tiers else None,
        "tier_period": tiers.period if tiers else None,
        "tier_mode": tiers.mode if tiers else None,
    }


def _add_recurring_lists(
    rows: Rows, key: Row, component: RecurringComponent, currency_code: str
) -> None:
    for is_included, product_ids in (
        (True, component.products.include),
        (False, component.products.exclude),
    ):
        rows["program__component_products"].extend(
            {**key, "product_id": product_id, "is_included": is_included}
            for product_id in product_ids
        )
    rows["program__component_product_rates"].extend(
        {**key, "product_id": product_id, "rate": rate}
        for product_id, rate in sorted(component.product_rates.items())
    )
    rows["program__component_conditions"].extend(
        {**key, "condition_order": order, "country": country.upper(), "rate": condition.rate}
        for order, condition in enumerate(component.conditions, start=1)
        for country in condition.country
    )
    _add_amounts(rows, key, "minimum", component.minimum)
    _add_amounts(rows, key, "maximum", component.maximum)
    for cap in CAPS if component.caps else ():
        _add_amounts(rows, key, cap, getattr(component.caps, cap))
    if component.tiers:
        _add_bands(rows, key, component.tiers, currency_code)


def _add_bands(rows: Rows, key: Row, tiers: Tiers, currency_code: str) -> None:
    starts = [_value(band.from_value, tiers.metric, currency_code) for band in tiers.bands]
    bounds = pairwise([*starts, None])
    rows["program__component_bands"].extend(
        {
            **key,
            "band_number": number,
            "from_value": from_value,
            "to_value": to_value,
            "rate": band.rate,
        }
        for number, (band, (from_value, to_value)) in enumerate(
            zip(tiers.bands, bounds, strict=True), start=1
        )
    )


def _add_amounts(rows: Rows, key: Row, role: str, amounts: Amounts) -> None:
    rows["program__component_amounts"].extend(
        {
            **key,
            "amount_role": role,
            "currency_code": code,
            "amount_minor": to_minor(amount, code),
        }
        for code, amount in sorted(amounts.items())
    )


def _value(value: Decimal, metric: str, currency_code: str) -> int:
    """A count, or minor units of the reporting currency."""
    return to_minor(value, currency_code) if metric == "revenue" else int(value)
