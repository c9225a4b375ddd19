"""docs/commission-rules.md: what program.yml says, in words a partner understands.

Each sentence is a setting; no rule is decided here. What does not belong here: other pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from program.schema import Program
    from program.schema_lead import AttributionVersion, LeadVersion
    from program.schema_payouts import PayoutTerms
    from program.schema_plans import (
        ChargebackPolicy,
        ChurnPolicy,
        EventComponent,
        PlanVersion,
        RecurringComponent,
    )

_STAGES = {
    "signup": "somebody signs up",
    "demo_booked": "a demo is booked",
    "demo_held": "a demo was held",
    "deal_won": "a deal is won",
    "first_payment": "the customer pays for the first time",
}
_TOUCHES = {
    "manual_ruling": "a ruling by the programme",
    "deal_registration": "an approved deal registration",
    "promotion_code": "a promotion code",
    "crm_field": "a code in the CRM",
    "form_field": "a code in a form",
    "referral_link": "a click on a referral link",
}
_AFTER_EARNING = {
    "pin": "- Once something was earned for a lead, who brought it stays (A6).",
    "recompute_until_paid": "- Who brought a lead follows new facts until something earned for it "
    "has been paid; then it stays (A6).",
    "recompute": "- Who brought a lead always follows the newest facts (A6).",
}
_HOLDS = {
    "paid": "after the invoice was paid",
    "event": "after the event",
    "month_end": "after the end of that month",
}
_GATES = {
    "status": "the partner is active",
    "terms_accepted": "the partner has accepted the terms",
    "payee_verified": "the bank account is verified",
    "tax_form": "a valid tax form is on file",
    "screening": "sanctions screening is clear",
    "cooling_off": "no cooling-off period runs (as after a change of the bank account)",
}


def commission_rules(workspace_path: Path, notice: str) -> str:
    """The page for the programme in a folder. Raises: TermsError."""
    from program.load import load_workspace

    program = load_workspace(workspace_path).program
    lines = [
        notice.format(source="program/program.yml"),
        f"# How partners of {program.program.name} earn",
        "",
        f"Paid by {program.program.legal_entity}. Days begin at midnight in "
        f"{program.program.timezone}. The numbers in brackets name the rule of the product.",
        "",
    ]
    for version in program.lead:
        lines += _lead(version)
    for version in program.attribution:
        lines += _attribution(version)
    for plan in program.plans:
        for version in plan.versions:
            lines += _plan(program, plan.id, version)
    lines += _payouts(program.payouts)
    lines += _approvals(program)
    return "\n".join(lines) + "\n"


def _lead(version: LeadVersion) -> Iterator[str]:
    scope = (
        "All people of one company are one lead."
        if version.scope == "account"
        else "Each person is a lead of their own."
    )
    yield f"## Leads, from {version.effective_from}"
    yield ""
    yield (
        f"- A lead is valid when {_STAGES[version.valid_when]}; a won deal or a first payment "
        f"makes any lead valid (L2). {scope} (F4)"
    )
    if version.protection_days:
        yield (
            f"- For {version.protection_days} days from the first accepted submission, another "
            "partner's submission of the same lead is refused (L3)."
        )
    refused = [
        (version.existing_customer, "somebody who had already paid before"),
        (version.open_opportunity, "a company with an open deal that no touch of yours preceded"),
        (version.self_referral, "the partner's own people"),
    ]
    names = "; ".join(text for decision, text in refused if decision == "reject")
    if names:
        yield f"- Refused: {names} (L4)."
    yield f"- A lead that has not moved for {version.stale_days} days asks for an update (L5)."
    yield ""


def _attribution(version: AttributionVersion) -> Iterator[str]:
    order = ", then ".join(_TOUCHES[name] for name in version.priority)
    yield f"## Who brought the customer, from {version.effective_from}"
    yield ""
    yield (
        "- It is decided once per lead, at the moment it becomes valid, from what happened in the "
        f"{version.touch_window_days} days before (A1)."
    )
    yield f"- Only the strongest kind that is present competes: {order} (A2)."
    if version.code_grace_hours:
        yield f"- A code loses to a link of the {version.code_grace_hours} hours before it (A2)."
    yield f"- {_model(version)} (A3)."
    if version.collapse_repeats:
        yield "- Several in a row by one partner count once, the last of them (A3)."
    yield (
        f"- If the first payment comes more than {version.conversion_window_days} days after the "
        "lead became valid, shares of payments earn nothing (A5)."
    )
    yield _AFTER_EARNING[version.after_earning]
    yield "- An approved ruling, with its evidence, stands above all of this (A2, A6)."
    yield ""


def _model(version: AttributionVersion) -> str:
    if version.model == "last_touch":
        return "Of those that compete, the last one before that moment wins"
    if version.model == "first_touch":
        return "Of those that compete, the first one wins"
    if version.model == "linear":
        return "All that compete share the credit equally"
    if version.model == "position_based":
        shares = version.position_based
        return (
            f"Of those that compete, the first has {_percent(shares.first)} and the last "
            f"{_percent(shares.last)}; those between share the rest, two have half each"
        )
    days = _count(version.time_decay.half_life_days, "day")
    return f"All that compete share the credit; one that is {days} older counts half"


def _plan(program: Program, plan_id: str, version: PlanVersion) -> Iterator[str]:
    groups = [name for name, plan in program.groups.items() if plan == plan_id]
    own = [each.partner_id for each in program.overrides if each.plan == plan_id]
    who = ", ".join([*(f"group {name}" for name in groups), *(f"partner {name}" for name in own)])
    yield f"## Plan {plan_id}, from {version.effective_from}"
    yield ""
    yield f"For {who or 'nobody at present'}. " + (
        "A lead keeps the terms of the day on which it became valid (T2)."
        if version.terms_follow == "pinned"
        else "The terms of the day of each event count (T2)."
    )
    yield ""
    for component in version.components:
        if component.kind == "recurring":
            yield from _recurring(component)
        elif component.kind == "event":
            yield _event(component)
        else:
            yield f"- **{component.id}** ({component.kind})."
    hold = version.hold
    yield f"- Payable {_count(hold.days, 'day')} {_HOLDS[hold.after]} (P1)."
    yield from _clawback(version)
    yield ""


def _recurring(component: RecurringComponent) -> Iterator[str]:
    months = component.duration.months
    if months is None:
        span = "for as long as the customer pays"
    elif months == 0:
        span = "for the first payment only"
    elif component.duration.basis == "charge_start":
        span = f"for everything that starts in the first {_count(months, 'month')}"
    else:
        span = f"for the days of service that lie in the first {_count(months, 'month')}"
    yield (
        f"- **{component.id}**: {_percent(component.rate)} of each paid invoice line, without tax, "
        f"{span} from the start of the customer's first paid service (C1, C3)."
    )
    base = component.base
    yield (
        "  Discounts lower what you earn (C2)."
        if base.discounts == "reduce"
        else "  Discounts do not lower what you earn (C2)."
    )
    parts = {"one_off": "one-off items", "usage": "usage", "setup": "setup", "credits": "credits",
             "shipping": "shipping"}  # fmt: skip
    excluded = [text for name, text in parts.items() if getattr(base, name) == "exclude"]
    if excluded:
        yield f"  Not counted: {', '.join(excluded)}."
    if component.products.include:
        yield f"  Only products {', '.join(component.products.include)}."
    if component.products.exclude:
        yield f"  Without products {', '.join(component.products.exclude)}."


def _event(component: EventComponent) -> str:
    once = f"once per lead when {_STAGES[component.trigger]} and the lead is valid (C1)"
    if component.rate is not None:
        return f"- **{component.id}**: {_percent(component.rate)} of the first won deal, {once}."
    return f"- **{component.id}**: {_amounts(component.amount or {})}, {once}."


def _clawback(version: PlanVersion) -> Iterator[str]:
    policy = version.clawback
    if policy.refund.mode == "proportional":
        yield (
            "- A refund takes back the same share of what was earned as was refunded of what was "
            "paid; a full refund leaves exactly nothing (R1, M4)."
        )
    else:
        yield "- Refunds take nothing back (R1)."
    yield f"- {_chargeback(policy.chargeback)} (R2)."
    if policy.churn is not None:
        yield f"- {_churn(policy.churn)} (R5)."
    if policy.max_age_days is not None:
        yield (
            f"- Nothing is taken back later than {_count(policy.max_age_days, 'day')} after it was "
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


def _churn(policy: ChurnPolicy) -> str:
    start = (
        f"If the customer's access ends within {policy.window_days} days of the first paid "
        "service, bounties are taken back"
    )
    if policy.mode == "full":
        return f"{start} in full"
    if policy.mode == "prorated":
        return f"{start} in proportion to the days that are missing"
    steps = ", ".join(
        f"{_percent(band.share)} under {band.under_days} days" for band in policy.table
    )
    return f"{start}: {steps}"


def _payouts(terms: PayoutTerms) -> Iterator[str]:
    schedule = terms.schedule
    when = {
        "monthly": f"On day {schedule.pay_day} of each month, what was available by the end of the "
        "month before is paid",
        "twice_monthly": f"On days {schedule.pay_days[0]} and {schedule.pay_days[1]} of each "
        "month, what was available on the day before is paid",
        "weekly": f"Every {schedule.pay_weekday}, what was available on the day before is paid",
    }[schedule.frequency]
    moved = {
        "next": "; on a weekend, the next business day",
        "previous": "; on a weekend, the business day before",
        "any": "",
    }[schedule.business_day]
    yield "## Payouts"
    yield ""
    yield f"- {when}{moved} (P4)."
    if terms.minimum:
        yield (f"- Less than {_amounts(terms.minimum)} waits for the next payout (P2).")
    yield f"- Paid if {'; '.join(_GATES[gate] for gate in terms.gates)} (P2)."
    yield (
        "- What was taken back after it was paid is netted against later earnings, up to "
        f"{_percent(terms.offset_share)} of them (P3)."
    )
    yield ""


def _approvals(program: Program) -> Iterator[str]:
    yield "## Before money leaves"
    yield ""
    for tier in program.approvals.tiers:
        limit = (
            "Any larger total"
            if tier.up_to is None
            else f"A batch of up to {tier.up_to:,.2f} in its own currency"
        )
        yield (
            f"- {limit}: {_count(tier.partnerships, 'approval')} by partnerships and "
            f"{_count(tier.finance, 'approval')} by finance, all of different people, none of them "
            "who proposed it (P5)."
        )
    yield (
        f"- An approved batch that is not exported within {program.approvals.expire_days} days is "
        "made again (P5)."
    )


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _amounts(amounts: Mapping[str, Decimal]) -> str:
    from program.currencies import format_minor, to_minor

    texts = [
        f"{format_minor(to_minor(value, code), code)} {code}" for code, value in amounts.items()
    ]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
