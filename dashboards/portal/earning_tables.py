"""Earnings as tables: the same columns on the first page, the list and the page of a lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashboards.lead_view import exact_percent
from dashboards.portal import addresses
from dashboards.portal.masking import customer, masked_addresses
from dashboards.portal.words import (
    LINE_STATES,
    line_label,
    line_reason,
    unpaid_reason,
    unpaid_short,
)
from dashboards.tables import Column, Table
from dashboards.templating import money

Row = dict[str, Any]


def with_words(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Rows of portal/earnings.sql with ``who``, ``reason``, ``waits``; no address in an id."""
    return [
        {
            **row,
            "who": customer(row) if row["lead_id"] else "",
            "label": line_label(row),
            "reason": line_reason(row) if row["kind"] != "earning" else "",
            "reverses": "the earning" if row["reverses_commission_id"] else "",
            "base_and_rate": base_and_rate(row),
            "waits": unpaid_short(row),
            "waits_because": unpaid_reason(row),
            "expected_pay_date": None if row["status"] == "paid" else row["expected_pay_date"],
            "source_id": masked_addresses(row["source_id"] or ""),
            "cause_id": masked_addresses(row["cause_id"] or ""),
        }
        for row in rows
    ]


def earnings_table(
    rows: list[Row],
    caption: str,
    total: int | None = None,
    is_short: bool = False,
) -> Table:
    """The list. rows: as ``with_words`` gives them. is_short: base and rate in the file alone."""
    has_takebacks = any(row["reverses_commission_id"] for row in rows)
    columns = [
        Column("effective_date", "Day", "date"),
        Column("label", "What", href=lambda row: addresses.earning(row["commission_id"])),
        Column("who", "Customer", href=lambda row: addresses.lead(row["lead_id"])),
        Column("base_and_rate", "Base × rate", is_csv_only=is_short),
        Column("payout_amount_minor", "Amount", "money", "payout_currency_code"),
        Column("status", "State", "badge", words=LINE_STATES),
        Column("waits", "Waits"),
        Column("expected_pay_date", "Expected pay day", "date"),
        Column("reason", "Because of", is_csv_only=not has_takebacks),
        Column(
            "reverses", "Takes back from",
            href=lambda row: addresses.earning(row["reverses_commission_id"]),
            is_csv_only=not has_takebacks,
        ),
        Column("waits_because", "Why not paid yet", is_csv_only=True),
        Column("commission_id", "Line", "id", is_csv_only=True),
        Column("reverses_commission_id", "Takes back from line", "id", is_csv_only=True),
        Column("component_id", "Part of the plan", "id", is_csv_only=True),
        Column("base_amount_minor", "Base", "money", "currency_code", is_csv_only=True),
        Column("rate", "Rate", "percent", is_csv_only=True),
        Column("available_date", "Available from", "date", is_csv_only=True),
        Column("amount_minor", "Earned as", "money", "currency_code", is_csv_only=True),
        Column("source_type", "Earned on", is_csv_only=True),
        Column("source_id", "Record", "id", is_csv_only=True),
        Column("cause_type", "Cause", is_csv_only=True),
        Column("cause_id", "Record of the cause", "id", is_csv_only=True),
    ]  # fmt: skip
    return Table("earnings", caption, columns, rows, empty="No earnings here.", total=total)


def base_and_rate(row: Mapping[str, Any]) -> str:
    """What the rate applies to, and the rate; empty for fixed amounts and what is not the
    partner's to know.
    """
    if row["rate"] is None:
        return ""
    rate = exact_percent(row["rate"])
    if row["base_amount_minor"] is None:
        return rate
    return f"{money(row['base_amount_minor'], row['currency_code'])} × {rate}"
