"""The settings of a plan as the oracle reads them, with their defaults.

Belongs here: one version of a plan, its components in all shapes, amounts in minor units.
Does not belong here: which version governs whom and when (terms.py), what a setting pays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from .money import minor_units

CAPS = ("per_invoice", "per_customer", "per_partner_month", "per_programme_month")
Amounts = Mapping[str, int]  # currency code -> minor units


@dataclass(frozen=True)
class Tiers:
    """C5: rates by reached volume; bands are (from, rate), ascending.

    `from` is a count, or for revenue minor units of the reporting currency.
    """

    metric: str
    period: str
    mode: str
    bands: tuple[tuple[int, Fraction], ...]

    def rate_at(self, reached: int) -> Fraction:
        """The rate of the band that holds a count or sum; below 0 that of the first band."""
        rates = [rate for start, rate in self.bands if start <= reached]
        return rates[-1] if rates else self.bands[0][1]


@dataclass(frozen=True)
class Component:
    """One component of a plan version; `months` None is for life.

    conditions: (countries, rate) in their order. caps: name of a cap -> amounts.
    metric, period, threshold: of a bonus. referral_months: of a partner referral.
    """

    component_id: str
    kind: str
    trigger: str
    rate: Fraction | None
    amounts_minor: Amounts
    months: int | None
    basis: str
    base: Mapping[str, str]
    products_include: frozenset[str]
    products_exclude: frozenset[str]
    first_payment_rate: Fraction | None
    conditions: tuple[tuple[frozenset[str], Fraction], ...]
    product_rates: Mapping[str, Fraction]
    tiers: Tiers | None
    minimum_minor: Amounts
    maximum_minor: Amounts
    caps: Mapping[str, Amounts]
    reactivation: str
    gap_days: int | None
    metric: str
    period: str
    threshold: int
    referral_months: int


@dataclass(frozen=True)
class PlanVersion:
    """One version of a plan with its hold and clawback policy."""

    plan_id: str
    effective_from: date
    terms_follow: str
    components: tuple[Component, ...]
    hold_days: int
    hold_after: str
    refund_mode: str
    chargeback_on_open: str
    chargeback_on_lost: str
    churn_mode: str
    churn_window_days: int | None
    churn_table: tuple[tuple[int, Fraction], ...]
    max_age_days: int | None

    @property
    def plan_version(self) -> str:
        """The version's name: its `effective_from` as ISO text."""
        return self.effective_from.isoformat()

    def components_of(self, kind: str) -> list[Component]:
        """The components of one kind, in their order."""
        return [component for component in self.components if component.kind == kind]


def plan_version(plan_id: str, given: Mapping[str, Any], reporting_currency: str) -> PlanVersion:
    """One version from its settings; what is left out has its default."""
    hold = given.get("hold") or {}
    clawback = given.get("clawback") or {}
    chargeback = clawback.get("chargeback") or {}
    churn = clawback.get("churn") or {}
    max_age = clawback.get("max_age_days")
    table = sorted(
        (int(band["under_days"]), fraction_of(band["share"])) for band in churn.get("table") or ()
    )
    window = churn.get("window_days")
    return PlanVersion(
        plan_id=plan_id,
        effective_from=day_of(given["effective_from"]),
        terms_follow=given.get("terms_follow", "pinned"),
        components=tuple(_component(c, reporting_currency) for c in given["components"]),
        hold_days=int(hold.get("days", 30)),
        hold_after=hold.get("after", "paid"),
        refund_mode=(clawback.get("refund") or {}).get("mode", "proportional"),
        chargeback_on_open=chargeback.get("on_open", "hold"),
        chargeback_on_lost=chargeback.get("on_lost", "reverse"),
        churn_mode=churn.get("mode", "full") if churn else "none",
        churn_window_days=None if window is None else int(window),
        churn_table=tuple(table),
        max_age_days=None if max_age is None else int(max_age),
    )


def day_of(value: object) -> date:
    """A day, given as such or as ISO text."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def fraction_of(value: object) -> Fraction:
    """An exact number from an int, a Decimal or its text."""
    return Fraction(str(value))


def _component(given: Mapping[str, Any], reporting_currency: str) -> Component:
    duration = given.get("duration") or {}
    months = duration.get("months")
    products = given.get("products") or {}
    reactivation = given.get("reactivation") or {}
    metric = given.get("metric", "")
    caps = given.get("caps") or {}
    return Component(
        component_id=given["id"],
        kind=given["kind"],
        trigger=given.get("trigger", ""),
        rate=_rate_or_none(given.get("rate")),
        amounts_minor=_amounts(given.get("amount")),
        months=None if months is None else int(months),
        basis=duration.get("basis", "charge_start"),
        base={"discounts": "reduce", "shipping": "exclude"} | dict(given.get("base") or {}),
        products_include=frozenset(products.get("include") or ()),
        products_exclude=frozenset(products.get("exclude") or ()),
        first_payment_rate=_rate_or_none(given.get("first_payment_rate")),
        conditions=tuple(
            (frozenset(code.strip().upper() for code in c["country"]), fraction_of(c["rate"]))
            for c in given.get("conditions") or ()
        ),
        product_rates={
            product_id: fraction_of(rate)
            for product_id, rate in (given.get("product_rates") or {}).items()
        },
        tiers=_tiers(given["tiers"], reporting_currency) if given.get("tiers") else None,
        minimum_minor=_amounts(given.get("minimum")),
        maximum_minor=_amounts(given.get("maximum")),
        caps={cap: _amounts(caps.get(cap)) for cap in CAPS},
        reactivation=reactivation.get("mode", "continue"),
        gap_days=reactivation.get("gap_days"),
        metric=metric,
        period=given.get("period", ""),
        threshold=_reached(given.get("threshold", 0), metric, reporting_currency),
        referral_months=int(given.get("months", 0)),
    )


def _tiers(given: Mapping[str, Any], reporting_currency: str) -> Tiers:
    bands = sorted(
        (_reached(band["from"], given["metric"], reporting_currency), fraction_of(band["rate"]))
        for band in given["bands"]
    )
    return Tiers(given["metric"], given["period"], given.get("mode", "marginal"), tuple(bands))


def _reached(value: object, metric: str, reporting_currency: str) -> int:
    """C5: revenue is in major units of the reporting currency in the file, the rest are counts."""
    if metric == "revenue":
        return minor_units(value, reporting_currency)
    return int(fraction_of(value))


def _amounts(given: Mapping[str, Any] | None) -> Amounts:
    return {code: minor_units(value, code) for code, value in (given or {}).items()}


def _rate_or_none(value: object) -> Fraction | None:
    return None if value is None else fraction_of(value)
