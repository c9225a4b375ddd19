"""Billing facts that a drop folder and a Stripe account can both tell, as known on two days.

Belongs here: what is left out of or added to the random histories so that both can say it, and
what of it is known on an earlier day. Does not belong here: the words of Stripe
(`stripe_translation`), any expected value.

Left out, since Stripe has no word for it: refunds of one line, credit notes without a kind, codes
of another type on invoices, money that went back on an invoice nobody paid.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from zlib import crc32

from tests.oracle.facts import COLUMNS, Facts, Row, Zone

BILLING = (
    "partner_codes", "customers", "subscriptions", "products", "invoices", "invoice_lines",
    "payments", "refunds", "disputes", "credit_notes",
)  # fmt: skip
PRODUCTS = {
    "main": "recurring", "setup": "setup", "ship": "shipping", "use": "usage", "once": "one_off",
}  # fmt: skip
CODES = {"EUR": "p_eur", "JPY": "p_jpy", "AGE": "p_agency"}
"""Codes that discounts carry, by the end of the code: whose they are."""


def plain(text: str) -> str:
    """An id without the number of its door, so that doors can be compared."""
    return re.sub(r"_[1-9](\d{3})_", r"_\1_", text)


def pick(object_id: str, topic: str, choices: int) -> int:
    """A number below `choices` that depends on the id alone, the same behind every door."""
    return crc32(f"{topic}:{plain(object_id)}".encode()) % choices


def was_paid_elsewhere(invoice_id: str) -> bool:
    """Whether it was paid outside of Stripe, which has a record of it but no charge."""
    return pick(invoice_id, "paid elsewhere", 6) == 0


def utc_text(instant: datetime) -> str:
    """A naive UTC instant as a file writes it."""
    return f"{instant.isoformat()}Z"


def by_invoice(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by the invoice that they name."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["invoice_id"]].append(row)
    return found


def total_of(lines: Iterable[Row]) -> int:
    """The total with tax of an invoice's lines."""
    return sum(
        int(line["amount_minor"])
        - int(line.get("discount_minor") or 0)
        + int(line.get("tax_minor") or 0)
        for line in lines
    )


def tell(facts: Facts, door: int, seed: int, zone: Zone, first_pull: datetime, last_pull: datetime):
    """The billing facts as both can say them, in full. door: the digit before each history number.

    The draws follow the order of the rows alone: every door tells the same story.
    """
    chance = random.Random(seed)
    story: dict[str, list[Row]] = {
        entity: [dict(row) for row in facts.get(entity, ())] for entity in BILLING
    }
    story["products"] = [
        {"product_id": f"prod_{door}_{name}", "name": name, "kind": kind}
        for name, kind in PRODUCTS.items()
    ]
    story["partner_codes"] = [
        {
            "code": f"K{door}-{name}",
            "partner_id": partner_id,
            "code_type": "promotion_code",
            "valid_from": "2024-06-01T00:00:00Z",
        }
        for name, partner_id in CODES.items()
    ]
    _tell_customers(story, chance)
    _Invoices(story, door, chance, zone).tell()
    for dispute in story["disputes"]:
        _date_closing(dispute, zone, first_pull, last_pull)
    return story


def known_by(story: Facts, zone: Zone, instant: datetime) -> dict[str, list[Row]]:
    """What of the story had happened by then, each object in its state of then."""
    known: dict[str, list[Row]] = {entity: [] for entity in BILLING}

    def happened(row: Row, column: str) -> bool:
        return bool(row.get(column)) and zone.instant(row[column]) < instant

    def since(row: Row, *columns: str) -> Row:
        return {
            name: value for name, value in row.items() if name not in columns or happened(row, name)
        }

    known["products"] = list(story["products"])
    known["partner_codes"] = list(story["partner_codes"])
    known["customers"] = [
        row if pick(row["customer_id"], "code later", 3) else {**row, "code": ""}
        for row in story["customers"]
        if happened(row, "created_at")
    ]
    for row in story["subscriptions"]:
        if happened(row, "started_at"):
            known["subscriptions"].append(since(row, "canceled_at", "ended_at"))
            if not happened(row, "ended_at"):
                known["subscriptions"][-1]["status"] = "active"
    lines = by_invoice(story["invoice_lines"])
    for row in story["invoices"]:
        invoice_id = row["invoice_id"]
        state = since(row, "paid_at")
        if not happened(row, "issued_at"):
            if pick(invoice_id, "draft before", 3):
                continue
            state["status"] = "draft"
        elif row.get("paid_at") and "paid_at" not in state:
            state["status"] = "open"
        elif row["status"] in ("void", "uncollectible") and pick(invoice_id, "open before", 2):
            state["status"] = "open"
        known["invoices"].append(state)
        for line in lines[invoice_id]:
            known["invoice_lines"].append(_drafted(line) if state["status"] == "draft" else line)
        if state["status"] == "draft" and state.get("total_minor"):
            state["total_minor"] = str(total_of(map(_drafted, lines[invoice_id])))
    known["payments"] = [row for row in story["payments"] if happened(row, "paid_at")]
    for row in story["refunds"]:
        if happened(row, "refunded_at"):
            known["refunds"].append(row)
            if pick(row["refund_id"], "other before", 2):
                before = {"failed": "succeeded", "pending": "pending"}.get(row.get("status", ""))
                known["refunds"][-1] = {**row, "status": before or "pending"}
    for row in story["disputes"]:
        if happened(row, "opened_at"):
            is_over = row["status"] != "open" and (
                not row.get("closed_at") or happened(row, "closed_at")
            )
            known["disputes"].append(
                row if is_over else {**since(row, "closed_at"), "status": "open"}
            )
    known["credit_notes"] = [
        since(row, "voided_at") for row in story["credit_notes"] if happened(row, "issued_at")
    ]
    return known


