"""A plan's version in words: what it pays, when that may be paid, what takes it back.

Each sentence is a setting; no rule is decided here. What does not belong here: which version holds
for whom, and the rest of the programme (`docs_rules`, `docs_partner`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from orchestration.docs_examples import churn_example, tier_example
from orchestration.docs_words import (
    amount,
    amounts,
    count,
    listed,
    percent,
    percent_range,
)

if TYPE_CHECKING:
    from program.schema_plans import (
        BonusComponent,
        Caps,
        ChargebackPolicy,
        ChurnPolicy,
        Component,
        EventComponent,
        PartnerReferralComponent,
        Plan,
        PlanVersion,
        RecurringComponent,
        Tiers,
    )

STAGES = {
    "signup": "somebody signs up",
    "demo_booked": "a demo is booked",
    "demo_held": "a demo was held",
    "deal_won": "a deal is won",
    "first_payment": "the customer pays for the first time",
}
_PERIODS = {
    "month": "in a calendar month",
    "quarter": "in a calendar quarter",
    "year": "in a calendar year",
    "life": "in all",
}
_TIER_METRICS = {
    "customers": "the number of new customers that you bring",
    "conversions": "the number of your leads that become valid",
    "revenue": "the amount of the lines that earn here, without tax,",
}
_ONE_OF_METRIC = {"customers": "customer", "conversions": "lead"}
_CAP_SCOPES = {
    "per_invoice": "for one invoice",
    "per_customer": "for one customer",
    "per_partner_month": "for one partner in a calendar month",
    "per_programme_month": "for all partners together in a calendar month",
}
_PARTS = {
    "one_off": "one-off items",
    "usage": "usage",
    "setup": "setup",
    "credits": "credits",
    "shipping": "shipping",
}


def version_spans(plan: Plan) -> list[tuple[PlanVersion, date, date | None]]:
    """Versions in order of time with their first day and the first day after; None: open."""
    ordered = sorted(plan.versions, key=lambda version: version.effective_from)
    starts: list[date | None] = [*(version.effective_from for version in ordered), None]
    return [
        (version, version.effective_from, end)
        for version, (_, end) in zip(ordered, pairwise(starts), strict=True)
    ]


def span_text(start: date, end: date | None) -> str:
    """`from … on`, or `from … to …`, both days included."""
    return f"from {start}" + ("" if end is None else f" to {end - timedelta(days=1)}")


def version_lines(
    version: PlanVersion, reporting_currency: str, payout_currency: str | None = None
) -> Iterator[str]:
    """The list of what a version says.

    payout_currency: of the partner who reads it; None names the amounts of all currencies.
    """
    for component in version.components:
        yield from _component(component, reporting_currency, payout_currency)
    if not version.components:
        yield "- Nothing is earned."
    yield _hold(version)
    yield from _clawback(version, reporting_currency)


def _component(
    component: Component, reporting_currency: str, payout_currency: str | None
) -> Iterator[str]:
    if component.kind == "recurring":
        yield from _recurring(component, reporting_currency)
    elif component.kind == "event":
        yield _event(component, payout_currency)
    elif component.kind == "bonus":
        yield _bonus(component, reporting_currency, payout_currency)
    else:
        yield _referral(component)


def _recurring(component: RecurringComponent, reporting_currency: str) -> Iterator[str]:
    months = component.duration.months
    service = "from the start of the customer's first paid service"
    if months is None:
        span = "for as long as the customer pays"
    elif months == 0:
        span = "of the customer's first payment only"
    elif component.duration.basis == "charge_start":
        span = f"for everything that starts in the first {count(months, 'month')} {service}"
    else:
        span = f"for the days of service that lie in the first {count(months, 'month')} {service}"
    rates = percent_range(_possible_rates(component))
    yield (
        f"- **{component.id}**: {rates} of each paid invoice line, without tax, {span} (C1, C3). "
        "An invoice that is paid in parts earns in the same parts (C2)."
    )
    yield from _indented(_base(component))
    yield from _indented(_rate_order(component))
    if component.tiers is not None:
        yield from _indented(_tiers(component.tiers, reporting_currency))
    yield from _indented(_limits(component))
    yield from _indented(_reactivation(component))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  - {line}" for line in lines)


def _possible_rates(component: RecurringComponent) -> list[Decimal]:
    tiers, first = component.tiers, component.first_payment_rate
    return [
        *([component.rate] if tiers is None else [band.rate for band in tiers.bands]),
        *([] if first is None else [first]),
        *component.product_rates.values(),
        *(condition.rate for condition in component.conditions),
    ]


def _base(component: RecurringComponent) -> Iterator[str]:
    base, products = component.base, component.products
    yield (
        "Discounts lower what you earn (C2)."
        if base.discounts == "reduce"
        else "Discounts do not lower what you earn (C2)."
    )
    excluded = [text for name, text in _PARTS.items() if getattr(base, name) == "exclude"]
    if excluded:
        yield f"Not counted: {', '.join(excluded)} (C2)."
    if products.include:
        yield f"Only products {', '.join(products.include)} (C2)."
    if products.exclude:
        yield f"Without products {', '.join(products.exclude)} (C2)."


def _rate_order(component: RecurringComponent) -> Iterator[str]:
    others = []
    if component.first_payment_rate is not None:
        others.append(f"{percent(component.first_payment_rate)} for the customer's first payment")
    for condition in component.conditions:
        countries = listed(condition.country, "or")
        others.append(f"{percent(condition.rate)} for customers in {countries}")
    for product_id, rate in component.product_rates.items():
        others.append(f"{percent(rate)} for product {product_id}")
    if others:
        rest = "by tier" if component.tiers else percent(component.rate)
        yield f"The first that fits is the rate of a line: {'; '.join(others)}; else {rest} (C7)."


def _tiers(tiers: Tiers, reporting_currency: str) -> Iterator[str]:
    bands = list(tiers.bands)
    metric, mode = tiers.metric, tiers.mode

    def volume(value: Decimal) -> str:
        return amount(value, reporting_currency) if metric == "revenue" else f"{value:f}"

    if len(bands) == 1:
        yield f"Tier: {percent(bands[0].rate)} in every case (C5)."
        return
    steps = [f"{percent(bands[0].rate)} below {volume(bands[1].from_value)}"]
    steps += [f"{percent(band.rate)} from {volume(band.from_value)}" for band in bands[1:]]
    yield f"Tier, by {_TIER_METRICS[metric]} {_PERIODS[tiers.period]}: {', '.join(steps)} on (C5)."
    if mode == "whole":
        yield (
            "The tier that is reached counts for the whole period: earlier payments get the "
            "difference (C5)."
        )
    elif mode == "forward":
        yield "A tier counts for payments after it is reached; earlier ones stay as they are (C5)."
    elif metric == "revenue":
        yield "Each part of a payment has the rate of the tier in which it lies (C5)."
    else:
        one, place = _ONE_OF_METRIC[metric], int(bands[1].from_value)
        yield (
            f"Each {one} has the rate of its place: number {place} still {percent(bands[0].rate)}, "
            f"number {place + 1} {percent(bands[1].rate)} (C5)."
        )
    if metric != "revenue" and tiers.period != "life" and mode == "marginal":
        yield (
            f"A {_ONE_OF_METRIC[metric]} of an earlier period has the rate that is reached when it "
            "pays (C5)."
        )
    example = tier_example(tiers, reporting_currency)
    if example:
        yield example


def _limits(component: RecurringComponent) -> Iterator[str]:
    bounds = []
    if component.minimum:
        bounds.append(f"at least {amounts(component.minimum)}")
    if component.maximum:
        bounds.append(f"at most {amounts(component.maximum)}")
    if bounds:
        text = " and ".join(bounds)
        text = f"{text[0].upper()}{text[1:]}"
        yield f"{text} for each invoice line, before it is shared or capped (C7)."
    if component.caps is not None:
        yield from _caps(component.caps)


def _caps(caps: Caps) -> Iterator[str]:
    texts = [
        f"{amounts(by_currency)} {words}"
        for scope, words in _CAP_SCOPES.items()
        if (by_currency := getattr(caps, scope))
    ]
    if texts:
        yield f"At most {'; '.join(texts)}. What lies above is cut, and shown as cut (C6)."


def _reactivation(component: RecurringComponent) -> Iterator[str]:
    months, gap = component.duration.months, component.reactivation
    back = f"If the customer comes back after {gap.gap_days} days or more without paid service"
    if gap.mode == "stop":
        yield f"{back}, nothing more is earned (C4)."
    elif gap.mode == "restart" and months:
        yield f"{back}, the {count(months, 'month')} begin anew (C4)."
    elif gap.mode == "restart" and months == 0:
        yield f"{back}, the first payment after it counts again (C4)."
    elif months:
        yield "A pause of the customer does not stop the months (C4)."


def _event(component: EventComponent, payout_currency: str | None) -> str:
    once = f"once per lead when {STAGES[component.trigger]} and the lead is valid (C1)"
    if component.rate is not None:
        later = "" if component.trigger == "deal_won" else ", and not before the deal is won"
        return (
            f"- **{component.id}**: {percent(component.rate)} of the first won deal, {once}{later}."
        )
    return f"- **{component.id}**: {_fixed(component.amount or {}, payout_currency)}, {once}."


def _fixed(by_currency: dict[str, Decimal], payout_currency: str | None) -> str:
    """The amount in the currency in which the partner is paid, or all of them."""
    if payout_currency is None:
        return amounts(by_currency)
    if payout_currency in by_currency:
        return amount(by_currency[payout_currency], payout_currency)
    return f"an amount that is not set for {payout_currency} yet"


def _bonus(component: BonusComponent, reporting_currency: str, payout_currency: str | None) -> str:
    threshold, is_for_life = component.threshold, component.period == "life"
    if component.metric == "revenue":
        goal = (
            f"your customers have paid {amount(threshold, reporting_currency)} or more, after "
            "discounts and without tax"
        )
    else:
        done = {"customers": "paid for the first time", "conversions": "become valid"}
        noun = _ONE_OF_METRIC[component.metric]
        verb = "has" if threshold == 1 else "have"
        goal = f"{count(threshold, noun)} of yours {verb} {done[component.metric]}"
    when = (
        f"once, when {goal}"
        if is_for_life
        else f"once {_PERIODS[component.period]} when {goal} in it"
    )
    return (
        f"- **{component.id}**: {_fixed(component.amount, payout_currency)}, {when}. "
        "The terms of that day count, and it is never taken back (C1, C7)."
    )


def _referral(component: PartnerReferralComponent) -> str:
    return (
        f"- **{component.id}**: {percent(component.rate)} of what partners that you referred earn, "
        f"without their bonuses, in the first {count(component.months, 'month')} from the day on "
        "which they joined. What is taken back from them takes back the same share here (C7)."
    )


def _hold(version: PlanVersion) -> str:
    kinds = {component.kind for component in version.components}
    is_for_events = bool(kinds & {"event", "bonus"})
    is_for_payments = "recurring" in kinds or not is_for_events
    what = " or ".join(
        [*(["payment"] if is_for_payments else []), *(["event"] if is_for_events else [])]
    )
    start = f"end of the month of the {what}" if version.hold.after == "month_end" else what
    if not version.hold.days:
        return f"- Payable from the {start} on (P1)."
    return f"- Payable {count(version.hold.days, 'day')} after the {start} (P1)."


def _clawback(version: PlanVersion, reporting_currency: str) -> Iterator[str]:
    policy = version.clawback
    if policy.refund.mode == "proportional":
        yield (
            "- A refund takes back the same share of what was earned as was refunded of what was "
            "paid; a full refund leaves exactly nothing (R1, M4)."
        )
    else:
        yield "- Refunds take nothing back (R1)."
    yield f"- {_chargeback(policy.chargeback)} (R2)."
    events = [each.id for each in version.components if each.kind == "event"]
    if policy.churn is not None and events:
        yield f"- {_churn(policy.churn, events)} (R5)."
        if policy.churn.mode == "prorated":
            yield f"  - {churn_example(policy.churn, reporting_currency)}"
    if policy.max_age_days is not None:
        yield (
            f"- Nothing is taken back later than {count(policy.max_age_days, 'day')} after it was "
            "earned (R8)."
        )


def _chargeback(policy: ChargebackPolicy) -> str:
    lost = "is taken back" if policy.on_lost == "reverse" else "stays"
    if policy.on_open == "reverse":
        return (
            "A chargeback takes back what was earned at once; when it is won, the same amount is "
            "given back"
        )
    while_open = "waits while a chargeback is open" if policy.on_open == "hold" else "stays payable"
    return f"What was earned {while_open}; lost, it {lost}; won, it is released"


def _churn(policy: ChurnPolicy, events: Sequence[str]) -> str:
    start = (
        f"If the customer's access ends within {policy.window_days} days of the first paid "
        f"service, {listed(events, 'and')} {'is' if len(events) == 1 else 'are'} taken back"
    )
    if policy.mode == "full":
        return f"{start} in full"
    if policy.mode == "prorated":
        return f"{start} in proportion to the days that are missing"
    steps = ", ".join(
        f"{percent(band.share)} under {count(band.under_days, 'day')}" for band in policy.table
    )
    is_gap = policy.table[-1].under_days < policy.window_days
    return f"{start}: {steps}{', later nothing' if is_gap else ''}"
