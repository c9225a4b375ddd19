"""Facts and terms of the vendors' commission examples, from their short notation.

An example is a plan, one partner and its customers. `versions` are those of the plan; `components`
alone make one version. `customers`: name to `country`, `demo` (held) and `ended` (access);
without, there is one customer `c`. `each` makes so many customers with one invoice line of one
amount, a minute apart. An invoice has `lines` (name to amount, or to columns), is paid on `paid` or
by `payments` (name to day and amount); `attempts` tells it so often as open, with the same payment,
before it is paid. `at` is an instant, a day means noon. All times are UTC, amounts minor units.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.oracle.facts import Facts

PROGRAM = """\
program: {id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}
lead: [{effective_from: 2024-01-01, valid_when: demo_booked}]
attribution: [{effective_from: 2024-01-01, model: last_touch}]
payouts: {rails: {default: csv}}
"""
FIRST_DAY = "2024-01-01"
HOLD = {"days": 0, "after": "paid"}

Example = Mapping[str, Any]
Row = dict[str, str]


def program_of(examples: Mapping[str, Example]) -> str:
    """One plan and one group per example."""
    plans = [
        {
            "id": name,
            "versions": [
                {"effective_from": FIRST_DAY, "hold": HOLD, **version}
                for version in example.get("versions", [{"components": example.get("components")}])
            ],
        }
        for name, example in examples.items()
    ]
    groups = {"default": next(iter(examples)), **{name: name for name in examples}}
    as_json = {"plans": plans, "groups": groups}
    return PROGRAM + "".join(
        f"{key}: {json.dumps(value, default=_plain)}\n" for key, value in as_json.items()
    )


def facts_of(examples: Mapping[str, Example], rates: Iterable[tuple[Any, str, Any]]) -> Facts:
    """All rows of all examples."""
    facts: Facts = defaultdict(list)
    for day, code, rate in rates:
        facts["fx_rates"].append({"rate_date": str(day), "currency_code": code, "rate": str(rate)})
    for name, example in examples.items():
        _add_example(facts, name, example)
    return facts


def _add_example(facts: Facts, name: str, example: Example) -> None:
    slug = name.replace("_", "-")
    facts["partners"].append(
        {
            "partner_id": name,
            "name": name,
            "email": f"me@{slug}.example",
            "group": name,
            "status": "active",
            "payout_currency": example.get("currency", "USD"),
            "joined_at": FIRST_DAY,
        }
    )
    for product_id in example.get("products", ()):
        facts["products"].append({"product_id": product_id, "name": product_id})
    invoices = [*example.get("invoices", ())]
    customers = dict(example.get("customers", {} if "each" in example else {"c": {}}))
    if "each" in example:
        for number in range(example["each"]["customers"]):
            key = f"n{number + 1:02}"
            customers[key] = {}
            paid = _instant(example["each"]["paid"]) + timedelta(minutes=number)
            invoices.append(
                {"customer": key, "paid": paid, "lines": {key: example["each"]["amount"]}}
            )
    for number, invoice in enumerate(invoices, start=1):
        _add_invoice(facts, name, {"id": f"i{number}", **invoice}, example)
    for customer, about in customers.items():
        first = min(
            [_instant(about["demo"])]
            if "demo" in about
            else [_paid_at(i) for i in invoices if i.get("customer", "c") == customer]
        )
        _add_customer(facts, name, customer, f"eve@{slug}-{customer}.test", about, first)
    _add_money_back(facts, name, example)


def _add_customer(
    facts: Facts, name: str, customer: str, email: str, about: Example, first: datetime
) -> None:
    customer_id = f"{name}_{customer}"
    facts["touchpoints"].append(
        {
            "touchpoint_id": customer_id,
            "occurred_at": _text(first - timedelta(days=1)),
            "touch_type": "referral_link",
            "partner_id": name,
            "email": email,
        }
    )
    facts["customers"].append(
        {
            "customer_id": customer_id,
            "created_at": _text(first - timedelta(hours=1)),
            "email": email,
            "country": about.get("country", ""),
        }
    )
    if "demo" in about:
        facts["meetings"].append(
            {
                "meeting_id": customer_id,
                "booked_at": _text(first),
                "starts_at": _text(first),
                "outcome": "held",
                "email": email,
            }
        )
    if "ended" in about:
        facts["subscriptions"].append(
            {
                "subscription_id": customer_id,
                "customer_id": customer_id,
                "status": "canceled",
                "started_at": _text(first),
                "ended_at": _text(_instant(about["ended"])),
            }
        )


def _add_invoice(facts: Facts, name: str, invoice: Example, example: Example) -> None:
    invoice_id = f"{name}_{invoice['id']}"
    lines = {
        key: line if isinstance(line, Mapping) else {"amount_minor": line}
        for key, line in invoice["lines"].items()
    }
    total = sum(
        line["amount_minor"] - line.get("discount_minor", 0) + line.get("tax_minor", 0)
        for line in lines.values()
    )
    paid = _text(_instant(invoice["paid"])) if "paid" in invoice else ""
    row = {
        "invoice_id": invoice_id,
        "customer_id": f"{name}_{invoice.get('customer', 'c')}",
        "status": invoice.get("status", "paid"),
        "currency_code": invoice.get("currency", example.get("currency", "USD")),
        "issued_at": _text(_instant(invoice["issued"])) if "issued" in invoice else paid,
        "paid_at": paid,
        "total_minor": str(total),
    }
    payments = [
        {
            "payment_id": f"{name}_{key}",
            "invoice_id": invoice_id,
            "amount_minor": str(amount),
            "paid_at": _text(_instant(at)),
        }
        for key, (at, amount) in invoice.get("payments", {}).items()
    ]
    for _ in range(invoice.get("attempts", 0)):
        facts["invoices"].append({**row, "status": "open", "paid_at": ""})
        facts["payments"].extend(payments)
    facts["invoices"].append(row)
    facts["payments"].extend(payments)
    for key, line in lines.items():
        facts["invoice_lines"].append(
            {
                "invoice_line_id": f"{name}_{key}",
                "invoice_id": invoice_id,
                **{column: str(value) for column, value in line.items()},
            }
        )


def _add_money_back(facts: Facts, name: str, example: Example) -> None:
    for entity, id_column, at_column in (
        ("refunds", "refund_id", "refunded_at"),
        ("credit_notes", "credit_note_id", "issued_at"),
        ("disputes", "dispute_id", "opened_at"),
    ):
        for key, row in example.get(entity, {}).items():
            written: Row = {
                id_column: f"{name}_{key}",
                "invoice_id": f"{name}_{row['invoice']}",
                "amount_minor": str(row["amount"]),
                at_column: _text(_instant(row["at"])),
            }
            for column in ("status", "kind", "to_balance"):
                if column in row:
                    written[column] = str(row[column]).lower()
            if "closed" in row:
                written["closed_at"] = _text(_instant(row["closed"]))
            facts[entity].append(written)


def _paid_at(invoice: Example) -> datetime:
    if "paid" in invoice:
        return _instant(invoice["paid"])
    firsts = [_instant(at) for at, _ in invoice.get("payments", {}).values()]
    return min(firsts, default=datetime.max.replace(tzinfo=UTC))


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(12), UTC)


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> Any:
    """Exact decimals and days as YAML reads them in JSON."""
    return value.isoformat() if isinstance(value, date) else float(value)
