"""Answers to statements as table, CSV or JSON. What does not belong here: asking (`sql_shell`).

A printer takes names of columns, rows up to a limit (None stands for those beyond it) and the day
of the snapshot; it returns whether there were more.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from orchestration.cli_common import CommandError, counted, out, print_table

_GAP = 3  # characters between two columns of a table


def print_rows(names: Sequence[str], rows: Iterator[tuple | None], as_of: str) -> bool:
    """As a table for people."""
    found = list(rows)
    shown = [row for row in found if row is not None]
    if not shown:
        out().print(f"No row, as of {as_of}.")
        return False
    cells = [[*map(_cell, row)] for row in shown]
    title = f"{counted(len(shown), 'row')}, as of {as_of}"
    if _width(names, cells) > out().width:
        _print_records(title, names, cells)
    else:
        numbers = [
            name for place, name in enumerate(names) if all(_is_number(row[place]) for row in shown)
        ]
        print_table(title, names, cells, right=numbers)
    return len(shown) < len(found)


def _width(names: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Of the table, were no cell broken over lines."""
    longest = (
        max(len(line) for row in [names, *cells] for line in row[place].split("\n"))
        for place in range(len(names))
    )
    return sum(longest) + _GAP * (len(names) - 1)


def _print_records(title: str, names: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Each row as a list of its columns: a table that does not fit cannot be read."""
    label = max(map(len, names))
    print(title)
    for number, row in enumerate(cells, 1):
        print(f"\nrow {number}")
        for name, cell in zip(names, row, strict=True):
            print(f"  {name:<{label}}  {cell}")
    print()


def print_csv(names: Sequence[str], rows: Iterator[tuple | None], as_of: str) -> bool:
    """As CSV. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        if row is None:
            return True
        writer.writerow(map(_csv_cell, row))
    return False


def print_json(names: Sequence[str], rows: Iterator[tuple | None], as_of: str) -> bool:
    """As a JSON array, row by row: what is printed may be larger than memory.

    Raises: CommandError where two columns have one name.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CommandError(
            f"two columns are called {twice}", "Give one another name with `as` for --json."
        )
    before = "["
    for row in rows:
        if row is None:
            print("\n]")
            return True
        record = dict(zip(names, map(_plain, row), strict=True))
        print(f"{before}\n  {json.dumps(record, ensure_ascii=False)}", end="")
        before = ","
    print("[]" if before == "[" else "\n]")
    return False


PRINTERS = {"table": print_rows, "csv": print_csv, "json": print_json}


def _is_number(value: Any) -> bool:
    is_figure = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return value is None or is_figure


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)


def _cell(value: Any) -> str:
    """A value at a terminal; what could steer the terminal is shown as its code."""
    if value is None:
        return "NULL"
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\x{ord(each):02x}"
        for each in _text(value)
    )


def _csv_cell(value: Any) -> str:
    from payouts.files.csv_cells import begins_like_a_formula

    if value is None:
        return ""
    text = _text(value)
    is_formula = not _is_number(value) and begins_like_a_formula(text.lstrip())
    return f"'{text}" if is_formula else text


def _plain(value: Any) -> Any:
    """A value as JSON knows it: decimals and days are text, instants text with Z for UTC."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) and isfinite(value) else str(value)
