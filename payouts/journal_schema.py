"""Columns of a journal segment and the checks that rows must pass before they are registered.

What belongs here: names, types and rules of entries (J1, J2).
What does not: writing or registering files (``journal``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from payouts.errors import PostingRefusedError
from payouts.ids import KEY_COLUMNS, uuid5_sql
from payouts.parquet import parquet_scan

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ENTRY_KINDS = (
    "earning", "bonus", "refund", "chargeback", "reinstatement", "churn", "credit_note",
    "correction", "adjustment", "ruling", "payout", "payout_return", "write_off", "withholding",
)  # fmt: skip

# Order and types are part of a segment's bytes: append new columns at the end, never change these.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("entry_id", "varchar"),
    ("commission_id", "varchar"),
    ("entry_kind", "varchar"),
    ("partner_id", "varchar"),
    ("customer_id", "varchar"),
    ("lead_id", "varchar"),
    ("plan_id", "varchar"),
    ("plan_version", "varchar"),
    ("component_id", "varchar"),
    ("source_type", "varchar"),
    ("source_id", "varchar"),
    ("cause_type", "varchar"),
    ("cause_id", "varchar"),
    ("amount_minor", "bigint"),
    ("currency_code", "varchar"),
    ("payout_amount_minor", "bigint"),
    ("payout_currency_code", "varchar"),
    ("effective_date", "date"),
    ("available_date", "date"),
    ("posting_period", "varchar"),
    ("ordinal", "bigint"),
    ("reverses_entry_id", "varchar"),
    ("corrects_entry_id", "varchar"),
    ("explanation", "varchar"),
)
REGISTERED_COLUMNS = COLUMNS + (("recorded_at", "timestamp"), ("segment", "bigint"))
NULLABLE = (
    "customer_id", "lead_id", "plan_id", "plan_version", "reverses_entry_id", "corrects_entry_id",
    "explanation",
)  # fmt: skip
_KEY_SQL = "concat_ws(chr(31), " + ", ".join(KEY_COLUMNS) + ")"


@dataclass(frozen=True, order=True)
class ControlTotal:
    """Rows and sums of one entry kind and pair of currencies, in minor units, signed (J1)."""

    entry_kind: str
    currency_code: str
    payout_currency_code: str
    rows: int
    amount_minor: int
    payout_amount_minor: int


def control_totals(connection: DuckDBPyConnection, relation: str) -> tuple[ControlTotal, ...]:
    """Totals of a relation or ``read_parquet(…)``, sorted; exact, whatever their size."""
    rows = connection.execute(
        "select entry_kind, currency_code, payout_currency_code, count(*), sum(amount_minor), "
        f"sum(payout_amount_minor) from {relation} group by all order by all"
    ).fetchall()
    return tuple(ControlTotal(*row) for row in rows)


def check_entries(connection: DuckDBPyConnection, relation: str) -> None:
    """Refuse rows that break the shape of an entry, whatever was posted before.

    Raises: PostingRefusedError naming the rule, the number of rows and one of them.
    """
    required = " or ".join(f"{name} is null" for name, _ in COLUMNS if name not in NULLABLE)
    kinds = ", ".join(f"'{kind}'" for kind in ENTRY_KINDS)
    faults = {
        "a required column is null": required,
        f"entry_kind is not one of {', '.join(ENTRY_KINDS)} (J1)": f"entry_kind not in ({kinds})",
        "both amounts are zero": "amount_minor = 0 and payout_amount_minor = 0",
        "a currency is not three capital letters": (
            "not regexp_full_match(currency_code, '[A-Z]{3}') or "
            "not regexp_full_match(payout_currency_code, '[A-Z]{3}')"
        ),
        "posting_period is not YYYY-MM": (
            "not regexp_full_match(posting_period, '\\d{4}-(0[1-9]|1[0-2])')"
        ),
        "commission_id is not the uuid5 of its key (J2)": (
            f"commission_id <> ({uuid5_sql('natural_key')})"
        ),
        "entry_id is not the uuid5 of key and ordinal (J2)": (
            f"entry_id <> ({uuid5_sql('natural_key || chr(31) || ordinal')})"
        ),
    }
    counted = ", ".join(
        f"count(*) filter ({condition}), min(entry_id) filter ({condition})"
        for condition in faults.values()
    )
    found = connection.execute(
        f"select count(*) - count(distinct entry_id), {counted} "
        f"from (select *, {_KEY_SQL} as natural_key from {relation})"
    ).fetchone()
    if found[0]:
        _refuse("entry_id is not unique", found[0], None)
    for position, rule in enumerate(faults):
        rows, example = found[1 + 2 * position : 3 + 2 * position]
        if rows:
            _refuse(rule, rows, example)


def check_against_registered(
    connection: DuckDBPyConnection, relation: str, registered: Sequence[Path]
) -> None:
    """Refuse rows that do not continue the journal: ordinals with gaps, pointers to nowhere.

    Because an entry id is the uuid5 of key and ordinal, ordinals that go on where the registered
    ones end also prove that no id is posted twice.
    Raises: PostingRefusedError.
    """
    before = (
        f"select commission_id, max(ordinal) as last_ordinal from {parquet_scan(registered)} "
        "semi join added using (commission_id) group by 1"
        if registered
        else "select null::varchar as commission_id, null::bigint as last_ordinal where false"
    )
    gap = (
        "first_ordinal <> coalesce(last_ordinal, 0) + 1 or distinct_ordinals <> entries "
        "or final_ordinal <> coalesce(last_ordinal, 0) + entries"
    )
    rows, example = connection.execute(
        "with added as (select commission_id, min(ordinal) as first_ordinal, max(ordinal) as "
        "final_ordinal, count(*) as entries, count(distinct ordinal) as distinct_ordinals "
        f"from {relation} group by 1), before as ({before}) "
        f"select count(*) filter ({gap}), min(commission_id) filter ({gap}) "
        "from added left join before using (commission_id)"
    ).fetchone()
    if rows:
        _refuse(
            "ordinals do not continue the registered entries of their key (J2); the differences "
            "were computed against another journal",
            rows,
            example,
        )
    known = f"select entry_id from {relation}" + (
        f" union all select entry_id from {parquet_scan(registered)}" if registered else ""
    )
    rows, example = connection.execute(
        "with pointers as (select distinct unnest([reverses_entry_id, corrects_entry_id]) as "
        f"entry_id from {relation}) select count(*), min(entry_id) from pointers "
        f"anti join ({known}) as known using (entry_id) where entry_id is not null"
    ).fetchone()
    if rows:
        _refuse("a reversal or correction points at no entry (R10)", rows, example)


def _refuse(rule: str, rows: int, example: str | None) -> None:
    shown = f", for example {example}" if example else ""
    raise PostingRefusedError(
        f"{rows} difference entries break a rule of the journal: {rule}{shown}; nothing was "
        "posted. Correct the model that builds the differences and run the night again"
    )
