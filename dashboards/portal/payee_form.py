"""The form of payout details: its fields by rail. No value is ever shown again.

What does not belong here: what is wrong with details (`payouts.details`) and keeping them
(`payouts.vault`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payouts.details import PAYEE_KINDS, PayeeDetails, details_of
from payouts.vault_keys import vault_keys_text

if TYPE_CHECKING:
    from dashboards.visit import Visit

_FIELD_CHARACTERS = 200


@dataclass(frozen=True)
class Field:
    """One field of a form. choices: value and word of each; empty: typed."""

    name: str
    label: str
    hint: str = ""
    is_needed: bool = True
    choices: tuple[tuple[str, str], ...] = ()


_HOLDER = Field("holder_name", "Name of the account's holder", "As your bank or provider has it.")
FIELDS: dict[str, tuple[Field, ...]] = {
    "sepa": (
        _HOLDER,
        Field("iban", "IBAN"),
        Field("bic", "BIC", "Not needed inside the SEPA area.", is_needed=False),
        Field("street", "Street and number", is_needed=False),
        Field("town", "Town", is_needed=False),
        Field("country", "Country", "Two letters, such as DE.", is_needed=False),
    ),
    "nacha": (
        _HOLDER,
        Field("routing_number", "Routing number", "Nine digits."),
        Field("account_number", "Account number"),
        Field("account_type", "Kind of account",
              choices=(("checking", "Checking"), ("savings", "Savings"))),
        Field("entity_type", "Whose account it is",
              choices=(("business", "A business"), ("individual", "A person"))),
    ),
    "paypal": (
        _HOLDER,
        Field("recipient_type", "Found by", choices=(("email", "E-mail address"),
              ("phone", "Phone number"), ("paypal_id", "PayPal account id"))),
        Field("recipient", "Address, number or id"),
        Field("wallet", "Wallet", choices=(("PAYPAL", "PayPal"), ("VENMO", "Venmo"))),
    ),
    "wise": (
        _HOLDER,
        Field("recipient_id", "Recipient id", "The one that Wise gave the recipient."),
        Field("recipient_email", "E-mail address at Wise", is_needed=False),
        Field("receiver_type", "Who receives",
              choices=(("PERSON", "A person"), ("INSTITUTION", "A business"))),
    ),
}  # fmt: skip


def rail_of(visit: Visit, currency_code: str | None) -> str | None:
    """The rail whose details the partner can give here; None where the team takes them.

    That is so without the vault's key, and for rails that keep no details.
    """
    if not currency_code or not vault_keys_text():
        return None
    rail = visit.rules.rail_for(currency_code)
    return rail if rail in PAYEE_KINDS and rail in FIELDS else None


def read_details(visit: Visit, rail: str) -> PayeeDetails:
    """What was posted. Raises: DetailsInvalidError naming fields, never a value."""
    given = {field.name: visit.field(field.name, _FIELD_CHARACTERS) for field in FIELDS[rail]}
    return details_of(PAYEE_KINDS[rail], {name: text for name, text in given.items() if text})
