"""What one line of a bank's or provider's file says about one payout, whatever its format.

What belongs here: the record that parsers return, cleaning of codes and references, and the errors
of a file. What does not: which payout is meant (``references``) and what follows (``planning``).
Decision 0051.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from payouts.errors import SettlementFileError

# reference: what an exported file calls a payout, where that is shorter than any prefix of its id.
KEY_KINDS = ("payout_id", "end_to_end_id", "payout_prefix", "reference", "trace", "batch_total")
SENT, SETTLED, FAILED, RETURNED = "sent", "settled", "failed", "returned"
UNCLAIMED, NOTICE = "unclaimed", "notice"
OUTCOMES = (SENT, SETTLED, FAILED, RETURNED, UNCLAIMED, NOTICE)
SHORTEST_PREFIX = 15  # what NACHA has room for: 60 of 128 bits of a payout id
# A text that is not a code, such as a reason in a bank's own words; it may hold a name.
OTHER_REASON = "other"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_:+-]{0,69}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_HEX = re.compile(r"[0-9a-f]{15,32}")
_LONG_NUMBER = re.compile(r"[0-9]{9,}")
# Accounts and cards have up to 19 digits; what a bank calls a payment may have as many.
_CARD_DIGITS = re.compile(r"[0-9]{12,}")
_SHOWN_FAULTS = 5
# Plain digits: Decimal would read 1_256.11, 1e-9 and digits of other scripts too.
_PLAIN_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_AMOUNT_CHARACTERS = 30
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")


@dataclass(frozen=True)
class Outcome:
    """One statement about one payout, or about all payouts of a file (``batch_total``).

    key: as the bank gives it back. amount_minor: positive minor units, None where the format names
    none. reason_code: of the bank, never its text. reference: the bank's own, no account. line: of
    the file, from 1. account_last_four: of the account that a statement is about, None where the
    format names none. file_id: what the exported file was called, where the format says which file
    it is about. payments, control_sum: how many payments and major units, in plain digits, the
    sender says that file to hold.
    """

    key: str
    key_kind: str
    outcome: str
    amount_minor: int | None
    currency_code: str | None
    value_date: date | None
    reason_code: str | None
    reference: str | None
    line: int
    account_last_four: str | None = None
    file_id: str | None = None
    payments: int | None = None
    control_sum: str | None = None


@dataclass(frozen=True)
class Fault:
    """Why a line cannot be read. ``what`` repeats no value of the file: it may be personal."""

    line: int
    what: str


def file_error(file_name: str, faults: list[Fault], what_to_do: str) -> SettlementFileError:
    """The one error of a file: its name, every faulty line up to five, and what to do."""
    shown = "; ".join(
        f"line {fault.line}: {fault.what}" if fault.line else fault.what
        for fault in faults[:_SHOWN_FAULTS]
    )
    more = len(faults) - _SHOWN_FAULTS
    rest = f"; and {more} more" if more > 0 else ""
    return SettlementFileError(
        f"{file_name}: {shown}{rest}. Nothing of the file was applied. {what_to_do}"
    )


def clean_code(text: str | None) -> str | None:
    """A reason code; a text that is none becomes ``other``: it may hold a name or an account."""
    text = (text or "").strip()
    if not text:
        return None
    is_account = _LONG_NUMBER.search(text) or _IBAN.fullmatch(re.sub("[._-]", "", text).upper())
    return text if _CODE.fullmatch(text) and not is_account else OTHER_REASON


def clean_reference(text: str | None) -> str | None:
    """The bank's reference; None when it is empty, is no plain reference, or holds an IBAN (I24).

    One that holds as many digits as an account or a card is cut to its last four characters.
    """
    text = " ".join((text or "").split())
    plain = re.sub("[ -]", "", text)
    if not _REFERENCE.fullmatch(text) or _holds_iban(plain):
        return None
    return f"…{plain[-4:]}" if _CARD_DIGITS.search(plain) else text


def _holds_iban(plain: str) -> bool:
    from payouts.identifiers import IBAN_LENGTHS

    upper = plain.upper()
    return any(
        looks_like_iban(upper[start : start + IBAN_LENGTHS.get(upper[start : start + 2], 0)])
        for start in range(len(upper))
    )


def looks_like_iban(text: str) -> bool:
    """Whether a text is an account number by its check digits (ISO 13616)."""
    plain = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(plain):
        return False
    turned = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return int(turned) % 97 == 1


def payout_hex(key: str) -> str:
    """A key in the form of a payout id without hyphens, or of its beginning; empty if it is none.

    Payout ids are uuid5 (``ids``): version 5 and the variant tell them from ids of other systems.
    """
    plain = key.strip().lower().replace("-", "")
    if not _HEX.fullmatch(plain) or plain[12] != "5":
        return ""
    if len(plain) > 16 and plain[16] not in "89ab":
        return ""
    return plain


def iso_day(text: str) -> date | None:
    """The day of an ISO 8601 date or instant; None for an empty text.

    Raises: ValueError.
    """
    if not text:
        return None
    day = _DAY.fullmatch(text)
    try:
        if day:
            return date.fromisoformat(day[1])
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).date()
    except ValueError:
        pass
    raise ValueError("a date is not written as in 2026-03-17")


def minor_units(text: str, currency_code: str) -> int:
    """Major units with a decimal point as whole minor units, exactly (M1).

    Raises: ValueError saying what is wrong with the amount.
    """
    from program.currencies import to_minor
    from program.errors import CurrencyError

    plain = text.strip()
    if len(plain) > _AMOUNT_CHARACTERS:
        raise ValueError(f"the amount has more than {_AMOUNT_CHARACTERS} characters")
    if not _PLAIN_AMOUNT.fullmatch(plain):
        raise ValueError("the amount is no number of plain digits with a decimal point")
    try:
        return to_minor(Decimal(plain), currency_code)
    except CurrencyError as error:
        raise ValueError(str(error)) from None
