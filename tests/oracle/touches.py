"""Partner codes and the touches that facts give (A2, first part).

Belongs here: which partner a code names at an instant; every touch with its type, instant and id.
Does not belong here: which touch wins, or whether a submission is accepted.
"""

from dataclasses import dataclass
from datetime import datetime

from .facts import ENTERED, SOURCE, Book, Row, normalise_code
from .identity import record_key


@dataclass(frozen=True)
class Touch:
    """One touch of a partner on a lead; touch_id is `source:entity:id` of the record."""

    occurred_at: datetime
    touch_id: str
    partner_id: str
    touch_type: str
    record: str  # entity:id

    @property
    def order(self) -> tuple[datetime, str]:
        """A3: order is (time, touch id)."""
        return self.occurred_at, self.touch_id


@dataclass(frozen=True)
class CodeUse:
    """What a code stands for at an instant."""

    partner_id: str
    code_type: str


class Codes:
    """Partner codes with their validity, half-open (M5)."""

    def __init__(self, book: Book) -> None:
        self._partner_ids = {row["partner_id"] for row in book.rows("partners")}
        self._codes: dict[str, list[tuple[datetime, datetime, int, CodeUse]]] = {}
        for order, row in enumerate(book.rows("partner_codes")):
            if row["partner_id"] in self._partner_ids:
                self._codes.setdefault(normalise_code(row["code"]), []).append(
                    (
                        book.instant(row, "valid_from") or datetime.min,
                        book.instant(row, "valid_to") or datetime.max,
                        order,
                        CodeUse(row["partner_id"], row["code_type"]),
                    )
                )

    def knows_partner(self, partner_id: str) -> bool:
        """Whether the partner is in `partners`."""
        return partner_id in self._partner_ids

    def resolve(self, code: str, at: datetime) -> CodeUse | None:
        """The partner of a code used at an instant; of overlapping rows the latest begun."""
        rows = [r for r in self._codes.get(normalise_code(code), ()) if r[0] <= at < r[1]]
        return max(rows, key=lambda r: (r[0], r[2]))[3] if rows else None


def all_touches(book: Book, codes: Codes) -> list[Touch]:
    """Every touch that resolves to a known partner (A2: the fact's own instant decides)."""
    touches: list[Touch] = []

    def add(entity: str, row: Row, at_column: str, touch_type: str | None) -> None:
        """touch_type None = the code's own type."""
        at = book.instant(row, at_column)
        use = codes.resolve(row.get("code", ""), at)
        if use:
            record = record_key(entity, row)
            kind = touch_type or use.code_type
            touches.append(Touch(at, f"{SOURCE}:{record}", use.partner_id, kind, record))

    for row in book.rows("touchpoints"):
        if not row.get("partner_id"):
            add("touchpoints", row, "occurred_at", row["touch_type"])
        elif codes.knows_partner(row["partner_id"]):
            record = record_key("touchpoints", row)
            at = book.instant(row, "occurred_at")
            touches.append(
                Touch(at, f"{SOURCE}:{record}", row["partner_id"], row["touch_type"], record)
            )
    for row in book.rows("form_submissions"):
        add("form_submissions", row, "submitted_at", "form_field")
    for row in book.rows("deal_registrations"):
        # A2: an *approved* deal registration, at its submission
        if row["status"] == "approved" and codes.knows_partner(row["partner_id"]):
            record = record_key("deal_registrations", row)
            at = book.instant(row, "submitted_at")
            touches.append(
                Touch(at, f"{SOURCE}:{record}", row["partner_id"], "deal_registration", record)
            )
    for row in book.rows("lead_entries"):
        # L1: "a lead entered by a partner or staff" is judged like a form
        if codes.knows_partner(row["partner_id"]):
            record = record_key("lead_entries", row)
            at = book.instant(row, "submitted_at")
            touches.append(
                Touch(at, f"{ENTERED}:{record}", row["partner_id"], "form_field", record)
            )
    for row in book.rows("contacts"):
        add("contacts", row, "created_at", "crm_field")
    for row in book.rows("deals"):
        add("deals", row, "created_at", "crm_field")
    for row in book.rows("customers"):
        add("customers", row, "created_at", None)
    for row in book.rows("product_events"):
        add("product_events", row, "occurred_at", None)
    touches += _invoice_touches(book, codes)
    return touches


def _invoice_touches(book: Book, codes: Codes) -> list[Touch]:
    """A2: "invoices `promotion_code` at issue", on the lead of their customer."""
    touches = []
    for row in book.rows("invoices"):
        at = book.instant(row, "issued_at")
        use = codes.resolve(row.get("code", ""), at)
        if use and row["status"] != "draft":
            record = f"invoices:{row['invoice_id']}"
            touch_id = f"{SOURCE}:{record}"
            touches.append(Touch(at, touch_id, use.partner_id, "promotion_code", record))
    return touches
