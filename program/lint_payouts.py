"""Rules across the settings of payouts and approvals (T3).

Pure: a valid model in, findings out. What is only worth a look stands in `lint_brakes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from program.lint_common import amounts, zero_amounts
from program.paths import Finding, SettingPath
from program.schema_payouts import (
    GATES,
    IDENTITIES,
    RAIL_CURRENCY,
    Approvals,
    ApprovalTier,
    PayoutTerms,
    Schedule,
)

SCHEDULE_SETTINGS = {"monthly": "pay_day", "twice_monthly": "pay_days", "weekly": "pay_weekday"}


def lint_payouts(payouts: PayoutTerms) -> Iterator[Finding]:
    """All findings about the terms of payouts."""
    yield from _schedule(("payouts", "schedule"), payouts.schedule)
    yield from amounts(("payouts", "minimum"), payouts.minimum)
    repeated = [gate for gate in GATES if payouts.gates.count(gate) > 1]
    if repeated:
        yield (
            ("payouts", "gates"),
            f"names {', '.join(repeated)} more than once",
            "keep one of each",
        )
    yield from _rails(("payouts", "rails"), payouts)
    yield from _caps(("payouts", "caps"), payouts)


def _rails(path: SettingPath, payouts: PayoutTerms) -> Iterator[Finding]:
    for key, rail in payouts.rails.items():
        paid = RAIL_CURRENCY.get(rail)
        if paid is not None and key != paid:
            yield (
                (*path, key),
                f"{rail} pays {paid} only",
                f"write {paid}: {rail}, and another rail here",
            )


def _caps(path: SettingPath, payouts: PayoutTerms) -> Iterator[Finding]:
    for name in ("per_partner", "per_batch"):
        caps = getattr(payouts.caps, name)
        yield from amounts((*path, name), caps)
        yield from zero_amounts(
            (*path, name), caps, "is 0, so that every payout is over it", "raise or remove it"
        )
        for code, cap in caps.items():
            least = payouts.minimum.get(code)
            if least is not None and 0 < cap < least:
                yield (
                    (*path, name, code),
                    f"is below payouts.minimum, so that every payout in {code} is over it",
                    "raise it, or lower the minimum",
                )


def _schedule(path: SettingPath, schedule: Schedule) -> Iterator[Finding]:
    used = SCHEDULE_SETTINGS[schedule.frequency]
    for frequency, setting in SCHEDULE_SETTINGS.items():
        if setting != used and setting in schedule.model_fields_set:
            yield (
                (*path, setting),
                f"is for frequency {frequency}, and has no effect with {schedule.frequency}",
                f"remove it; {schedule.frequency} takes {used}",
            )
    if schedule.frequency == "twice_monthly" and len(set(schedule.pay_days)) == 1:
        yield (*path, "pay_days"), "names one day twice", "write two days such as [1, 15]"


def lint_approvals(approvals: Approvals, currency_code: str) -> Iterator[Finding]:
    """All findings about approvals. currency_code: the reporting currency."""
    path: SettingPath = ("approvals", "tiers")
    last = len(approvals.tiers) - 1
    highest = None
    for index, tier in enumerate(approvals.tiers):
        yield from _identity((*path, index), tier, approvals)
        if tier.up_to is None:
            if index != last:
                yield (
                    (*path, index),
                    "has no up_to, so that later tiers are never reached",
                    "add it",
                )
            continue
        if index == last:
            yield (
                (*path, index, "up_to"),
                "leaves batches above it without a rule",
                "end the list with a tier without up_to",
            )
        if highest is not None and tier.up_to <= highest:
            yield (*path, index, "up_to"), "is not above the tier before", "order tiers by up_to"
        highest = tier.up_to
        yield from _amounts_of_tier((*path, index, "up_to"), tier.up_to, currency_code)


def _identity(path: SettingPath, tier: ApprovalTier, approvals: Approvals) -> Iterator[Finding]:
    own = tier.min_identity
    if own is not None and IDENTITIES.index(own) < IDENTITIES.index(approvals.min_identity):
        yield (
            (*path, "min_identity"),
            f"{own} is weaker than approvals.min_identity, and a tier only raises it",
            f"remove it, or write approvals.min_identity: {own} and the stronger one per tier",
        )


def _amounts_of_tier(path: SettingPath, up_to: Decimal, currency_code: str) -> Iterator[Finding]:
    for (*_, _code), message, hint in amounts(path, {currency_code: up_to}):
        yield path, message, hint
