"""What stands on a statement's pages, as texts: sums, bar, expected payouts, lines, footer.

What belongs here: every word and number of the PDF. What does not: how it looks (`statement.typ`),
and adding up: the record is `orchestration.statements`' and is only checked to add up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from dashboards.errors import StatementError
from dashboards.statements.glyphs import breakable, shown
from dashboards.statements.wording import ALWAYS_SHOWN, ENTRY_STATES, MOVEMENTS
from dashboards.words import ENTRY_KINDS, word

Record = Mapping[str, Any]
NOTHING = "Nothing was posted for this partner."
# Columns of the lines: name, whether numbers stand in it, share of the width that is left; 0 is as
# wide as its content.
_LINE_COLUMNS = (
    ("Day", False, 0), ("What", False, 4), ("For", False, 8), ("Because of", False, 6),
    ("State", False, 5), ("Entry", False, 0), ("Earned as", True, 0), ("Amount", True, 0),
)  # fmt: skip


def statement_content(
    statement: Record, programme: Record, partner_name: str = "", paper: str = "a4"
) -> dict[str, Any]:
    """All that the template is given.

    statement: as `orchestration.statements.statement`, days as dates or ISO text. programme: its
    `name` and `legal_entity`. Raises: StatementError for a record that does not add up.
    """
    day = document_day(statement)
    name = shown(programme["name"])
    return {
        "title": f"{name}: statement {statement['period']}",
        "author": shown(programme["legal_entity"]),
        "date": {"year": day.year, "month": day.month, "day": day.day},
        "paper": paper,
        "facts": _facts(statement, programme, partner_name),
        "currencies": [_currency(row, statement["period"]) for row in statement["currencies"]],
        "nothing": NOTHING,
        "foot": [*_foot(statement, name)],
    }


def document_day(statement: Record) -> date:
    """The day that the file is dated by: that of the last night it knows, never today's."""
    known = statement["as_known"]
    return date.fromisoformat(_day(known["as_of"] or known["day"]))


