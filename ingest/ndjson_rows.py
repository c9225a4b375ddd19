"""Read an NDJSON file into `staged`: one object per line, values kept as the text in the file.

Numbers stay as written (no float is ever made), booleans become true and false, null is absent.
Does not belong here: the shape of values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ingest.entities import Entity
from ingest.errors import FileRefusedError
from ingest.headers import COLUMNS_ADVICE, check_header, shown_name, unknown_column
from ingest.received import Received
from ingest.report import Reject
from ingest.shapes import WHITESPACE
from ingest.staged import StagedFile, create_staged, insert_staged

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 50_000


class _MalformedLine(ValueError):
    """A line that is not one flat JSON object of text, numbers, booleans and nulls."""


def _refuse_constant(name: str) -> Any:
    raise _MalformedLine(f"{name} is not a JSON value")


_AS_WRITTEN = {"parse_int": str, "parse_float": str, "parse_constant": _refuse_constant}
_DECODER = json.JSONDecoder(**_AS_WRITTEN)
_PAIRS_DECODER = json.JSONDecoder(**_AS_WRITTEN, object_pairs_hook=list)


def parse_line(text: str) -> dict[str, str | None]:
    """The object on a line, values as text.

    Raises: _MalformedLine (a ValueError) saying why; the message never repeats values.
    """
    if not text.startswith("{"):
        raise _MalformedLine("the line is not a JSON object")
    try:
        row: dict[str, Any] = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _MalformedLine(f"not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise _MalformedLine("values are nested too deeply") from None
    # Counting is a third of the price of decoding into pairs, which only odd lines need.
    is_plain = text.count('":') == len(row) and '" ' not in text and '"\t' not in text
    if not is_plain and len(_PAIRS_DECODER.decode(text)) != len(row):
        raise _MalformedLine("a key appears twice")
    for key, value in row.items():
        if value.__class__ is not str and value is not None:
            if value is True or value is False:
                row[key] = "true" if value else "false"
            else:
                raise _MalformedLine(
                    f"key {shown_name(key)} holds a nested value; give text or number"
                )
    return row


def stage_ndjson(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    received: Received,
    file_name: str,
) -> StagedFile:
    """Fill `staged` from an NDJSON file.

    Raises: FileRefusedError if any line has an undeclared key, or no line a required one.
    """
    columns = entity.column_names
    declared = frozenset(columns)
    seen: set[str] = set()
    malformed: list[Reject] = []
    batch: list[dict[str, str | None]] = []
    rows: list[int] = []
    lines: list[int] = []
    create_staged(connection, columns)

    def flush() -> None:
        if rows:
            values = [[record.get(name) for record in batch] for name in columns]
            insert_staged(connection, columns, values, rows, lines)
        for each in (batch, rows, lines):
            each.clear()

    row = 0
    with received.readable.open(encoding="utf-8", newline="\n") as opened:
        for line, text in enumerate(opened, start=1):
            text = text.strip(WHITESPACE)
            if not text:
                continue
            row += 1
            try:
                record = parse_line(text)
                if not text.isascii() or "\\u" in text:
                    _refuse_surrogates(record)
            except _MalformedLine as error:
                malformed.append(Reject(file_name, row, line, "", str(error)))
                continue
            if not declared.issuperset(record):
                _refuse_unknown(entity, record, f"{file_name}, line {line}")
            seen.update(record)
            batch.append(record)
            rows.append(row)
            lines.append(line)
            if len(rows) == BATCH_ROWS:
                flush()
    flush()
    if seen:
        check_header(entity, sorted(seen), f"{file_name}, all lines")
    elif row == 0:
        raise FileRefusedError(f"{file_name}: is empty", "Drop the whole file again.")
    return StagedFile(columns, tuple(malformed))


def _refuse_unknown(entity: Entity, record: dict[str, str | None], place: str) -> None:
    unknown = [unknown_column(entity, key) for key in record if key not in entity.column_names]
    raise FileRefusedError(f"{place}: key {'; key '.join(unknown)}", COLUMNS_ADVICE)


def _refuse_surrogates(record: dict[str, str | None]) -> None:
    """A lone surrogate escape is valid JSON, but no text that can be stored."""
    try:
        for key, value in record.items():
            key.encode()
            (value or "").encode()
    except UnicodeEncodeError:
        raise _MalformedLine("holds half of a surrogate pair, which is not text") from None
