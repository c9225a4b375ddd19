"""What payment details have in common: they hide themselves, and their fields are checked alike.

What belongs here: checks of single fields. What does not: which rail has which (``details``,
``payer_details``). No message repeats a value (I24). Sources: payouts reference 2.2 to 2.6.
"""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Literal

from program.countries import is_country

from payouts.files.latin import has_letter_or_digit, latin_name, to_latin
from payouts.identifiers import bic_problem, iban_problem, is_sepa_iban, normalise_iban

MAX_NAME_CHARACTERS = 140
MAX_EMAIL_CHARACTERS = 254
_TOWN_CHARACTERS = 35
_STREET_CHARACTERS = 70
_EMAIL = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._%+-]*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)


class HiddenDetails:
    """What all kinds share. ``role`` says whose details they are."""

    rail: ClassVar[str]
    role: ClassVar[Literal["payee", "payer"]]

    def account(self) -> str:
        """The account in one spelling: the same account always gives the same text."""
        raise NotImplementedError

    def last_four(self) -> str:
        """The end of the account, at most four characters and at most half of it."""
        return ending(self.account())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"


def ending(text: str) -> str:
    """The last four characters of a text, fewer when they would be more than half of it."""
    return text[len(text) - min(4, len(text) // 2) :]


def choice_problems(name: str, value: str, allowed: tuple[str, ...]) -> list[str]:
    """One of a few words."""
    return [] if value in allowed else [f"{name} must be one of {' '.join(allowed)}"]


def name_problems(name: str, value: str) -> list[str]:
    """What a name may not hold: line breaks would begin another record."""
    if not value.strip():
        return [f"{name} is empty"]
    if value != value.strip():
        return [f"{name} begins or ends with a space"]
    if len(value) > MAX_NAME_CHARACTERS:
        return [f"{name} is longer than {MAX_NAME_CHARACTERS} characters"]
    # Line breaks would begin another record; invisible characters turn what people read around.
    if any(unicodedata.category(character)[0] in "CZ" and character != " " for character in value):
        return [f"{name} holds a line break, a control or an invisible character"]
    return []


def latin_name_problems(name: str, value: str, field_characters: int) -> list[str]:
    """A name that its file cuts to a field: enough of it must be left to tell whose it is."""
    problems = name_problems(name, value)
    if not problems and not has_letter_or_digit(latin_name(value, field_characters)):
        problems.append(f"{name} has no Latin letter or digit; banks need its Latin spelling")
    return problems


def short_name_problems(name: str, value: str, max_characters: int) -> list[str]:
    """A name that is never cut."""
    problems = latin_name_problems(name, value, max_characters)
    if not problems and len(to_latin(value)) > max_characters:
        problems.append(f"{name} is longer than {max_characters} characters")
    return problems


def email_problems(name: str, value: str) -> list[str]:
    """An address in plain ASCII."""
    if len(value) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(value):
        return [f"{name} is not an e-mail address"]
    return []


def sepa_account_problems(iban: str, bic: str) -> list[str]:
    """IBAN, its country, and the BIC if there is one (P1 to P3)."""
    problems = []
    normalised = normalise_iban(iban)
    problem = iban_problem(normalised)
    if problem:
        problems.append(f"iban {problem}")
    elif not is_sepa_iban(normalised):
        problems.append("iban is of a country outside SEPA; pay by another rail")
    if bic and bic_problem(bic):
        problems.append(f"bic {bic_problem(bic)}")
    return problems


def address_problems(country: str, town: str, street: str) -> list[str]:
    """Town and street as the file writes them, the country as a code (P9)."""
    problems = []
    if country and not is_country(country):
        problems.append("country must be a code such as DE")
    for name, value, longest in (
        ("town", town, _TOWN_CHARACTERS),
        ("street", street, _STREET_CHARACTERS),
    ):
        if value:
            problems += short_name_problems(name, value, longest)
    return problems
