"""What the oracle reads: facts as text, folded to their newest version, cut off at `as_of`.

Belongs here: the shape of the input, text to value, rule F1 (newest version), M5 and M6 (time).
Does not belong here: who is who, what counts, what is owed.

`Facts` maps an entity name of the `files` source to its rows in arrival order; a row maps column
names to text exactly as in CSV ('' or a missing column = absent). `lead_entries`, which no file
delivers, are the leads entered by partners and staff.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

Row = dict[str, str]
Facts = Mapping[str, Sequence[Mapping[str, str]]]

SOURCE = "drop"  # the one source of the oracle's facts
ENTERED = "control"  # but for leads that partners and staff enter

COLUMNS: dict[str, tuple[str, ...]] = {
    entity: tuple(columns.split())
    for entity, columns in {
        "partners": "partner_id name email legal_name company_domain country partner_type group"
        " status manager_email payout_currency joined_at is_pilot referred_by",
        "partner_codes": "code partner_id code_type valid_from valid_to",
        "touchpoints": "touchpoint_id occurred_at touch_type code partner_id email contact_id"
        " customer_id anonymous_id company_domain landing_url campaign",
        "form_submissions": "submission_id form_id submitted_at email name company_domain"
        " anonymous_id code utm_source utm_campaign",
        "deal_registrations": "registration_id partner_id submitted_at status decided_at"
        " expires_at email company_domain deal_id expected_amount_minor currency_code",
        "lead_entries": "entry_id partner_id submitted_at email company_domain deal_id",
        "contacts": "contact_id email created_at company_id code owner_email updated_at"
        " is_deleted merged_into_id",
        "companies": "company_id domain name updated_at is_deleted merged_into_id",
        "deals": "deal_id stage created_at contact_id company_id amount_minor currency_code"
        " closed_at is_won is_lost code owner_email updated_at",
        "meetings": "meeting_id booked_at starts_at outcome email contact_id company_id updated_at",
        "product_events": "event_id name occurred_at email customer_id anonymous_id code",
        "customers": "customer_id created_at email company_domain contact_id country code",
        "subscriptions": "subscription_id customer_id status started_at trial_end canceled_at"
        " ended_at",
        "products": "product_id name kind",
        "invoices": "invoice_id customer_id status currency_code issued_at subscription_id paid_at"
        " total_minor external_number code",
        "invoice_lines": "invoice_line_id invoice_id amount_minor discount_minor tax_minor"
        " product_id period_start period_end is_proration quantity",
        "payments": "payment_id invoice_id amount_minor paid_at",
        "refunds": "refund_id invoice_id amount_minor refunded_at status invoice_line_id reason",
        "disputes": "dispute_id invoice_id amount_minor opened_at status closed_at",
        "credit_notes": "credit_note_id invoice_id amount_minor issued_at kind to_balance"
        " voided_at",
        "fx_rates": "rate_date currency_code rate",
        "manual_commissions": "row_id partner_id amount_minor currency_code period customer_id"
        " invoice_id note",
    }.items()
}

# F1: what identifies an object; the first column unless named here.
_KEY_COLUMNS = {
    "partner_codes": ("code", "code_type", "valid_from"),
    "fx_rates": ("rate_date", "currency_code"),
}

# M6: the instant at which a fact comes to exist.
_BORN_AT = {
    "touchpoints": "occurred_at",
    "form_submissions": "submitted_at",
    "deal_registrations": "submitted_at",
    "lead_entries": "submitted_at",
    "contacts": "created_at",
    "deals": "created_at",
    "meetings": "booked_at",
    "product_events": "occurred_at",
    "customers": "created_at",
    "subscriptions": "started_at",
    "invoices": "issued_at",
    "payments": "paid_at",
    "refunds": "refunded_at",
    "disputes": "opened_at",
    "credit_notes": "issued_at",
    "fx_rates": "rate_date",
}

# M6: what happens to an object later in its life, hidden while it lies in the future.
_LATER = {
    "deal_registrations": ("decided_at",),
    "deals": ("closed_at",),
    "subscriptions": ("canceled_at", "ended_at"),
    "invoices": ("paid_at",),
    "disputes": ("closed_at",),
    "credit_notes": ("voided_at",),
}


class Zone:
    """The programme's time zone: text to UTC instants and UTC instants to local days (M5)."""

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)

    def instant(self, text: str) -> datetime:
        """ISO 8601 text to a naive UTC instant; naive text or a bare date is local (M5)."""
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        return moment.astimezone(UTC).replace(tzinfo=None)

    def local_date(self, instant: datetime) -> date:
        """The local calendar day on which a naive UTC instant falls."""
        return instant.replace(tzinfo=UTC).astimezone(self._zone).date()

    def day_end(self, day: date) -> datetime:
        """First naive UTC instant after a local day: the day counts whole (M6)."""
        midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=self._zone)
        return midnight.astimezone(UTC).replace(tzinfo=None)


