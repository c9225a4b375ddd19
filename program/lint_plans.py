"""Rules across the components of a plan version, its take-backs, and who has which plan (T3).

Does not belong here: the settings of one recurring component (`lint_rates`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from datetime import date

from program.lint_common import (
    amounts,
    repeated,
    repeated_versions,
    whole_volume,
    zero_amounts,
)
from program.lint_rates import lint_recurring
from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_plans import (
    BonusComponent,
    ChurnPolicy,
    Component,
    EventComponent,
    PartnerReferralComponent,
    PlanVersion,
    RecurringComponent,
)

DEFAULT_GROUP = "default"

Payment = tuple[Hashable, ...]
"""What a component pays for, and in which currency: two of a version with one in common tie."""


def lint_plans(program: Program) -> Iterator[Finding]:
    """All findings within plans, one version at a time."""
    currency_code = program.program.reporting_currency
    yield from repeated(("plans",), "id", [plan.id for plan in program.plans], "plan")
    for plan_index, plan in enumerate(program.plans):
        path: SettingPath = ("plans", plan_index, "versions")
        yield from repeated_versions(path, plan.versions)
        for index, version in enumerate(plan.versions):
            yield from _version((*path, index), version, currency_code)


def _version(path: SettingPath, version: PlanVersion, reporting_currency: str) -> Iterator[Finding]:
    components_path = (*path, "components")
    ids = [component.id for component in version.components]
    yield from repeated(components_path, "id", ids, "component")
    for index, component in enumerate(version.components):
        yield from _component((*components_path, index), component, reporting_currency)
    yield from _ties(components_path, version)
    if version.clawback.churn is not None:
        yield from _churn((*path, "clawback", "churn"), version.clawback.churn)


def _component(
    path: SettingPath, component: Component, reporting_currency: str
) -> Iterator[Finding]:
    if isinstance(component, RecurringComponent):
        yield from lint_recurring(path, component, reporting_currency)
    elif isinstance(component, EventComponent):
        yield from _event(path, component)
    elif isinstance(component, BonusComponent):
        yield from _bonus(path, component, reporting_currency)
    elif not component.rate:
        yield (*path, "rate"), "is 0, so that nothing would be earned", "raise it"


def _event(path: SettingPath, component: EventComponent) -> Iterator[Finding]:
    if component.amount is None and component.rate is None:
        yield path, "has neither amount nor rate", "add amount: {USD: 50.00}, or rate: 0.05"
    elif component.amount is not None and component.rate is not None:
        yield path, "has both amount and rate", "keep one of them"
    if component.amount is not None:
        if not component.amount:
            yield (*path, "amount"), "names no currency", "write {USD: 50.00}"
        yield from amounts((*path, "amount"), component.amount)


def _bonus(
    path: SettingPath, component: BonusComponent, reporting_currency: str
) -> Iterator[Finding]:
    yield from amounts((*path, "amount"), component.amount)
    yield from zero_amounts(
        (*path, "amount"), component.amount, "is 0, so that nothing would be earned", "raise it"
    )
    threshold_path = (*path, "threshold")
    yield from whole_volume(
        threshold_path, component.metric, component.threshold, reporting_currency
    )
    if not component.threshold:
        yield threshold_path, "is 0, which nobody has to reach", "write 1 or more"


def _ties(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    """Two bonuses of one goal and currency, or two shares of one referred partner.

    Of one id they are reported as that already. Event and recurring components that both pay are
    warned of, as a used version can have them (`lint_warnings`).
    """
    first_by_payment: dict[Payment, str] = {}
    for index, component in enumerate(version.components):
        others = sorted(
            {
                first_by_payment[payment]
                for payment in _payments(component)
                if first_by_payment.get(payment, component.id) != component.id
            }
        )
        if others:
            yield (
                (*path, index),
                f"pays for the same as component {', '.join(others)} above: both would be paid",
                "keep one of them, with the sum of both if both are meant",
            )
        for payment in _payments(component):
            first_by_payment.setdefault(payment, component.id)


def _payments(component: Component) -> list[Payment]:
    if isinstance(component, BonusComponent):
        goal = (component.metric, component.period, component.threshold)
        return [(*goal, code) for code in component.amount]
    if isinstance(component, PartnerReferralComponent):
        return [("partner_referral",)]
    return []


def _churn(path: SettingPath, churn: ChurnPolicy) -> Iterator[Finding]:
    if churn.mode == "table" and not churn.table:
        yield path, "mode table needs a table", "add table: [{under_days: 30, share: 1.0}]"
    if churn.mode != "table" and churn.table:
        yield (
            (*path, "table"),
            f"is not used by mode {churn.mode}",
            "remove it, or write mode: table",
        )
    for index in range(1, len(churn.table)):
        before = churn.table[index - 1].under_days
        if churn.table[index].under_days <= before:
            yield (
                (*path, "table", index, "under_days"),
                f"is not above the {before} of the row before",
                "order rows by under_days, ascending",
            )
        elif before >= churn.window_days:
            yield (
                (*path, "table", index, "under_days"),
                f"is never reached: window_days ends at {churn.window_days}",
                "remove the row, or widen window_days",
            )


def lint_assignments(program: Program, plan_ids: Collection[str]) -> Iterator[Finding]:
    """Groups and overrides: plans that do not exist, or not yet, and overrides that tie.

    plan_ids: ids of all plans that the file names, also of those that could not be read.
    """
    known = ", ".join(sorted(plan_ids))
    if DEFAULT_GROUP not in program.groups:
        yield ("groups",), "has no default group", "add default: and the plan for everybody else"
    if not plan_ids:
        return
    for group, plan_id in program.groups.items():
        if plan_id not in plan_ids:
            yield ("groups", group), f"no plan is called {plan_id!r}", f"plans here: {known}"
    first_day = first_days(program)
    for index, override in enumerate(program.overrides):
        path = ("overrides", index)
        if override.plan not in plan_ids:
            yield (*path, "plan"), f"no plan is called {override.plan!r}", f"plans here: {known}"
        elif override.plan in first_day and override.effective_from < first_day[override.plan]:
            yield (
                (*path, "effective_from"),
                f"is earlier than the first version of plan {override.plan}, "
                f"{first_day[override.plan]}",
                "move it, or give the plan an earlier version",
            )
    yield from _overrides(program)


def first_days(program: Program) -> dict[str, date]:
    """The day on which the first version of each plan begins."""
    return {
        plan.id: min(version.effective_from for version in plan.versions) for plan in program.plans
    }


def _overrides(program: Program) -> Iterator[Finding]:
    """Of each partner, in order of time: two from one day, and one that changes nothing."""
    by_partner: dict[str, dict[date, int]] = {}
    for index, override in enumerate(program.overrides):
        by_day = by_partner.setdefault(override.partner_id, {})
        if by_day.setdefault(override.effective_from, index) != index:
            yield (
                ("overrides", index, "effective_from"),
                f"partner {override.partner_id} has an override from this day above already",
                "keep one of them",
            )
    for by_day in by_partner.values():
        before = None
        for _, index in sorted(by_day.items()):
            override = program.overrides[index]
            if before is not None and override.plan == before.plan:
                yield (
                    ("overrides", index),
                    f"changes nothing: partner {override.partner_id} has plan {override.plan} "
                    f"from {before.effective_from} on",
                    "remove it",
                )
            before = override
