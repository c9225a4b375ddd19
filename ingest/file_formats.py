"""How the files of one entity are written where it is not the plain form, turned into the plain.

Belongs here: what `formats` of a files source says, decimal commas, Excel's day numbers. Does not
belong here: encodings (`received`), delimiters (`csv_rows`), whether a plain value is acceptable
(`shapes`). Everything after this sees point decimals and ISO dates only.

Source: sources.md section 5. Excel counts days from 1900-01-01 and has a 29 February 1900, number
60, which the calendar has not: days before it are one further from 1899-12-30 than they seem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ingest.entities import Column, ColumnType
from ingest.shapes import quoted, shown

MAXIMUM_SERIAL = 60_000
EXCEL_LEAP_DAY = 60
EPOCHS = {"excel_1900": "1899-12-30", "excel_1904": "1904-01-01"}
DECIMAL_TYPES = (ColumnType.DECIMAL, ColumnType.POSITIVE_DECIMAL)
DATE_TYPES = (ColumnType.DATE, ColumnType.INSTANT)
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

COMMA_PATTERN = "[+-]?([0-9]{1,18}(,[0-9]{1,12})?|"
COMMA_PATTERN += r"[1-9][0-9]{0,2}(\.[0-9]{3}){1,5}(,[0-9]{1,12})|"
COMMA_PATTERN += r"[1-9][0-9]{0,2}(\.[0-9]{3}){2,5})"
"""1234,56 and 1.234,56 and 1.234.567. One point alone, 1.234, is not: it can be either."""
AMBIGUOUS_PATTERN = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
UNREAD = " "
"""Ends a value that is not in the declared form. Cleaned values are trimmed, so no other one ends
so; and with it none is taken for a plain decimal."""


@dataclass(frozen=True)
class FileFormat:
    """As declared in `sources.yml`; the defaults are the plain form."""

    encoding: str = "auto"
    delimiter: str = ","
    decimals: str = "point"
    dates: str = "iso"

    @property
    def fraction_mark(self) -> str:
        """What stands before the decimals of a number."""
        return "," if self.decimals == "comma" else "."


PLAIN = FileFormat()


def format_of(settings: Any, entity_name: str) -> FileFormat:
    """The declared format of an entity's files, by the settings of a files source."""
    declared = getattr(settings, "formats", {}).get(entity_name)
    if declared is None:
        return PLAIN
    return FileFormat(declared.encoding, declared.delimiter, declared.decimals, declared.dates)


def plain_sql(column_type: ColumnType, value: str, declared: FileFormat) -> str:
    """SQL of the plain form of a cleaned value; what is not in the form fails its shape."""
    if column_type in DECIMAL_TYPES and declared.decimals == "comma":
        plain = f"replace(replace({value}, '.', ''), ',', '.')"
        is_read = f"regexp_full_match({value}, {quoted(COMMA_PATTERN)})"
        return f"case when {is_read} then {plain} else {value} || {quoted(UNREAD)} end"
    if column_type in DATE_TYPES and declared.dates in EPOCHS:
        return _day_sql(column_type, value, declared)
    return value


def _serial_pattern(column_type: ColumnType, declared: FileFormat) -> str:
    digit = "0" if column_type is ColumnType.DATE else "[0-9]"
    return f"[0-9]{{1,5}}([{declared.fraction_mark}]{digit}{{1,12}})?"


def _day_sql(column_type: ColumnType, value: str, declared: FileFormat) -> str:
    """SQL of a day number as ISO date, or as local date and time to the second if it has one."""
    mark = quoted(declared.fraction_mark)
    number = f"try_cast(split_part({value}, {mark}, 1) as integer)"
    fraction = f"split_part({value}, {mark}, 2)"
    is_read = (
        f"regexp_full_match({value}, {quoted(_serial_pattern(column_type, declared))}) "
        f"and {number} between 1 and {MAXIMUM_SERIAL}"
    )
    day = f"date {quoted(EPOCHS[declared.dates])} + {number}"
    if declared.dates == "excel_1900":
        is_read += f" and {number} <> {EXCEL_LEAP_DAY}"
        day += f" + cast({number} < {EXCEL_LEAP_DAY} as integer)"
    plain = f"cast({day} as varchar)"
    if column_type is ColumnType.INSTANT:
        share = f"try_cast('0.' || {fraction} || '0' as decimal(14, 13))"
        moment = f"cast({day} as timestamp) + to_seconds(cast(round({share} * 86400) as bigint))"
        plain = (
            f"case when trim({fraction}, '0') = '' then {plain} "
            f"else strftime({moment}, '%Y-%m-%dT%H:%M:%S') end"
        )
    return f"case when {is_read} then {plain} else {value} end"


def format_fault(column: Column, value: str | None, declared: FileFormat) -> str | None:
    """Why a value that fails its shape is not in the declared form; None if `shapes` says it."""
    if value is None:
        return None
    if column.column_type in DECIMAL_TYPES and declared.decimals == "comma":
        return _comma_fault(value)
    if column.column_type in DATE_TYPES and declared.dates in EPOCHS:
        return _serial_fault(column, value, declared)
    return None


def _comma_fault(value: str) -> str | None:
    if not value.endswith(UNREAD):
        return None
    text = value.removesuffix(UNREAD)
    if re.fullmatch(AMBIGUOUS_PATTERN, text):
        grouped, fraction = text.replace(".", ""), text.replace(".", ",")
        return f"{text!r} can mean {grouped} or {fraction}; write it in one of these ways"
    return f"{shown(text)}is not a decimal such as 1.234,56 (at most 12 decimals)"


def _serial_fault(column: Column, value: str, declared: FileFormat) -> str | None:
    any_serial = f"([0-9]{{1,7}})([{declared.fraction_mark}][0-9]+)?"
    found = re.fullmatch(any_serial, value)
    if not found:
        return None
    number = int(found[1])
    if declared.dates == "excel_1900" and number == EXCEL_LEAP_DAY:
        return f"{value!r} is 29 February 1900, which only Excel has"
    if not 1 <= number <= MAXIMUM_SERIAL:
        return f"{value!r} is not a day number from 1 to {MAXIMUM_SERIAL}"
    if column.column_type is ColumnType.DATE and found[2]:
        return f"{value!r} has a time of day, and the column takes a date"
    return f"{value!r} has more than 12 decimals"
