"""Three-way match of a batch: what was earned, what was ordered, what the bank did.

What belongs here: the sums, what is left over, and a reason for each difference.
What does not: changing anything; a difference is settled by a file or by people.
Source: payouts reference 3.2 and 4.3 (I6, I19); clearing age as in 4.4. Decision 0053.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from payouts import outcomes
from payouts.claims import claims_path
from payouts.errors import DecisionRefusedError
from payouts.hashing import parse_instant
from payouts.outcomes import ItemState, item_states
from payouts.parquet import memory_connection, parquet_scan
from payouts.records import load_content, load_state
from payouts.schema import export_files, exports, payout_outcomes
from payouts.settlement.open_lines import UNEXPLAINED_KINDS, open_lines
from payouts.states import EXPORTED_STATES


@dataclass(frozen=True)
class BankDay:
    """What one value date moved, in minor units. None is the day that no file named."""

    value_date: date | None
    debited_amount_minor: int
    returned_amount_minor: int


@dataclass(frozen=True)
class OpenPayout:
    """A payout without an end. clearing_age_days: since the export, in days of the caller."""

    payout_id: str
    partner_id: str
    amount_minor: int
    state: str
    clearing_age_days: int


@dataclass(frozen=True)
class BatchMatch:
    """One batch, earned against ordered against bank, in minor units of its currency.

    Residuals are zero unless something was changed by hand. ``discrepancies``: lines of files that
    are open. ``reasons``: why the bank's sum is not yet the batch's, one sentence each; empty when
    everything has settled.
    """

    batch_id: str
    state: str
    currency_code: str
    as_of: date
    earned_amount_minor: dict[str, int]
    earned_total_minor: int
    batch_total_minor: int
    files_total_minor: int
    settled_amount_minor: int
    failed_amount_minor: int
    returned_amount_minor: int
    aborted_amount_minor: int
    open_amount_minor: int
    bank_total_minor: int
    bank_days: tuple[BankDay, ...]
    open_payouts: tuple[OpenPayout, ...]
    discrepancies: tuple[dict[str, Any], ...]
    earned_residual_minor: int
    files_residual_minor: int
    outcomes_residual_minor: int
    bank_residual_minor: int
    reasons: tuple[str, ...]

    @property
    def is_matched(self) -> bool:
        """Whether everything ordered has settled, or has come back, to the cent, and the bank says
        nothing else of it that nobody has explained."""
        if any(each["kind"] in UNEXPLAINED_KINDS for each in self.discrepancies):
            return False
        return not any(
            (
                self.earned_residual_minor, self.files_residual_minor,
                self.outcomes_residual_minor, self.bank_residual_minor, self.open_amount_minor,
            )
        )  # fmt: skip


def match_batch(connection: Connection, home: Path, batch_id: str, as_of: date) -> BatchMatch:
    """Match one exported batch. as_of: the day to which open payouts are aged.

    Raises: DecisionRefusedError when the batch was not exported; BatchNotFoundError.
    """
    content = load_content(connection, batch_id)
    state = load_state(connection, batch_id).state
    if state not in EXPORTED_STATES:
        raise DecisionRefusedError(
            f"batch {batch_id} is {state}: only an exported batch can be matched with a bank"
        )
    items = item_states(connection, batch_id)
    earned = _earned(home, batch_id)
    totals = Counter({name: 0 for name in outcomes.STATES})
    for item in items.values():
        totals[item.state] += item.amount_minor
    bank_days = _bank_days(connection, batch_id)
    bank_total = sum(day.debited_amount_minor - day.returned_amount_minor for day in bank_days)
    files_total = _files_total(connection, batch_id)
    unseen = [item for item in items.values() if item.state == outcomes.RETURNED
              and not item.is_debited]  # fmt: skip
    batch_total = content.total_amount_minor
    open_total = sum(totals[name] for name in outcomes.OPEN_STATES)
    found = discrepancies_of(connection, batch_id)
    return BatchMatch(
        batch_id=batch_id,
        state=state,
        currency_code=content.currency_code,
        as_of=as_of,
        earned_amount_minor=earned,
        earned_total_minor=sum(earned.values()),
        batch_total_minor=batch_total,
        files_total_minor=files_total,
        settled_amount_minor=totals[outcomes.SETTLED],
        failed_amount_minor=totals[outcomes.FAILED],
        returned_amount_minor=totals[outcomes.RETURNED],
        aborted_amount_minor=totals[outcomes.ABORTED],
        open_amount_minor=open_total,
        bank_total_minor=bank_total,
        bank_days=bank_days,
        open_payouts=_open_payouts(connection, batch_id, items, as_of),
        discrepancies=tuple(found),
        earned_residual_minor=sum(earned.values()) - batch_total,
        files_residual_minor=files_total - batch_total,
        outcomes_residual_minor=sum(totals.values()) - batch_total,
        # A return whose debit no file has shown lowers the bank's sum below what it holds.
        bank_residual_minor=bank_total
        + sum(item.amount_minor for item in unseen)
        - totals[outcomes.SETTLED],
        reasons=tuple(_reasons(totals, items, unseen, found)),
    )


def discrepancies_of(connection: Connection, batch_id: str) -> list[dict[str, Any]]:
    """Open lines that name a batch, oldest first: neither applied since, nor acknowledged."""
    return [vars(line) for line in open_lines(connection) if line.batch_id == batch_id]


def _earned(home: Path, batch_id: str) -> dict[str, int]:
    """Claimed amounts by entry kind, from the claims file."""
    reader = memory_connection()
    try:
        rows = reader.execute(
            "select entry_kind, sum(payout_amount_minor)::bigint from "
            f"{parquet_scan([claims_path(home, batch_id)])} group by 1 order by 1"
        ).fetchall()
    finally:
        reader.close()
    return dict(rows)


def _files_total(connection: Connection, batch_id: str) -> int:
    return sum(
        connection.execute(
            select(export_files.c.total_amount_minor).where(export_files.c.batch_id == batch_id)
        ).scalars()
    )


def _bank_days(connection: Connection, batch_id: str) -> tuple[BankDay, ...]:
    rows = connection.execute(
        select(
            payout_outcomes.c.outcome,
            payout_outcomes.c.value_date,
            payout_outcomes.c.amount_minor,
        ).where(payout_outcomes.c.batch_id == batch_id)
    )
    days: dict[str | None, Counter[str]] = {}
    for row in rows:
        if row.outcome in (outcomes.SETTLED, outcomes.RETURNED):
            days.setdefault(row.value_date, Counter())[row.outcome] += row.amount_minor
    return tuple(
        BankDay(
            date.fromisoformat(day) if day else None,
            days[day][outcomes.SETTLED],
            days[day][outcomes.RETURNED],
        )
        for day in sorted(days, key=lambda day: day or "")
    )


def _open_payouts(
    connection: Connection, batch_id: str, items: dict[str, ItemState], as_of: date
) -> tuple[OpenPayout, ...]:
    exported_at = connection.execute(
        select(exports.c.exported_at).where(exports.c.batch_id == batch_id)
    ).scalar_one()
    age_days = (as_of - parse_instant(exported_at).date()).days
    return tuple(
        OpenPayout(item.payout_id, item.partner_id, item.amount_minor, item.state, max(age_days, 0))
        for item in items.values()
        if not item.is_terminal
    )


def _reasons(
    totals: Counter[str],
    items: dict[str, ItemState],
    unseen: list[ItemState],
    found: list[dict[str, Any]],
) -> list[str]:
    words = {
        outcomes.EXPORTED: "no file has named them since the export",
        outcomes.SENT: "the bank has them and has not booked them",
        outcomes.UNCLAIMED: "the recipients have not claimed them",
        outcomes.FAILED: "rejected before booking, back on the balances",
        outcomes.RETURNED: "came back, on the balances again",
        outcomes.ABORTED: "never sent, back on the balances",
    }
    reasons = [
        f"{sum(item.state == name for item in items.values())} {name}, {totals[name]} minor units: "
        f"{words[name]}"
        for name in words
        if totals[name]
    ]
    if unseen:
        reasons.append(
            f"{len(unseen)} came back before a file showed their debit; read the statement of the "
            "day of the debit"
        )
    reasons += [
        f"line {each['line']} of file {each['settlement']} was not applied ({each['kind']}): "
        f"{each['detail']}"
        for each in found
    ]
    return reasons
