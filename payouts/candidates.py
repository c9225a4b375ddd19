"""What may be paid, read from the warehouse: entries for a proposal and facts for a re-check.

What belongs here: SQL over ``exports.exp_payout_candidates``.
What does not: deciding who is left out (``selection``) and writing anything.
Rules: P1, P2; I4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from payouts.claims import claimed_amounts_sql, claims_scan
from payouts.errors import ProposalRefusedError
from payouts.holds import SUBJECT_COLUMNS, Hold
from payouts.offsets import claim_within_offset

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CANDIDATES_RELATION = "exports.exp_payout_candidates"
ENTRIES_TABLE = "payout_proposal_entries"
# An entry of nothing is claimed as well, or it would wait for ever.
IS_CLAIMED_SQL = "(payout_amount_minor <> 0 or entry_amount_minor = 0)"
_HELD_TABLE = "payout_proposal_holds"


@dataclass(frozen=True)
class PartnerNet:
    """What one partner could be paid in one currency: net minor units over ``entries`` entries.

    carried_amount_minor: what is left of a negative balance to be netted later, zero or negative.
    is_waiting: a live batch nets a part of that balance, so that the rest is not known yet.
    """

    currency_code: str
    partner_id: str
    partner_name: str | None
    partner_status: str | None
    is_pilot: bool
    amount_minor: int
    entries: int
    entries_hash: str
    carried_amount_minor: int = 0
    is_waiting: bool = False


@dataclass(frozen=True)
class PartnerFacts:
    """What the warehouse says about a partner now."""

    partner_name: str | None
    partner_status: str | None
    is_pilot: bool


def load_entries(
    connection: DuckDBPyConnection,
    relation: str,
    *,
    cutoff_date: date,
    exported: Sequence[Path],
    live: Sequence[Path],
    open_holds: Sequence[Hold],
    offset_share: Decimal = Decimal(1),
) -> None:
    """Put the payable entries into the temporary table ``ENTRIES_TABLE``.

    Payable: available on or before the cut-off (included), not held by facts or by a decision, not
    wholly claimed by exported and live batches, not a payout itself. Amounts of either sign are
    taken, negative ones as far as ``offset_share`` lets them (P3): ``payout_amount_minor`` is the
    part that is claimed, ``entry_amount_minor`` the whole entry.
    exported, live: claims files of those batches. ``is_waiting`` marks what a live batch leaves of
    a negative entry: until that batch is decided nobody knows what is still to be netted, and two
    live batches never claim one entry (I4).
    Raises: ProposalRefusedError when the relation cannot be read or breaks its contract.
    """
    import duckdb

    held = [(hold.subject_type, hold.subject_id) for hold in open_holds]
    connection.execute(
        f"create or replace temp table {_HELD_TABLE} (subject_type varchar, subject_id varchar)"
    )
    if held:
        connection.executemany(f"insert into {_HELD_TABLE} values (?, ?)", held)
    held_conditions = " and ".join(
        f"not exists (from {_HELD_TABLE} as held where held.subject_type = '{subject_type}' "
        f"and held.subject_id = candidate.{column})"
        for subject_type, columns in SUBJECT_COLUMNS.items()
        for column in columns
    )
    try:
        connection.execute(
            f"create or replace temp table {ENTRIES_TABLE} as "
            "select entry_id, commission_id, entry_kind, partner_id, partner_name, partner_status, "
            "is_pilot, customer_id, lead_id, line_id, (candidate.entry_amount_minor - "
            "coalesce(claimed.claimed_amount_minor, 0) - coalesce(taken.claimed_amount_minor, 0))"
            "::bigint as payout_amount_minor, "
            "payout_currency_code, available_date::date as available_date, "
            "candidate.entry_amount_minor::bigint as entry_amount_minor, "
            "taken.entry_id is not null as is_waiting "
            f"from {relation} as candidate "
            f"left join ({claimed_amounts_sql(list(exported))}) as claimed using (entry_id) "
            f"left join ({claimed_amounts_sql(list(live))}) as taken using (entry_id) "
            "where available_date <= ? and not coalesce(is_held, false) "
            "and entry_kind <> 'payout' "
            "and (coalesce(claimed.entry_id, taken.entry_id) is null or "
            "coalesce(claimed.claimed_amount_minor, 0) + coalesce(taken.claimed_amount_minor, 0) "
            f"<> candidate.entry_amount_minor) and {held_conditions}",
            [cutoff_date],
        )
    except duckdb.Error as error:
        raise ProposalRefusedError(
            f"{relation} cannot be read: {str(error).splitlines()[0]}; nothing was proposed. Run "
            "a night first"
        ) from error
    rows, distinct_ids, incomplete = connection.execute(
        "select count(*), count(distinct entry_id), count(*) filter (entry_id is null or "
        "commission_id is null or partner_id is null or payout_amount_minor is null or "
        f"payout_currency_code is null) from {ENTRIES_TABLE}"
    ).fetchone()
    if rows != distinct_ids or incomplete:
        raise ProposalRefusedError(
            f"{relation} repeats {rows - distinct_ids} entries and has {incomplete} incomplete "
            "ones; nothing was proposed. Correct the model: one row per journal entry"
        )
    claim_within_offset(connection, ENTRIES_TABLE, offset_share)


def partner_nets(connection: DuckDBPyConnection) -> list[PartnerNet]:
    """Net per currency and partner over what is claimed of the loaded entries, sorted."""
    rows = connection.execute(
        "select payout_currency_code, partner_id, min(partner_name), min(partner_status), "
        "coalesce(bool_and(is_pilot), false), "
        # Nothing can be netted: the negative balance itself is what is shown.
        f"case when count(*) filter {IS_CLAIMED_SQL} = 0 then sum(carried_amount_minor) "
        f"else sum(payout_amount_minor) end::bigint, count(*) filter {IS_CLAIMED_SQL}, "
        "coalesce(sha256(string_agg(entry_id, chr(10) order by entry_id) "
        f"filter {IS_CLAIMED_SQL}), ''), "
        f"sum(carried_amount_minor)::bigint, bool_or(is_waiting) from {ENTRIES_TABLE} "
        "group by 1, 2 order by 1, 2"
    ).fetchall()
    return [PartnerNet(*row) for row in rows]


def drop_entries(connection: DuckDBPyConnection) -> None:
    """Remove the temporary tables of a proposal from the caller's connection."""
    for table in (ENTRIES_TABLE, _HELD_TABLE):
        connection.execute(f"drop table if exists {table}")


