"""What the modules of `lint` share: repeated values, amounts that a currency cannot hold.

Does not belong here: a rule about any one setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from program.currencies import to_minor
from program.errors import CurrencyError
from program.paths import Finding, SettingPath


def repeated(
    path: SettingPath, setting: str, values: Iterable[str], what: str
) -> Iterator[Finding]:
    """A value that an item of the list above has already."""
    first_by_value: dict[str, int] = {}
    for index, value in enumerate(values):
        first = first_by_value.setdefault(value, index)
        if first != index:
            yield (
                (*path, index, setting),
                f"there is a {what} {value!r} above already",
                "give each its own",
            )


def repeated_versions(path: SettingPath, versions: Iterable[Any]) -> Iterator[Finding]:
    """Two versions that would begin on one day."""
    starts = [version.effective_from.isoformat() for version in versions]
    yield from repeated(path, "effective_from", starts, "version from")


def amounts(path: SettingPath, by_currency: Mapping[str, Decimal]) -> Iterator[Finding]:
    """Every amount must be whole in its currency's minor unit (M1)."""
    for code, amount in by_currency.items():
        try:
            to_minor(amount, code)
        except CurrencyError as error:
            yield (*path, code), str(error), "write an amount that can be paid"


def zero_amounts(
    path: SettingPath, by_currency: Mapping[str, Decimal], message: str, hint: str
) -> Iterator[Finding]:
    """Amounts of 0 where they make no sense."""
    for code, amount in by_currency.items():
        if not amount:
            yield (*path, code), message, hint


def whole_volume(
    path: SettingPath, metric: str, value: Decimal, reporting_currency: str
) -> Iterator[Finding]:
    """A band or threshold: a whole count, or for revenue an amount of the reporting currency."""
    if metric == "revenue":
        try:
            to_minor(value, reporting_currency)
        except CurrencyError as error:
            hint = "revenue is summed up in program.reporting_currency: write an amount of it"
            yield path, str(error), hint
    elif value != value.to_integral_value():
        yield path, f"{value} is no whole number", f"{metric} are counted: write one such as 10"