class Book:
    """The facts that exist on the evening of `as_of`, one newest version per object."""

    def __init__(self, facts: Facts, timezone: str, as_of: date) -> None:
        unknown = set(facts) - set(COLUMNS)
        if unknown:
            raise ValueError(f"unknown entities {sorted(unknown)}; known: {sorted(COLUMNS)}")
        self.zone = Zone(timezone)
        self.as_of = as_of
        self.end_at = self.zone.day_end(as_of)
        self._versions: dict[str, dict[tuple[str, ...], list[Row]]] = {}
        self._newest: dict[str, list[Row]] = {}
        for entity in COLUMNS:
            versions = self._visible_versions(entity, facts.get(entity, ()))
            self._versions[entity] = versions
            newest = [self._hide_future(entity, self._fold(rows)) for rows in versions.values()]
            self._newest[entity] = [row for row in newest if self._exists(entity, row)]

    def rows(self, entity: str) -> list[Row]:
        """Newest versions of all objects of an entity, in order of first arrival."""
        return self._newest[entity]

    def versions(self, entity: str, object_id: str) -> list[Row]:
        """All versions of one object that had been made by `as_of`, in arrival order (F1)."""
        return self._versions[entity].get((object_id,), [])

    def instant(self, row: Row, column: str) -> datetime | None:
        """The column as a naive UTC instant, None when absent."""
        text = row.get(column, "")
        return self.zone.instant(text) if text else None

    def born_at(self, entity: str, row: Row) -> datetime | None:
        """M6: the instant at which a fact came to exist; None where the entity has none."""
        return self.instant(row, _BORN_AT[entity]) if entity in _BORN_AT else None

    def local_date(self, row: Row, column: str) -> date | None:
        """The column as a local day, None when absent."""
        moment = self.instant(row, column)
        return self.zone.local_date(moment) if moment else None

    def _visible_versions(
        self, entity: str, rows: Sequence[Mapping[str, str]]
    ) -> dict[tuple[str, ...], list[Row]]:
        allowed = set(COLUMNS[entity])
        versions: dict[tuple[str, ...], list[Row]] = {}
        for given in rows:
            if set(given) - allowed:
                raise ValueError(f"{entity}: unknown columns {sorted(set(given) - allowed)}")
            row = {column: (value or "").strip() for column, value in given.items()}
            updated_at = self.instant(row, "updated_at")
            if updated_at is not None and updated_at >= self.end_at:
                continue  # M6: this version has not been written yet
            versions.setdefault(self._key(entity, row), []).append(row)
        return versions

    def _key(self, entity: str, row: Row) -> tuple[str, ...]:
        columns = _KEY_COLUMNS.get(entity, COLUMNS[entity][:1])
        values = [row.get(column, "") for column in columns]
        if entity == "partner_codes":
            values[0] = normalise_code(values[0])
            if values[2]:
                values[2] = self.zone.instant(values[2]).isoformat()
        return tuple(values)

    def _fold(self, rows: list[Row]) -> Row:
        """F1: by `updated_at` where both have one (equal: the later arrival), else by arrival."""
        winner = rows[0]
        for row in rows[1:]:
            mine, theirs = self.instant(row, "updated_at"), self.instant(winner, "updated_at")
            if mine is None or theirs is None or mine >= theirs:
                winner = row
        if not is_true(winner, "is_deleted"):
            return dict(winner)
        # F3 "edges of deleted records stay": a bare tombstone keeps what was known before it.
        kept: Row = {}
        for row in rows:
            kept.update({column: value for column, value in row.items() if value})
        return kept | {column: value for column, value in winner.items() if value}

    def _hide_future(self, entity: str, row: Row) -> Row:
        """M6: what happens after `as_of` to an object has not happened yet."""
        shown = dict(row)
        for column in _LATER.get(entity, ()):
            moment = self.instant(row, column)
            if moment is None or moment < self.end_at:
                continue
            shown[column] = ""
            if entity == "deal_registrations":
                shown["status"] = "pending"
            elif entity == "deals":
                shown["is_won"] = shown["is_lost"] = "false"
            elif entity == "disputes":
                shown["status"] = "open"
        if entity == "meetings" and row.get("outcome") == "held":
            if self.zone.instant(row["starts_at"]) >= self.end_at:
                shown["outcome"] = "scheduled"
        return shown

    def _exists(self, entity: str, row: Row) -> bool:
        if entity not in _BORN_AT:
            return True
        born_at = self.born_at(entity, row)
        return born_at is not None and born_at < self.end_at


def is_true(row: Row, column: str) -> bool:
    """A CSV boolean; absent is false."""
    return row.get(column, "").lower() in {"true", "t", "1", "yes"}


def whole(row: Row, column: str) -> int:
    """A CSV integer (minor units); absent is 0."""
    text = row.get(column, "")
    return int(text) if text else 0


def fraction(row: Row, column: str) -> Fraction:
    """A CSV decimal number, exact."""
    return Fraction(row[column])


def normalise_code(text: str) -> str:
    """Codes match case-insensitively after trimming."""
    return text.strip().casefold()
