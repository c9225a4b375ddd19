"""Control tables and the journal as relations of the warehouse, read-only copies, masked.

What belongs here: ``raw.control__*`` and ``raw.journal__*``, fresh for each night.
What does not: writing the control database; the warehouse never does.

No names, no bank details: statuses, ids, amounts and dates only (I24).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from payouts import segments
from payouts.claims import claiming_paths, claims_scan
from payouts.dispute_tables import DISPUTE_COLUMNS, dispute_rows
from payouts.hashing import parse_instant
from payouts.holds import load_holds
from payouts.journal_schema import REGISTERED_COLUMNS
from payouts.lead_tables import LEAD_TABLES, lead_table_rows
from payouts.outcomes import all_item_states
from payouts.parquet import parquet_scan
from payouts.payees import load_payees
from payouts.payout_findings import FINDING_COLUMNS, finding_rows
from payouts.periods import closed_periods
from payouts.posted_adjustments import ADJUSTMENT_COLUMNS, adjustment_rows
from payouts.records import list_batches
from payouts.schema import batch_exceptions, batch_states, payout_items, proposals
from payouts.states import LIVE_STATES, STATES
from payouts.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "journal__segments": (
        ("segment", "bigint"), ("path", "varchar"), ("sha256", "varchar"), ("rows", "bigint"),
        ("recorded_at", "timestamp"),
    ),
    "control__batches": (
        ("batch_id", "varchar"), ("version", "integer"), ("legal_entity", "varchar"),
        ("currency_code", "varchar"), ("rail", "varchar"), ("pay_date", "date"),
        ("cutoff_date", "date"), ("state", "varchar"), ("items", "integer"),
        ("total_amount_minor", "bigint"), ("content_hash", "varchar"),
        ("proposed_at", "timestamp"), ("as_of", "date"),
    ),
    "control__payout_items": (
        ("payout_id", "varchar"), ("batch_id", "varchar"), ("partner_id", "varchar"),
        ("currency_code", "varchar"), ("rail", "varchar"), ("amount_minor", "bigint"),
        ("state", "varchar"), ("left_out_reason", "varchar"), ("expected_pay_date", "date"),
        ("settled_date", "date"), ("reason_code", "varchar"), ("carried_amount_minor", "bigint"),
        ("is_returned_after_settlement", "boolean"),
    ),
    "control__holds": (
        ("hold_id", "varchar"), ("subject_type", "varchar"), ("subject_id", "varchar"),
        ("reason", "varchar"), ("is_open", "boolean"), ("opened_at", "timestamp"),
        ("signal_id", "varchar"),
    ),
    "control__payees": (
        ("partner_id", "varchar"), ("terms_accepted", "boolean"), ("payee_verified", "boolean"),
        ("tax_form", "boolean"), ("screening", "boolean"), ("cooling_off_until", "date"),
        ("payee_fingerprint", "varchar"),
    ),
    "control__closed_periods": (
        ("period", "varchar"), ("closed_at", "timestamp"), ("closed_after_segment", "bigint"),
    ),
    "control__adjustments": ADJUSTMENT_COLUMNS,
    "control__disputes": DISPUTE_COLUMNS,
    "control__payout_findings": FINDING_COLUMNS,
    "control__batch_exceptions": (
        ("batch_id", "varchar"), ("number", "integer"), ("kind", "varchar"),
        ("partner_id", "varchar"), ("amount_minor", "bigint"), ("detail", "varchar"),
    ),
    **LEAD_TABLES,
}  # fmt: skip
LEFT_OUT = "left_out"


def load_control_tables(store: Store, home: Path, connection: DuckDBPyConnection) -> None:
    """Create or replace ``raw.control__*`` and ``raw.journal__*`` in ``connection``.

    The journal and the claims are views over exactly the registered files; the rest are tables.
    With nothing recorded all of them exist, typed and empty.
    Raises: ChainBrokenError when a registered file is missing.
    """
    connection.execute("create schema if not exists raw")
    with store.read() as reader:
        records = segments.records(reader)
        contents = {
            "journal__segments": [_segment_row(record) for record in records],
            "control__batches": [_batch_row(summary) for summary in list_batches(reader)],
            "control__payout_items": _item_rows(reader),
            "control__holds": [_hold_row(hold) for hold in load_holds(reader)],
            "control__payees": [_payee_row(payee) for payee in load_payees(reader).values()],
            "control__closed_periods": [_period_row(each) for each in closed_periods(reader)],
            "control__adjustments": adjustment_rows(reader),
            "control__disputes": dispute_rows(reader),
            "control__payout_findings": finding_rows(reader),
            "control__batch_exceptions": [
                dict(row) for row in reader.execute(select(batch_exceptions)).mappings()
            ],
            **lead_table_rows(reader),
        }
        _create_journal_view(connection, segments.existing_paths(home, records))
        _create_claims_view(connection, reader, home)
    for table, rows in contents.items():
        _create_table(connection, table, TABLES[table], rows)


def _create_table(
    connection: DuckDBPyConnection,
    table: str,
    columns: Iterable[tuple[str, str]],
    rows: list[dict[str, Any]],
) -> None:
    """One table from plain rows, through one JSON text: typed by DuckDB, no driver per row."""
    columns = list(columns)
    structure = json.dumps([{name: kind.upper() for name, kind in columns}])
    picked = ", ".join(f'entry."{name}"::{kind} as "{name}"' for name, kind in columns)
    text = json.dumps([{name: _plain(row[name]) for name, _ in columns} for row in rows])
    connection.execute(
        f"create or replace table raw.{table} as select {picked} from "
        f"(select unnest(from_json(?::json, '{structure}')) as entry)",
        [text],
    )


def _create_journal_view(connection: DuckDBPyConnection, paths: list[Path]) -> None:
    names = ", ".join(name for name, _ in REGISTERED_COLUMNS)
    empty = ", ".join(f"null::{kind} as {name}" for name, kind in REGISTERED_COLUMNS)
    connection.execute(
        "create or replace view raw.journal__entries as "
        + (f"select {names} from {parquet_scan(paths)}" if paths else f"select {empty} where false")
    )


def _create_claims_view(connection: DuckDBPyConnection, reader: Connection, home: Path) -> None:
    """Claims of every batch, also of rejected and stale ones, with the batch's state of now."""
    states = reader.execute(select(batch_states.c.batch_id, batch_states.c.state)).all()
    _create_table(
        connection,
        "control__batch_states",
        (("batch_id", "varchar"), ("state", "varchar")),
        [{"batch_id": row.batch_id, "state": row.state} for row in states],
    )
    paths = claiming_paths(reader, home, STATES)
    live = ", ".join(f"'{state}'" for state in LIVE_STATES)
    if paths:
        body = (
            "select claim.entry_id, claim.batch_id, claim.payout_id, "
            "claim.payout_amount_minor as claimed_amount_minor, "
            f"batch.state in ({live}) as is_live, batch.state as batch_state "
            f"from {claims_scan(paths)} as claim "
            "join raw.control__batch_states as batch using (batch_id)"
        )
    else:
        body = (
            "select null::varchar as entry_id, null::varchar as batch_id, "
            "null::varchar as payout_id, null::bigint as claimed_amount_minor, "
            "null::boolean as is_live, "
            "null::varchar as batch_state where false"
        )
    connection.execute(f"create or replace view raw.control__claims as {body}")