def _drafted(line: Row) -> Row:
    """A line as its draft had it."""
    amounts = ("amount_minor", "discount_minor", "tax_minor")
    return {
        name: str(int(int(value) / 2)) if name in amounts and value else value
        for name, value in line.items()
    }


def _tell_customers(story: dict[str, list[Row]], chance: random.Random) -> None:
    for customer in story["customers"]:
        customer["country"] = chance.choice(("", "DE", "US"))
    for subscription in story["subscriptions"]:
        if subscription.get("ended_at"):
            subscription["status"] = "canceled"
            if chance.random() < 0.5:
                subscription["canceled_at"] = subscription["started_at"]
        elif chance.random() < 0.2:
            # Cancelled at the period's end, and still running.
            subscription["canceled_at"] = subscription["started_at"]


def _date_closing(dispute: Row, zone: Zone, first_pull: datetime, last_pull: datetime) -> None:
    """Decision 0025: Stripe tells a closing only by its event, else by the pull that saw it."""
    if dispute["status"] == "open":
        return
    if dispute.get("closed_at") and zone.instant(dispute["closed_at"]) >= last_pull:
        dispute |= {"status": "open", "closed_at": ""}
    elif zone.instant(dispute["closed_at"]) < first_pull:
        dispute["closed_at"] = ""
    elif pick(dispute["dispute_id"], "no event", 6) == 0:
        was_seen_open = zone.instant(dispute["opened_at"]) < first_pull
        dispute["closed_at"] = utc_text(last_pull) if was_seen_open else ""


