"""Entries of the snapshot recomputed: one, those of a payout, or all of a balance (C8, B1).

What belongs here: gathering what a check needs, and counting what checks found. What does not: the
check itself (`recompute`), and which entries somebody asked about (`evidence`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError, query
from orchestration.recompute import (
    DIFFERS,
    MATCHES,
    NO_FORMULA,
    OLDER,
    check_entry,
    check_payout,
    key_sums,
    read_explanation,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Record = dict[str, Any]

PAYOUT = "payout"
_KEY_COLUMNS = (
    "entry_id, commission_id, currency_code, payout_currency_code, amount_minor, "
    "payout_amount_minor, segment"
)


def checked_entries(connection: DuckDBPyConnection, condition: str, value: str) -> list[Record]:
    """Entries that meet a condition, each with its explanation read and its check as `recomputed`.

    condition: over marts.fct_commission_entries as `entry`, with `?` or `$1` for the value.
    """
    rows = query(
        connection,
        "select entry.*, hold.hold_reason from marts.fct_commission_entries as entry "
        "left join marts.fct_entry_holds as hold using (entry_id) "
        f"where {condition} order by entry.commission_id, entry.ordinal",
        [value],
    )
    sums = key_sums(
        query(
            connection,
            f"select {_KEY_COLUMNS} from marts.fct_commission_entries where commission_id in "
            "(select entry.commission_id from marts.fct_commission_entries as entry "
            f"where {condition})",
            [value],
        )
    )
    for row in rows:
        row["explanation"] = read_explanation(row["explanation"])
    claimed = _claimed(connection, [row for row in rows if row["entry_kind"] == PAYOUT])
    for row in rows:
        check = (
            check_payout(row, claimed[row["source_id"]])
            if row["entry_kind"] == PAYOUT
            else check_entry(row, sums[row["entry_id"]])
        )
        row["recomputed"] = asdict(check)
    return rows


def summary(entries: Iterable[Record], recorded: Mapping[str, int] | None = None) -> Record:
    """Counts of results, the checks that differ, and sums per payout currency.

    older: those of `no_formula` that an older release posted. entries: with their checks.
    recorded: what a balance or payout says per currency; a sum that is another one counts as a
    difference of its own.
    """
    entries = list(entries)
    results = [entry["recomputed"]["result"] for entry in entries]
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry["payout_currency_code"]] += entry["payout_amount_minor"]
    currencies = sorted({*sums, *(recorded or {})})
    return {
        "entries": len(entries),
        "matches": results.count(MATCHES),
        "differs": results.count(DIFFERS),
        "no_formula": results.count(NO_FORMULA),
        "older": [entry["recomputed"]["reason"] for entry in entries].count(OLDER),
        "different": [
            entry["recomputed"] for entry in entries if entry["recomputed"]["result"] == DIFFERS
        ],
        "sums": [
            {
                "payout_currency_code": currency,
                "payout_amount_minor": sums[currency],
                "recorded_amount_minor": None if recorded is None else recorded.get(currency, 0),
                "is_equal": recorded is None or recorded.get(currency, 0) == sums[currency],
            }
            for currency in currencies
        ],
    }


def require_matches(evidence: Record) -> None:
    """Raises: CommandError when an entry, or a sum, is not what was recorded."""
    found = evidence.get("recomputation")
    if found is None:
        return
    unequal = [row["payout_currency_code"] for row in found["sums"] if not row["is_equal"]]
    if found["differs"]:
        noun = "entry does" if found["differs"] == 1 else "entries do"
        raise CommandError(
            f"{found['differs']} of {found['entries']} {noun} not recompute from the stored "
            f"explanation, first {found['different'][0]['entry_id']}",
            "See docs/runbooks/verify-failed.md; approve and export nothing until then.",
        )
    if unequal:
        raise CommandError(
            f"the entries of {evidence['reference']} do not add up to what is shown in "
            f"{', '.join(unequal)}",
            "Run `partnerledger verify`; approve and export nothing until then.",
        )


def _claimed(connection: DuckDBPyConnection, payouts: list[Record]) -> dict[str, list[Record]]:
    """The entries that each of these payouts paid."""
    found: dict[str, list[Record]] = defaultdict(list)
    if payouts:
        names = ["?"] * len(payouts)
        for row in query(
            connection,
            "select claim.payout_id, entry.entry_id, entry.payout_amount_minor "
            "from marts.fct_entry_claims as claim "
            "join marts.fct_commission_entries as entry using (entry_id) "
            f"where claim.payout_id in ({', '.join(names)})",
            [row["source_id"] for row in payouts],
        ):
            found[row["payout_id"]].append(row)
    return found
