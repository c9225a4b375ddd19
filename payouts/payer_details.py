"""What a rail needs to know of the payer: its own account, or how its files are written.

What belongs here: fields of the payer per rail. What does not: payees (``details``, which also has
the way into the vault and back). Sources: payouts reference 2.2 to 2.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from program.currencies import is_currency

from payouts.detail_checks import (
    HiddenDetails,
    address_problems,
    choice_problems,
    latin_name_problems,
    sepa_account_problems,
    short_name_problems,
)
from payouts.identifiers import normalise_iban, routing_number_problem

_COMPANY_ID = re.compile(r"[0-9A-Z]{10}")
_ORIGIN_ID = re.compile(r"[0-9A-Z]{9,10}")
_ENTRY_DESCRIPTION = re.compile(r"[A-Z0-9]([A-Z0-9 ]{0,8}[A-Z0-9])?")


@dataclass(frozen=True, repr=False)
class SepaPayer(HiddenDetails):
    """The account that SEPA transfers leave from."""

    rail: ClassVar[str] = "sepa"
    role: ClassVar[Literal["payee", "payer"]] = "payer"

    name: str
    iban: str
    bic: str = ""
    country: str = ""
    town: str = ""

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        return [
            *latin_name_problems("name", self.name, 70),
            *sepa_account_problems(self.iban, self.bic),
            *address_problems(self.country, self.town, ""),
        ]

    def account(self) -> str:
        """The IBAN without spaces, in capitals."""
        return normalise_iban(self.iban)


@dataclass(frozen=True, repr=False)
class NachaPayer(HiddenDetails):
    """What the payer's bank wants to see in a NACHA file; the bank's set-up sheet names it all.

    origin_id: immediate origin, 9 or 10 characters. company_id: 10 characters.
    entry_description: of CCD batches, empty means COMMISSION.
    individual_entry_description: of PPD batches, empty means PAYROLL; the rule of 20 March 2026
    wants that word first for pay-like credits to people, whatever their employment status.
    """

    rail: ClassVar[str] = "nacha"
    role: ClassVar[Literal["payee", "payer"]] = "payer"

    name: str
    origin_id: str
    origin_name: str
    destination_routing: str
    destination_name: str
    company_id: str
    odfi_routing: str
    entry_description: str = ""
    individual_entry_description: str = ""

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        problems = [
            *short_name_problems("name", self.name, 16),
            *short_name_problems("origin_name", self.origin_name, 23),
            *short_name_problems("destination_name", self.destination_name, 23),
        ]
        for name in ("destination_routing", "odfi_routing"):
            problem = routing_number_problem(getattr(self, name))
            if problem:
                problems.append(f"{name} {problem}")
        if not _ORIGIN_ID.fullmatch(self.origin_id):
            problems.append("origin_id must be 9 or 10 capitals and digits")
        if not _COMPANY_ID.fullmatch(self.company_id):
            problems.append("company_id must be 10 capitals and digits")
        for name in ("entry_description", "individual_entry_description"):
            text = getattr(self, name)
            if text and not _ENTRY_DESCRIPTION.fullmatch(text):
                problems.append(f"{name} must be at most 10 capitals, digits and spaces")
        return problems

    def account(self) -> str:
        """The bank's routing number, a slash and the company id."""
        return f"{self.odfi_routing}/{self.company_id}"


@dataclass(frozen=True, repr=False)
class PaypalPayer(HiddenDetails):
    """How the sender's country writes amounts: a point or a comma before the decimals."""

    rail: ClassVar[str] = "paypal"
    role: ClassVar[Literal["payee", "payer"]] = "payer"

    decimal_mark: Literal[".", ","] = "."

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        return choice_problems("decimal_mark", self.decimal_mark, (".", ","))

    def account(self) -> str:
        """Nothing: the account is the one that uploads the file."""
        return ""


@dataclass(frozen=True, repr=False)
class WisePayer(HiddenDetails):
    """The Wise balance that transfers leave from."""

    rail: ClassVar[str] = "wise"
    role: ClassVar[Literal["payee", "payer"]] = "payer"

    source_currency: str

    def problems(self) -> list[str]:
        """What is wrong, one sentence per field; never a value."""
        if not is_currency(self.source_currency):
            return ["source_currency must be a currency code such as EUR"]
        return []

    def account(self) -> str:
        """The balance's currency."""
        return self.source_currency
