"""Rules across settings (T3): duplicates, gaps, unreachable and contradictory terms.

Pure: a valid model in, findings out. Positions in paths are those of the model. Does not belong
here: checks of a single value (`schema_base`), what is not computed yet (`support`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

from program.currencies import to_minor
from program.errors import CurrencyError
from program.paths import Finding, SettingPath
from program.schema import Program
from program.schema_lead import TOUCH_TYPES, AttributionVersion
from program.schema_payouts import GATES, Approvals, PayoutTerms, Schedule
from program.schema_plans import (
    BonusComponent,
    Component,
    EventComponent,
    Plan,
    PlanVersion,
    RecurringComponent,
    Tiers,
)
from program.schema_sources import FilesSource, Sources

DEFAULT_GROUP = "default"

SCHEDULE_SETTINGS = {"monthly": "pay_day", "twice_monthly": "pay_days", "weekly": "pay_weekday"}


def lint_program(program: Program, plan_ids: Collection[str]) -> Iterator[Finding]:
    """All findings about the terms.

    plan_ids: ids of all plans that the file names, also of those that could not be read.
    """
    yield from _repeated_versions(("lead",), program.lead)
    yield from _repeated_versions(("attribution",), program.attribution)
    for index, version in enumerate(program.attribution):
        yield from _attribution(("attribution", index), version)
    yield from _repeated(("plans",), "id", [plan.id for plan in program.plans], "plan")
    for index, plan in enumerate(program.plans):
        yield from _plan(("plans", index), plan)
    yield from _assignments(program, plan_ids)
    yield from _payouts(program.payouts)
    yield from _approvals(program.approvals, program.program.reporting_currency)
    if program.pilot.enabled and not program.pilot.partners:
        yield (
            ("pilot", "partners"),
            "is empty while the pilot is enabled, so that nobody would ever be paid",
            "name the pilot's partners, or set enabled: false",
        )


def lint_sources(sources: Sources) -> Iterator[Finding]:
    """Two connectors that would read the same folder would land the same money twice."""
    first_by_path: dict[str, str] = {}
    for name, source in sources.sources.items():
        if isinstance(source, FilesSource):
            first = first_by_path.setdefault(source.path.rstrip("/"), name)
            if first != name:
                yield (
                    ("sources", name, "path"),
                    f"is the folder of source {first} already",
                    "give each files source a folder of its own",
                )


def _repeated(
    path: SettingPath, setting: str, values: Iterable[str], what: str
) -> Iterator[Finding]:
    first_by_value: dict[str, int] = {}
    for index, value in enumerate(values):
        first = first_by_value.setdefault(value, index)
        if first != index:
            yield (
                (*path, index, setting),
                f"there is a {what} {value!r} above already",
                "give each its own",
            )


def _repeated_versions(path: SettingPath, versions: Iterable[Any]) -> Iterator[Finding]:
    starts = [version.effective_from.isoformat() for version in versions]
    yield from _repeated(path, "effective_from", starts, "version from")


def _attribution(path: SettingPath, version: AttributionVersion) -> Iterator[Finding]:
    missing = [name for name in TOUCH_TYPES if name not in version.priority]
    repeated = sorted({name for name in version.priority if version.priority.count(name) > 1})
    if repeated:
        yield (*path, "priority"), f"names {', '.join(repeated)} more than once", "keep one of each"
    if missing:
        yield (*path, "priority"), f"lacks {', '.join(missing)}", "give every touch type a place"
    models = version.compare_models
    repeated_models = sorted({name for name in models if models.count(name) > 1})
    if repeated_models:
        names = ", ".join(repeated_models)
        yield (*path, "compare_models"), f"names {names} more than once", "keep one of each"
    if version.position_based.first + version.position_based.last > 1:
        yield (*path, "position_based"), "first and last add up to more than 1", "lower one of them"


def _plan(path: SettingPath, plan: Plan) -> Iterator[Finding]:
    yield from _repeated_versions((*path, "versions"), plan.versions)
    for index, version in enumerate(plan.versions):
        yield from _plan_version((*path, "versions", index), version)


def _plan_version(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    components_path = (*path, "components")
    ids = [component.id for component in version.components]
    yield from _repeated(components_path, "id", ids, "component")
    for index, component in enumerate(version.components):
        yield from _component((*components_path, index), component)
    yield from _churn((*path, "clawback", "churn"), version)


def _component(path: SettingPath, component: Component) -> Iterator[Finding]:
    if isinstance(component, RecurringComponent):
        yield from _recurring(path, component)
    elif isinstance(component, EventComponent):
        if component.amount is None and component.rate is None:
            yield path, "has neither amount nor rate", "add amount: {USD: 50.00}, or rate: 0.05"
        elif component.amount is not None and component.rate is not None:
            yield path, "has both amount and rate", "keep one of them"
        if component.amount is not None:
            if not component.amount:
                yield (*path, "amount"), "names no currency", "write {USD: 50.00}"
            yield from _amounts((*path, "amount"), component.amount)
    elif isinstance(component, BonusComponent):
        yield from _amounts((*path, "amount"), component.amount)


def _recurring(path: SettingPath, component: RecurringComponent) -> Iterator[Finding]:
    both = sorted(set(component.products.include) & set(component.products.exclude))
    if both:
        names = ", ".join(both)
        yield (*path, "products"), f"{names} is both included and excluded", "keep one of them"
    for setting in ("minimum", "maximum"):
        yield from _amounts((*path, setting), getattr(component, setting))
    for code, minimum in component.minimum.items():
        if code in component.maximum and component.maximum[code] < minimum:
            yield (*path, "maximum", code), "is below the minimum", "raise it"
    if component.caps is not None:
        for setting in type(component.caps).model_fields:
            yield from _amounts((*path, "caps", setting), getattr(component.caps, setting))
    if component.tiers is not None:
        yield from _tiers((*path, "tiers", "bands"), component.tiers)
    seen: set[str] = set()
    for index, condition in enumerate(component.conditions):
        if set(condition.country) <= seen:
            yield (*path, "conditions", index), "is never reached: others match first", "remove it"
        seen.update(condition.country)
    gap_is_needed = component.reactivation.mode != "continue"
    if gap_is_needed and component.reactivation.gap_days is None:
        yield (*path, "reactivation"), "needs gap_days", "add gap_days: 60"


def _tiers(path: SettingPath, tiers: Tiers) -> Iterator[Finding]:
    if tiers.bands[0].from_value != 0:
        yield (*path, 0, "from"), "leaves a gap below the first band", "begin with from: 0"
    for index in range(1, len(tiers.bands)):
        if tiers.bands[index].from_value <= tiers.bands[index - 1].from_value:
            yield (*path, index, "from"), "is not above the band before", "order bands by from"


def _churn(path: SettingPath, version: PlanVersion) -> Iterator[Finding]:
    churn = version.clawback.churn
    if churn is None:
        return
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


def _amounts(path: SettingPath, amounts: dict[str, Any]) -> Iterator[Finding]:
    """Every amount must be whole in its currency's minor unit (M1)."""
    for code, amount in amounts.items():
        try:
            to_minor(amount, code)
        except CurrencyError as error:
            yield (*path, code), str(error), "write an amount that can be paid"


