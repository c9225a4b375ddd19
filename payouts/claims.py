"""Claims files: which journal entries a batch pays, registered by hash like a segment.

What belongs here: names, columns, reading and re-hashing claims files.
What does not: choosing the entries (``batches``).
Source: payouts reference 1 (decision 3) and 4.1; I4.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from payouts.durable import safe_child
from payouts.errors import ChainBrokenError
from payouts.hashing import sha256_file
from payouts.parquet import memory_connection, parquet_scan
from payouts.records import BatchContent
from payouts.schema import batch_states, batches

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "batches"
CLAIMS_NAME = "claims.parquet"
MANIFEST_NAME = "manifest.json"
COLUMNS: tuple[tuple[str, str], ...] = (
    ("entry_id", "varchar"),
    ("commission_id", "varchar"),
    ("entry_kind", "varchar"),
    ("batch_id", "varchar"),
    ("payout_id", "varchar"),
    ("partner_id", "varchar"),
    ("customer_id", "varchar"),
    ("lead_id", "varchar"),
    ("payout_amount_minor", "bigint"),
    ("payout_currency_code", "varchar"),
    ("available_date", "date"),
    # The whole entry; a batch may claim a part of a negative one (P3).
    ("entry_amount_minor", "bigint"),
    # The commission that the entry earns or takes back from.
    ("line_id", "varchar"),
)
# Entry ids are fixed-width hex text, so that joining them with line breaks is unambiguous.
ENTRIES_HASH_SQL = "sha256(string_agg(entry_id, chr(10) order by entry_id))"


def batch_folder(home: Path, batch_id: str) -> Path:
    """Folder of a batch's claims and manifest.

    Raises: UnsafePathError.
    """
    return safe_child(home / FOLDER, batch_id)


def claims_path(home: Path, batch_id: str) -> Path:
    """The claims file of a batch."""
    return batch_folder(home, batch_id) / CLAIMS_NAME


def claiming_paths(connection: Connection, home: Path, states: Iterable[str]) -> list[Path]:
    """Claims files of all batches in some states.

    Raises: ChainBrokenError when a registered file is missing: without it an entry could be paid
    twice.
    """
    rows = connection.execute(
        select(batches.c.batch_id, batches.c.claims_path)
        .join(batch_states, batch_states.c.batch_id == batches.c.batch_id)
        .where(batch_states.c.state.in_(sorted(states)))
        .order_by(batches.c.batch_id)
    ).all()
    paths = [(home / row.claims_path).absolute() for row in rows]
    for path in paths:
        if not path.is_file():
            raise ChainBrokenError(
                f"{path} is registered but missing; restore the batches folder from a backup and "
                "run partnerledger verify"
            )
    return paths


def claimed_amounts_sql(paths: list[Path]) -> str:
    """SQL of what these files claim: entry_id, claimed_amount_minor, entry_amount_minor.

    One row per entry; an empty relation when there are no files. Files of an earlier version name
    no whole amount: they claimed whole entries.
    """
    if not paths:
        return (
            "select null::varchar as entry_id, null::bigint as claimed_amount_minor, "
            "null::bigint as entry_amount_minor where false"
        )
    return (
        "select entry_id, sum(payout_amount_minor)::bigint as claimed_amount_minor, "
        "max(coalesce(entry_amount_minor, payout_amount_minor))::bigint as entry_amount_minor "
        f"from {claims_scan(paths)} group by entry_id"
    )


def claims_scan(paths: list[Path]) -> str:
    """SQL that reads claims files of any version, with all ``COLUMNS``."""
    empty = ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS)
    return (
        f"(select {empty} where false union all by name "
        f"select * from {parquet_scan(paths, union_by_name=True)})"
    )


def check_claims(home: Path, content: BatchContent) -> None:
    """Prove that the claims file is the registered one and adds up to the items (I6).

    Raises: ChainBrokenError.
    """
    path = claims_path(home, content.batch_id)
    if not path.is_file():
        raise ChainBrokenError(
            f"{path} is registered but missing; restore the batches folder from a backup"
        )
    if sha256_file(path) != content.claims_sha256:
        raise ChainBrokenError(
            f"{path} was changed after batch {content.batch_id} was proposed; restore the batches "
            "folder from a backup, or reject the batch and propose again"
        )
    connection = memory_connection()
    try:
        claimed = _sums(connection, path)
    finally:
        connection.close()
    expected = sorted(
        (item.payout_id, item.partner_id, content.currency_code, item.amount_minor, item.entries,
         item.entries_hash)
        for item in content.items
    )  # fmt: skip
    if claimed != expected:
        raise ChainBrokenError(
            f"the items of batch {content.batch_id} do not add up to its claims: the control "
            "database was changed outside partnerledger; restore it from a backup"
        )


def _sums(connection: DuckDBPyConnection, path: Path) -> list[tuple]:
    return connection.execute(
        "select payout_id, partner_id, payout_currency_code, sum(payout_amount_minor), count(*), "
        f"{ENTRIES_HASH_SQL} from {parquet_scan([path])} group by 1, 2, 3 order by all"
    ).fetchall()
