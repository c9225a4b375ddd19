"""Rules across the settings of one recurring component (T3): which rate applies, what limits it.

Belongs here: products, product rates, conditions, tiers, first payment, minimum and maximum, caps,
reactivation. Does not belong here: two components side by side (`lint_plans`).
"""

from __future__ import annotations

from collections.abc import Iterator

from program.lint_common import amounts, whole_volume, zero_amounts
from program.paths import Finding, SettingPath
from program.schema_plans import Caps, Condition, RecurringComponent, Tiers

WHOLE_LINE_CAPS = ("per_invoice", "per_customer", "per_partner_month")
"""Caps that count whole lines; that of the programme's month counts each partner's part."""


def lint_recurring(
    path: SettingPath, component: RecurringComponent, reporting_currency: str
) -> Iterator[Finding]:
    """All findings within one component."""
    yield from _products(path, component)
    yield from _limits(path, component)
    if component.caps is not None:
        yield from _caps((*path, "caps"), component.caps)
    if component.tiers is not None:
        yield from _tiers((*path, "tiers"), component.tiers, reporting_currency)
    yield from _conditions((*path, "conditions"), component.conditions)
    yield from _clock(path, component)


def _products(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    include, exclude = set(component.products.include), set(component.products.exclude)
    both = sorted(include & exclude)
    if both:
        names = ", ".join(both)
        yield (*path, "products"), f"{names} is both included and excluded", "keep one of them"
    for product_id in component.product_rates:
        if product_id in exclude:
            yield (
                (*path, "product_rates", product_id),
                "is never reached: products.exclude names this product",
                "remove it here or there",
            )
        elif include and product_id not in include:
            yield (
                (*path, "product_rates", product_id),
                "is never reached: products.include does not name this product",
                "remove it here, or include the product",
            )
    if component.tiers is not None and include and include <= component.product_rates.keys():
        yield (
            (*path, "tiers"),
            "are never reached: every included product has its rate in product_rates",
            "remove the tiers, or the rate of a product",
        )


def _limits(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    minimum, maximum = component.minimum, component.maximum
    yield from amounts((*path, "minimum"), minimum)
    yield from amounts((*path, "maximum"), maximum)
    yield from zero_amounts((*path, "minimum"), minimum, "is 0 and changes nothing", "remove it")
    yield from zero_amounts(
        (*path, "maximum"), maximum, "is 0, so that nothing would be earned", "raise it"
    )
    for code, least in minimum.items():
        if code in maximum and maximum[code] < least:
            yield (*path, "maximum", code), "is below the minimum", "raise it"
        for scope in WHOLE_LINE_CAPS:
            most = getattr(component.caps, scope, {}).get(code)
            if most is not None and 0 < most < least:
                yield (
                    (*path, "minimum", code),
                    f"is above caps.{scope}, which would cut every line to less",
                    "lower it, or raise the cap",
                )


def _caps(path: SettingPath, caps: Caps) -> Iterator[Finding]:
    for scope in type(caps).model_fields:
        by_currency = getattr(caps, scope)
        yield from amounts((*path, scope), by_currency)
        yield from zero_amounts(
            (*path, scope), by_currency, "is 0, so that everything would be cut", "raise it"
        )


def _tiers(path: SettingPath, tiers: Tiers, reporting_currency: str) -> Iterator[Finding]:
    bands_path = (*path, "bands")
    if tiers.bands[0].from_value != 0:
        yield (*bands_path, 0, "from"), "leaves a gap below the first band", "begin with from: 0"
    for index, band in enumerate(tiers.bands):
        from_path = (*bands_path, index, "from")
        yield from whole_volume(from_path, tiers.metric, band.from_value, reporting_currency)
        if index == 0:
            continue
        before = tiers.bands[index - 1]
        if band.from_value <= before.from_value:
            yield from_path, "is not above the band before", "order bands by from"
        if band.rate == before.rate:
            yield (
                (*bands_path, index, "rate"),
                "is the rate of the band before, so that this band changes nothing",
                "remove the band, or change its rate",
            )


def _conditions(path: SettingPath, conditions: tuple[Condition, ...]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        again = sorted(set(condition.country) & seen)
        if len(again) == len(condition.country):
            yield (*path, index), "is never reached: others match first", "remove it"
        elif again:
            yield (
                (*path, index, "country"),
                f"{', '.join(again)}: a condition above matches first",
                "name each country in one condition only",
            )
        seen.update(condition.country)


def _clock(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    """Duration, first payment and what a gap in service does to them."""
    months, mode = component.duration.months, component.reactivation.mode
    if mode != "continue" and component.reactivation.gap_days is None:
        yield (*path, "reactivation"), "needs gap_days", "add gap_days: 60"
    # A first payment ever comes once; after a restart another invoice is paid under months: 0.
    if months == 0 and component.first_payment_rate is not None and mode != "restart":
        yield (
            (*path, "first_payment_rate"),
            "leaves nothing to rate and all other rates: months: 0 pays the first payment only",
            "write it as rate and remove first_payment_rate",
        )
    if months == 0 and mode == "stop":
        yield (
            (*path, "reactivation", "mode"),
            "stop changes nothing: months: 0 pays the first payment only",
            "remove reactivation",
        )
    if mode == "restart" and _is_for_life(component):
        yield (
            (*path, "reactivation", "mode"),
            "restart changes nothing: without duration.months no clock runs",
            "write duration.months, or remove reactivation",
        )


def _is_for_life(component: RecurringComponent) -> bool:
    """Whether the file says so. Faulty months are left out of the model, which is not for life."""
    duration = component.duration
    is_said = "months" in duration.model_fields_set or "duration" not in component.model_fields_set
    return duration.months is None and is_said
