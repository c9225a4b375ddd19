"""docs/commission-rules.md: what program.yml says, in words a partner understands.

Each sentence is a setting; no rule is decided here. What does not belong here: the words of a plan
(`docs_plan`), the page of one partner (`docs_partner`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.docs_plan import STAGES, span_text, version_lines, version_spans
from orchestration.docs_words import amounts, count, percent

if TYPE_CHECKING:
    from program.schema import Program
    from program.schema_lead import AttributionVersion, LeadVersion
    from program.schema_payouts import Caps, PayoutTerms
    from program.schema_plans import Plan

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
_GATES = {
    "status": "the partner is active",
    "terms_accepted": "the partner has accepted the terms",
    "payee_verified": "the bank account is verified",
    "tax_form": "a valid tax form is on file",
    "screening": "sanctions screening is clear",
    "cooling_off": "no cooling-off period runs (as after a change of the bank account)",
}

_IDENTITIES = {
    "os_user": "named by the operating system at least",
    "ssh_signed": "signed with a key at least",
    "oidc": "signed in with the company's account",
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
        f"{program.program.timezone}. The numbers in brackets name the rule of the product. "
        "`partnerledger partner rules PARTNER` writes the page of one partner.",
        "",
    ]
    for version in sorted(program.lead, key=lambda each: each.effective_from):
        lines += lead_lines(version)
    for version in sorted(program.attribution, key=lambda each: each.effective_from):
        lines += attribution_lines(version)
    for plan in program.plans:
        lines += _plan(program, plan)
    lines += payout_lines(program.payouts)
    lines += _approvals(program)
    return "\n".join(lines) + "\n"


def lead_lines(version: LeadVersion) -> Iterator[str]:
    """What counts as a lead, by one version."""
    scope = (
        "All people of one company are one lead."
        if version.scope == "account"
        else "Each person is a lead of their own."
    )
    yield f"## Leads, from {version.effective_from}"
    yield ""
    yield (
        f"- A lead is valid when {STAGES[version.valid_when]}; a won deal or a first payment "
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


def attribution_lines(version: AttributionVersion) -> Iterator[str]:
    """How it is decided who brought a customer, by one version."""
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
            f"Of those that compete, the first has {percent(shares.first)} and the last "
            f"{percent(shares.last)}; those between share the rest, two have half each"
        )
    days = count(version.time_decay.half_life_days, "day")
    return f"All that compete share the credit; one that is {days} older counts half"


def _plan(program: Program, plan: Plan) -> Iterator[str]:
    groups = [name for name, plan_id in program.groups.items() if plan_id == plan.id]
    own = [
        f"partner {each.partner_id} from {each.effective_from}"
        for each in program.overrides
        if each.plan == plan.id
    ]
    who = ", ".join([*(f"group {name}" for name in groups), *own])
    for version, start, end in version_spans(plan):
        yield f"## Plan {plan.id}, {span_text(start, end)}"
        yield ""
        yield f"For {who or 'nobody at present'}. " + (
            "A lead keeps the terms of the day on which it became valid (T2)."
            if version.terms_follow == "pinned"
            else "The terms of the day of each event count (T2)."
        )
        yield ""
        yield from version_lines(version, program.program.reporting_currency)
        yield ""


def payout_lines(terms: PayoutTerms, currency_code: str | None = None) -> Iterator[str]:
    """When money is paid. currency_code: of the partner who reads it; None: of all."""
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
    minimum = {
        code: least for code, least in terms.minimum.items() if currency_code in (None, code)
    }
    if minimum:
        yield f"- Less than {amounts(minimum)} waits for the next payout (P2)."
    yield f"- Paid if {'; '.join(_GATES[gate] for gate in terms.gates)} (P2)."
    yield (
        "- What was taken back after it was paid is netted against later earnings, up to "
        f"{percent(terms.offset_share)} of them (P3)."
    )
    if "cooling_off" in terms.gates and terms.cooling_off_days:
        yield (
            f"- After a change of the payee details nothing is paid for "
            f"{count(terms.cooling_off_days, 'day')} (P2)."
        )
    yield (
        f"- A line can be disputed for {count(terms.disputes.window_days, 'day')}; it is decided "
        f"within {count(terms.disputes.answer_days, 'day')}, by somebody else than who set its "
        "rule."
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
            f"- {limit}: {count(tier.partnerships, 'approval')} by partnerships and "
            f"{count(tier.finance, 'approval')} by finance, all of different people, none of them "
            f"who proposed it{_proof(tier.min_identity)} (P5)."
        )
    extra = program.approvals.with_exceptions
    if extra is not None:
        yield (
            "- With new payee details, a first payment or an unusual amount in it: at least "
            f"{count(extra.partnerships, 'approval')} by partnerships and "
            f"{count(extra.finance, 'approval')} by finance (P5)."
        )
    yield from _caps(program.payouts.caps)
    yield (
        f"- An approved batch that is not exported within {program.approvals.expire_days} days is "
        "made again (P5)."
    )


def _proof(identity: str | None) -> str:
    return "" if identity is None else f", and {_IDENTITIES[identity]}"


def _caps(caps: Caps) -> Iterator[str]:
    """What is larger than usual: not paid, or shown to approvers before all else."""
    if caps.per_partner:
        yield f"- A payout of more than {amounts(caps.per_partner)} is left out (P5)."
    sizes = []
    if caps.per_batch:
        sizes.append(f"of more than {amounts(caps.per_batch)}")
    if caps.payouts_per_batch is not None:
        sizes.append(f"with more than {count(caps.payouts_per_batch, 'payout')}")
    if sizes:
        yield f"- A batch {' or '.join(sizes)} is not exported (P5)."
    if caps.times_average is not None:
        yield (
            f"- A payout of more than {caps.times_average.normalize():f} times the partner's "
            "average is shown to the approvers before all else (P5)."
        )
