"""A statement as a document (`documents`): sums first, then every line.

What does not belong here: adding up (`statements`), and what the partner is called anywhere but in
the title.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.statements.wording import ALWAYS_SHOWN, ENTRY_STATES, MOVEMENTS
from orchestration.cli_common import counted, money
from orchestration.documents import Block, Document, Facts, Sentence, Table

Record = dict[str, Any]


def statement_document(statement: Record, partner_name: str = "") -> Document:
    """The document of one statement."""
    known = statement["as_known"]
    when = f"as known on {known['asked']}" if known["asked"] else "as known now"
    night = f"the night of {known['as_of']}" if known["as_of"] else "no night"
    closed = ", closed" if statement["is_closed"] else ""
    document = Document(
        f"Statement of {statement['partner_id']} {partner_name}".rstrip(),
        f"{statement['period']}{closed}, {when}: up to {night}, journal segment "
        f"{known['segment']} ({known['journal_hash'][:16] or 'none'})",
    )
    if not statement["currencies"]:
        document.add(Sentence("nothing was posted for this partner"))
    for row in statement["currencies"]:
        document.add(*_currency(row))
    return document


def _currency(row: Record) -> Iterator[Block]:
    currency = row["payout_currency_code"]
    yield Table(f"Balance in {currency}", ("", "amount"), _sums(row, currency), right=("amount",))
    unpaid = [
        (ENTRY_STATES[name.removesuffix("_amount_minor")], money(amount, currency))
        for name, amount in row["unpaid"].items()
        if amount
    ]
    yield Facts("Not paid yet", unpaid)
    yield Table(
        "Expected payouts",
        ("pay date", "amount", ""),
        [
            (each["pay_date"], money(each["amount_minor"], currency), _expectation(each, currency))
            for each in row["expected_payouts"]
        ],
        right=("amount",),
    )  # fmt: skip
    yield _lines(row["lines"], currency)


def _expectation(each: Record, currency: str) -> str:
    if each["is_in_batch"]:
        return "in a batch"
    if each["carried_amount_minor"]:
        return f"{money(each['carried_amount_minor'], currency)} carried"
    return "if nothing stands in the way"


def _lines(lines: list[Record], currency: str) -> Table:
    """One row per entry; the amount in its own currency only where there is another one."""
    is_converted = any(each["currency_code"] != currency for each in lines)
    columns = ["day", "what", "for", "because of", "customer", "amount"]
    columns += ["earned as"] if is_converted else []
    columns += ["state", "available", "paid or expected", "entry"]
    rows = []
    for line in lines:
        own = money(line["amount_minor"], line["currency_code"])
        what = line["entry_kind"].replace("_", " ")
        cause = f"{line['cause_type']} {line['cause_id']}" if line["cause_id"] else ""
        rows.append(
            [
                line["effective_date"],
                f"{what}, {line['component_id']}" if line["component_id"] else what,
                f"{(line['source_type'] or '').replace('_', ' ')} {line['source_id'] or ''}",
                cause.replace("_", " ", 1),
                line["customer_id"],
                money(line["payout_amount_minor"], currency),
                *([own] if is_converted else []),
                ENTRY_STATES[line["state"]],
                line["available_date"],
                line["paid_date"] or line["expected_pay_date"],
                line["entry_id"],
            ]
        )
    right = ("amount", "earned as")
    return Table(f"Lines in {currency}", columns, rows, right=right, whole=("day", "for"))


def _sums(row: Record, currency: str) -> list[tuple[str, str]]:
    rows = [("Opening balance", money(row["opening_amount_minor"], currency))]
    for name, title in MOVEMENTS.items():
        amount = row[f"{name}_amount_minor"]
        if amount or name in ALWAYS_SHOWN:
            rows.append((title, money(amount, currency)))
        if name == "taken_back":
            rows += [
                (f"  by {each['kind'].replace('_', ' ')} ({counted(each['entries'], 'line')})",
                 money(each["amount_minor"], currency))
                for each in row["taken_back_by_cause"]
            ]  # fmt: skip
    rows.append(("Closing balance", money(row["closing_amount_minor"], currency)))
    if row["later_amount_minor"]:
        rows.append(("Posted in later months", money(row["later_amount_minor"], currency)))
        rows.append(("Balance", money(row["balance_amount_minor"], currency)))
    return rows
