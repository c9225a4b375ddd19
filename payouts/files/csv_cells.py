"""Reads a CSV file back for its check: strictly, so that nothing can hide in the bytes.

What belongs here: bytes into rows. What does not: what the cells mean.
"""

from __future__ import annotations

import csv
import io

_FORMULA_STARTS = "=+-@\t\r\n\0＝＋－＠"


def rows_of(content: bytes) -> tuple[list[list[str]], list[str]]:
    """The rows, and what is wrong with the bytes themselves; then there are no rows."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return [], ["is not UTF-8"]
    if text.startswith("\ufeff"):
        return [], ["begins with a byte-order mark"]
    if "\r" in text or "\0" in text:
        return [], ["holds a carriage return or a zero byte"]
    if not text.endswith("\n"):
        return [], ["does not end with a line break"]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return [], ["is not CSV"]
    if any("\n" in cell for row in rows for cell in row):
        return [], ["holds a line break inside a cell"]
    return rows, []


def begins_like_a_formula(cell: str) -> bool:
    """Whether a spreadsheet could run the cell (payouts reference 7)."""
    return cell[:1] != "" and cell[0] in _FORMULA_STARTS
