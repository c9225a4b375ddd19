"""How a value is cleaned and checked, once as SQL over whole files and once for a single value.

The SQL side decides over all rows; the Python side explains the few that were rejected. Both are
made from the same patterns, and a property test holds them together. Does not belong here: what
the columns are (`entities`), reading files, writing Parquet.

Sources: interfaces.md "The files source", rules M1 and M5, sources.md section 5.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from functools import cache

from ingest.entities import Column, ColumnType, Entity, nearest

WHITESPACE = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
WHITESPACE += "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b"
"""What is trimmed from both ends of every value: Python's white space, BOM, zero-width space."""

INTEGER_PATTERN = "[+-]?[0-9]{1,19}"
DECIMAL_PATTERN = r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?"
DATE_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
INSTANT_PATTERN = (
    DATE_PATTERN
    + r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    + r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?)?"
)
OFFSET_STARTS = ("Z", "+", "-")
"""What stands in place 17 of an instant with an offset but no seconds: DuckDB casts it only with
seconds, so `:00` is put in."""

EMAIL_PATTERN = r"[^@ \t\r\n\x0b\x0c]+@[^@ \t\r\n\x0b\x0c]+"
BOOLEANS = ("true", "false", "1", "0", "yes", "no")
FIRST_YEAR = "1900"
"""Earlier dates are placeholders of other systems (0001-01-01), never facts."""

BIGINT_MAXIMUM = 2**63 - 1
IDENTIFIER_TYPES = (ColumnType.CODE, ColumnType.EMAIL)
"""Types whose values are normalised so that equal to the eye is equal to a join."""


@cache
def currency_codes() -> tuple[str, ...]:
    """The ISO 4217 codes that the programme's terms know."""
    from program.currencies import currency_exponents

    return tuple(currency_exponents())


def clean(column_type: ColumnType, text: str | None) -> str | None:
    """The value as it is landed: trimmed, empty is None; codes and e-mails normalised.

    Codes and e-mails lose control, zero-width and bidi characters and are NFC; e-mails are lower
    case by Unicode rules (sources.md section 5).
    """
    if text is None:
        return None
    if column_type in IDENTIFIER_TYPES and not (text.isascii() and text.isprintable()):
        kept = (char for char in text if unicodedata.category(char) not in ("Cc", "Cf"))
        text = unicodedata.normalize("NFC", "".join(kept))
    text = text.strip(WHITESPACE)
    if column_type is ColumnType.EMAIL:
        text = unicodedata.normalize("NFC", text.lower())
    if column_type is ColumnType.INSTANT and text[16:17] in OFFSET_STARTS:
        text = f"{text[:16]}:00{text[16:]}"
    return text or None


