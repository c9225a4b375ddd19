"""Which lead, or which registration, somebody means: the ids that people have at hand.

What belongs here: resolving a reference in the published snapshot. What does not: reading what is
known about the lead (`lead_records`).

A snapshot that was published before a mart existed is asked without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.cli_common import CommandError, query

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Mart, column of the lead, condition, rank. The first rank that finds something decides, so that
# an id never means something else because a customer happens to be called the same.
_MEANINGS = (
    ("fct_leads", "lead_id", "lead_id = $1", 1),
    ("dim_lead_aliases", "lead_id", "alias_lead_id = $1", 1),
    ("fct_lead_submissions", "lead_id",
     "submission_key in ($1, 'control:deal_registrations:' || $1, 'control:lead_entries:' || $1)",
     2),
    ("fct_touchpoints", "lead_id", "touchpoint_id = $1", 2),
    ("fct_leads", "lead_id", "customer_id = $1", 3),
    ("fct_commission_lines", "lead_id", "customer_id = $1", 3),
    ("fct_unpaid_lines", "lead_id", "customer_id = $1", 3),
    ("fct_leads", "lead_id", "company_domain = $2", 4),
)  # fmt: skip
_NAMED_AT_MOST = 5


def marts_of(connection: DuckDBPyConnection) -> frozenset[str]:
    """Names of the marts that this snapshot holds."""
    rows = query(
        connection,
        "select table_name from information_schema.tables where table_schema = 'marts'",
    )
    return frozenset(row["table_name"] for row in rows)


def find_lead(connection: DuckDBPyConnection, reference: str) -> str | None:
    """The present id of the lead that a reference names; None when there is none.

    reference: lead id, an older id of it, customer id, company domain, key of a submission or
    registration (`reg_…` alone, for one that was entered here), or touchpoint id.
    Raises: CommandError when it stands for several leads.
    """
    marts = marts_of(connection)
    parts = [
        f"select {column} as lead_id, {rank} as rank from marts.{mart} where {condition}"
        for mart, column, condition, rank in _MEANINGS
        if mart in marts
    ]
    domain = reference.strip().lower().removeprefix("www.")
    rows = query(
        connection,
        "with meanings as (" + " union ".join(parts) + ") select distinct lead_id from meanings "
        "where lead_id is not null and $2 is not null qualify rank = min(rank) over () order by 1",
        [reference, domain],
    )
    if len(rows) > 1:
        named = ", ".join(row["lead_id"] for row in rows[:_NAMED_AT_MOST])
        more = ", …" if len(rows) > _NAMED_AT_MOST else ""
        raise CommandError(
            f"{reference!r} stands for {len(rows)} leads", f"Name one: {named}{more}."
        )
    return rows[0]["lead_id"] if rows else None


def require_lead(connection: DuckDBPyConnection, reference: str) -> str:
    """The present id of the lead that a reference names, as `find_lead`.

    Raises: CommandError when there is no such lead, or more than one.
    """
    found = find_lead(connection, reference)
    if found is None:
        raise CommandError(
            f"there is no lead for {reference!r} in the published snapshot",
            "Name it by its company domain: the snapshot keeps no addresses. "
            "`partnerledger lead list` shows all."
            if "@" in reference
            else "`partnerledger lead list` shows them; what was entered today has a lead from "
            "the next night on.",
        )
    return found


def present_lead_id(connection: DuckDBPyConnection, lead_id: str) -> str:
    """The id that a lead has now, for an older one; any other text as it is."""
    if "dim_lead_aliases" not in marts_of(connection):
        return lead_id
    rows = query(
        connection,
        "select lead_id from marts.dim_lead_aliases where alias_lead_id = ?",
        [lead_id],
    )
    return rows[0]["lead_id"] if rows else lead_id
