"""Billing facts in the words of Stripe, before and after API version 2025-03-31.

Belongs here: the shapes as Stripe documents them, what an account lists, which events tell of a
change. Does not belong here: which facts there are (`billing_stories`), any expected value.
Decision 0025 says how each of these is read.

One fact can be told in several ways (tax inside the price or on top of it, a refund that names its
charge or its payment intent, a dispute or an inquiry); the id decides which, so a fact is told the
same way every night. Ids of facts are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from enum import Enum
from fractions import Fraction
from typing import Any

from tests.fakes.stripe_server import EVENTS, PATHS, FakeStripe
from tests.oracle.facts import Facts, Row, Zone
from tests.oracle.money import round_half_away
from tests.properties.billing_stories import by_invoice, pick, total_of, was_paid_elsewhere

Object = dict[str, Any]
EMBEDDED = 10
"""Lines that an invoice holds itself; of one with more, all of them are pages of their own."""
LONG_AGO = 1_704_067_200
HOUR = 3600


class Shape(Enum):
    """An API version on each side of the change."""

    OLD = "2025-02-24.acacia"
    NEW = "2025-11-17.clover"


@dataclass
class Account:
    """What a Stripe account holds. objects: by kind and id. lines: all lines by invoice. closings:
    when each dispute was closed, if an event tells it."""

    objects: dict[str, dict[str, Object]] = field(
        default_factory=lambda: {kind: {} for kind in PATHS}
    )
    lines: dict[str, list[Object]] = field(default_factory=dict)
    closings: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, object_id: str, created: int, **members: Any) -> Object:
        """An object of the account."""
        found = {"id": object_id, "object": kind, "created": created, **members}
        self.objects[kind][object_id] = found
        return found

    def delete(self, kind: str, object_id: str) -> None:
        """Take an object away."""
        del self.objects[kind][object_id]

    def serve(self, stripe: FakeStripe) -> None:
        """Let the server list this."""
        for kind, path in PATHS.items():
            stripe.objects[path] = sorted(
                self.objects[kind].values(), key=lambda each: each["created"], reverse=True
            )
        for invoice_id, lines in self.lines.items():
            stripe.objects[f"/v1/invoices/{invoice_id}/lines"] = lines
        stripe.objects.setdefault(EVENTS, [])

    def tell_changes(self, before: Account, stripe: FakeStripe, shape: Shape) -> None:
        """Put an event on the server's feed for each object that is not what it was."""
        events = [
            {
                "id": f"evt_{number}",
                "object": "event",
                "created": created,
                "type": event_type,
                "data": {"object": found},
            }
            for number, (created, event_type, found) in enumerate(self._changes(before, shape))
        ]
        stripe.objects[EVENTS] = sorted(events, key=lambda each: each["created"], reverse=True)
        stripe.deleted |= before.objects["customer"].keys() - self.objects["customer"].keys()

    def _changes(self, before: Account, shape: Shape) -> Iterator[tuple[int, str, Object]]:
        for kind, objects in self.objects.items():
            for object_id, found in objects.items():
                earlier = before.objects[kind].get(object_id)
                lines = [each.lines.get(object_id) for each in (self, before)]
                if found == earlier and lines[0] == lines[1]:
                    continue
                told = found
                if kind == "refund" and shape is Shape.OLD and earlier is None and found["charge"]:
                    # Old versions tell of a new refund by its charge alone.
                    told = self.objects["charge"][found["charge"]]
                yield found["created"], _event_type(kind, earlier is None, told), told
        for dispute_id, created in self.closings.items():
            if dispute_id in self.objects["dispute"]:
                found = self.objects["dispute"][dispute_id]
                yield created, "charge.dispute.closed", found
        for kind, objects in before.objects.items():
            for object_id, gone in objects.items():
                if object_id not in self.objects[kind]:
                    yield gone["created"], f"{kind}.deleted", gone


