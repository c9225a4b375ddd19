"""Check digits and shapes of account numbers: IBAN, BIC, ABA routing number.

What belongs here: whether an identifier can exist. What does not: whether the account does; only a
bank knows. No function repeats the identifier it looks at: it is bank data (I24).
Sources: ISO 13616 and the SWIFT IBAN registry (lengths), EPC409-09 (SEPA countries), ISO 9362,
ABA routing number policy (prefixes), payouts reference 2.6.
"""

from __future__ import annotations

import re

_LENGTHS_TEXT = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18
    DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23
    IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27
    MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19
    SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS_TEXT.split()}
"""Characters of an IBAN by country."""

SEPA_COUNTRIES = frozenset(
    """
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL
    NO PL PT RO RS SE SI SK SM VA
    """.split()
)
"""Countries as they stand in an IBAN whose banks can be paid by SEPA credit transfer. Albania and
Montenegro take part since October 2025, Moldova and North Macedonia too, Serbia since May 2026."""

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_ROUTING = re.compile(r"[0-9]{9}")
_ROUTING_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7, 1)
_ROUTING_PREFIXES = frozenset({*range(1, 13), *range(21, 33), *range(61, 73), 80})


def normalise_iban(text: str) -> str:
    """The IBAN in its electronic form: no spaces, capitals."""
    return text.replace(" ", "").upper()


def iban_problem(iban: str) -> str | None:
    """Why a normalised IBAN cannot exist, None when it can."""
    if not _IBAN.fullmatch(iban):
        return "is not an IBAN: two letters, two digits, then letters and digits"
    length = IBAN_LENGTHS.get(iban[:2])
    if length is None:
        return "begins with a country that has no IBAN"
    if len(iban) != length:
        return f"must have {length} characters in its country, not {len(iban)}"
    if not "02" <= iban[2:4] <= "98" or _mod_97(iban) != 1:
        return "has wrong check digits"
    return None


def is_sepa_iban(iban: str) -> bool:
    """Whether the account's country takes part in SEPA."""
    return iban[:2] in SEPA_COUNTRIES


def bic_problem(bic: str) -> str | None:
    """Why a BIC cannot exist, None when it can."""
    if not _BIC.fullmatch(bic):
        return "is not a BIC: 8 or 11 capitals and digits"
    return None


def routing_number_problem(number: str) -> str | None:
    """Why an ABA routing number cannot exist, None when it can.

    The prefix matters: 000000000 has right check digits.
    """
    if not _ROUTING.fullmatch(number):
        return "must be 9 digits"
    if sum(w * int(d) for w, d in zip(_ROUTING_WEIGHTS, number, strict=True)) % 10:
        return "has a wrong check digit"
    if int(number[:2]) not in _ROUTING_PREFIXES:
        return "begins with two digits that no bank has"
    return None


def _mod_97(iban: str) -> int:
    """ISO 7064 MOD 97-10 over the rearranged IBAN, letters as 10 to 35."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97
