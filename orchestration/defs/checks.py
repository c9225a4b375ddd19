"""Great Expectations and reconciliation as asset checks; the blocking ones stop the night."""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.check_suites import BOUNDARY_SUITES, METRIC_SUITES
from orchestration.checks import Suite
from orchestration.defs.metadata import WAREHOUSE_POOL, key_of
from orchestration.defs.resources import NightResource
from orchestration.reconciliation import RECONCILIATIONS
from orchestration.result import CheckResult


def _suite_specs(suites: Sequence[Suite]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            name=suite.check_name(rule),
            asset=key_of(suite.relation),
            description=rule.description,
            blocking=rule.is_blocking,
        )
        for suite in suites
        for rule in suite.rules
    ]


def _reconciliation_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            name=f"reconcile__{item.name}",
            asset=key_of(item.relation),
            description=item.description,
            blocking=True,
        )
        for item in RECONCILIATIONS
    ]


@dg.multi_asset_check(
    name="boundary_checks",
    specs=_suite_specs(BOUNDARY_SUITES),
    pool=WAREHOUSE_POOL,
    can_subset=True,
)
def boundary_checks(context: dg.AssetCheckExecutionContext, night: NightResource):
    """Whole small tables as they came in, before anything is computed."""
    results = night.current.check_boundary()
    yield from _events(context, results)
    night.current.require_checks(results)


@dg.multi_asset_check(
    name="mart_checks",
    specs=[*_suite_specs(METRIC_SUITES), *_reconciliation_specs()],
    pool=WAREHOUSE_POOL,
    can_subset=True,
)
def mart_checks(context: dg.AssetCheckExecutionContext, night: NightResource):
    """Metric frames of the large marts and totals that must tie, before publishing."""
    results = night.current.check_marts()
    yield from _events(context, results)
    night.current.require_checks(results)


def _events(
    context: dg.AssetCheckExecutionContext, results: Sequence[CheckResult]
) -> Iterator[dg.AssetCheckResult]:
    # All of them run in one scan; somebody who picked one in the UI sees that one.
    wanted = context.selected_asset_check_keys
    for result in results:
        if dg.AssetCheckKey(key_of(result.relation), result.name) not in wanted:
            continue
        blocking, warning = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
        yield dg.AssetCheckResult(
            asset_key=key_of(result.relation),
            check_name=result.name,
            passed=result.is_passed,
            severity=blocking if result.is_blocking else warning,
            metadata={
                "failing_rows": result.failing_rows,
                "failing_keys": list(result.failing_keys),
                "what_to_do": result.what_to_do,
                "query": dg.MetadataValue.md(f"```sql\n{result.query.strip()}\n```"),
            },
        )
