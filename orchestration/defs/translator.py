"""How dbt nodes appear in Dagster: keys, groups, owners, and which model a test is shown on."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from orchestration import phases

JOURNAL_POSTED = dg.AssetKey("journal_posted")
BATCHES_PROPOSED = dg.AssetKey("payout_batches_proposed")
DEFAULT_OWNER = "team:partnerships"


class NightTranslator(DagsterDbtTranslator):
    """Keys are schema/table; groups follow the folders; posting and proposing are made visible.

    The control tables are loaded twice a night: what dbt reads of them after posting or proposing
    depends on that step, not on the load at the start.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True))
        self._manifest = manifest

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """schema/table, for sources as for models."""
        name = dbt_resource_props.get("alias") or dbt_resource_props["name"]
        return dg.AssetKey([dbt_resource_props["schema"], name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """staging, the topic of an intermediate model, marts_<folder>, exports, codes."""
        kind = dbt_resource_props["resource_type"]
        if kind == "source":
            return "ingest"
        if kind == "seed":
            return "codes"
        folders = list(dbt_resource_props["fqn"][1:-1])
        if folders[:1] == ["staging"]:
            return "staging"
        return "_".join(folders[:2]) or None

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """`meta.owner` of the model: an e-mail address or a team name."""
        meta = dbt_resource_props.get("config", {}).get("meta") or {}
        owner = meta.get("owner")
        if not owner:
            return [DEFAULT_OWNER]
        owners = [owner] if isinstance(owner, str) else list(owner)
        return [name if "@" in name or ":" in name else f"team:{name}" for name in owners]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The documented description, else the comments at the head of the model."""
        description = dbt_resource_props.get("description") or ""
        return description or head_comment(dbt_resource_props.get("raw_code") or "")

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        """The default spec, with the step inserted that made its input complete."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        step = self._step_before(unique_id)
        if step is None or any(dep.asset_key == step for dep in spec.deps):
            return spec
        return spec.replace_attributes(deps=[*spec.deps, step])

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetCheckSpec | None:
        """A data test as a check on one model of the test's own phase; the others get nothing."""
        node_id = phases.checked_node(manifest, unique_id)
        if node_id is None or self.get_asset_key(manifest["nodes"][node_id]) != asset_spec.key:
            return None
        test = manifest["nodes"][unique_id]
        others = {
            self.get_asset_key(manifest["nodes"].get(parent) or manifest["sources"][parent])
            for parent in test["depends_on"]["nodes"]
        } - {asset_spec.key}
        severity = (test.get("config", {}).get("severity") or "error").lower()
        description = test.get("description") or head_comment(test.get("raw_code") or "")
        return dg.AssetCheckSpec(
            name=test["name"],
            asset=asset_spec.key,
            description=description or None,
            additional_deps=sorted(others),
            blocking=severity == "error",
            metadata={"dagster_dbt/unique_id": unique_id},
        )

    def _step_before(self, unique_id: str) -> dg.AssetKey | None:
        phase = phases.phase_of(self._manifest, unique_id)
        if phase not in (phases.LEDGER, phases.PAYOUTS):
            return None
        parents = self._manifest["nodes"][unique_id]["depends_on"]["nodes"]
        if any(phases.phase_of(self._manifest, parent) == phase for parent in parents):
            return None
        return JOURNAL_POSTED if phase == phases.LEDGER else BATCHES_PROPOSED


def head_comment(code: str) -> str:
    """The comment lines at the top of a model: its grain and rules, as one text."""
    lines = []
    for line in code.splitlines():
        if not line.startswith(("--", "#")):
            break
        lines.append(line.lstrip("-# ").rstrip())
    return "\n".join(lines)
