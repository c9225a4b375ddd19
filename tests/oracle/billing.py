"""What customers paid, when, on which invoice line (C2, C3, R1, R3).

Belongs here: payments, paid share, first payment, anchors, money that went back, per invoice.
Does not belong here: leads, partners, rates.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from .facts import Book, Row, is_true, whole


@dataclass(frozen=True)
class Payment:
    """A customer payment; source_type `invoice` when `paid_at` alone implies it."""

    paid_at: datetime
    source_type: str
    source_id: str
    amount_minor: int


@dataclass(frozen=True)
class Line:
    """An invoice line; dates are local days, `end_date` exclusive or None."""

    line_id: str
    invoice_id: str
    amount_minor: int
    discount_minor: int
    gross_minor: int  # amount - discount + tax
    product_id: str
    product_kind: str
    is_proration: bool
    start_date: date
    end_date: date | None


@dataclass(frozen=True)
class MoneyBack:
    """Money that went back to the customer, or may: one refund, dispute or credit note."""

    at: datetime
    kind: str  # refund, chargeback, credit_note
    cause_type: str  # refund, dispute, credit_note
    cause_id: str
    amount_minor: int
    line_id: str = ""
    dispute_status: str = ""
    closed_at: datetime | None = None


@dataclass
class Invoice:
    """An invoice with its money; `share_steps` are (instant, cumulative share of the total)."""

    invoice_id: str
    customer_id: str
    status: str
    currency_code: str
    total_minor: int
    lines: list[Line]
    payments: list[Payment]
    paid_at: datetime | None
    money_back: list[MoneyBack] = field(default_factory=list)

    @property
    def paid_minor(self) -> int:
        """What the customer paid so far, with tax: the base of R1."""
        return sum(payment.amount_minor for payment in self.payments)

    @property
    def first_payment(self) -> Payment | None:
        """The earliest payment of a positive amount."""
        positive = [payment for payment in self.payments if payment.amount_minor > 0]
        return min(positive, key=lambda p: (p.paid_at, p.source_id), default=None)

    @property
    def share_steps(self) -> list[tuple[datetime, Fraction]]:
        """C2: share of the invoice paid after each payment, 0 to 1, one step per instant."""
        if self.total_minor <= 0:  # C2: "counts as paid in full once paid"
            first = self.first_payment.paid_at if self.first_payment else self.paid_at
            paid_at = first or min((p.paid_at for p in self.payments), default=None)
            return [(paid_at, Fraction(1))] if paid_at else []
        steps: list[tuple[datetime, Fraction]] = []
        received = 0
        for payment in sorted(self.payments, key=lambda p: (p.paid_at, p.source_id)):
            received += payment.amount_minor
            share = Fraction(min(max(received, 0), self.total_minor), self.total_minor)
            steps.append((payment.paid_at, share))
        return steps

    @property
    def paid_share(self) -> Fraction:
        """C2: payments / total with tax, at most 1."""
        steps = self.share_steps
        return steps[-1][1] if steps else Fraction(0)

    @property
    def first_paid_at(self) -> datetime | None:
        """`earned_at` of its lines: the first payment, or the moment a total <= 0 was paid."""
        if self.total_minor <= 0:
            steps = self.share_steps
            return steps[0][0] if steps else None
        return self.first_payment.paid_at if self.first_payment else None


class Billing:
    """All invoices that count on `as_of`, and each customer's first money."""

    def __init__(self, book: Book) -> None:
        self._book = book
        lines = self._lines()
        payments: dict[str, list[Row]] = defaultdict(list)
        for row in book.rows("payments"):
            payments[row["invoice_id"]].append(row)
        notes: dict[str, list[Row]] = defaultdict(list)
        for row in book.rows("credit_notes"):
            if not row.get("voided_at"):
                notes[row["invoice_id"]].append(row)
        self.invoices: dict[str, Invoice] = {}
        for row in book.rows("invoices"):
            if row["status"] == "draft":
                continue  # a draft is no invoice yet
            invoice_id = row["invoice_id"]
            invoice = self._invoice(row, lines.get(invoice_id, []), payments[invoice_id], notes)
            self.invoices[invoice_id] = invoice
        self._add_refunds_and_disputes()
        self._by_customer: dict[str, list[Invoice]] = defaultdict(list)
        self._anchors: dict[str, Line | None] = {}
        for invoice in self.invoices.values():
            self._by_customer[invoice.customer_id].append(invoice)
            # R6: event order; ties by type and id so that the order is total
            invoice.money_back.sort(key=lambda back: (back.at, back.cause_type, back.cause_id))

    def invoices_of(self, customer_id: str) -> list[Invoice]:
        """Invoices of a customer."""
        return self._by_customer.get(customer_id, [])

    def customer_ids(self) -> set[str]:
        """Every customer id that has an invoice."""
        return set(self._by_customer)

    def first_payment(self, customer_ids: set[str]) -> Payment | None:
        """The earliest positive payment of any of these customers."""
        payments = [
            invoice.first_payment
            for customer_id in customer_ids
            for invoice in self.invoices_of(customer_id)
            if invoice.first_payment
        ]
        return min(payments, key=lambda p: (p.paid_at, p.source_id), default=None)

    def anchor_line(self, customer_id: str) -> Line | None:
        """C3: the customer's earliest paid line with a positive amount, of any product."""
        if customer_id not in self._anchors:
            self._anchors[customer_id] = self._find_anchor(customer_id)
        return self._anchors[customer_id]

    def _find_anchor(self, customer_id: str) -> Line | None:
        candidates = [
            (invoice.first_payment.paid_at, line.start_date, line.line_id, line)
            for invoice in self.invoices_of(customer_id)
            if invoice.first_payment
            for line in invoice.lines
            if line.amount_minor > 0
        ]
        return min(candidates, key=lambda c: c[:3])[3] if candidates else None

    def _lines(self) -> dict[str, list[Line]]:
        book = self._book
        kinds = {row["product_id"]: row.get("kind", "") for row in book.rows("products")}
        issued = {
            row["invoice_id"]: book.local_date(row, "issued_at") for row in book.rows("invoices")
        }
        lines: dict[str, list[Line]] = defaultdict(list)
        for row in book.rows("invoice_lines"):
            if row["invoice_id"] not in issued:
                continue
            product_id = row.get("product_id", "")
            # C3: start of the service period, else the issue date
            start = book.local_date(row, "period_start") or issued[row["invoice_id"]]
            amount, discount = whole(row, "amount_minor"), whole(row, "discount_minor")
            lines[row["invoice_id"]].append(
                Line(
                    line_id=row["invoice_line_id"],
                    invoice_id=row["invoice_id"],
                    amount_minor=amount,
                    discount_minor=discount,
                    gross_minor=amount - discount + whole(row, "tax_minor"),
                    product_id=product_id,
                    product_kind=kinds.get(product_id) or "recurring",
                    is_proration=is_true(row, "is_proration"),
                    start_date=start,
                    end_date=book.local_date(row, "period_end"),
                )
            )
        return lines

    def _invoice(
        self, row: Row, lines: list[Line], payment_rows: list[Row], notes: dict[str, list[Row]]
    ) -> Invoice:
        book, invoice_id = self._book, row["invoice_id"]
        # C2: the total with tax; without one, the sum of its lines
        total = sum(line.gross_minor for line in lines)
        if row.get("total_minor"):
            total = whole(row, "total_minor")
        paid_at = book.instant(row, "paid_at")
        payments = [
            Payment(
                book.instant(p, "paid_at"), "payment", p["payment_id"], whole(p, "amount_minor")
            )
            for p in payment_rows
        ]
        invoice = Invoice(
            invoice_id,
            row["customer_id"],
            row["status"],
            row["currency_code"],
            total,
            lines,
            payments,
            paid_at,
        )
        credited_before = 0
        for note in sorted(
            notes[invoice_id], key=lambda n: (book.instant(n, "issued_at"), n["credit_note_id"])
        ):
            if self._is_before_payment(note, invoice, credited_before):
                credited_before += whole(note, "amount_minor")
            elif not is_true(note, "to_balance"):  # R3: "unless it went to the balance"
                invoice.money_back.append(
                    MoneyBack(
                        at=book.instant(note, "issued_at"),
                        kind="credit_note",
                        cause_type="credit_note",
                        cause_id=note["credit_note_id"],
                        amount_minor=whole(note, "amount_minor"),
                    )
                )
        if not payments and paid_at is not None and total > 0:
            # interfaces.md: `paid_at` and no payments = paid in full then; R3: what was due
            # in full is the total less what was credited before the payment.
            invoice.payments = [Payment(paid_at, "invoice", invoice_id, total - credited_before)]
        return invoice

    def _is_before_payment(self, note: Row, invoice: Invoice, credited_before: int) -> bool:
        """R3: the note's own kind; without one, whether something was still due when issued."""
        if note.get("kind"):
            return note["kind"] == "pre_payment"
        issued_at = self._book.instant(note, "issued_at")
        if not invoice.payments:
            return invoice.paid_at is None or issued_at < invoice.paid_at
        received = sum(p.amount_minor for p in invoice.payments if p.paid_at <= issued_at)
        return received < invoice.total_minor - credited_before

    def _add_refunds_and_disputes(self) -> None:
        book = self._book
        for row in book.rows("refunds"):
            # R7: a refund that failed, or has not succeeded yet, takes nothing back
            if row["invoice_id"] in self.invoices and row.get("status", "") in ("", "succeeded"):
                self.invoices[row["invoice_id"]].money_back.append(
                    MoneyBack(
                        at=book.instant(row, "refunded_at"),
                        kind="refund",
                        cause_type="refund",
                        cause_id=row["refund_id"],
                        amount_minor=whole(row, "amount_minor"),
                        line_id=row.get("invoice_line_id", ""),
                    )
                )
        for row in book.rows("disputes"):
            if row["invoice_id"] in self.invoices:
                self.invoices[row["invoice_id"]].money_back.append(
                    MoneyBack(
                        at=book.instant(row, "opened_at"),
                        kind="chargeback",
                        cause_type="dispute",
                        cause_id=row["dispute_id"],
                        amount_minor=whole(row, "amount_minor"),
                        dispute_status=row["status"],
                        closed_at=book.instant(row, "closed_at"),
                    )
                )