def _event_type(kind: str, is_new: bool, told: Object) -> str:
    change = "created" if is_new else "updated"
    if kind == "refund":
        return "charge.refunded" if told["object"] == "charge" else f"refund.{change}"
    return {
        "subscription": f"customer.subscription.{change}",
        "charge": "charge.succeeded" if is_new else "charge.updated",
        "invoice_payment": "invoice_payment.paid",
        "dispute": f"charge.dispute.{change}",
    }.get(kind, f"{kind}.{change}")


def translate(facts: Facts, shape: Shape, zone: Zone) -> Account:
    """The account that tells these facts."""
    account = Account()
    _Translation(account, facts, shape, zone).run()
    return account


class _Translation:
    def __init__(self, account: Account, facts: Facts, shape: Shape, zone: Zone) -> None:
        self.account = account
        self.facts = facts
        self.is_new = shape is Shape.NEW
        self.zone = zone
        self.payments = by_invoice(facts["payments"])
        self.charge_of: dict[str, Object] = {}  # by invoice: the first one

    def unix(self, row: Row, column: str) -> int | None:
        """An instant of a row; None when absent."""
        if not row.get(column):
            return None
        return int(self.zone.instant(row[column]).replace(tzinfo=UTC).timestamp())

    def run(self) -> None:
        """Everything, in an order in which what is named is there already."""
        self._products()
        self._codes()
        for row in self.facts["customers"]:
            self._customer(row)
        for row in self.facts["subscriptions"]:
            self._subscription(row)
        lines = by_invoice(self.facts["invoice_lines"])
        notes = by_invoice(self.facts["credit_notes"])
        for row in self.facts["invoices"]:
            self._payments(row)
            self._invoice(row, lines[row["invoice_id"]], notes[row["invoice_id"]])
        for row in self.facts["refunds"]:
            self._refund(row)
        for row in self.facts["disputes"]:
            self._dispute(row)
        self._credit_notes()
        self._noise()

    def _products(self) -> None:
        for row in self.facts["products"]:
            product_id, kind = row["product_id"], row["kind"]
            recurring = {"type": "recurring", "recurring": {"usage_type": "licensed"}}
            metered = {"type": "recurring", "recurring": {"usage_type": "metered"}}
            once = {"type": "one_time", "recurring": None}
            # Kinds that prices can tell are left to them; `addon` is no kind.
            metadata = {"kind": "addon"} if kind == "recurring" else {}
            prices = {
                "recurring": (recurring, metered, once),
                "usage": (metered, once),
                "one_off": (once,),
            }.get(kind, ())
            if not prices:
                metadata = {"kind": kind}
            self.account.add("product", product_id, LONG_AGO, name=row["name"], metadata=metadata)
            for number, price in enumerate(prices):
                price_id = f"price_{product_id}_{number}"
                self.account.add(
                    "price", price_id, LONG_AGO, product=product_id, active=number == 0, **price
                )

    def _codes(self) -> None:
        self.account.add("coupon", "ordinary", LONG_AGO, metadata={})
        self._promotion_code("BLACKFRIDAY", "ordinary", "", LONG_AGO)
        for row in self.facts["partner_codes"]:
            code, partner_id = row["code"], row["partner_id"]
            created = self.unix(row, "valid_from")
            kind = code[-3:]
            if kind == "EUR":
                self._promotion_code(code, "ordinary", partner_id, created)
                continue
            coupon_id = code if kind == "AGE" else f"coupon of {code}"
            self.account.add("coupon", coupon_id, created, metadata={"partner_id": partner_id})
            if kind == "JPY":
                self._promotion_code(code, coupon_id, "", created)

    def _promotion_code(self, code: str, coupon_id: str, partner_id: str, created: int) -> None:
        coupon = {"coupon": self.account.objects["coupon"][coupon_id]}
        if self.is_new:
            coupon = {"promotion": {"type": "coupon", "coupon": coupon_id}}
        metadata = {"partner_id": partner_id} if partner_id else {}
        self.account.add(
            "promotion_code", f"promo_{code}", created, code=code, metadata=metadata, **coupon
        )

    def _customer(self, row: Row) -> None:
        metadata = {"partner_code": row.get("code", ""), "contact_id": row.get("contact_id", "")}
        self.account.add(
            "customer",
            row["customer_id"],
            self.unix(row, "created_at"),
            email=row.get("email") or None,
            address={"country": row["country"]} if row.get("country") else None,
            metadata={name: value for name, value in metadata.items() if value},
        )

    def _subscription(self, row: Row) -> None:
        started = self.unix(row, "started_at")
        was_later = pick(row["subscription_id"], "backdated", 2)
        self.account.add(
            "subscription",
            row["subscription_id"],
            started + 5 * HOUR * was_later,
            customer=row["customer_id"],
            status=row["status"],
            start_date=started if was_later or pick(row["subscription_id"], "start", 2) else None,
            canceled_at=self.unix(row, "canceled_at"),
            ended_at=self.unix(row, "ended_at"),
            trial_end=started,
            items={"object": "list", "data": [], "has_more": False},
        )

    def _invoice(self, row: Row, lines: list[Row], notes: list[Row]) -> None:
        invoice_id, status = row["invoice_id"], row["status"]
        issued, total = self.unix(row, "issued_at"), total_of(lines)
        currency = row["currency_code"].lower()
        said = [self._line(line, currency, issued) for line in lines]
        if status == "draft" and pick(invoice_id, "draft line", 2):
            # The invoice as it was issued no longer has it.
            gone = {**lines[0], "invoice_line_id": f"{invoice_id}_gone"}
            said.append(self._line(gone, currency, issued))
        has_more = len(said) > EMBEDDED
        if has_more:
            self.account.lines[invoice_id] = said
        is_issued_when_made = status != "draft" and pick(invoice_id, "finalized", 5) == 0
        members: Object = {
            "customer": row["customer_id"],
            "status": status,
            "currency": currency,
            "total": total,
            "number": row["external_number"] if status != "draft" else None,
            "status_transitions": {
                "finalized_at": None if status == "draft" or is_issued_when_made else issued,
                "paid_at": self.unix(row, "paid_at"),
                "voided_at": issued + HOUR if status == "void" else None,
            },
            "lines": {"object": "list", "data": said[:EMBEDDED], "has_more": has_more},
            **self._balances(invoice_id, total, status, notes),
            **self._discount(row),
        }
        subscription_id = row.get("subscription_id")
        if self.is_new:
            details = {"subscription_details": {"subscription": subscription_id}}
            members["parent"] = details if subscription_id else None
        else:
            charges = [each["payment_id"] for each in self.payments[invoice_id]]
            members["subscription"] = subscription_id
            members["charge"] = charges[-1] if charges else None
            members["payment_intent"] = f"pi_{charges[-1]}" if charges else None
        created = issued if is_issued_when_made else issued - HOUR
        self.account.add("invoice", invoice_id, created, **members)

    def _balances(self, invoice_id: str, total: int, status: str, notes: list[Row]) -> Object:
        """What the customer's balance was before and after; negative is credit."""
        if status == "draft":
            return {"starting_balance": -700, "ending_balance": None}
        for note in notes:
            if note["credit_note_id"].startswith("balance_of_"):
                left = -100 * pick(invoice_id, "balance left", 2)
                credited = -int(note["amount_minor"])
                return {"starting_balance": credited + left, "ending_balance": left}
        if total < 0:
            return {"starting_balance": 0, "ending_balance": total}
        if self.payments[invoice_id] and pick(invoice_id, "balance", 4) == 0:
            return {"starting_balance": -50, "ending_balance": 0}
        return {"starting_balance": 0, "ending_balance": 0}

    def _discount(self, row: Row) -> Object:
        invoice_id, code = row["invoice_id"], row.get("code", "").upper()
        ordinary = ("promo_BLACKFRIDAY", "ordinary")
        found = []
        if code:
            is_coupon = code.endswith("AGE")
            coupon = {"AGE": code, "JPY": f"coupon of {code}", "EUR": "ordinary"}[code[-3:]]
            found = [(None if is_coupon else f"promo_{code}", coupon)]
            if self.is_new and pick(invoice_id, "two discounts", 2):
                found.insert(pick(invoice_id, "which first", 3) > 1, ordinary)
        elif pick(invoice_id, "ordinary discount", 5) == 0:
            found = [ordinary]
        discounts = [
            {"id": f"di_{invoice_id}_{number}", "object": "discount", "promotion_code": promotion}
            | (
                {"source": {"type": "coupon", "coupon": coupon}}
                if self.is_new
                else {"coupon": self.account.objects["coupon"][coupon]}
            )
            for number, (promotion, coupon) in enumerate(found)
        ]
        if self.is_new:
            return {"discounts": discounts}
        return {"discount": discounts[0] if discounts else None}

    def _line(self, row: Row, currency: str, issued: int) -> Object:
        line_id = row["invoice_line_id"]
        amount = int(row["amount_minor"])
        discount, tax = int(row.get("discount_minor") or 0), int(row.get("tax_minor") or 0)
        net = amount - discount
        # Several taxes: each is inside the price or on top of it.
        taxes = [tax // 3, tax - tax // 3] if pick(line_id, "taxes", 4) == 0 else [tax]
        can_be_inside = net > 0 or (net < 0 and not discount)
        inside = [can_be_inside and pick(f"{line_id}{each}", "inside", 2) == 0 for each in range(2)]
        included = sum(each for each, is_in in zip(taxes, inside, strict=False) if is_in)
        if included:
            # The discount is on the price with tax, and so has tax inside it too.
            discount = round_half_away(discount * Fraction(net + included, net))
            amount = net + included + discount
        start, end = self.unix(row, "period_start"), self.unix(row, "period_end")
        parts = (
            [discount // 2, discount - discount // 2] if pick(line_id, "parts", 3) else [discount]
        )
        credits = []
        if len(parts) == 2 and pick(line_id, "billing credits", 4) == 0:
            credits = [{"amount": parts.pop(), "type": "credit_balance_transaction"}]
        credits += [{"amount": each, "type": "discount"} for each in parts]
        is_proration = row.get("is_proration") == "true"
        product_id = row.get("product_id")
        price_id = f"price_{product_id}_0"
        members: Object = {
            "id": line_id,
            "object": "line_item",
            "amount": amount,
            "currency": currency,
            "discount_amounts": [
                {"amount": each, "discount": f"di_{number}"} for number, each in enumerate(parts)
            ],
            "pretax_credit_amounts": credits,
            # Stripe dates everything; what has no period is an item of one moment.
            "period": {"start": start or issued, "end": end if start else issued},
            "quantity": 1,
        }
        if self.is_new:
            kind = f"{'subscription' if pick(line_id, 'item', 2) else 'invoice'}_item_details"
            return members | {
                "taxes": [
                    {"amount": each, "tax_behavior": "inclusive" if is_in else "exclusive"}
                    for each, is_in in zip(taxes, inside, strict=False)
                ],
                "pricing": {
                    "type": "price_details",
                    "price_details": {"product": product_id, "price": price_id},
                }
                if product_id
                else None,
                "parent": {"type": kind, kind: {"proration": is_proration}},
            }
        return members | {
            "tax_amounts": [
                {"amount": each, "inclusive": is_in}
                for each, is_in in zip(taxes, inside, strict=False)
            ],
            "price": {"id": price_id, "product": product_id} if product_id else None,
            "proration": is_proration,
        }

    def _payments(self, invoice: Row) -> None:
        """Each payment is a charge; in the new shape an invoice payment leads to it."""
        invoice_id = invoice["invoice_id"]
        for row in self.payments[invoice_id]:
            payment_id, paid = row["payment_id"], self.unix(row, "paid_at")
            amount = int(row["amount_minor"])
            if self.is_new and was_paid_elsewhere(invoice_id):
                record = {"type": "payment_record", "payment_record": f"pr_{payment_id}"}
                self._invoice_payment(payment_id, invoice_id, amount, paid, record)
                continue
            is_direct = self.is_new and pick(payment_id, "direct charge", 5) == 0
            intent = None if is_direct else f"pi_{payment_id}"
            # A payment goes by its charge in both shapes.
            charge = self._charge(payment_id, amount, paid, intent, invoice_id)
            self.charge_of.setdefault(invoice_id, charge)
            if self.is_new:
                by = {"type": "payment_intent", "payment_intent": intent}
                direct = {"type": "charge", "charge": payment_id}
                self._invoice_payment(
                    f"inpay_of_{payment_id}", invoice_id, amount, paid, direct if is_direct else by
                )
        if pick(invoice_id, "failed charge", 4) == 0:
            # Nothing came of this one.
            at, failed_id = self.unix(invoice, "issued_at"), f"ch_failed_{invoice_id}"
            intent = f"pi_failed_{invoice_id}"
            self._charge(failed_id, 777, at, intent, invoice_id, status="failed")
            if self.is_new:
                self.account.add(
                    "invoice_payment",
                    f"inpay_{invoice_id}",
                    at,
                    invoice=invoice_id,
                    amount_paid=None,
                    amount_requested=777,
                    status=("open", "canceled")[pick(invoice_id, "canceled", 2)],
                    payment={"type": "payment_intent", "payment_intent": intent},
                    status_transitions={"paid_at": None, "canceled_at": None},
                )

    def _invoice_payment(
        self, invoice_payment_id: str, invoice_id: str, amount: int, paid: int, payment: Object
    ) -> None:
        self.account.add(
            "invoice_payment",
            invoice_payment_id,
            paid - HOUR,
            invoice=invoice_id,
            amount_paid=amount,
            amount_requested=amount,
            status="paid",
            payment=payment,
            status_transitions={"paid_at": paid, "canceled_at": None},
        )

    def _charge(
        self, charge_id: str, amount: int, at: int, intent: str | None, invoice_id: str | None,
        status: str = "succeeded",
    ) -> Object:  # fmt: skip
        members: Object = {"amount": amount, "payment_intent": intent, "status": status}
        if status == "succeeded" and pick(charge_id, "partly captured", 5) == 0:
            members["amount"] = amount + 5
        if not self.is_new:
            members["invoice"] = invoice_id
        captured = amount if status == "succeeded" else 0
        return self.account.add("charge", charge_id, at, amount_captured=captured, **members)

    def _of_charge(self, object_id: str, invoice_id: str) -> Object:
        """The members by which a refund or a dispute names what it is of."""
        charge = self.charge_of.get(invoice_id)
        if charge is None:
            # Not paid yet, as far as is known.
            return {"charge": None, "payment_intent": None}
        charge_id, intent = charge["id"], charge["payment_intent"]
        if intent and pick(object_id, "by intent", 4) == 0:
            return {"charge": None, "payment_intent": intent}
        return {"charge": charge_id, "payment_intent": intent if pick(object_id, "i", 2) else None}

    def _refund(self, row: Row) -> None:
        refund_id = row["refund_id"]
        status = row.get("status") or None
        if status == "failed" and pick(refund_id, "canceled", 2):
            status = "canceled"
        elif status == "pending" and pick(refund_id, "waits", 2):
            status = "requires_action"
        self.account.add(
            "refund",
            refund_id,
            self.unix(row, "refunded_at"),
            amount=int(row["amount_minor"]),
            status=status,
            **self._of_charge(refund_id, row["invoice_id"]),
        )

    def _dispute(self, row: Row) -> None:
        dispute_id = row["dispute_id"]
        words = {
            "open": ("needs_response", "under_review", "warning_needs_response",
                     "warning_under_review"),
            "won": ("won", "warning_closed", "prevented"),
            "lost": ("lost",),
        }[row["status"]]  # fmt: skip
        self.account.add(
            "dispute",
            dispute_id,
            self.unix(row, "opened_at"),
            amount=int(row["amount_minor"]),
            status=words[pick(dispute_id, "status", len(words))],
            **self._of_charge(dispute_id, row["invoice_id"]),
        )
        # What only a pull can tell has the pull's own instant, to which no fact comes close.
        closed = self.unix(row, "closed_at")
        if closed is not None and pick(dispute_id, "no event", 6):
            self.account.closings[dispute_id] = closed

    def _credit_notes(self) -> None:
        """Parts with one id before the colon are one note; its refund names it too."""
        notes: dict[str, dict[str, Row]] = {}
        for row in self.facts["credit_notes"]:
            note_id, _, part = row["credit_note_id"].partition(":")
            if not note_id.startswith("balance_of_"):
                notes.setdefault(note_id, {})[part or "pre"] = row
        for row in self.facts["refunds"]:
            if row["refund_id"].startswith("re_of_"):
                notes.setdefault(row["refund_id"].removeprefix("re_of_"), {})["refund"] = row
        for note_id, parts in notes.items():
            if self.is_new or "pre" not in parts or len(parts) == 1:
                self._credit_note(note_id, parts)
                continue
            # Invoices were paid whole then: a note was before or after payment, never both.
            self._credit_note(note_id, {"pre": parts.pop("pre")})
            self._credit_note(f"{note_id}p", parts)

    def _credit_note(self, note_id: str, parts: dict[str, Row]) -> None:
        amounts = {part: int(row["amount_minor"]) for part, row in parts.items()}
        row = next(iter(parts.values()))
        issued = self.unix(row, "refunded_at" if "refund" in parts else "issued_at")
        if "refund" not in row and "issued_at" in row:
            issued = self.unix(row, "issued_at")
        before = amounts.get("pre", 0)
        after = sum(amounts.values()) - before
        voided = None if "refund" in parts else self.unix(row, "voided_at")
        is_later = pick(note_id, "effective", 2)
        members: Object = {
            "invoice": row["invoice_id"],
            "amount": before + after,
            "type": "post_payment" if after else "pre_payment",
            "out_of_band_amount": amounts.get("out_of_band"),
            "status": "issued" if voided is None else "void",
            "voided_at": voided,
            "effective_at": issued if is_later else None,
        }
        refund_id = parts["refund"]["refund_id"] if "refund" in parts else None
        if self.is_new:
            refunds: list[Object] = []
            if refund_id:
                refunds.append({"refund": refund_id, "amount_refunded": amounts["refund"]})
            if "out_of_band" in amounts and pick(note_id, "of a record", 2):
                # Went back the way it had come, outside of Stripe.
                members["out_of_band_amount"] = None
                amount = {"amount_refunded": amounts["out_of_band"]}
                refunds.append({"type": "payment_record_refund", "refund": None, **amount})
            members |= {
                "type": "mixed" if before and after else members["type"],
                "pre_payment_amount": before,
                "post_payment_amount": after,
                "refunds": refunds,
            }
        else:
            members["refund"] = refund_id
        self.account.add("credit_note", note_id, issued - HOUR * is_later, **members)

    def _noise(self) -> None:
        """Money that belongs to no invoice."""
        self._charge("ch_alone", 5000, LONG_AGO, None, None)
        self.account.add(
            "refund", "re_alone", LONG_AGO, amount=100, status="succeeded", charge="ch_alone",
            payment_intent=None,
        )  # fmt: skip
