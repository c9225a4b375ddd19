"""What the terms can say and still may not be meant: reported by `doctor`, never an error.

A finding belongs here, and not to `lint`, when the terms have one clear meaning all the same, or
when a programme can need it: a version that has been used must stay as it is (T1), so what an
earlier release accepted must go on loading. Pure: a valid model in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from program.lint_brakes import brake_warnings
from program.lint_plans import first_days
from program.paths import Finding, SettingPath
from program.schema import Program, Sources
from program.schema_plans import (
    BonusComponent,
    ChurnPolicy,
    EventComponent,
    PlanVersion,
    RecurringComponent,
)

EURO_REFERENCE_CURRENCIES = frozenset(
    "EUR USD JPY CZK DKK GBP HUF PLN RON SEK CHF ISK NOK TRY AUD BRL CAD CNY HKD IDR ILS INR KRW "
    "MXN MYR NZD PHP SGD THB ZAR".split()
)
"""What the European Central Bank publishes rates of, as of 2026."""


def program_warnings(program: Program) -> Iterator[Finding]:
    """All warnings about `program.yml`."""
    yield from _plans_without_partners(program)
    yield from _partners_without_plan(program)
    yield from brake_warnings(program)
    paid_in = _payout_currencies(program)
    for plan_index, plan in enumerate(program.plans):
        for index, version in enumerate(plan.versions):
            yield from _version(("plans", plan_index, "versions", index), version, paid_in)


def source_warnings(program: Program, sources: Sources) -> Iterator[Finding]:
    """Warnings about `sources.yml`: currencies that no source can bring a rate of (J6)."""
    kinds = {source.kind for source in sources.sources.values()}
    named = _named_currencies(program)
    if "files" in kinds or len(named) < 2:
        return
    if "ecb" not in kinds:
        names = ", ".join(sorted(named))
        yield (
            ("sources",),
            f"no source brings exchange rates, and the terms name {names}: what a partner of "
            "another currency earns would wait",
            "add a source of kind ecb, or a files source with fx_rates",
        )
        return
    unknown = ", ".join(sorted(named - EURO_REFERENCE_CURRENCIES))
    if unknown:
        yield (
            ("sources",),
            f"the European Central Bank publishes no rate of {unknown}",
            "add a files source and deliver fx_rates of it",
        )


def _plans_without_partners(program: Program) -> Iterator[Finding]:
    used = {*program.groups.values(), *(override.plan for override in program.overrides)}
    for index, plan in enumerate(program.plans):
        if plan.id not in used:
            yield (
                ("plans", index),
                f"plan {plan.id} has no group and no override: it governs nobody but leads that "
                "earned under it before",
                "add it to groups, or leave it for as long as one of its versions is in use",
            )


def _partners_without_plan(program: Program) -> Iterator[Finding]:
    """Days on which leads can become valid, but somebody could earn nothing on them."""
    starts = {
        name: min(version.effective_from for version in versions)
        for versions, name in ((program.lead, "lead"), (program.attribution, "attribution"))
        if name in program.model_fields_set
    }
    if not starts:
        return
    begin = max(starts.values())
    if starts.get("lead", begin) < begin:
        yield (
            ("attribution",),
            f"has no version from {starts['lead']}, when lead terms begin, to {begin} (exclusive): "
            "leads of these days are nobody's",
            "give it an earlier version, if these days should count",
        )
    first_day = first_days(program)
    for group, plan_id in program.groups.items():
        if plan_id in first_day and begin < first_day[plan_id]:
            yield (
                ("groups", group),
                f"partners of group {group} have no plan from {begin} to {first_day[plan_id]} "
                f"(exclusive), when plan {plan_id} begins: leads of these days earn nothing",
                "give the plan an earlier version, if these days should earn",
            )


def _version(path: SettingPath, version: PlanVersion, paid_in: set[str]) -> Iterator[Finding]:
    yield from _hold(path, version)
    for index, component in enumerate(version.components):
        component_path = (*path, "components", index)
        if isinstance(component, RecurringComponent):
            yield from _rates(component_path, component)
            yield from _limits(component_path, component)
        elif isinstance(component, (EventComponent, BonusComponent)):
            yield from _currencies(component_path, component, paid_in)
    yield from _same_events((*path, "components"), version)
    yield from _overlaps((*path, "components"), version)
    if version.clawback.churn is not None:
        yield from _churn((*path, "clawback", "churn"), version.clawback.churn, version)


def _hold(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    hold, oldest = version.hold, version.clawback.max_age_days
    if "hold" not in version.model_fields_set:
        yield (
            (*path, "hold"),
            f"this version has no hold: {hold.days} days after the payment count",
            "write it, so that partners and readers see it",
        )
    elif hold.days == 0:
        yield (
            (*path, "hold", "days"),
            "0: earnings are paid before the usual refunds arrive",
            "hold them for as long as customers may ask for their money back",
        )
    if oldest is not None and 0 < oldest < hold.days:
        yield (
            (*path, "clawback", "max_age_days"),
            f"{oldest} is less than the hold of {hold.days} days: what is not paid out yet could "
            "no longer be taken back",
            "raise it to the days of the hold at least",
        )


def _rates(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    tiers, rate = component.tiers, component.rate
    has_other_rates = bool(component.first_payment_rate or component.minimum) or any(
        each.rate for each in component.conditions
    )
    if tiers is None and not rate and not has_other_rates and not any(
        component.product_rates.values()
    ):  # fmt: skip
        yield (
            (*path, "rate"),
            "is 0, so that nothing is earned",
            "raise it, or remove the component",
        )
    if tiers is not None and len(tiers.bands) == 1:
        yield (*path, "tiers"), "have one band only: nothing depends on them", "write it as rate"
    if tiers is not None and rate != tiers.bands[0].rate:
        yield (
            (*path, "rate"),
            f"{rate} is never used: the tiers give every line its rate",
            f"write {tiers.bands[0].rate}, the rate of the first band",
        )
    if tiers is None:
        for product_id, product_rate in component.product_rates.items():
            if product_rate == rate:
                yield (
                    (*path, "product_rates", product_id),
                    "is the rate of all products, and changes nothing",
                    "remove it",
                )
    if tiers is None and not component.product_rates:
        for index, condition in enumerate(component.conditions):
            if condition.rate == rate:
                yield (
                    (*path, "conditions", index),
                    "gives the rate of all countries, and changes nothing",
                    "remove it",
                )
        if component.first_payment_rate == rate and not component.conditions:
            yield (
                (*path, "first_payment_rate"),
                "is the rate of all payments, and changes nothing",
                "remove it",
            )


def _limits(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    duration, caps = component.duration, component.caps
    if duration.basis == "service_period" and not duration.months:
        yield (
            (*path, "duration", "basis"),
            "service_period changes nothing: there is no window of months",
            "remove it",
        )
    if component.reactivation.mode == "continue" and component.reactivation.gap_days is not None:
        yield (
            (*path, "reactivation", "gap_days"),
            "changes nothing with mode continue",
            "remove it, or write mode: restart or mode: stop",
        )
    if caps is None:
        return
    for smaller, larger in (
        ("per_invoice", "per_customer"),
        ("per_partner_month", "per_programme_month"),
    ):
        for code, amount in getattr(caps, smaller).items():
            most = getattr(caps, larger).get(code)
            if most is not None and most <= amount:
                yield (
                    (*path, "caps", smaller, code),
                    f"is not below {larger}, which cuts first unless negative lines made room",
                    "lower it, or remove it",
                )


def _currencies(
    path: SettingPath, component: EventComponent | BonusComponent, paid_in: set[str]
) -> Iterator[Finding]:
    by_currency = component.amount or {}
    for code, amount in by_currency.items():
        if not amount:
            yield (*path, "amount", code), "is 0, so that nothing is earned", "raise it"
    missing = ", ".join(sorted(paid_in - by_currency.keys())) if by_currency else ""
    if missing:
        yield (
            (*path, "amount"),
            f"has none in {missing}, which payouts names: partners who are paid in it would earn "
            "nothing here, with an exception",
            "add it in the next version",
        )


def _same_events(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    """A fixed amount beside a share of the deal is two things; two of one kind are both paid."""
    events = [
        (index, component)
        for index, component in enumerate(version.components)
        if isinstance(component, EventComponent)
    ]
    for (_, one), (index, other) in combinations(events, 2):
        if one.trigger != other.trigger:
            continue
        in_common = sorted((one.amount or {}).keys() & (other.amount or {}).keys())
        what = f"in {', '.join(in_common)}" if in_common else ""
        if one.rate is not None and other.rate is not None:
            what = "a share of the deal each"
        if what:
            yield (
                (*path, index),
                f"pays in addition to component {one.id} for the same event, {what}: both are paid",
                "if that is not meant, keep one of them",
            )


def _overlaps(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    recurring = [
        (index, component)
        for index, component in enumerate(version.components)
        if isinstance(component, RecurringComponent)
    ]
    for (_, one), (index, other) in combinations(recurring, 2):
        if _is_one_but_for_rates(one, other):
            yield (
                (*path, index),
                f"pays in addition to component {one.id} for the same lines: both are paid",
                "if that is not meant, keep one of them",
            )
            continue
        both = _products_of_both(one, other)
        if both:
            yield (
                (*path, index),
                f"pays for {both}, as component {one.id} does: both are paid",
                "if that is not meant, exclude them in one of the two, or write product_rates",
            )


def _is_one_but_for_rates(one: RecurringComponent, other: RecurringComponent) -> bool:
    """Whether one component with other rates could stand for both."""
    settings = ("duration", "base", "caps", "minimum", "maximum", "reactivation")
    return (
        all(getattr(one, setting) == getattr(other, setting) for setting in settings)
        and _paid_products(one) == _paid_products(other)
        and (one.tiers is None or other.tiers is None)
    )


def _paid_products(component: RecurringComponent) -> tuple[frozenset[str], frozenset[str]]:
    include, exclude = frozenset(component.products.include), frozenset(component.products.exclude)
    return (include - exclude, frozenset()) if include else (include, exclude)


def _products_of_both(one: RecurringComponent, other: RecurringComponent) -> str:
    """In words; empty when no product is paid by both."""
    excluded = {*one.products.exclude, *other.products.exclude}
    includes = [set(each.products.include) for each in (one, other) if each.products.include]
    if includes:
        return ", ".join(sorted(set.intersection(*includes) - excluded))
    return f"all products but {', '.join(sorted(excluded))}" if excluded else "all products"


def _churn(path: SettingPath, churn: ChurnPolicy, version: PlanVersion) -> Iterator[Finding]:
    if not any(isinstance(component, EventComponent) for component in version.components):
        yield (
            path,
            "takes nothing back: this version has no event components (R5)",
            "remove it, or leave it for those to come",
        )
    oldest = version.clawback.max_age_days
    if oldest is not None and oldest < churn.window_days:
        yield (
            (*path, "window_days"),
            f"{churn.window_days} is more than max_age_days: nothing is taken back later than "
            f"{oldest} days after it was earned (R8)",
            "lower it, or raise max_age_days",
        )
    if churn.mode != "table" or not churn.table:
        return
    last = churn.table[-1].under_days
    if last < churn.window_days:
        yield (
            (*path, "table", len(churn.table) - 1, "under_days"),
            f"leaves a gap: from day {last} to window_days {churn.window_days} no row says what is "
            "taken back, so nothing is",
            f"in the next version write window_days: {last}, or a row for these days",
        )
    for index in range(1, len(churn.table)):
        if churn.table[index].share > churn.table[index - 1].share:
            yield (
                (*path, "table", index, "share"),
                "is more than in the row before: who leaves later gives back more",
                "lower it",
            )


def _payout_currencies(program: Program) -> set[str]:
    """Currencies that the terms of payouts name."""
    return {*program.payouts.minimum, *program.payouts.rails} - {"default"}


def _named_currencies(program: Program) -> set[str]:
    named = {program.program.reporting_currency, *_payout_currencies(program)}
    for plan in program.plans:
        for version in plan.versions:
            for component in version.components:
                if isinstance(component, (EventComponent, BonusComponent)):
                    named.update(component.amount or {})
    return named
