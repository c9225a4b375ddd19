"""IBANs, BICs and routing numbers: own checks against published examples and two libraries."""

from __future__ import annotations

import random

import pytest

from payouts.identifiers import (
    IBAN_LENGTHS,
    SEPA_COUNTRIES,
    bic_problem,
    iban_problem,
    is_sepa_iban,
    normalise_iban,
    routing_number_problem,
)

# Examples of the SWIFT IBAN registry.
IBANS = """
    AD1200012030200359100100 AE070331234567890123456 AT611904300234573201 BE68539007547034
    CH9300762011623852957 CZ6508000000192000145399 DE89370400440532013000 DK5000400440116243
    ES9121000418450200051332 FI2112345600000785 FR1420041010050500013M02606 GB29NWBK60161331926819
    GR1601101250000000012300695 IE29AIBK93115212345678 IT60X0542811101000000123456
    LI21088100002324013AA LT121000011101001000 LU280019400644750000 MC5811222000010123456789030
    MT84MALT011000012345MTLCAST001S NL91ABNA0417164300 NO9386011117947 PL61109010140000071219812874
    PT50000201231234567890154 RO49AAAA1B31007593840000 SE4550000000058398257466
    SI56263300012039086 SK3112000000198742637541 SM86U0322509800000000270100 VA59001123000012345678
    AL47212110090000000235698741 MD24AG000225100013104168 ME25505000012345678951
    MK07250120000058984 RS35260005601001611379 TR330006100519786457841326
""".split()
ROUTING_NUMBERS = ("021000021", "011401533", "091000019", "121042882", "322271627")


@pytest.mark.parametrize("iban", IBANS)
def test_published_ibans_pass_and_every_changed_digit_is_found(iban: str) -> None:
    assert iban_problem(iban) is None
    for position in range(4, len(iban)):
        if iban[position].isdigit():
            other = str((int(iban[position]) + 1) % 10)
            changed = iban[:position] + other + iban[position + 1 :]
            assert iban_problem(changed) == "has wrong check digits"


@pytest.mark.parametrize(
    ("iban", "problem"),
    [
        ("", "is not an IBAN"),
        ("DE8937040044053201300", "must have 22 characters"),
        ("DE893704004405320130000", "must have 22 characters"),
        ("XX89370400440532013000", "no IBAN"),
        ("de89370400440532013000", "is not an IBAN"),
        ("DE89 3704 0044 0532 0130 00", "is not an IBAN"),
        ("DE8937040044053201300０", "is not an IBAN"),
        ("DE89370400440532013000\n", "is not an IBAN"),
        ("GB00NWBK60161331926819", "wrong check digits"),
    ],
)
def test_impossible_ibans(iban: str, problem: str) -> None:
    assert problem in iban_problem(iban)


def test_normalised_form_and_sepa_countries() -> None:
    assert normalise_iban(" de89 3704 0044 0532 0130 00 ") == "DE89370400440532013000"
    assert is_sepa_iban("GB29NWBK60161331926819")
    assert not is_sepa_iban("TR330006100519786457841326")
    assert SEPA_COUNTRIES <= set(IBAN_LENGTHS)


@pytest.mark.parametrize("bic", ["COBADEFF", "COBADEFFXXX", "ABNANL2A", "1234DE12"])
def test_bics(bic: str) -> None:
    assert bic_problem(bic) is None


@pytest.mark.parametrize(
    "bic", ["", "COBADEF", "COBADEFFX", "cobadeff", "COBA12FF", "COBADEFFXXX "]
)
def test_impossible_bics(bic: str) -> None:
    assert bic_problem(bic)


@pytest.mark.parametrize("number", ROUTING_NUMBERS)
def test_routing_numbers_and_every_changed_digit(number: str) -> None:
    assert routing_number_problem(number) is None
    for position in range(9):
        other = str((int(number[position]) + 1) % 10)
        changed = number[:position] + other + number[position + 1 :]
        assert "check digit" in routing_number_problem(changed)


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("000000000", "no bank has"),
        ("500000005", "no bank has"),
        ("130000006", "no bank has"),
        ("02100002", "9 digits"),
        ("0210000211", "9 digits"),
        ("02100002١", "9 digits"),
    ],
)
def test_impossible_routing_numbers(number: str, problem: str) -> None:
    assert problem in routing_number_problem(number)


def _changed_ibans() -> list[str]:
    chosen = random.Random(20260331)
    changed = []
    for iban in IBANS:
        for _ in range(10):
            place = chosen.randrange(2, len(iban))
            changed.append(iban[:place] + chosen.choice("0123456789") + iban[place + 1 :])
    return changed


def test_ibans_against_schwifty() -> None:
    """Lengths, SEPA zone and verdicts. National check digits, which schwifty can test, are off."""
    schwifty = pytest.importorskip("schwifty", reason="schwifty is in the test extra")
    from schwifty import registry

    for country, length in IBAN_LENGTHS.items():
        spec = registry.get_iban_spec(country)
        assert spec.iban_length == length, country
        assert not spec.in_sepa_zone or country in SEPA_COUNTRIES, country
    for iban in IBANS + _changed_ibans():
        theirs = schwifty.IBAN(iban, allow_invalid=True).is_valid
        # schwifty knows the shape of each country's account part too: it may only be stricter.
        assert theirs <= (iban_problem(iban) is None), iban
    assert all(schwifty.IBAN(iban, allow_invalid=True).is_valid for iban in IBANS)


def test_ibans_against_stdnum() -> None:
    stdnum_iban = pytest.importorskip("stdnum.iban", reason="python-stdnum is in the test extra")
    for iban in IBANS + _changed_ibans():
        theirs = stdnum_iban.is_valid(iban, check_country=False)
        assert theirs <= (iban_problem(iban) is None), iban
    assert all(stdnum_iban.is_valid(iban, check_country=False) for iban in IBANS)


def test_routing_numbers_against_stdnum() -> None:
    """All numbers with a prefix that exists agree; ours refuses prefixes that no bank has."""
    rtn = pytest.importorskip("stdnum.us.rtn", reason="python-stdnum is in the test extra")
    chosen = random.Random(7)
    numbers = [f"{chosen.randrange(10**9):09}" for _ in range(5_000)] + list(ROUTING_NUMBERS)
    for number in numbers:
        problem = routing_number_problem(number)
        if problem is None or "check digit" in problem:
            assert (problem is None) == rtn.is_valid(number), number
    assert rtn.is_valid("000000000"), "the gap that the prefixes close"