def quoted(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def clean_sql(column_type: ColumnType, value: str) -> str:
    """SQL of `clean` for values that are printable ASCII, or of a type that is only trimmed."""
    # Trimming by a set of characters costs more than all checks: only where it can matter.
    edged = f"{value} < '!' or right({value}, 1) < '!' or strlen({value}) <> length({value})"
    trimmed = f"case when {edged} then trim({value}, {quoted(WHITESPACE)}) else {value} end"
    if column_type is ColumnType.EMAIL:
        trimmed = f"lower({trimmed})"
    if column_type is ColumnType.INSTANT:
        lacks_seconds = f"substr({trimmed}, 17, 1) in {OFFSET_STARTS}"
        completed = f"left({trimmed}, 16) || ':00' || substr({trimmed}, 17)"
        trimmed = f"case when {lacks_seconds} then {completed} else {trimmed} end"
    return f"nullif({trimmed}, '')"


def is_valid_sql(column: Column, value: str) -> str:
    """SQL condition: the cleaned, non-null value has the column's declared shape."""
    match column.column_type:
        case ColumnType.EMAIL:
            return _full_match(value, EMAIL_PATTERN)
        case ColumnType.CURRENCY:
            return _is_in(value, currency_codes())
        case ColumnType.CHOICE:
            return _is_in(value, column.choices)
        case ColumnType.BOOLEAN:
            return _is_in(f"lower({value})", BOOLEANS)
        case ColumnType.MINOR_UNITS:
            return (
                f"{_full_match(value, INTEGER_PATTERN)} and try_cast({value} as bigint) is not null"
            )
        case ColumnType.DECIMAL:
            return _full_match(value, DECIMAL_PATTERN)
        case ColumnType.POSITIVE_DECIMAL:
            positive = f"not starts_with({value}, '-') and regexp_matches({value}, '[1-9]')"
            return f"{_full_match(value, DECIMAL_PATTERN)} and {positive}"
        case ColumnType.DATE:
            return _is_date(value, DATE_PATTERN)
        case ColumnType.INSTANT:
            return _is_date(value, INSTANT_PATTERN)
        case _:
            return f"not contains({value}, chr(0))"


def _full_match(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {quoted(pattern)})"


def _is_in(value: str, allowed: tuple[str, ...]) -> str:
    return f"{value} in ({', '.join(quoted(text) for text in allowed)})"


def _is_date(value: str, pattern: str) -> str:
    day = f"left({value}, 10)"
    is_day = f"try_cast({day} as date) is not null"
    return f"{_full_match(value, pattern)} and {day} >= '{FIRST_YEAR}' and {is_day}"


def row_condition_sql(entity: Entity) -> dict[str, str]:
    """SQL condition by column name, true for an acceptable row; over the cleaned columns.

    A condition is never NULL. `any_of` rules stand under their first column.
    """
    conditions = {}
    for column in entity.columns:
        value = identifier(column.name)
        valid = is_valid_sql(column, value)
        if column.is_required:
            conditions[column.name] = f"({value} is not null and {valid})"
        else:
            conditions[column.name] = f"({value} is null or ({valid}))"
    for group in entity.any_of:
        filled = " or ".join(f"{identifier(name)} is not null" for name in group)
        conditions[group[0]] = f"({conditions[group[0]]} and ({filled}))"
    return conditions


def fault(entity: Entity, column_name: str, row: dict[str, str | None]) -> str | None:
    """Why the cleaned row is not acceptable in that column; None if it is acceptable there."""
    column = entity.column(column_name)
    value = row[column_name]
    for group in entity.any_of:
        if column_name == group[0] and all(row[name] is None for name in group):
            return f"one of {' or '.join(group)} must be filled"
    if value is None:
        return "required, but empty" if column.is_required else None
    return value_fault(column, value)


def value_fault(column: Column, value: str) -> str | None:
    """Why a cleaned value does not have its column's shape; None if it does.

    The text never repeats personal values, nor anything that could be one in a shifted row.
    """
    match column.column_type:
        case ColumnType.EMAIL:
            if not re.fullmatch(EMAIL_PATTERN, value):
                return "not an e-mail address: it must hold exactly one @, with text on both sides"
        case ColumnType.CURRENCY:
            if value not in currency_codes():
                return _currency_fault(value)
        case ColumnType.CHOICE:
            if value not in column.choices:
                return _choice_fault(column, value)
        case ColumnType.BOOLEAN:
            if value.lower() not in BOOLEANS:
                return f"must be one of {', '.join(BOOLEANS)}"
        case ColumnType.MINOR_UNITS:
            return _minor_units_fault(value)
        case ColumnType.DECIMAL | ColumnType.POSITIVE_DECIMAL:
            return _decimal_fault(column.column_type, value)
        case ColumnType.DATE | ColumnType.INSTANT:
            return _date_fault(column.column_type, value)
        case _:
            if "\0" in value:
                return "holds a NUL character; remove it in the exporting program"
    return None


def shown(value: str) -> str:
    """The value for a message, if it is plainly a figure or a date; else nothing of it."""
    if re.fullmatch(r"[0-9TZeE.,:+\-/ '%€$£]{1,40}", value) and re.search("[0-9]", value):
        return f"{value!r} "
    return ""


def _currency_fault(value: str) -> str:
    if value.upper() in currency_codes():
        return f"{value!r} must be written in capitals: {value.upper()}"
    named = f"{value!r} " if re.fullmatch("[A-Z]{3}", value) else ""
    return f"{named}is not a known ISO 4217 currency code such as USD".strip()


def _choice_fault(column: Column, value: str) -> str:
    allowed = ", ".join(column.choices)
    meant = nearest(value, column.choices)
    if meant:
        return f"{value!r} is not allowed, did you mean {meant}? Allowed: {allowed}"
    return f"the value is not allowed. Allowed: {allowed}"


def _minor_units_fault(value: str) -> str | None:
    if re.fullmatch(INTEGER_PATTERN, value):
        if -BIGINT_MAXIMUM - 1 <= int(value) <= BIGINT_MAXIMUM:
            return None
        return f"{shown(value)}is too large for an amount"
    decimal = re.fullmatch(r"([+-]?)([0-9]{1,18})\.([0-9]{1,3})", value)
    if decimal is None:
        return f"{shown(value)}is not a whole number of minor units, plain digits without grouping"
    sign, whole, fraction = decimal.groups()
    if not fraction.strip("0"):
        return f"{value!r} has a decimal point; minor units are whole numbers: {sign}{whole}"
    minor = (whole + fraction.ljust(2, "0")).lstrip("0")
    return f"{value!r} is in major units; write minor units: {sign}{minor}"


def _decimal_fault(column_type: ColumnType, value: str) -> str | None:
    if not re.fullmatch(DECIMAL_PATTERN, value):
        return f"{shown(value)}is not a plain decimal such as 1.0834 (at most 12 decimals)"
    is_positive = not value.startswith("-") and re.search("[1-9]", value)
    if column_type is ColumnType.POSITIVE_DECIMAL and not is_positive:
        return f"{value!r} must be above 0"
    return None


def _date_fault(column_type: ColumnType, value: str) -> str | None:
    is_instant = column_type is ColumnType.INSTANT
    if not re.fullmatch(INSTANT_PATTERN if is_instant else DATE_PATTERN, value):
        example = "2026-03-31 or 2026-03-31T23:59:00Z" if is_instant else "2026-03-31"
        return f"{shown(value)}is not ISO 8601 such as {example}"
    try:
        datetime.date.fromisoformat(value[:10])
    except ValueError:
        return f"{value!r} is not a day of the calendar"
    if value[:10] < FIRST_YEAR:
        return f"{value!r} is before {FIRST_YEAR}; leave the field empty if there is no date"
    return None