def _segment_row(record: segments.SegmentRecord) -> dict[str, Any]:
    return {**vars(record), "recorded_at": parse_instant(record.recorded_at)}


def _batch_row(summary: Any) -> dict[str, Any]:
    return {**vars(summary), "proposed_at": parse_instant(summary.proposed_at)}


def _payee_row(payee: Any) -> dict[str, Any]:
    # L4 asks who is paid to the same account, whatever its holder is called.
    return {**vars(payee), "payee_fingerprint": payee.account_fingerprint}


def _hold_row(hold: Any) -> dict[str, Any]:
    return {**vars(hold), "opened_at": parse_instant(hold.opened_at)}


def _period_row(period: Any) -> dict[str, Any]:
    return {**vars(period), "closed_at": parse_instant(period.closed_at)}


def _item_rows(reader: Connection) -> list[dict[str, Any]]:
    """Items of batches, and those left out at the newest proposal of each group and pay date."""
    group = (
        proposals.c.legal_entity, proposals.c.currency_code, proposals.c.rail,
        proposals.c.pay_date, proposals.c.cutoff_date,
    )  # fmt: skip
    newest = select(*group, func.max(proposals.c.ordinal).label("ordinal")).group_by(*group)
    newest = newest.subquery()
    query = (
        select(
            payout_items,
            proposals.c.rail,
            proposals.c.pay_date,
            batch_states.c.state,
            newest.c.ordinal.label("newest_ordinal"),
        )
        .join(proposals, proposals.c.proposal_id == payout_items.c.proposal_id)
        .outerjoin(batch_states, batch_states.c.batch_id == payout_items.c.batch_id)
        .outerjoin(
            newest,
            (newest.c.ordinal == proposals.c.ordinal)
            & (newest.c.legal_entity == proposals.c.legal_entity)
            & (newest.c.currency_code == proposals.c.currency_code)
            & (newest.c.rail == proposals.c.rail)
            & (newest.c.pay_date == proposals.c.pay_date)
            & (newest.c.cutoff_date == proposals.c.cutoff_date),
        )
        .order_by(payout_items.c.payout_id)
    )
    rows = []
    exported = all_item_states(reader)
    for row in reader.execute(query).mappings():
        is_left_out = row["left_out_reason"] is not None
        if is_left_out and row["newest_ordinal"] is None:
            continue
        item = exported.get(row["payout_id"])
        state = item.state if item else row["state"]
        rows.append(
            {
                **row,
                "state": LEFT_OUT if is_left_out else state,
                "expected_pay_date": None if is_left_out else row["pay_date"],
                "settled_date": item.settled_date if item else None,
                "reason_code": item.reason_code if item else None,
                "is_returned_after_settlement": bool(item and item.is_returned_after_settlement),
            }
        )
    return rows


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
