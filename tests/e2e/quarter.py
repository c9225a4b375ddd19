"""A quarter of a small programme, and its files as they arrive: `quarter.md` works it out by hand.

Four partners, 20 % of every paid invoice, held for 30 days: Ann and Bo are paid in USD by nacha, Cy
and Di in EUR by sepa. What does not belong here: expected values (`quarter.md`) and what people do
(`test_quarter`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PILOT_OFF = "pilot: {enabled: false, partners: []}\n"
PILOT_ON = "pilot: {enabled: true, partners: [p1, p3]}\n"
PROGRAM = (
    """\
program:
  id: quarter
  name: Quarter
  legal_entity: Quarter Inc
  timezone: UTC
  reporting_currency: USD
lead:
  - {effective_from: 2025-01-01, valid_when: signup, own_domains: [quarter.example]}
attribution:
  - {effective_from: 2025-01-01, model: last_touch, compare_models: [first_touch]}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: 12, basis: charge_start}
        hold: {days: 30, after: paid}
        clawback:
          refund: {mode: proportional}
          chargeback: {on_open: hold, on_lost: reverse, on_won: release}
          churn: {window_days: 90, mode: prorated}
groups: {default: standard}
payouts:
  schedule: {frequency: monthly, cutoff: month_end, pay_day: 15, business_day: next}
  minimum: {USD: 10.00, EUR: 10.00}
  rails: {USD: nacha, EUR: sepa}
  offset_share: 0.5
  gates: [status, terms_accepted, payee_verified, tax_form, screening, cooling_off]
  cooling_off_days: 7
roles:
  partnerships: [ana@quarter.example]
  finance: [ben@quarter.example, cleo@quarter.example]
  analyst: []
  admin: []
"""
    + PILOT_OFF
)
SOURCES = "sources: {drop: {kind: files, path: drop}}\n"
PARTNERS = {"p1": "ann", "p2": "bo", "p3": "cy", "p4": "di"}
CUSTOMERS = {"c1": "p1", "c2": "p2", "c3": "p2", "c4": "p3", "c5": "p4"}

# Invoice: customer, day paid, total in minor units. Currency is the partner's.
INVOICES = {
    "i11": ("c1", "2025-12-20", 20000),
    "i12": ("c1", "2026-01-08", 15000),
    "i13": ("c1", "2026-01-25", 8000),
    "i14": ("c1", "2026-02-08", 15000),
    "i15": ("c1", "2026-03-05", 7500),
    "i21": ("c2", "2025-12-30", 4000),
    "i22": ("c2", "2026-01-10", 30000),
    "i23": ("c3", "2026-01-15", 12000),
    "i24": ("c3", "2026-02-12", 9000),
    "i41": ("c4", "2025-12-15", 60000),
    "i42": ("c4", "2026-01-20", 50005),
    "i43": ("c4", "2026-02-20", 24000),
    "i44": ("c4", "2026-03-20", 24000),
    "i61": ("c5", "2025-12-28", 40000),
    "i62": ("c5", "2026-01-12", 10000),
    "i63": ("c5", "2026-02-03", 6000),
}
REFUNDS = """\
refund_id,invoice_id,amount_minor,refunded_at
r1,i11,5000,2026-01-10T12:00:00Z
"""
LATE_REFUNDS = """\
refund_id,invoice_id,amount_minor,refunded_at
r2,i41,50000,2026-02-20T12:00:00Z
"""
CHARGEBACK_OPEN = """\
dispute_id,invoice_id,amount_minor,opened_at,status,closed_at
d1,i22,30000,2026-02-05T12:00:00Z,open,
"""
CHARGEBACK_LOST = """\
dispute_id,invoice_id,amount_minor,opened_at,status,closed_at
d1,i22,30000,2026-02-05T12:00:00Z,lost,2026-03-12T12:00:00Z
"""
LATER_FILES = {
    "2026-02": {"refunds-late.csv": LATE_REFUNDS, "disputes.csv": CHARGEBACK_OPEN},
    "2026-03": {"disputes-lost.csv": CHARGEBACK_LOST},
}
"""By the month whose files bring them; invoices come with the month in which they were paid."""


@dataclass(frozen=True)
class Account:
    """A rail's fields, as they go into the vault, and which of them nobody else may see."""

    rail: str
    fields: dict[str, Any]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that may stand in payout files alone."""
        names = ("holder_name", "name", "iban", "account_number")
        return tuple(self.fields[name] for name in names if name in self.fields)

    def text(self) -> str:
        """As `--file` takes it."""
        return json.dumps(self.fields)


def _nacha(holder: str, account: str, entity: str) -> Account:
    fields = {
        "holder_name": holder, "routing_number": "091000019", "account_number": account,
        "account_type": "checking", "entity_type": entity,
    }  # fmt: skip
    return Account("nacha", fields)


ACCOUNTS = {
    "p1": _nacha("Annabel Quist", "77120034501", "individual"),
    "p2": _nacha("Bohemian Media LLC", "77120034519", "business"),
    "p3": Account("sepa", {"holder_name": "Cyrano Werbung GmbH", "iban": "DE89370400440532013000"}),
    "p4": Account("sepa", {"holder_name": "Diana Reklame BV", "iban": "NL91ABNA0417164300"}),
}
NEW_ACCOUNTS = {
    "p2": _nacha("Bohemian Media LLC", "77120099988", "business"),
    "p4": Account(
        "sepa", {"holder_name": "Diana Reklame BV", "iban": "FR1420041010050500013M02606"}
    ),
}
"""Di's, once the first one turned out to be closed; Bo's, who changes the bank in March."""
PAYERS = {
    "nacha": Account(
        "nacha",
        {
            "name": "Quarter Payer Co", "origin_id": "1234567890",
            "origin_name": "QUARTERORIGIN", "destination_routing": "091000019",
            "destination_name": "FIRST BANK", "company_id": "1234567890",
            "odfi_routing": "091000019",
        },
    ),
    "sepa": Account(
        "sepa",
        {
            "name": "Quarter Kontoinhaber AG", "iban": "AT611904300234573201",
            "country": "AT", "town": "Wien",
        },
    ),
}  # fmt: skip


def canaries() -> list[str]:
    """Every account number, IBAN and legal name that may stand in payout files alone."""
    accounts = [*ACCOUNTS.values(), *NEW_ACCOUNTS.values(), *PAYERS.values()]
    return sorted({secret for account in accounts for secret in account.secrets})


def addresses() -> list[str]:
    """The partners' own addresses, which their source delivers."""
    return [f"{name}@{name}-partner.example" for name in PARTNERS.values()]