class _Invoices:
    """Rewrites the invoices of a story and what hangs on them."""

    def __init__(
        self, story: dict[str, list[Row]], door: int, chance: random.Random, zone: Zone
    ) -> None:
        self.story = story
        self.door = door
        self.chance = chance
        self.zone = zone
        self.lines = by_invoice(story["invoice_lines"])
        self.payments = by_invoice(story["payments"])
        self.refunds = by_invoice(story["refunds"])
        self.disputes = by_invoice(story["disputes"])
        self.notes = by_invoice(story["credit_notes"])
        self.subscriptions = {row["customer_id"]: row for row in story["subscriptions"]}
        self.coded: set[str] = set()

    def maybe(self, probability: float) -> bool:
        return self.chance.random() < probability

    def tell(self) -> None:
        """All invoices, in their order."""
        for entity in ("invoice_lines", "payments", "refunds", "disputes", "credit_notes"):
            self.story[entity].clear()
        for invoice in self.story["invoices"]:
            self._tell(invoice)

    def _tell(self, invoice: Row) -> None:
        invoice_id = invoice["invoice_id"]
        lines = self._tell_lines(invoice_id)
        total = total_of(lines)
        if invoice.get("total_minor"):
            invoice["total_minor"] = str(total)
        invoice["external_number"] = f"N-{invoice_id}"
        if self.maybe(0.7):
            invoice["subscription_id"] = self.subscriptions[invoice["customer_id"]][
                "subscription_id"
            ]
        is_first = invoice["customer_id"] not in self.coded
        self.coded.add(invoice["customer_id"])
        invoice.pop("code", None)
        if self.maybe(0.7 if is_first else 0.02):
            code = f"K{self.door}-{self.chance.choice(list(CODES))}"
            invoice["code"] = code.lower() if self.maybe(0.5) else code
        self._tell_notes(invoice, total)
        self._tell_money(invoice, total)

    def _tell_lines(self, invoice_id: str) -> list[Row]:
        lines = self.lines[invoice_id]
        if self.maybe(0.06):
            for number in range(self.chance.choice((7, 9, 12, 20, 60))):
                line = {**self.chance.choice(lines), "invoice_line_id": f"{invoice_id}_m{number}"}
                amount = self.chance.randrange(1, 3000)
                line |= {"amount_minor": str(amount), "tax_minor": str(amount // 5)}
                lines.append({**line, "discount_minor": "", "is_proration": ""})
        for line in lines:
            if line.get("product_id"):
                name = "once" if self.maybe(0.1) else line["product_id"].removeprefix("prod_")
                line["product_id"] = f"prod_{self.door}_{name}"
            if int(line["amount_minor"]) < 0 and self.maybe(0.5):
                line["tax_minor"] = str(int(line["amount_minor"]) // 5)
            elif self.maybe(0.1):
                line["is_proration"] = "true"
        self.story["invoice_lines"] += lines
        return lines

    def _tell_money(self, invoice: Row, total: int) -> None:
        invoice_id = invoice["invoice_id"]
        payments = self.payments[invoice_id]
        if was_paid_elsewhere(invoice_id):
            # Refunds and disputes are of a charge.
            self.refunds[invoice_id].clear()
            self.disputes[invoice_id].clear()
        backs = self.refunds[invoice_id] + self.disputes[invoice_id]
        if not payments and backs and invoice.get("paid_at") and total > 0:
            # Money goes back on a charge, and a charge is a payment.
            payment = {"payment_id": f"pay_of_{invoice_id}", "invoice_id": invoice_id}
            paid = {"amount_minor": str(total), "paid_at": invoice["paid_at"]}
            payments.append({**payment, **paid})
        if payments and invoice.get("paid_at"):
            # An invoice is paid with its last payment, not before it.
            last = max(payments, key=lambda row: self.zone.instant(row["paid_at"]))
            invoice["paid_at"] = last["paid_at"]
        if payments and self.maybe(0.05):
            payments[-1]["amount_minor"] = str(int(payments[-1]["amount_minor"]) + 500)
        self.story["payments"] += payments
        if not payments:
            if invoice.get("paid_at") and total > 10 and self.maybe(0.15):
                # Paid from the customer's balance: as if credited before payment.
                self.story["credit_notes"].append(
                    {
                        "credit_note_id": f"balance_of_{invoice_id}",
                        "invoice_id": invoice_id,
                        "amount_minor": str(self.chance.choice((total, total // 3))),
                        "issued_at": invoice["issued_at"],
                        "kind": "pre_payment",
                    }
                )
            return
        for refund in self.refunds[invoice_id]:
            refund.pop("invoice_line_id", None)
            self.story["refunds"].append(refund)
        if self.maybe(0.22) and not (self.disputes[invoice_id] or was_paid_elsewhere(invoice_id)):
            paid_at = datetime.fromisoformat(payments[0]["paid_at"]).replace(tzinfo=None)
            opened, closed = (
                utc_text(paid_at + timedelta(days=self.chance.randrange(low, high), hours=7))
                for low, high in ((1, 50), (51, 200))
            )
            status = self.chance.choice(("open", "won", "won", "lost"))
            found = {"dispute_id": f"dp_of_{invoice_id}", "invoice_id": invoice_id}
            found |= {"amount_minor": payments[0]["amount_minor"], "opened_at": opened}
            found |= {"status": status, "closed_at": closed if status != "open" else ""}
            self.disputes[invoice_id].append(found)
        self.story["disputes"] += self.disputes[invoice_id]

    def _tell_notes(self, invoice: Row, total: int) -> None:
        """Notes by where their money goes: the parts of one note share the id before the colon."""
        invoice_id = invoice["invoice_id"]
        if not self.notes[invoice_id] and self.maybe(0.12):
            issued_at = self.zone.instant(invoice["issued_at"]) + timedelta(
                days=self.chance.randrange(60), seconds=self.chance.randrange(86400)
            )
            note = {"credit_note_id": f"cn_of_{invoice_id}", "invoice_id": invoice_id}
            note |= {"amount_minor": str(max(total // 4, 1)), "issued_at": utc_text(issued_at)}
            if self.maybe(0.2):
                note["voided_at"] = utc_text(issued_at + timedelta(days=20))
            self.notes[invoice_id].append(note)
        for note in self.notes[invoice_id]:
            note_id, amount = note["credit_note_id"], int(note["amount_minor"])
            given = {k: v for k, v in note.items() if k not in ("kind", "to_balance")}
            places = self.chance.choice(
                ("pre", "out", "balance", "refund", "pre out", "pre balance", "out balance refund",
                 "pre out balance refund")
            )  # fmt: skip
            if "refund" in places:
                given.pop("voided_at", None)
            for place in places.split():
                part = {**given, "amount_minor": str(max(amount // (1 + len(places) // 8), 1))}
                after = {"kind": "post_payment"}
                if place == "pre":
                    self._note({**part, "kind": "pre_payment"})
                elif place == "out":
                    self._note({**part, **after, "credit_note_id": f"{note_id}:out_of_band"})
                elif place == "balance":
                    part |= {**after, "to_balance": "true"}
                    self._note({**part, "credit_note_id": f"{note_id}:balance"})
                else:
                    self.refunds[invoice["invoice_id"]].append(
                        {
                            "refund_id": f"re_of_{note_id}",
                            "invoice_id": invoice["invoice_id"],
                            "amount_minor": part["amount_minor"],
                            "refunded_at": note["issued_at"],
                            "status": "succeeded",
                        }
                    )

    def _note(self, row: Row) -> None:
        self.story["credit_notes"].append(
            {name: value for name, value in row.items() if name in COLUMNS["credit_notes"]}
        )
