"""What a rail needs to know to pay somebody, and the form of details in the vault.

What belongs here: the payee's fields per rail, what is wrong with them, and the JSON of payees and
payers. What does not: the payer's fields (``payer_details``), storing details (``vault``) or
writing them into a file (``files``).
Bank data: no message, no ``repr`` and no exception of this module repeats a value (I24).
Sources: payouts reference 2.2 to 2.6.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, dataclass, fields
from typing import ClassVar, Literal

from program.currencies import is_currency

from payouts.detail_checks import (
    HiddenDetails,
    address_problems,
    choice_problems,
    email_problems,
    ending,
    latin_name_problems,
    name_problems,
    sepa_account_problems,
)
from payouts.errors import DetailsInvalidError
from payouts.files.plain_text import plain_text_fault
from payouts.hashing import canonical_json
from payouts.identifiers import normalise_iban, routing_number_problem
from payouts.payer_details import NachaPayer, PaypalPayer, SepaPayer, WisePayer

_SEPA_NAME_CHARACTERS = 70
_NACHA_NAME_CHARACTERS = 22
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_PAYPAL_ID = re.compile(r"[A-Z0-9]{13}")
_ACCOUNT_NUMBER = re.compile(r"[0-9A-Z-]{1,17}")
_RECIPIENT_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,35}")


@dataclass(frozen=True, repr=False)
class SepaDetails(HiddenDetails):
    """A payee's account for SEPA credit transfers. The BIC is optional inside SEPA.

    holder_name: the account's legal name, which the bank verifies before it pays.
    """

    rail: ClassVar[str] = "sepa"
    role: ClassVar[Literal["payee", "payer"]] = "payee"

    holder_name: str
    iban: str
    bic: str = ""
    country: str = ""
    town: str = ""
    street: str = ""

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        return [
            *latin_name_problems("holder_name", self.holder_name, _SEPA_NAME_CHARACTERS),
            *sepa_account_problems(self.iban, self.bic),
            *address_problems(self.country, self.town, self.street),
        ]

    def account(self) -> str:
        """The IBAN without spaces, in capitals."""
        return normalise_iban(self.iban)


@dataclass(frozen=True, repr=False)
class NachaDetails(HiddenDetails):
    """A payee's account in the United States.

    entity_type: who holds the account; ``business`` is paid as CCD, ``individual`` as PPD.
    """

    rail: ClassVar[str] = "nacha"
    role: ClassVar[Literal["payee", "payer"]] = "payee"

    holder_name: str
    routing_number: str
    account_number: str
    account_type: Literal["checking", "savings"]
    entity_type: Literal["individual", "business"]

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        problems = latin_name_problems("holder_name", self.holder_name, _NACHA_NAME_CHARACTERS)
        routing = routing_number_problem(self.routing_number)
        if routing:
            problems.append(f"routing_number {routing}")
        if not _ACCOUNT_NUMBER.fullmatch(self._number()):
            problems.append("account_number must be 1 to 17 letters, digits and hyphens")
        elif not any(character in "123456789" for character in self._number()):
            problems.append("account_number has no digit other than zero")
        return [
            *problems,
            *choice_problems("account_type", self.account_type, ("checking", "savings")),
            *choice_problems("entity_type", self.entity_type, ("individual", "business")),
        ]

    def account(self) -> str:
        """Routing number, a slash and the account number without spaces, in capitals.

        The account's number alone means nothing: every bank may have it.
        """
        return f"{self.routing_number}/{self._number()}"

    def last_four(self) -> str:
        """The end of the account number, at most four characters and at most half of it."""
        return ending(self._number())

    def _number(self) -> str:
        return self.account_number.replace(" ", "").upper()


@dataclass(frozen=True, repr=False)
class PaypalDetails(HiddenDetails):
    """Where PayPal or Venmo finds a payee.

    recipient: by ``recipient_type`` an address, a phone number as +15551234567, or the 13
    characters of a PayPal account id.
    """

    rail: ClassVar[str] = "paypal"
    role: ClassVar[Literal["payee", "payer"]] = "payee"

    holder_name: str
    recipient: str
    recipient_type: Literal["email", "phone", "paypal_id"]
    wallet: Literal["PAYPAL", "VENMO"]

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        problems = [
            *name_problems("holder_name", self.holder_name),
            *choice_problems(
                "recipient_type", self.recipient_type, ("email", "phone", "paypal_id")
            ),
            *choice_problems("wallet", self.wallet, ("PAYPAL", "VENMO")),
        ]
        if self.recipient_type == "email":
            problems += email_problems("recipient", self.recipient)
        elif self.recipient_type == "phone" and not _PHONE.fullmatch(self.recipient):
            problems.append("recipient must be a phone number such as +15551234567")
        elif self.recipient_type == "paypal_id" and not _PAYPAL_ID.fullmatch(self.recipient):
            problems.append("recipient must be a PayPal account id: 13 capitals and digits")
        if self.wallet == "VENMO" and self.recipient_type == "paypal_id":
            problems.append("recipient_type must be email or phone for a VENMO wallet")
        return problems

    def account(self) -> str:
        """Wallet, a slash and the recipient; addresses in lower case."""
        recipient = self.recipient.lower() if self.recipient_type == "email" else self.recipient
        return f"{self.wallet}/{recipient}"

    def last_four(self) -> str:
        """The end of what stands before the @, or of the number or id; at most half of it."""
        return ending(self.account().partition("/")[2].partition("@")[0])


@dataclass(frozen=True, repr=False)
class WiseDetails(HiddenDetails):
    """A recipient saved at Wise: no bank data is held here at all.

    source_currency: pay this payee from another balance than the payer's; empty: the payer's.
    """

    rail: ClassVar[str] = "wise"
    role: ClassVar[Literal["payee", "payer"]] = "payee"

    holder_name: str
    recipient_id: str
    recipient_email: str = ""
    receiver_type: Literal["PERSON", "INSTITUTION"] = "PERSON"
    source_currency: str = ""

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        problems = name_problems("holder_name", self.holder_name)
        name_fault = plain_text_fault(self.holder_name)
        if name_fault and not problems:
            problems.append(f"holder_name {name_fault}")
        if not _RECIPIENT_ID.fullmatch(self.recipient_id):
            problems.append("recipient_id must be the id that Wise gave the recipient")
        if self.recipient_email:
            problems += email_problems("recipient_email", self.recipient_email)
        problems += choice_problems("receiver_type", self.receiver_type, ("PERSON", "INSTITUTION"))
        if self.source_currency and not is_currency(self.source_currency):
            problems.append("source_currency must be a currency code such as EUR")
        return problems

    def account(self) -> str:
        """The id that Wise gave the recipient."""
        return self.recipient_id


PayeeDetails = SepaDetails | NachaDetails | PaypalDetails | WiseDetails
PayerDetails = SepaPayer | NachaPayer | PaypalPayer | WisePayer
Details = PayeeDetails | PayerDetails

PAYEE_KINDS: dict[str, type] = {
    kind.rail: kind for kind in (PaypalDetails, WiseDetails, SepaDetails, NachaDetails)
}
PAYER_KINDS: dict[str, type] = {
    kind.rail: kind for kind in (PaypalPayer, WisePayer, SepaPayer, NachaPayer)
}


def to_json(details: Details) -> str:
    """Canonical JSON of all fields, with rail and role; the same details give the same text."""
    values = {field.name: getattr(details, field.name) for field in fields(details)}
    return canonical_json({"rail": details.rail, "role": details.role, "fields": values})


def details_from_json(rail: str, text: str) -> PayeeDetails:
    """A payee's details as ``to_json`` wrote them.

    Raises: DetailsInvalidError when they are of another rail or shape, without repeating a value.
    """
    return _from_json(rail, "payee", PAYEE_KINDS, text)


def payer_from_json(rail: str, text: str) -> PayerDetails:
    """A payer's details as ``to_json`` wrote them.

    Raises: DetailsInvalidError when they are of another rail or shape, without repeating a value.
    """
    return _from_json(rail, "payer", PAYER_KINDS, text)


def _from_json(rail: str, role: str, kinds: dict[str, type], text: str) -> Details:
    kind = kinds.get(rail)
    if kind is None:
        raise DetailsInvalidError(
            f"the rail {rail!r} keeps no {role} details; use one of {', '.join(sorted(kinds))}"
        )
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        # The parser's own message quotes what it read.
        raise DetailsInvalidError(f"the stored {role} details are not JSON") from None
    if not isinstance(stored, dict) or not isinstance(stored.get("fields"), dict):
        raise DetailsInvalidError(f"the stored {role} details have no fields")
    if (stored.get("rail"), stored.get("role")) != (rail, role):
        raise DetailsInvalidError(f"the stored details are not {role} details of the rail {rail}")
    return details_of(kind, stored["fields"])


def details_of(kind: type, values: dict[str, object]) -> Details:
    """Details of one kind from named texts, such as a form or a file gives them.

    Raises: DetailsInvalidError naming unknown, missing and wrongly typed fields, never a value.
    """
    names = {field.name for field in fields(kind)}
    faults = [f"{name!r} is not known" for name in sorted(set(values) - names)]
    faults += [
        f"{name} must be text"
        for name in sorted(set(values) & names)
        if not isinstance(values[name], str)
    ]
    if not faults:
        try:
            return kind(**values)
        except TypeError:
            required = _required(kind)
            faults = [f"{name} is missing" for name in required if name not in values]
    raise DetailsInvalidError(f"details of the rail {kind.rail}: {'; '.join(faults)}")


def _required(kind: type) -> list[str]:
    return [field.name for field in fields(kind) if field.default is MISSING]
