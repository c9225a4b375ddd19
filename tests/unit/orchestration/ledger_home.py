"""Nights and entries in a home of `cli_world`, posted as a night does, without dbt."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from payouts import ids
from payouts.adjustments import approve_adjustment, propose_adjustment
from payouts.journal import post_differences
from payouts.journal_schema import COLUMNS
from payouts.store import open_store
from payouts.terms import ApprovalRules

CLOCK = datetime(2026, 3, 2, 9)


def earning(source_id: str, effective_date: date, partner_id: str = "p1") -> dict:
    """An earning of 10.00 USD, available a month after it was earned."""
    key = ids.natural_key("earning", "recurring", "invoice_line", source_id, partner_id, "", "")
    return _entry(
        key,
        entry_kind="earning", partner_id=partner_id, lead_id="lead_1", component_id="recurring",
        source_type="invoice_line", source_id=source_id, amount_minor=1000,
        payout_amount_minor=1000, effective_date=effective_date,
        available_date=effective_date + timedelta(days=30),
    )  # fmt: skip


def adjusting(record: dict) -> dict:
    """The entry of an approved adjustment, from what `adjust show --json` prints."""
    key = ids.natural_key(
        "adjustment", "", "adjustment", record["adjustment_id"], record["partner_id"], "", ""
    )
    return _entry(
        key,
        entry_kind="adjustment", partner_id=record["partner_id"], component_id="",
        source_type="adjustment", source_id=record["adjustment_id"],
        amount_minor=record["amount_minor"], payout_amount_minor=record["amount_minor"],
        effective_date=date.fromisoformat(record["effective_date"]),
        available_date=date.fromisoformat(record["available_date"]),
    )  # fmt: skip


def approved_adjustment(home: Path, recorded_at: datetime) -> None:
    """25.00 USD for p1, approved at a given instant: commands take the time of the clock."""
    people = {"partnerships": frozenset({"ana"}), "finance": frozenset({"ben"})}
    common = {"reason": "promised", "rules": ApprovalRules(people), "recorded_at": recorded_at}
    store = open_store(home)
    proposed = propose_adjustment(
        store, home, partner_id="p1", amount_minor=2500, currency_code="USD",
        payout_currency_code="USD", evidence="mail", actor="ana", **common,
    )  # fmt: skip
    approve_adjustment(
        store, adjustment_id=proposed.adjustment_id, actor="ben", timezone="UTC", **common
    )
    store.close()


def post(home: Path, as_of: date, *entries: dict) -> None:
    """One night that posts these entries, or none."""
    connection = duckdb.connect(":memory:")
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
    connection.execute(f"create table differences ({columns})")
    for row in entries:
        marks = ", ".join("?" for _ in COLUMNS)
        connection.execute(
            f"insert into differences values ({marks})", [row[name] for name, _ in COLUMNS]
        )
    store = open_store(home)
    post_differences(
        store, home, connection, as_of=as_of,
        recorded_at=datetime.combine(as_of + timedelta(days=1), datetime.min.time()),
        run_id=f"{as_of}-{len(entries)}", registered_at=CLOCK, relation="differences",
    )  # fmt: skip
    store.close()


def _entry(key: str, **values) -> dict:
    return {
        **dict.fromkeys(name for name, _ in COLUMNS),
        "entry_id": ids.entry_id(key, 1), "commission_id": ids.commission_id(key),
        "cause_type": "", "cause_id": "", "currency_code": "USD", "payout_currency_code": "USD",
        "posting_period": f"{values['effective_date']:%Y-%m}", "ordinal": 1, **values,
    }  # fmt: skip
