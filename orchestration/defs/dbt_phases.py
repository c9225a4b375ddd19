"""The dbt project as Dagster assets, one op per phase of the night, built in process."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration import phases
from orchestration.dbt_runner import NodeResult
from orchestration.defs.metadata import WAREHOUSE_POOL, table_metadata
from orchestration.defs.resources import NightResource
from orchestration.defs.translator import NightTranslator
from orchestration.night import Night


def dbt_phase_assets(
    manifest: Mapping[str, Any], phase: str, translator: NightTranslator
) -> dg.AssetsDefinition:
    """All models and tests of one phase; tests are asset checks, error severity blocks."""

    @dbt_assets(
        manifest=manifest,
        select=f"tag:{phase}",
        exclude=" ".join(phases.exclusion_of(phase)),
        name=f"dbt_{phase}",
        dagster_dbt_translator=translator,
        pool=WAREHOUSE_POOL,
    )
    def build(context: dg.AssetExecutionContext, night: NightResource):
        selection = _subset(context, manifest, translator)
        results = night.current.build(phase, selection)
        yield from _events(context, night.current, results, manifest, translator)
        night.current.require_built(phase, results)

    return build


def _subset(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: NightTranslator
) -> list[str] | None:
    """dbt criteria for the assets somebody picked in the UI; None for the whole phase."""
    if not context.is_subset:
        return None
    wanted = set(context.selected_asset_keys)
    checks = {(check.asset_key, check.name) for check in context.selected_asset_check_keys}
    names = []
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "test":
            shown_on = phases.checked_node(manifest, unique_id)
            if shown_on is not None:
                key = translator.get_asset_key(manifest["nodes"][shown_on])
                if (key, node["name"]) in checks:
                    names.append(node["name"])
        elif translator.get_asset_key(node) in wanted:
            names.append(node["name"])
    return sorted(names)


def _events(
    context: dg.AssetExecutionContext,
    night: Night,
    results: list[NodeResult],
    manifest: Mapping[str, Any],
    translator: NightTranslator,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    schemas = tuple(sorted({node["schema"] for node in manifest["nodes"].values()}))
    tables = table_metadata(night, schemas)
    wanted = set(context.selected_asset_keys)
    checks = set(context.selected_asset_check_keys)
    for result in results:
        node = manifest["nodes"][result.unique_id]
        if result.resource_type == "test":
            check = _check_result(result, manifest, translator)
            if check is not None and dg.AssetCheckKey(check.asset_key, check.check_name) in checks:
                yield check
        elif result.status == "ok" and translator.get_asset_key(node) in wanted:
            relation = f"{node['schema']}.{node.get('alias') or node['name']}"
            yield dg.MaterializeResult(
                asset_key=translator.get_asset_key(node),
                metadata={**tables.get(relation, {}), "seconds": round(result.seconds, 3)},
            )


def _check_result(
    result: NodeResult, manifest: Mapping[str, Any], translator: NightTranslator
) -> dg.AssetCheckResult | None:
    shown_on = phases.checked_node(manifest, result.unique_id)
    if shown_on is None or result.status == "skipped":
        return None
    is_warning = result.status == "warn"
    return dg.AssetCheckResult(
        asset_key=translator.get_asset_key(manifest["nodes"][shown_on]),
        check_name=result.name,
        passed=result.status == "ok",
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        metadata={"failing_rows": result.failing_rows, "query_file": result.query_file},
    )
