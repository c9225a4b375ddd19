"""Minor units (M1) and local days (M5)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.currencies import currency_exponents, exponent, format_minor, to_major, to_minor
from program.errors import CurrencyError, ProgramError
from program.instants import day_end_utc


@pytest.mark.parametrize(
    ("code", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("BHD", 3), ("KWD", 3), ("BGN", 2)]
)
def test_exponent_is_that_of_iso_4217(code: str, digits: int) -> None:
    assert exponent(code) == digits


@pytest.mark.parametrize("code", ["usd", "US", "", "XXX", "XAU", "CLF", "default", "ABC"])
def test_exponent_of_unusable_code_is_refused(code: str) -> None:
    with pytest.raises(CurrencyError, match="not a known ISO 4217 currency"):
        exponent(code)


def test_currency_exponents_are_only_0_2_and_3() -> None:
    assert set(currency_exponents().values()) == {0, 2, 3}


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("50.00", "USD", 5000), ("0.1", "USD", 10), ("-0.01", "USD", -1), ("50.00", "JPY", 50),
        ("1.005", "BHD", 1005), ("0", "USD", 0), ("92233720368547758.07", "USD", 2**63 - 1),
        ("0.290", "USD", 29), ("1.0E+2", "JPY", 100),
    ],
)  # fmt: skip
def test_amount_becomes_exact_minor_units(amount: str, code: str, minor: int) -> None:
    assert to_minor(Decimal(amount), code) == minor


@pytest.mark.parametrize(
    ("amount", "code", "reason"),
    [
        ("50.5", "JPY", "JPY has no decimals"),
        ("0.001", "USD", "USD has at most 2 decimals"),
        ("1.0000000000000000000000000000000001", "USD", "too many decimals"),
        ("92233720368547758.08", "USD", "can hold; at most 92,233,720,368,547,758.07 USD"),
        ("1E+900000", "USD", "larger than the ledger can hold"),
        ("1E-900000", "USD", "too many decimals"),
        ("NaN", "USD", "is not an amount"),
        ("Infinity", "USD", "is not an amount"),
        ("1", "usd", "not a known"),
    ],
)
def test_amount_that_cannot_be_exact_is_refused(amount: str, code: str, reason: str) -> None:
    with pytest.raises(CurrencyError, match=reason):
        to_minor(Decimal(amount), code)


def test_amount_as_float_is_refused() -> None:
    with pytest.raises(CurrencyError, match="must be a Decimal, not float"):
        to_minor(0.1, "USD")  # type: ignore[arg-type]
    assert issubclass(CurrencyError, ProgramError)


@pytest.mark.parametrize(
    ("minor", "code", "text"),
    [
        (5, "USD", "0.05"), (-5, "USD", "-0.05"), (0, "USD", "0.00"), (123456, "USD", "1234.56"),
        (-7, "JPY", "-7"), (5, "BHD", "0.005"), (-12345, "KWD", "-12.345"),
    ],
)  # fmt: skip
def test_minor_units_are_written_with_all_decimals(minor: int, code: str, text: str) -> None:
    assert format_minor(minor, code) == text


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["USD", "JPY", "BHD"]))
def test_minor_units_survive_the_way_to_text_and_back(minor: int, code: str) -> None:
    assert to_minor(Decimal(format_minor(minor, code)), code) == minor
    assert to_minor(to_major(minor, code), code) == minor
    assert str(to_major(minor, code)) == format_minor(minor, code)


@pytest.mark.parametrize(
    ("as_of", "zone", "ends"),
    [
        (date(2026, 1, 31), "UTC", datetime(2026, 2, 1, 0)),
        (date(2026, 1, 31), "America/New_York", datetime(2026, 2, 1, 5)),
        (date(2026, 3, 8), "America/New_York", datetime(2026, 3, 9, 4)),  # 23 hours long
        (date(2026, 11, 1), "America/New_York", datetime(2026, 11, 2, 5)),  # 25 hours long
        (date(2025, 12, 31), "Asia/Tokyo", datetime(2025, 12, 31, 15)),
        (date(2026, 1, 1), "Asia/Kolkata", datetime(2026, 1, 1, 18, 30)),
        # Midnight of 4 November 2018 did not exist in Sao Paulo: the day began at 01:00.
        (date(2018, 11, 3), "America/Sao_Paulo", datetime(2018, 11, 4, 3)),
        # Midnight of 4 November 2018 came twice in Havana: the day began at the first.
        (date(2018, 11, 3), "America/Havana", datetime(2018, 11, 4, 4)),
    ],
)
def test_local_day_ends_at_the_utc_instant_of_the_next_midnight(
    as_of: date, zone: str, ends: datetime
) -> None:
    assert day_end_utc(as_of, zone) == ends
    assert day_end_utc(as_of, zone).tzinfo is None
