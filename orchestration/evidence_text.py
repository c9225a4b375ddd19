"""Evidence as people read it: one fact per line, oldest cause first."""

from __future__ import annotations

from typing import Any

from orchestration.cli_common import money, out, print_table

Record = dict[str, Any]


def print_balance(record: Record) -> None:
    """Balances, then every entry behind them; of an earlier state with the state of each."""
    console = out()
    known = record.get("as_known")
    console.print(
        f"{record['partner_id']}, as known on {known['asked']} "
        f"(up to journal segment {known['segment']})"
        if known
        else f"{record['partner_id']} {record['name']} ({record['status']})"
    )
    for row in record["balances"]:
        code = row["payout_currency_code"]
        for name, value in row.items():
            if name.endswith("_amount_minor"):
                title = name.removesuffix("_amount_minor").replace("_", " ")
                console.print(f"  {title:<10} {money(value, code):>20}")
    print_table(
        "Entries",
        ("effective", "available", "kind", "for", "because of", "amount", "batch", "entry"),
        [
            (row["effective_date"], row["available_date"], row["entry_kind"],
             f"{row['source_type']} {row['source_id']}", f"{row['cause_type']} {row['cause_id']}",
             money(row["payout_amount_minor"], row["payout_currency_code"]),
             row["batch_id"] or row["hold_reason"] or row.get("state"), row["entry_id"])
            for row in record["entries"]
        ],
        right=("amount",),
    )  # fmt: skip


def print_facts(title: str, facts: Record) -> None:
    """One record: a value per line, what is empty left out, amounts with their currency."""
    console = out()
    console.print(title.capitalize())
    for name, value in facts.items():
        if value is None or value == "" or (name.endswith("currency_code") and title != "batch"):
            continue
        if isinstance(value, dict):
            console.print(f"  {name.replace('_', ' ')}:")
            for part, shown in value.items():
                if shown is not None:
                    console.print(f"    {part.replace('_', ' ')}: {shown}")
            continue
        shown = money(value, _currency_of(name, facts)) if name.endswith("amount_minor") else value
        console.print(f"  {name.removesuffix('_minor').replace('_', ' ')}: {shown}")


def _currency_of(name: str, facts: Record) -> str | None:
    if name.startswith("payout_"):
        return facts.get("payout_currency_code")
    return facts.get("currency_code") or facts.get("payout_currency_code")


def print_lines(lines: list[Record]) -> None:
    """Commission lines: what was earned, and what was taken back for which cause."""
    if not lines:
        return
    print_table(
        "Earned and taken back",
        ("effective", "kind", "for", "because of", "rate", "amount", "status", "commission"),
        [
            (row["effective_date"], row["kind"], f"{row['source_type']} {row['source_id']}",
             f"{row['cause_type']} {row['cause_id']}", row["rate"],
             money(row["amount_minor"], row["currency_code"]), row["status"], row["commission_id"])
            for row in lines
        ],
        right=("rate", "amount"),
    )  # fmt: skip
