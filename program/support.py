"""What this release does not compute yet, and what to write instead.

The schema accepts everything that the terms can say; a setting is refused here rather than
ignored. Each entry disappears with the release that computes it. Pure: a valid model in, findings
out.
"""

from __future__ import annotations

from collections.abc import Iterator

from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_payouts import PayoutTerms
from program.schema_plans import EventComponent, PlanVersion, RecurringComponent

NOT_YET = "is not computed in this release"
COMPUTED_RAILS = ("csv",)
COMPUTED_IDENTITIES = ("os_user",)

RECURRING_SETTINGS = {
    "tiers": "remove it; rate applies to all lines",
    "caps": "remove it; nothing is cut",
    "first_payment_rate": "remove it; use an event component with trigger first_payment",
    "product_rates": "remove it; use one recurring component per rate, with products.include",
    "conditions": "remove it; use partner groups with plans of their own",
    "minimum": "remove it",
    "maximum": "remove it",
}


def unsupported_program(program: Program) -> Iterator[Finding]:
    """Settings of `program.yml` that are valid, but not computed yet."""
    for plan_index, plan in enumerate(program.plans):
        for index, plan_version in enumerate(plan.versions):
            yield from _plan_version(("plans", plan_index, "versions", index), plan_version)
    yield from _payouts(("payouts",), program.payouts)
    if program.approvals.min_identity not in COMPUTED_IDENTITIES:
        yield (
            ("approvals", "min_identity"),
            f"{program.approvals.min_identity} is not available in this release",
            "write min_identity: os_user",
        )


def _plan_version(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    for index, component in enumerate(version.components):
        component_path = (*path, "components", index)
        if isinstance(component, RecurringComponent):
            yield from _recurring(component_path, component)
        elif not isinstance(component, EventComponent):
            yield (
                (*component_path, "kind"),
                f"{component.kind} {NOT_YET}",
                "remove the component; recurring and event are computed",
            )


def _recurring(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    for setting, hint in RECURRING_SETTINGS.items():
        if getattr(component, setting) != type(component).model_fields[setting].default:
            yield (*path, setting), NOT_YET, hint
    if component.reactivation.mode != "continue":
        yield (
            (*path, "reactivation", "mode"),
            f"{component.reactivation.mode} {NOT_YET}",
            "write continue",
        )


def _payouts(path: SettingPath, payouts: PayoutTerms) -> Iterator[Finding]:
    for key, rail in payouts.rails.items():
        if rail not in COMPUTED_RAILS:
            yield (
                (*path, "rails", key),
                f"{rail} is not available in this release",
                f"write {key}: csv",
            )
    if payouts.offset_share != 1:
        yield (
            (*path, "offset_share"),
            f"{payouts.offset_share} {NOT_YET}",
            "write 1.0: negative balances are netted in full",
        )
