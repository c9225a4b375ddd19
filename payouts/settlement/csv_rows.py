"""CSV files of providers as rows by column name, with their lines.

What belongs here: decoding, header, shape of rows. What does not: the meaning of columns
(``status_csv``, ``paypal_report``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from payouts.settlement.encoding import undecodable
from payouts.settlement.outcome import Fault, file_error

_SAVE_AGAIN = "Save it as comma-separated UTF-8 text with a header and read it again."


def decoded(content: bytes, file_name: str) -> str:
    """UTF-8 text without byte-order mark.

    Raises: SettlementFileError with the line of the first byte that is none.
    """
    found = undecodable(content)
    if found is not None:
        raise file_error(file_name, [Fault(*found)], _SAVE_AGAIN)
    return content.decode("utf-8-sig")


def rows(
    content: bytes, file_name: str, column_of: Mapping[str, str], is_strict: bool, skipped: str = ""
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by column, surrounding space removed; empty lines are left out.

    column_of: heading, see `heading`, to column. is_strict: other headings are refused, not
    ignored. skipped: first cell of a summary line that may stand before the header.
    Raises: SettlementFileError.
    """
    reader = csv.reader(io.StringIO(decoded(content, file_name), newline=""), strict=True)
    header: list[str | None] | None = None
    faults = []
    try:
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None and skipped and cells[0].strip().upper() == skipped:
                continue
            if header is None:
                header = _header(cells, line, file_name, column_of, is_strict)
            elif len(cells) != len(header):
                faults.append(Fault(line, f"has {len(cells)} cells, the header {len(header)}"))
            else:
                yield (
                    line,
                    {
                        name: cell.strip()
                        for name, cell in zip(header, cells, strict=True)
                        if name is not None
                    },
                )
    except csv.Error as error:
        faults.append(Fault(reader.line_num, f"is no CSV: {error}"))
    if header is None:
        faults.append(Fault(1, "has no header"))
    if faults:
        raise file_error(file_name, faults, _SAVE_AGAIN)


def heading(text: str) -> str:
    """A heading as a name: lower case, words joined by an underscore."""
    words = "".join(character if character.isalnum() else " " for character in text.lower())
    return "_".join(words.split())


def headings(content: bytes, skipped: str = "") -> set[str]:
    """Headings of the first line, or of the second behind a summary; empty when it is no text."""
    try:
        text = content[: 1 << 16].decode("utf-8-sig", errors="ignore")
        for cells in csv.reader(io.StringIO(text, newline="")):
            if cells and not (skipped and cells[0].strip().upper() == skipped):
                return {heading(cell) for cell in cells}
    except csv.Error:
        pass
    return set()


def _header(
    cells: list[str], line: int, file_name: str, column_of: Mapping[str, str], is_strict: bool
) -> list[str | None]:
    found = [column_of.get(heading(cell)) for cell in cells]
    faults = [
        Fault(line, f"column {number} is not one of {', '.join(column_of)}")
        for number, name in enumerate(found, start=1)
        if name is None and is_strict
    ]
    named = [name for name in found if name is not None]
    faults += [
        Fault(line, f"has the column {name} twice")
        for name in sorted(set(named))
        if named.count(name) > 1
    ]
    if faults:
        raise file_error(file_name, faults, "Correct the header and read it again.")
    return found