def claimed_entry_faults(connection: DuckDBPyConnection, relation: str, claims: Path) -> list[str]:
    """What differs between a batch's claims and the candidates of now, which keep what live batches
    claim: entries that are held, that have changed, that are gone."""
    claimed, found, held, changed = connection.execute(
        "select count(*), count(candidate.entry_id), "
        "count(*) filter (coalesce(candidate.is_held, false)), "
        "count(*) filter (candidate.entry_id is not null and "
        "(candidate.entry_amount_minor, candidate.payout_currency_code, candidate.partner_id, "
        "candidate.available_date) is distinct from (coalesce(claim.entry_amount_minor, "
        "claim.payout_amount_minor), claim.payout_currency_code, claim.partner_id, "
        "claim.available_date)) "
        f"from {claims_scan([claims])} as claim left join {relation} as candidate using (entry_id)"
    ).fetchone()
    faults = []
    if found < claimed:
        faults.append(f"{claimed - found} of its entries are not payable any more")
    if held:
        faults.append(f"{held} of its entries are held now")
    if changed:
        faults.append(f"{changed} of its entries have changed")
    return faults


def partner_facts(
    connection: DuckDBPyConnection, relation: str, partner_ids: Sequence[str]
) -> dict[str, PartnerFacts]:
    """Name, status and pilot flag of partners, as the candidates give them."""
    rows = connection.execute(
        "select partner_id, min(partner_name), min(partner_status), "
        f"coalesce(bool_and(is_pilot), false) from {relation} "
        "where partner_id in (select unnest(?)) group by 1",
        [list(partner_ids)],
    ).fetchall()
    return {row[0]: PartnerFacts(*row[1:]) for row in rows}
