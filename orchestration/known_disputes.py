"""Which disputes were open as known at a cut: what had been landed for its last night (R2, B2).

A dispute moves no money while it is open, so the journal does not know it; the landing does. What
does not belong here: other holds (`known_ledger`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import parse_instant, query
from orchestration.known import Known
from orchestration.known_ledger import known_keys
from orchestration.landed_parts import (
    entity_parts,
    member_sql,
    parts_sql,
    relation_parts,
    texts_sql,
)
from orchestration.recompute import read_explanation

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Connection

Record = dict[str, Any]
Policies = Mapping[tuple[str, str], str]

HOLD = "hold"
_SHARE = "commission"  # source_type of a share of what a referred partner earns
_CLOSED_IN_STRIPE = ("won", "lost", "warning_closed", "prevented")
_NEWEST = "qualify row_number() over (partition by {} order by _arrival desc, _row desc) = 1"


def disputed_commissions(
    connection: Connection,
    home: Path,
    known: Known,
    entries: Iterable[Record],
    policies: Policies,
    timezone: str,
) -> set[str]:
    """Commission ids that an open dispute made not payable, with a referrer's shares of such.

    entries: with explanations read. policies: what each (plan, version) does while a dispute is
    open; one that is not given holds, as is the default. timezone: IANA name of the programme's.
    """
    entries = list(entries)
    invoices = open_invoices(connection, home, known, timezone)
    if not invoices:
        return set()
    held = _on_invoices(entries, invoices, policies)
    shares = {
        entry["commission_id"]: entry["source_id"]
        for entry in entries
        if entry["source_type"] == _SHARE
    }
    if not shares:
        return held
    # A share goes by what it is a share of (decision 0041), which another partner earned.
    referred = known_keys(connection, home, known, shares.values())
    for entry in referred:
        entry["explanation"] = read_explanation(entry["explanation"])
    held_referred = _on_invoices(referred, invoices, policies)
    return held | {share for share, source_id in shares.items() if source_id in held_referred}


def _on_invoices(entries: list[Record], invoices: set[str], policies: Policies) -> set[str]:
    """Commission ids on these invoices, as far as their plan versions hold them."""
    # A take-back does not name the invoice; the earning on the same line does.
    of_source = {
        (entry["source_type"], entry["source_id"]): entry["explanation"]["invoice_id"]
        for entry in entries
        if (entry["explanation"] or {}).get("invoice_id")
    }
    return {
        entry["commission_id"]
        for entry in entries
        if of_source.get((entry["source_type"], entry["source_id"])) in invoices
        and policies.get((entry["plan_id"], entry["plan_version"]), HOLD) == HOLD
    }


def open_invoices(connection: Connection, home: Path, known: Known, timezone: str) -> set[str]:
    """Invoices with a dispute that was open as far as the last night before the cut could know."""
    from sqlalchemy import select

    from ingest.manifest import read_landings
    from payouts.hashing import parse_instant as parse_stored
    from payouts.parquet import memory_connection
    from payouts.schema import nights

    if known.run_id is None or not (home / "landing").is_dir():
        return set()
    night = connection.execute(select(nights).where(nights.c.run_id == known.run_id)).one()
    posted_at = parse_stored(night.registered_at)
    landings = [
        landing
        for landing in read_landings(home.resolve())
        if landing.is_final and landing.started_at <= posted_at
    ]
    reader = memory_connection()
    try:
        paths = entity_parts(landings, "disputes")
        ends_at = parse_stored(night.recorded_at)
        found = _of_files(reader, paths, ends_at, timezone) if paths else set()
        return found | _of_stripe(reader, relation_parts(landings))
    finally:
        reader.close()


def _of_files(
    reader: DuckDBPyConnection, paths: Sequence[Path], ends_at: datetime, timezone: str
) -> set[str]:
    """A dispute that is decided after the night's day is still open on it (M6)."""

    def is_over(text: str | None) -> bool:
        instant = parse_instant(text, "disputes", timezone)
        return instant is not None and instant < ends_at

    rows = query(
        reader,
        f"select * from {parts_sql(paths)} {_NEWEST.format('_source, dispute_id')}",
    )
    return {
        row["invoice_id"]
        for row in rows
        if is_over(row["opened_at"])
        and (row["status"] == "open" or not is_over(row["closed_at"] or row["opened_at"]))
    }


def _of_stripe(
    reader: DuckDBPyConnection, relations: Mapping[tuple[str, str], list[Path]]
) -> set[str]:
    paths = relations.get(("stripe", "disputes"))
    if not paths:
        return set()
    rows = query(
        reader,
        f"select payload ->> '$.status' as status, {member_sql('charge')} as charge_id, "
        f"{member_sql('payment_intent')} as intent_id from "
        f"(select * from {parts_sql(paths)} {_NEWEST.format('_source, object_id')})",
    )
    links = {
        link
        for row in rows
        if row["status"] not in _CLOSED_IN_STRIPE
        for link in (row["charge_id"], row["intent_id"])
        if link
    }
    return _invoices_of(reader, relations, links) if links else set()


def _invoices_of(
    reader: DuckDBPyConnection, relations: Mapping[tuple[str, str], list[Path]], links: set[str]
) -> set[str]:
    """The invoices that these charges and payment intents paid, in both shapes of Stripe's API."""
    names = texts_sql(links)
    intent, charge = member_sql("payment_intent"), member_sql("charge")
    # A newer charge names its payment intent alone, and only that leads to the invoice.
    paths = relations.get(("stripe", "charges"))
    invoices: set[str] = set()
    if paths:
        rows = query(
            reader,
            f"select {member_sql('invoice')} as invoice_id, {intent} as intent_id "
            f"from {parts_sql(paths)} where object_id in ({names}) or {intent} in ({names})",
        )
        invoices |= {row["invoice_id"] for row in rows if row["invoice_id"]}
        links = links | {row["intent_id"] for row in rows if row["intent_id"]}
        names = texts_sql(links)
    for relation, invoice, conditions in (
        ("invoices", "object_id", (charge, intent)),
        ("invoice_payments", member_sql("invoice"),
         (member_sql("payment.charge"), member_sql("payment.payment_intent"))),
    ):  # fmt: skip
        paths = relations.get(("stripe", relation))
        if paths:
            condition = " or ".join(f"{each} in ({names})" for each in conditions)
            rows = query(
                reader, f"select {invoice} as invoice_id from {parts_sql(paths)} where {condition}"
            )
            invoices |= {row["invoice_id"] for row in rows if row["invoice_id"]}
    return invoices
