"""The base model and the value types that all terms share.

Every model is frozen and refuses unknown keys; numbers are exact (Decimal or int), never floats.
Checks of one value stand here; checks across values stand in `lint`.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from program.currencies import exponent

RATE_DECIMALS = 6
"""DECIMAL(9,6): rule M2."""

MAXIMUM_DAYS = 36_500
MAXIMUM_MONTHS = 1_200
MAXIMUM_AMOUNT = Decimal(10) ** 13
"""Major units. Leaves room for three decimals and for sums inside a BIGINT."""

EARLIEST = date(1970, 1, 1)
OPEN_END = date(2200, 1, 1)
"""The day, exclusive, on which the version in force ends."""

DEFAULT_EFFECTIVE_FROM = date(2000, 1, 1)
"""Start of the version that stands in for a list of versions left out of the file."""

IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Terms(BaseModel):
    """Base of every part of the terms: unknown keys refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _exact_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("must be a number")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("must be a number")
    return number


def _rate(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be negative")
    if value > 1:
        raise ValueError("is a fraction from 0 to 1; write 20 % as 0.20")
    if value != value.quantize(Decimal(1).scaleb(-RATE_DECIMALS)):
        raise ValueError(f"has more than {RATE_DECIMALS} decimals")
    return value


def _amount(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("must not be negative")
    if value >= MAXIMUM_AMOUNT:
        raise ValueError("is larger than the ledger can hold")
    return value


def _currency(value: str) -> str:
    exponent(value)
    return value


def _identifier(value: str) -> str:
    if not IDENTIFIER.fullmatch(value):
        raise ValueError("may hold letters, digits, '_', '-' and '.', at most 64 of them")
    return value


def _text(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if not text.isprintable():
        raise ValueError("must not hold line breaks or control characters")
    return text


def _effective_date(value: Any) -> date:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if type(value) is not date:
        raise ValueError("must be a day written as YYYY-MM-DD")
    if not EARLIEST <= value < OPEN_END:
        raise ValueError(f"must lie between {EARLIEST} and {OPEN_END}")
    return value


def _domain(value: str) -> str:
    domain = value.strip().lower().removeprefix("www.")
    if not re.fullmatch(r"[^\s@/:]+\.[^\s@/:.]+", domain):
        raise ValueError("must be a bare domain such as acme.example")
    return domain


def _distinct(value: Any) -> Any:
    """Names that differ in the spaces around them only would be one: the last would win unseen."""
    if isinstance(value, dict):
        seen: set[str] = set()
        for name in filter(lambda key: isinstance(key, str), value):
            if name.strip() in seen:
                raise ValueError(
                    f"names {name.strip()} twice, with other spaces around it: keep one of them"
                )
            seen.add(name.strip())
    return value


def _as_set(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


NUMBER_SCHEMA = {"type": "number", "minimum": 0}

ExactDecimal = Annotated[
    Decimal, BeforeValidator(_exact_decimal), WithJsonSchema({"type": "number"})
]
Rate = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    AfterValidator(_rate),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
"""A fraction, DECIMAL(9,6): 0.20 is 20 %."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    AfterValidator(_amount),
    WithJsonSchema(NUMBER_SCHEMA),
]
"""Major units, exact. That the currency has as many decimals is checked by `lint`."""

CurrencyCode = Annotated[
    StrictStr,
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
]
Amounts = dict[CurrencyCode, Amount]
Text = Annotated[StrictStr, AfterValidator(_text)]
Identifier = Annotated[StrictStr, AfterValidator(_identifier)]
Texts = Annotated[tuple[Text, ...], AfterValidator(_as_set)]
"""A set of names: order and repetition mean nothing."""

DistinctNames = BeforeValidator(_distinct)
"""For mappings by `Text`."""

Domain = Annotated[StrictStr, AfterValidator(_domain)]
Domains = Annotated[tuple[Domain, ...], AfterValidator(_as_set)]
EffectiveDate = Annotated[
    date,
    BeforeValidator(_effective_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Days = Annotated[StrictInt, Field(ge=0, le=MAXIMUM_DAYS)]
PositiveDays = Annotated[StrictInt, Field(ge=1, le=MAXIMUM_DAYS)]
Months = Annotated[StrictInt, Field(ge=0, le=MAXIMUM_MONTHS)]
Flag = StrictBool