def write_quarter_workspace(directory: Path, program: str = PROGRAM) -> Path:
    """The workspace with what was known at the beginning of the quarter."""
    directory.mkdir(parents=True)
    (directory / "program.yml").write_text(program, encoding="utf-8")
    (directory / "sources.yml").write_text(SOURCES, encoding="utf-8")
    for name, text in _first_files().items():
        _write(directory, name, text)
    deliver(directory, "2025-12")
    return directory


def deliver(workspace: Path, month: str) -> None:
    """Put the files of a month into the drop folder: its invoices, and what came with them."""
    paid = {key: row for key, row in INVOICES.items() if row[1].startswith(month)}
    heads = ["invoice_id,customer_id,status,currency_code,issued_at,paid_at,total_minor"]
    lines = ["invoice_line_id,invoice_id,amount_minor"]
    for invoice_id, (customer_id, day, total_minor) in paid.items():
        currency = _currency(CUSTOMERS[customer_id])
        at = f"{day}T09:00:00Z"
        heads.append(f"{invoice_id},{customer_id},paid,{currency},{at},{at},{total_minor}")
        lines.append(f"{invoice_id}-1,{invoice_id},{total_minor}")
    if paid:
        _write(workspace, f"invoices-{month}.csv", _joined(heads))
        _write(workspace, f"invoice_lines-{month}.csv", _joined(lines))
    for name, text in LATER_FILES.get(month, {}).items():
        _write(workspace, name, text)


def _first_files() -> dict[str, str]:
    partners = ["partner_id,name,email,status,payout_currency,joined_at"]
    codes = ["code,partner_id,code_type"]
    touches = ["touchpoint_id,occurred_at,touch_type,code,email"]
    customers = ["customer_id,created_at,email"]
    for (partner_id, name), address in zip(PARTNERS.items(), addresses(), strict=True):
        partners.append(
            f"{partner_id},{name.title()},{address},active,{_currency(partner_id)},"
            "2025-06-01T00:00:00Z"
        )
        codes.append(f"{name},{partner_id},referral_link")
    for customer_id, partner_id in CUSTOMERS.items():
        address = f"eve@buyer-{customer_id}.example"
        touches.append(
            f"t-{customer_id},2025-12-01T10:00:00Z,referral_link,{PARTNERS[partner_id]},{address}"
        )
        customers.append(f"{customer_id},2025-12-10T00:00:00Z,{address}")
    return {
        "partners.csv": _joined(partners),
        "partner_codes.csv": _joined(codes),
        "touchpoints.csv": _joined(touches),
        "customers.csv": _joined(customers),
        "refunds.csv": REFUNDS,
    }


def _currency(partner_id: str) -> str:
    return "USD" if partner_id in ("p1", "p2") else "EUR"


def _joined(lines: list[str]) -> str:
    return "\n".join([*lines, ""])


def _write(workspace: Path, name: str, text: str) -> None:
    drop = workspace / "drop"
    drop.mkdir(exist_ok=True)
    (drop / name).write_text(text, encoding="utf-8")
