"""Assets of the night that are neither streams nor dbt's: raw tables, posting and what follows."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.defs.metadata import WAREHOUSE_POOL, key_of, table_metadata
from orchestration.defs.resources import NightResource
from orchestration.defs.streams import landing_key
from orchestration.defs.translator import BATCHES_PROPOSED, DEFAULT_OWNER, JOURNAL_POSTED
from orchestration.notices import after_night
from orchestration.streams import StreamKey

if TYPE_CHECKING:
    from ingest.run import DeclaredStream

FINANCE = "team:finance"
DIFFERENCES = dg.AssetKey(["intermediate", "int_journal__differences"])
NOTICES = dg.AssetKey("notices")
CANDIDATES = dg.AssetKey(["exports", "exp_payout_candidates"])


def raw_assets(
    manifest: Mapping[str, Any],
    declared: Sequence["DeclaredStream"],
    blocking: Collection[StreamKey],
) -> dg.AssetsDefinition:
    """The raw tables that dbt reads, loaded into a working file built from scratch.

    A table waits for the streams that fill it where the money depends on them; of the others its
    metadata tells. declared: all streams of the workspace. blocking: those the money depends on.
    """
    filled_by = _streams_by_table(manifest, declared)
    specs = [
        dg.AssetSpec(
            dg.AssetKey([source["schema"], source["name"]]),
            deps=[landing_key(*key) for key in filled_by[source["name"]] if key in blocking],
            metadata=_filled_by_metadata(filled_by[source["name"]]),
            group_name="ingest",
            owners=[DEFAULT_OWNER],
            description=source.get("description") or source.get("source_description") or None,
            kinds={"duckdb"},
        )
        for source in sorted(manifest["sources"].values(), key=lambda source: source["name"])
    ]

    @dg.multi_asset(specs=specs, name="raw_tables", pool=WAREHOUSE_POOL)
    def load(night: NightResource):
        night.current.prepare()
        tables = table_metadata(night.current, ("raw",))
        for spec in specs:
            relation = ".".join(spec.key.path)
            yield dg.MaterializeResult(asset_key=spec.key, metadata=tables.get(relation, {}))

    return load


@dg.asset(
    key=JOURNAL_POSTED,
    deps=[DIFFERENCES],
    group_name="journal",
    owners=[FINANCE],
    kinds={"parquet"},
    pool=WAREHOUSE_POOL,
    description="Desired minus recorded, appended as one immutable, registered segment (J2).",
)
def journal_posted(night: NightResource) -> dg.MaterializeResult:
    """Post the differences; nothing differs, nothing is posted."""
    posted = night.current.post()
    totals = [
        f"| {total.entry_kind} | {total.rows} | {total.payout_amount_minor} "
        f"| {total.payout_currency_code} |"
        for total in posted.totals
    ]
    header = "| kind | entries | payout amount, minor units | currency |\n|---|---|---|---|\n"
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": posted.rows,
            "segment": posted.segment if posted.segment is not None else "none",
            "totals": dg.MetadataValue.md(header + "\n".join(totals)),
        }
    )


@dg.asset(
    key=BATCHES_PROPOSED,
    deps=[CANDIDATES],
    group_name="payouts",
    owners=[FINANCE],
    kinds={"python"},
    pool=WAREHOUSE_POOL,
    description="Batches whose cut-off has come, proposed for approval (P2, P4).",
)
def payout_batches_proposed(night: NightResource) -> dg.MaterializeResult:
    """Propose what is due; approving is for people."""
    batches = night.current.propose()
    return dg.MaterializeResult(
        metadata={"batches": [batch.batch_id for batch in batches], "count": len(batches)}
    )


def serving_asset(published: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The snapshot, after everything it holds has been built and checked."""

    @dg.asset(
        key="serving_snapshot",
        deps=list(published),
        group_name="serving",
        owners=[DEFAULT_OWNER],
        kinds={"duckdb", "parquet"},
        pool=WAREHOUSE_POOL,
        description="Immutable read-only copy of marts and exports; the pointer names it.",
    )
    def serving_snapshot(night: NightResource) -> dg.MaterializeResult:
        pointer = night.current.publish()
        return dg.MaterializeResult(
            metadata={
                "path": pointer.path,
                "run_id": pointer.run_id,
                "as_of": pointer.as_of,
                "sha256": pointer.sha256,
            }
        )

    return serving_snapshot


@dg.asset(
    key=NOTICES,
    deps=["serving_snapshot"],
    group_name="serving",
    owners=[DEFAULT_OWNER],
    kinds={"python"},
    description="Messages to partners and staff about what was published, kept and sent.",
)
def notices(night: NightResource) -> dg.MaterializeResult:
    """Tell what is new; the night is published, and nothing that goes wrong here fails it."""
    return dg.MaterializeResult(metadata=after_night(night.current))


def published_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of all marts and exports."""
    return sorted(
        key_of(f"{node['schema']}.{node.get('alias') or node['name']}")
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in {"marts", "exports"}
    )


def _streams_by_table(
    manifest: Mapping[str, Any], declared: Sequence["DeclaredStream"]
) -> dict[str, list[StreamKey]]:
    """The streams that fill each source table of dbt; all of them fill the report on streams."""
    found: dict[str, list[StreamKey]] = {}
    for source in manifest["sources"].values():
        name = source["name"]
        found[name] = [
            (each.source, each.stream)
            for each in declared
            if name in each.relations or name.startswith("ingest__")
        ]
    return found


def _filled_by_metadata(streams: Sequence[StreamKey]) -> dict[str, Any]:
    keys = [landing_key(*key).to_user_string() for key in streams]
    return {"filled_by": keys} if keys else {}
