"""Tables of the pages: columns with a kind, so that a page, its CSV and its totals agree.

What does not belong here: where rows come from, and how a cell looks (templates/_macros.html).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from payouts.files.csv_cells import begins_like_a_formula

Row = Mapping[str, Any]
KINDS = (
    "text", "id", "money", "number", "percent", "date", "instant", "badge", "yes_no",
)  # fmt: skip
RIGHT = ("money", "number", "percent")


@dataclass(frozen=True)
class Column:
    """A column. key: of the row. kind: one of KINDS.

    currency_key: of a money column, the key that holds its currency. href: the address a cell
    leads to, from its row; None for none. hint: a sentence shown at the head. words: for a badge
    or text with codes. is_csv_only: in the file, not on the page.
    """

    key: str
    label: str
    kind: str = "text"
    currency_key: str = "currency_code"
    href: Callable[[Row], str | None] | None = None
    hint: str = ""
    words: dict[str, str] | None = None
    is_csv_only: bool = False

    def __post_init__(self) -> None:
        """A kind that no macro knows would show nothing."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of column; known are {', '.join(KINDS)}")

    @property
    def is_right(self) -> bool:
        """Whether its cells stand to the right, as numbers do."""
        return self.kind in RIGHT


@dataclass(frozen=True)
class Table:
    """A table of a page. name: in addresses (``csv=<name>``), lower case with dashes.

    caption: what it shows, also for those who do not see it. total: how many rows there are when
    a page shows some of them only. note: a sentence below.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str = "Nothing here."
    total: int | None = None
    note: str = ""
    is_caption_hidden: bool = False

    @property
    def shown(self) -> list[Column]:
        """The columns of the page."""
        return [column for column in self.columns if not column.is_csv_only]


def csv_bytes(table: Table) -> bytes:
    """The table as CSV: UTF-8 with a mark, so that spreadsheets read it; amounts in minor units.

    A money column is two: whole minor units, and its currency. A percentage is a decimal fraction.
    Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([name for column in table.columns for name in _heads(column)])
    for row in table.rows:
        writer.writerow([cell for column in table.columns for cell in _cells(column, row)])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode("utf-8")


def _heads(column: Column) -> list[str]:
    if column.kind != "money":
        return [column.key]
    name = column.key if column.key.endswith("_minor") else f"{column.key}_minor"
    return [name, f"{name}_currency_code"]


def _share(value: Decimal | Fraction | tuple[int, int]) -> str:
    """A share as a decimal fraction with six places; empty where nothing divides."""
    if isinstance(value, tuple):
        if not value[1]:
            return ""
        value = Fraction(*value)
    millionths = round(Fraction(value) * 1_000_000)
    return f"{Decimal(millionths).scaleb(-6):f}"


def _cells(column: Column, row: Row) -> list[str]:
    value = row.get(column.key)
    if column.kind == "money":
        return ["" if value is None else str(value), str(row.get(column.currency_key) or "")]
    if value is None:
        return [""]
    if column.kind == "percent":
        return [_share(value)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, datetime):
        return [value.isoformat(timespec="seconds") + "Z"]
    if isinstance(value, date):
        return [value.isoformat()]
    text = str(value)
    is_formula = not column.is_right and begins_like_a_formula(text.lstrip())
    return [f"'{text}" if is_formula else text]