def _assignments(program: Program, plan_ids: Collection[str]) -> Iterator[Finding]:
    known = ", ".join(sorted(plan_ids))
    if DEFAULT_GROUP not in program.groups:
        yield ("groups",), "has no default group", "add default: and the plan for everybody else"
    if not plan_ids:
        return
    for group, plan_id in program.groups.items():
        if plan_id not in plan_ids:
            yield ("groups", group), f"no plan is called {plan_id!r}", f"plans here: {known}"
    first_day = {
        plan.id: min(version.effective_from for version in plan.versions) for plan in program.plans
    }
    first_by_start: dict[tuple[str, date], int] = {}
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
        key = (override.partner_id, override.effective_from)
        first = first_by_start.setdefault(key, index)
        if first != index:
            yield (
                (*path, "effective_from"),
                f"partner {override.partner_id} has an override from this day above already",
                "keep one of them",
            )


def _payouts(payouts: PayoutTerms) -> Iterator[Finding]:
    yield from _schedule(("payouts", "schedule"), payouts.schedule)
    yield from _amounts(("payouts", "minimum"), payouts.minimum)
    repeated = [gate for gate in GATES if payouts.gates.count(gate) > 1]
    if repeated:
        yield (
            ("payouts", "gates"),
            f"names {', '.join(repeated)} more than once",
            "keep one of each",
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


def _approvals(approvals: Approvals, currency_code: str) -> Iterator[Finding]:
    path: SettingPath = ("approvals", "tiers")
    last = len(approvals.tiers) - 1
    highest = None
    for index, tier in enumerate(approvals.tiers):
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


def _amounts_of_tier(path: SettingPath, up_to: Any, currency_code: str) -> Iterator[Finding]:
    for (*_, _code), message, hint in _amounts(path, {currency_code: up_to}):
        yield path, message, hint
