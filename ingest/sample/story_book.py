"""The notebook in which the stories write their records: ids, instants and invoice arithmetic.

Which odd cases there are belongs in `stories`, not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ingest.entities import ENTITIES
from ingest.sample.errors import SampleError
from ingest.sample.sizes import Sizes

Rows = dict[str, list[tuple[str | None, ...]]]


class BeyondSpanError(SampleError):
    """A story needs a day after the end of the span; the story is left out."""


@dataclass(frozen=True)
class Line:
    """One invoice line in minor units; `start` is a day of the span, None for no period.

    product: None for a line without product.
    """

    amount_minor: int
    product: str | None = "prod_team"
    start: int | None = None
    months: int = 1
    discount_minor: int = 0
    tax_minor: int = 0
    is_proration: bool = False

    @property
    def total_minor(self) -> int:
        """What the line adds to the invoice total."""
        return self.amount_minor - self.discount_minor + self.tax_minor


@dataclass
class Book:
    """Records of one story. Days count from 0, the first day of the span."""

    sizes: Sizes
    rows: Rows = field(default_factory=dict)

    def day(self, day: int) -> date:
        """Date of a day. Raises: BeyondSpanError if the span has no such day."""
        if day >= self.sizes.days:
            raise BeyondSpanError(f"day {day} lies after the span of {self.sizes.days} days")
        return self.sizes.start + timedelta(days=day)

    def at(self, day: int, hour: int = 15, minute: int = 0) -> str:
        """Instant of a day as ISO 8601 text in UTC."""
        return f"{self.day(day).isoformat()}T{hour:02}:{minute:02}:00Z"

    def later(self, day: int, months: int) -> str:
        """Date so many months after a day, clamped to the month's end."""
        first = self.day(day)
        month = first.year * 12 + first.month - 1 + months
        last = date(month // 12 + month % 12 // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)
        return last.replace(day=min(first.day, last.day)).isoformat()

    def day_of(self, iso_date: str) -> int:
        """Day of the span of a date."""
        return (datetime.fromisoformat(iso_date).date() - self.sizes.start).days

    def add(self, entity: str, *, file_name: str | None = None, **values: object) -> None:
        """Note one record; columns that are not given stay empty.

        file_name: another file of the same entity, for records that arrive late.
        """
        columns = ENTITIES[entity].column_names
        if unknown := set(values) - set(columns):
            raise SampleError(f"story writes unknown columns of {entity}: {sorted(unknown)}")
        row = tuple(_text(values.get(column)) for column in columns)
        self.rows.setdefault(file_name or entity, []).append(row)

    def form(self, key: str, day: int, email: str, **values: object) -> None:
        """A form fill at 15:00 UTC; values override any column."""
        self.add(
            "form_submissions",
            **{"submission_id": f"fs_{key}", "form_id": "contact-us", "submitted_at": self.at(day)}
            | {"email": email}
            | values,
        )

    def person(self, key: str, day: int, email: str, **values: object) -> None:
        """A CRM company (of a business address) and contact, known from 15:05 UTC of the day."""
        domain = email.partition("@")[2]
        company_id = None
        if domain.endswith(".example"):
            company_id = f"co_{key}"
            name = domain.removesuffix(".example").replace("-", " ").title()
            self.add(
                "companies", company_id=company_id, domain=domain, name=name,
                updated_at=self.at(day),
            )  # fmt: skip
        at = self.at(day, 15, 5)
        self.add(
            "contacts",
            **{"contact_id": f"ct_{key}", "email": email, "created_at": at, "updated_at": at}
            | {"company_id": company_id, "is_deleted": False}
            | values,
        )

    def meeting(self, key: str, booked: int, starts: int, outcome: str = "held") -> None:
        """A meeting with the contact of the same key."""
        self.add(
            "meetings", meeting_id=f"m_{key}", booked_at=self.at(booked, 16),
            starts_at=self.at(starts, 17), outcome=outcome, contact_id=f"ct_{key}",
            updated_at=self.at(starts, 18),
        )  # fmt: skip

    def deal(self, key: str, created: int, amount_minor: int, **values: object) -> None:
        """An open deal of the contact of the same key, unless values close it."""
        self.add(
            "deals",
            **{"deal_id": f"d_{key}", "stage": "qualified", "created_at": self.at(created, 18)}
            | {"contact_id": f"ct_{key}", "amount_minor": amount_minor, "currency_code": "USD"}
            | {"is_won": False, "is_lost": False, "updated_at": self.at(created, 18)}
            | values,
        )

    def won(self, day: int) -> dict[str, object]:
        """Columns of a deal that was won on a day."""
        at = self.at(day, 19)
        return {"stage": "closed_won", "is_won": True, "closed_at": at, "updated_at": at}

    def customer(self, key: str, day: int, email: str | None, **values: object) -> None:
        """A customer with one subscription; `ended` is the day on which access ended."""
        ended = values.pop("ended", None)
        domain = (email or "").partition("@")[2]
        self.add(
            "customers",
            **{"customer_id": f"cus_{key}", "created_at": self.at(day, 20), "email": email}
            | {"company_domain": domain if domain.endswith(".example") else None}
            | {"country": "US"}
            | values,
        )
        self.add(
            "subscriptions", subscription_id=f"sub_{key}", customer_id=f"cus_{key}",
            status="active" if ended is None else "canceled", started_at=self.at(day, 20),
            canceled_at=None if ended is None else self.at(int(str(ended)) - 1),
            ended_at=None if ended is None else self.at(int(str(ended))),
        )  # fmt: skip

    def invoice(
        self,
        key: str,
        number: int,
        day: int,
        lines: Sequence[Line],
        *,
        currency: str = "USD",
        payments: Sequence[tuple[int, int]] | None = None,
        **values: object,
    ) -> None:
        """An invoice with its lines, paid in full on its day by one payment.

        payments: (day, amount_minor) of other payments; an empty list writes none, and then
        `status` and `paid_at` are to be given in the values.
        """
        total_minor = sum(line.total_minor for line in lines)
        invoice_id = f"in_{key}_{number}"
        made = [(day, total_minor)] if payments is None else payments
        self.add(
            "invoices",
            **{"invoice_id": invoice_id, "customer_id": f"cus_{key}", "status": "paid"}
            | {"currency_code": currency, "issued_at": self.at(day, 15, 30)}
            | {"subscription_id": f"sub_{key}", "total_minor": total_minor}
            | {"paid_at": self.at(made[-1][0], 15, 31) if made else None}
            | {"external_number": f"ACS-{key.upper()}-{number}"}
            | values,
        )
        for slot, line in enumerate(lines, start=1):
            self._line(f"{key}_{number}_{slot}", invoice_id, line)
        for part, (paid_day, amount_minor) in enumerate(made, start=1):
            self.add(
                "payments", payment_id=f"pay_{key}_{number}_{part}", invoice_id=invoice_id,
                amount_minor=amount_minor, paid_at=self.at(paid_day, 15, 31),
            )  # fmt: skip

    def _line(self, key: str, invoice_id: str, line: Line) -> None:
        """One line; its period runs from `start` for so many months, the end exclusive."""
        start = None if line.start is None else self.day(line.start).isoformat()
        end = None if line.start is None else self.later(line.start, line.months)
        self.add(
            "invoice_lines", invoice_line_id=f"il_{key}", invoice_id=invoice_id,
            amount_minor=line.amount_minor, discount_minor=line.discount_minor,
            tax_minor=line.tax_minor, product_id=line.product, period_start=start, period_end=end,
            is_proration=line.is_proration, quantity=1,
        )  # fmt: skip

    def refund(
        self, key: str, number: int, part: int, day: int, amount_minor: int, **values: object
    ) -> None:
        """One refund of an invoice, succeeded unless values say otherwise."""
        self.add(
            "refunds",
            **{"refund_id": f"re_{key}_{number}_{part}", "invoice_id": f"in_{key}_{number}"}
            | {"amount_minor": amount_minor, "refunded_at": self.at(day, 14)}
            | {"status": "succeeded", "reason": "requested_by_customer"}
            | values,
        )


def _text(value: object) -> str | None:
    """Value as it stands in a drop file."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
