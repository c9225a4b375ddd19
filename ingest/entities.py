"""The declaration of every entity and column that the `files` source accepts.

One source of truth for reading files, for the `raw.files__*` relations and for the help table.
Belongs here: names, types, required or optional, personal or not, closed lists. Does not belong
here: how a value is checked (`shapes`) or what a record means (the dbt project).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ColumnType(StrEnum):
    """The closed list of column types; the value is what people read."""

    TEXT = "text"
    CODE = "code"
    EMAIL = "e-mail"
    CURRENCY = "currency code"
    INSTANT = "date or instant"
    DATE = "date"
    MINOR_UNITS = "whole minor units"
    DECIMAL = "decimal"
    POSITIVE_DECIMAL = "decimal above 0"
    BOOLEAN = "true or false"
    CHOICE = "one of a list"


@dataclass(frozen=True)
class Column:
    """One declared column. choices: the closed list of a CHOICE column, else empty."""

    name: str
    column_type: ColumnType
    is_required: bool
    is_personal: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """One kind of record. any_of: sets of columns of which each row fills at least one."""

    name: str
    columns: tuple[Column, ...]
    any_of: tuple[tuple[str, ...], ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all declared columns in declared order."""
        return tuple(column.name for column in self.columns)

    @property
    def required_names(self) -> tuple[str, ...]:
        """Names of the columns that every row must fill."""
        return tuple(column.name for column in self.columns if column.is_required)

    def column(self, name: str) -> Column:
        """The declared column of that name. Raises: KeyError if it is not declared."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


TOUCH_TYPES = (
    "manual_ruling",
    "deal_registration",
    "promotion_code",
    "crm_field",
    "form_field",
    "referral_link",
)
"""The names of `attribution.priority` (rule A2)."""

_TYPES = {
    "text": ColumnType.TEXT,
    "code": ColumnType.CODE,
    "email": ColumnType.EMAIL,
    "currency": ColumnType.CURRENCY,
    "at": ColumnType.INSTANT,
    "date": ColumnType.DATE,
    "minor": ColumnType.MINOR_UNITS,
    "decimal": ColumnType.DECIMAL,
    "rate": ColumnType.POSITIVE_DECIMAL,
    "bool": ColumnType.BOOLEAN,
}


def _columns(declaration: str, choices: Mapping[str, tuple[str, ...]]) -> tuple[Column, ...]:
    """Columns from words such as `email:email?`: name, type (default text), `?` optional, `!`
    personal. E-mails are always personal."""
    columns = []
    for word in declaration.split():
        name, _, kind = word.rstrip("?!").partition(":")
        marks = word[len(word.rstrip("?!")) :]
        column_type = ColumnType.CHOICE if name in choices else _TYPES[kind or "text"]
        columns.append(
            Column(
                name=name,
                column_type=column_type,
                is_required="?" not in marks,
                is_personal="!" in marks or column_type is ColumnType.EMAIL,
                choices=choices.get(name, ()),
            )
        )
    return tuple(columns)


def _entity(
    name: str,
    declaration: str,
    any_of: tuple[tuple[str, ...], ...] = (),
    **choices: tuple[str, ...],
) -> Entity:
    return Entity(name=name, columns=_columns(declaration, choices), any_of=any_of)


_ENTITIES = (
    _entity(
        "partners",
        "partner_id name! email:email legal_name?! company_domain? country? partner_type? group?"
        " status? manager_email:email? payout_currency:currency? joined_at:at? is_pilot:bool?"
        " referred_by?",
        status=("applied", "active", "paused", "terminated"),
    ),
    _entity(
        "partner_codes",
        "code:code partner_id code_type valid_from:at? valid_to:at?",
        code_type=("referral_link", "promotion_code"),
    ),
    _entity(
        "touchpoints",
        "touchpoint_id occurred_at:at touch_type code:code? partner_id? email:email? contact_id?"
        " customer_id? anonymous_id? company_domain? landing_url?! campaign?",
        any_of=(("code", "partner_id"),),
        touch_type=TOUCH_TYPES,
    ),
    _entity(
        "form_submissions",
        "submission_id form_id submitted_at:at email:email name?! company_domain? anonymous_id?"
        " code:code? utm_source? utm_campaign?",
    ),
    _entity(
        "deal_registrations",
        "registration_id partner_id submitted_at:at status decided_at:at? expires_at:at?"
        " email:email? company_domain? deal_id? expected_amount_minor:minor?"
        " currency_code:currency?",
        status=("pending", "approved", "declined", "withdrawn"),
    ),
    _entity(
        "contacts",
        "contact_id email:email created_at:at company_id? code:code? owner_email:email?"
        " updated_at:at? is_deleted:bool? merged_into_id?",
    ),
    _entity(
        "companies",
        "company_id domain name? updated_at:at? is_deleted:bool? merged_into_id?",
    ),
    _entity(
        "deals",
        "deal_id stage created_at:at contact_id? company_id? amount_minor:minor?"
        " currency_code:currency? closed_at:at? is_won:bool? is_lost:bool? code:code?"
        " owner_email:email? updated_at:at?",
    ),
    _entity(
        "meetings",
        "meeting_id booked_at:at starts_at:at outcome email:email? contact_id? company_id?"
        " updated_at:at?",
        outcome=("scheduled", "held", "no_show", "canceled"),
    ),
    _entity(
        "product_events",
        "event_id name occurred_at:at email:email? customer_id? anonymous_id? code:code?",
    ),
    _entity(
        "customers",
        "customer_id created_at:at email:email? company_domain? contact_id? country? code:code?",
    ),
    _entity(
        "subscriptions",
        "subscription_id customer_id status started_at:at trial_end:at? canceled_at:at?"
        " ended_at:at?",
    ),
    _entity(
        "products",
        "product_id name kind?",
        kind=("recurring", "one_off", "usage", "setup", "shipping"),
    ),
    _entity(
        "invoices",
        "invoice_id customer_id status currency_code:currency issued_at:at subscription_id?"
        " paid_at:at? total_minor:minor? external_number? code:code?",
        status=("draft", "open", "paid", "void", "uncollectible"),
    ),
    _entity(
        "invoice_lines",
        "invoice_line_id invoice_id amount_minor:minor discount_minor:minor? tax_minor:minor?"
        " product_id? period_start:at? period_end:at? is_proration:bool? quantity:decimal?",
    ),
    _entity("payments", "payment_id invoice_id amount_minor:minor paid_at:at"),
    _entity(
        "refunds",
        "refund_id invoice_id amount_minor:minor refunded_at:at status? invoice_line_id? reason?",
        status=("succeeded", "pending", "failed"),
    ),
    _entity(
        "disputes",
        "dispute_id invoice_id amount_minor:minor opened_at:at status closed_at:at?",
        status=("open", "won", "lost"),
    ),
    _entity(
        "credit_notes",
        "credit_note_id invoice_id amount_minor:minor issued_at:at kind? to_balance:bool?"
        " voided_at:at?",
        kind=("pre_payment", "post_payment"),
    ),
    _entity("fx_rates", "rate_date:date currency_code:currency rate:rate"),
    _entity(
        "manual_commissions",
        "row_id partner_id amount_minor:minor currency_code:currency period customer_id?"
        " invoice_id? note?!",
    ),
)

ENTITIES: Mapping[str, Entity] = MappingProxyType({entity.name: entity for entity in _ENTITIES})
"""Every entity by name, in the order of the documentation."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a person most likely meant, or None when nothing is close."""
    found = difflib.get_close_matches(name.strip().lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def help_rows() -> list[tuple[str, str, str, str, str]]:
    """Rows of the help table: entity, column, type or closed list, required, personal."""
    rows = []
    for entity in ENTITIES.values():
        alternatives = {name: group for group in entity.any_of for name in group}
        for column in entity.columns:
            shape = ", ".join(column.choices) or str(column.column_type)
            required = "yes" if column.is_required else "no"
            if column.name in alternatives:
                required = " or ".join(alternatives[column.name])
            personal = "yes" if column.is_personal else "no"
            rows.append((entity.name, column.name, shape, required, personal))
    return rows