def content_hash(statement: Record) -> str:
    """SHA-256 of the record as canonical JSON: the same for the PDF, the CSV and `--json`."""
    text = json.dumps(
        statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_day
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _day(value: date | str | None) -> str:
    return "" if value is None else str(value)[:10]


def _facts(statement: Record, programme: Record, partner_name: str) -> list[tuple[str, str]]:
    period = statement["period"]
    is_closed = statement["is_closed"]
    return [
        ("Partner", shown(partner_name) or shown(statement["partner_id"])),
        ("Partner id", breakable(statement["partner_id"])),
        ("Period", f"{period}, {'closed' if is_closed else 'still open: more may be posted'}"),
        ("As known", _as_known(statement["as_known"])),
        ("Paid by", shown(programme["legal_entity"])),
    ]


def _as_known(known: Record) -> str:
    night = f"up to the night of {_day(known['as_of'])}" if known["as_of"] else "before any night"
    return f"on {shown(known['asked'])}, {night}" if known["asked"] else night


def _foot(statement: Record, programme_name: str) -> Iterator[str]:
    known = statement["as_known"]
    partner = shown(statement["partner_id"])
    yield f"{programme_name}, statement of {partner}, {statement['period']}"
    yield (
        f"As known {_as_known(known)}: journal segment {known['segment']}, event {known['event']}"
    )
    yield f"Journal {known['journal_hash'] or 'empty'}"
    yield f"Statement {content_hash(statement)}"


def _currency(row: Record, period: str) -> dict[str, Any]:
    from dashboards.templating import money

    currency = row["payout_currency_code"]
    sentences = []
    if row["later_amount_minor"]:
        sentences.append(
            f"Posted in later months: {money(row['later_amount_minor'], currency)}. "
            f"Balance with them: {money(row['balance_amount_minor'], currency)}."
        )
    return {
        "title": f"Balance in {currency}",
        "sums": _sums(row, period),
        "sentences": sentences,
        "unpaid": _unpaid(row["unpaid"], currency),
        "expected": {
            "title": "Expected payouts",
            "heads": ["Pay date", "Amount", "Condition"],
            "rows": [
                [_day(each["pay_date"]), money(each["amount_minor"], currency),
                 _expectation(each, currency)]
                for each in row["expected_payouts"]
            ],
        },
        "lines": _lines(row["lines"], currency, period),
    }  # fmt: skip


def _sums(row: Record, period: str) -> dict[str, Any]:
    """Opening balance, each movement with the balance after it, closing balance.

    What was taken back is told by cause in a column of its own, because it is in the sum already.
    """
    from dashboards.templating import money

    currency = row["payout_currency_code"]
    balance = row["opening_amount_minor"]
    rows = [_step("balance", f"Opening balance of {period}", "", "", money(balance, currency))]
    for name, title in MOVEMENTS.items():
        amount = row[f"{name}_amount_minor"]
        balance += amount
        if amount or name in ALWAYS_SHOWN:
            added = money(amount, currency, is_signed=True)
            rows.append(_step("movement", title, "", added, money(balance, currency)))
        if name == "taken_back":
            rows += [
                _step("part", f"{word(each['kind'], ENTRY_KINDS)}, {_counted(each['entries'])}",
                      money(each["amount_minor"], currency, is_signed=True), "", "")
                for each in row["taken_back_by_cause"]
            ]  # fmt: skip
    if balance != row["closing_amount_minor"]:
        raise StatementError(
            f"the statement in {currency} does not add up: its opening balance and movements make "
            f"{balance} minor units, and it closes with {row['closing_amount_minor']}. Write "
            "nothing to the partner; run `partnerledger verify`."
        )
    rows.append(_step("balance", f"Closing balance of {period}", "", "", money(balance, currency)))
    heads = ["What", "Of which", "Amount", "Balance"]
    if not row["taken_back_by_cause"]:
        heads.remove("Of which")
        for step in rows:
            del step["cells"][1]
    return {"heads": heads, "rows": rows}


def _step(kind: str, *cells: str) -> dict[str, Any]:
    return {"kind": kind, "cells": list(cells)}


def _counted(entries: int) -> str:
    return "1 line" if entries == 1 else f"{entries} lines"


def _unpaid(unpaid: Record, currency: str) -> dict[str, Any] | None:
    """The bar of what is not paid yet; None where there is nothing."""
    from dashboards.templating import money

    amounts = {
        name.removesuffix("_amount_minor"): amount for name, amount in unpaid.items() if amount
    }
    if not amounts:
        return None
    # What is owed by the partner has no width; the text beside the bar says it.
    total = sum(amount for amount in amounts.values() if amount > 0)
    texts = {
        state: f"{ENTRY_STATES[state]} {money(amount, currency)}"
        for state, amount in amounts.items()
    }
    return {
        "title": "Not paid yet",
        "alt": f"Not paid yet, by state: {'; '.join(texts.values())}.",
        "parts": [
            {
                "state": state,
                "text": texts[state],
                "permille": max(amount, 0) * 1000 // total if total else 0,
            }
            for state, amount in amounts.items()
        ],
    }


def _expectation(each: Record, currency: str) -> str:
    from dashboards.templating import money

    if each["is_in_batch"]:
        return "in a batch"
    if each["carried_amount_minor"]:
        return f"{money(each['carried_amount_minor'], currency)} carried to the next pay date"
    return "if nothing stands in the way"


def _lines(lines: list[Record], currency: str, period: str) -> dict[str, Any]:
    """The table of all entries, without a column in which no line would say anything."""
    unneeded = set()
    if not any(line["cause_id"] for line in lines):
        unneeded.add("Because of")
    if all(line["currency_code"] == currency for line in lines):
        unneeded.add("Earned as")
    columns = [column for column in _LINE_COLUMNS if column[0] not in unneeded]
    return {
        "title": f"Lines of {period} in {currency}",
        "heads": [name for name, _, _ in columns],
        "is_right": [is_right for _, is_right, _ in columns],
        "shares": [share for _, _, share in columns],
        "rows": [[cells[name] for name, _, _ in columns] for cells in map(_line, lines)],
    }


def _line(line: Record) -> dict[str, str]:
    from dashboards.templating import money

    return {
        "Day": _day(line["effective_date"]),
        "What": _joined(", ", word(line["entry_kind"], ENTRY_KINDS), line["component_id"]),
        "For": _joined(" ", _named(line["source_type"], line["source_id"]), line["customer_id"]),
        "Because of": breakable(_named(line["cause_type"], line["cause_id"])),
        "State": _state(line),
        "Entry": line["entry_id"][:8],
        "Earned as": money(line["amount_minor"], line["currency_code"]),
        "Amount": money(line["payout_amount_minor"], line["payout_currency_code"]),
    }


def _named(kind: str | None, identifier: str | None) -> str:
    return f"{(kind or '').replace('_', ' ')} {identifier}" if identifier else ""


def _joined(between: str, *texts: str | None) -> str:
    return breakable(between.join(text for text in texts if text))


def _state(line: Record) -> str:
    if line["paid_date"]:
        return f"paid {_day(line['paid_date'])}"
    state = ENTRY_STATES.get(line["state"], line["state"])
    day = _day(line["expected_pay_date"])
    return f"{state}, expected {day}" if day else state
