"""Assets of the night that are not dbt's: landing, raw tables, posting, proposing, publishing."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.defs.metadata import WAREHOUSE_POOL, key_of, table_metadata
from orchestration.defs.resources import NightResource
from orchestration.defs.translator import BATCHES_PROPOSED, DEFAULT_OWNER, JOURNAL_POSTED

# Kinds of sources.yml that have a connector, each with the prefix of its raw tables.
SOURCE_KINDS = ("files", "stripe")
FINANCE = "team:finance"
DIFFERENCES = dg.AssetKey(["intermediate", "int_journal__differences"])
CANDIDATES = dg.AssetKey(["exports", "exp_payout_candidates"])


def landing_asset(kind: str) -> dg.AssetsDefinition:
    """Fetch and land all sources of one kind; what was landed stays, whatever fails after it."""

    @dg.asset(
        key=["landing", kind],
        group_name="ingest",
        owners=[DEFAULT_OWNER],
        description=f"Immutable landing files of all `{kind}` sources, with their manifest.",
        kinds={"python"},
    )
    def land(night: NightResource) -> dg.MaterializeResult:
        streams = night.current.ingest([kind])
        return dg.MaterializeResult(
            metadata={
                "rows_landed": sum(stream.rows_landed for stream in streams),
                "rows_rejected": sum(stream.rows_rejected for stream in streams),
                "streams": dg.MetadataValue.md(_stream_table(streams)),
            }
        )

    return land


def raw_assets(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The raw tables that dbt reads, loaded into a working file built from scratch."""
    specs = [
        dg.AssetSpec(
            dg.AssetKey([source["schema"], source["name"]]),
            deps=[dg.AssetKey(["landing", kind]) for kind in _landed_kinds(source["name"])],
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


def published_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Keys of all marts and exports."""
    return sorted(
        key_of(f"{node['schema']}.{node.get('alias') or node['name']}")
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in {"marts", "exports"}
    )


def _landed_kinds(table: str) -> tuple[str, ...]:
    prefix = table.partition("__")[0]
    if prefix == "ingest":
        return SOURCE_KINDS
    return (prefix,) if prefix in SOURCE_KINDS else ()


def _stream_table(streams: Sequence[Any]) -> str:
    lines = ["| source | stream | status | landed | rejected |", "|---|---|---|---|---|"]
    lines += [
        f"| {stream.source} | {stream.stream} | {stream.status} | {stream.rows_landed} "
        f"| {stream.rows_rejected} |"
        for stream in streams
    ]
    return "\n".join(lines)
