"""Read a CSV file into `staged`: fixed dialect, never sniffed.

Comma or the declared delimiter, double quote, header in the first record, all text. DuckDB reads
the whole file at once when every record stands on one line; anything unusual (a ragged or malformed
record, a line break or a blank line) goes through Python's reader, which knows the physical line of
each record. Does not belong here: the shape of values.

Source: sources.md section 5 (sniffing loses rows silently).
"""

from __future__ import annotations

import csv
import mmap
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.entities import Entity
from ingest.errors import FileRefusedError
from ingest.file_formats import DELIMITER_NAMES
from ingest.headers import check_header
from ingest.received import Received
from ingest.report import Reject
from ingest.shapes import WHITESPACE, identifier, quoted
from ingest.staged import StagedFile, create_staged, insert_staged

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 50_000
QUOTE_ADVICE = 'Close every quote and write a quote inside a value as "".'
BLANKS_AFTER_QUOTE = {
    ",": re.compile(rb'"[ \t]+[,\r\n]'),
    ";": re.compile(rb'"[ \t]+[;\r\n]'),
    "|": re.compile(rb'"[ \t]+[|\r\n]'),
    "\t": re.compile(rb'" +[\t\r\n]'),
}


def stage_csv(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    received: Received,
    file_name: str,
    delimiter: str = ",",
) -> StagedFile:
    """Fill `staged` from a CSV file.

    Raises: FileRefusedError if the header is wrong or a quote is never closed.
    """
    names, header_lines = _read_header(received, file_name, delimiter)
    check_header(entity, names, f"{file_name}, line {header_lines}", delimiter)
    is_plain = header_lines == 1 and not received.has_nul
    if is_plain and not _has_loose_quotes(received, delimiter):
        if _stage_at_once(connection, names, received, delimiter):
            return StagedFile(tuple(names))
    return _stage_by_record(connection, names, received, file_name, delimiter)


def _has_loose_quotes(received: Received, delimiter: str) -> bool:
    """Whether blanks stand between a closing quote and a delimiter: DuckDB drops them, RFC 4180
    does not know them, so such a record is left to the strict reader."""
    if received.readable.stat().st_size == 0:
        return False
    with (
        received.readable.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        return BLANKS_AFTER_QUOTE[delimiter].search(mapped) is not None


def _records(
    received: Received, file_name: str, delimiter: str
) -> Iterator[tuple[int, list[str] | str]]:
    """Line and fields of each record; text instead of fields says why a record is malformed."""
    with received.readable.open(encoding="utf-8", newline="") as opened:
        reader = csv.reader(opened, delimiter=delimiter, strict=True, skipinitialspace=True)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cause = str(error)
                if "unexpected end" in cause or "limit" in cause:
                    raise FileRefusedError(
                        f"{file_name}, line {line}: a quote is opened and never closed",
                        QUOTE_ADVICE,
                    ) from None
                through = f" (lines {line} to {reader.line_num} read as one record)"
                yield (
                    line,
                    (
                        "text follows a closing quote; write a quote inside a value twice"
                        + (through if reader.line_num > line else "")
                    ),
                )
                continue
            if len(fields) > 1 or (fields and fields[0].strip(WHITESPACE)):
                yield line, fields


def _read_header(received: Received, file_name: str, delimiter: str) -> tuple[list[str], int]:
    for line, fields in _records(received, file_name, delimiter):
        if isinstance(fields, str):
            raise FileRefusedError(f"{file_name}, line {line}: {fields}", QUOTE_ADVICE)
        return [name.strip(WHITESPACE) for name in fields], line
    raise FileRefusedError(
        f"{file_name}: is empty, not even a header", "Drop the whole file again."
    )


def _stage_at_once(
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    received: Received,
    delimiter: str = ",",
) -> bool:
    """Let DuckDB read the file; False if it has anything but one record per line."""
    import duckdb

    columns = ", ".join(f"{quoted(name)}: 'varchar'" for name in names)
    selected = ", ".join(identifier(name) for name in names)
    try:
        connection.execute(
            f"create or replace table staged_at_once as select {selected} from read_csv("
            f"{quoted(str(received.readable))}, columns = {{{columns}}}, auto_detect = false, "
            f"header = true, delim = {quoted(delimiter)}, quote = '\"', escape = '\"', "
            "comment = '', strict_mode = true, null_padding = false, ignore_errors = false, "
            "encoding = 'utf-8')"
        )
        counted = connection.execute("select count(*) from staged_at_once").fetchall()[0][0]
        if counted != received.lines - 1:
            return False
        connection.execute(
            "create or replace view staged as select *, rowid + 1 as _row, rowid + 2 as _line "
            "from staged_at_once"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        return False
    return True


def _stage_by_record(
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    received: Received,
    file_name: str,
    delimiter: str = ",",
) -> StagedFile:
    create_staged(connection, names)
    malformed: list[Reject] = []
    width = len(names)
    fields_of_batch: list[list[str]] = []
    rows: list[int] = []
    lines: list[int] = []

    def flush() -> None:
        if rows:
            insert_staged(connection, names, zip(*fields_of_batch, strict=True), rows, lines)
        for batch in (fields_of_batch, rows, lines):
            batch.clear()

    for row, (line, fields) in enumerate(_records(received, file_name, delimiter)):
        if row == 0:
            continue
        reason = _malformed(names, fields, delimiter)
        if reason:
            malformed.append(Reject(file_name, row, line, "", reason))
            continue
        fields_of_batch.append(list(fields[:width]))
        rows.append(row)
        lines.append(line)
        if len(rows) == BATCH_ROWS:
            flush()
    flush()
    return StagedFile(tuple(names), tuple(malformed))


def _malformed(names: list[str], fields: list[str] | str, delimiter: str) -> str | None:
    """Why a record does not have the header's columns. One empty field too many is a trailing
    delimiter and does no harm."""
    width = len(names)
    if isinstance(fields, str):
        return fields
    if len(fields) < width:
        return f"{len(fields)} fields where the header has {width}: {names[len(fields)]} is absent"
    if len(fields) > width + 1 or (len(fields) > width and fields[width].strip(WHITESPACE)):
        named = DELIMITER_NAMES[delimiter]
        return f"{len(fields)} fields where the header has {width}: is a {named} not quoted?"
    return None
