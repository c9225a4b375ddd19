"""Proof that what batches claim stands in the journal as they claim it (I4).

What belongs here: holding claims files against registered segments. What does not: choosing the
entries (``candidates``) and adding claims up to items (``claims``).

Candidates come from a file that the night published. What is paid follows from the journal alone,
so that a changed file pays nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from payouts import segments
from payouts.claims import claims_path, claims_scan
from payouts.holds import Hold, load_holds
from payouts.parquet import memory_connection, parquet_scan, quoted
from payouts.payout_entries import ENTRY_KIND as PAYOUT
from payouts.return_entries import ENTRY_KIND as PAYOUT_RETURN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ENTRY_COLUMNS = (
    "entry_id", "commission_id", "entry_kind", "partner_id", "lead_id", "payout_amount_minor",
    "payout_currency_code", "available_date", "reverses_entry_id",
)  # fmt: skip


@dataclass(frozen=True)
class ClaimingBatch:
    """A batch whose claims are judged, and the last available date that it takes, included."""

    batch_id: str
    cutoff_date: date


def unproven_claims(
    connection: Connection, home: Path, batches: Sequence[ClaimingBatch]
) -> list[str]:
    """What the journal of now says against the claims of these batches; empty when nothing.

    Their entries must also be held by nobody under the ids by which the journal knows them.
    Raises: ChainBrokenError when a registered segment is missing or was changed.
    """
    if not batches:
        return []
    records = segments.records(connection)
    segments.require_unchanged(home, records)
    entries = segments.existing_paths(home, records)
    reader = memory_connection()
    try:
        faults = claim_faults(reader, home, batches, entries)
        open_holds = [hold for hold in load_holds(connection) if hold.is_open]
        if not faults and open_holds:
            faults = _held_faults(reader, home, batches, entries, open_holds)
        return faults
    finally:
        reader.close()


def claim_faults(
    reader: DuckDBPyConnection,
    home: Path,
    batches: Sequence[ClaimingBatch],
    entries: Sequence[Path],
) -> list[str]:
    """Which claimed entries are not in these segments as claimed, counted, with one of each.

    The claims files must exist. Partner, currency, commission, whole amount and available date are
    the entry's; the claimed part has its sign and is not larger; it was available by the cut-off.
    """
    if not batches:
        return []
    cutoffs = ", ".join(
        f"({quoted(batch.batch_id)}, date '{batch.cutoff_date.isoformat()}')" for batch in batches
    )
    whole = "coalesce(claim.entry_amount_minor, claim.payout_amount_minor)"
    rules = {
        "not in the journal": "entry.entry_id is null",
        "payouts themselves": f"entry.entry_kind = '{PAYOUT}'",
        "in the journal with another partner, currency, commission, amount or date": (
            f"(claim.partner_id, claim.payout_currency_code, claim.commission_id, {whole}, "
            "claim.available_date) is distinct from (entry.partner_id, entry.payout_currency_code, "
            "entry.commission_id, entry.payout_amount_minor, entry.available_date)"
        ),
        "claimed for more than the entry is": (
            "abs(claim.payout_amount_minor) > abs(entry.payout_amount_minor) or "
            "sign(claim.payout_amount_minor) <> sign(entry.payout_amount_minor)"
        ),
        "not available by the cut-off": (
            "batch.cutoff_date is null or claim.available_date > batch.cutoff_date"
        ),
    }
    # The first rule that an entry breaks is the one that is said.
    cases = " ".join(f"when {broken} then {quoted(rule)}" for rule, broken in rules.items())
    found = reader.execute(
        f"with claims as (from {claims_scan(_paths(home, batches))}), "
        f"entries as ({_claimed_entries_sql(entries)}), "
        f"cutoffs(batch_id, cutoff_date) as (values {cutoffs}) "
        f"select case {cases} end as rule, count(*), min(claim.entry_id) from claims as claim "
        "left join entries as entry using (entry_id) "
        "left join cutoffs as batch on batch.batch_id = claim.batch_id "
        "group by 1 having rule is not null order by 1"
    ).fetchall()
    return [f"{count} claimed entries are {rule}, as {example}" for rule, count, example in found]


def _held_faults(
    reader: DuckDBPyConnection,
    home: Path,
    batches: Sequence[ClaimingBatch],
    entries: Sequence[Path],
    open_holds: Sequence[Hold],
) -> list[str]:
    """Entries whose line, lead or partner is held, by the journal's own ids."""
    held = {
        subject_type: [hold.subject_id for hold in open_holds if hold.subject_type == subject_type]
        for subject_type in ("line", "lead", "partner")
    }
    count, example = reader.execute(
        f"with claims as (from {claims_scan(_paths(home, batches))}), "
        f"entries as ({_claimed_entries_sql(entries)}) "
        "select count(*), min(entry.entry_id) from entries as entry "
        f"left join (select entry_id, commission_id from {parquet_scan(entries)}) as reversed "
        f"on reversed.entry_id = case when entry.entry_kind <> '{PAYOUT_RETURN}' "
        "then entry.reverses_entry_id end "
        "where entry.commission_id in (select unnest($line::varchar[])) "
        "or reversed.commission_id in (select unnest($line::varchar[])) "
        "or entry.lead_id in (select unnest($lead::varchar[])) "
        "or entry.partner_id in (select unnest($partner::varchar[]))",
        held,
    ).fetchone()
    return [f"{count} claimed entries are held by a decision, as {example}"] if count else []


def _paths(home: Path, batches: Sequence[ClaimingBatch]) -> list[Path]:
    return [claims_path(home, batch.batch_id) for batch in batches]


def _claimed_entries_sql(entries: Sequence[Path]) -> str:
    """The journal's own rows of what ``claims`` names."""
    columns = ", ".join(_ENTRY_COLUMNS)
    if not entries:
        empty = ", ".join(f"null as {name}" for name in _ENTRY_COLUMNS)
        return f"select {empty} where false"
    return f"select {columns} from {parquet_scan(entries)} semi join claims using (entry_id)"
