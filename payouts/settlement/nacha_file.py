"""NACHA files that come back: returns (addenda 99) and notices of change (addenda 98).

What belongs here: records of 94 characters, reason and change codes, the trace of the original
entry, and the same fields of a file that was sent. Source: payouts reference 2.3; moov-io/ach.
Account numbers, names and the corrected data of a notice are never read: the code says what is
wrong, and the partner or its bank says what is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from payouts.settlement.outcome import (
    NOTICE,
    RETURNED,
    SHORTEST_PREFIX,
    Fault,
    Outcome,
    clean_reference,
    file_error,
    payout_hex,
)

RECORD = 94
CURRENCY = "USD"
_FILLER = "9" * RECORD
_REASON, _CHANGE = re.compile(r"R[0-9]{2}"), re.compile(r"C[0-9]{2}")
_FETCH = "Fetch the return file from the bank again, unchanged."


@dataclass(frozen=True)
class Entry:
    """An entry detail record, without account and name. ``amount_minor`` in cents."""

    line: int
    amount_minor: int
    individual_id: str
    trace: str


def is_nacha(content: bytes) -> bool:
    """Whether the file begins with a file header record."""
    head = content[: RECORD + 1].decode("ascii", errors="replace")
    return head[:3] == "101" and head[34:39].replace(" ", "0").startswith("094")


def parse(content: bytes, file_name: str) -> list[Outcome]:
    """Returns and notices. Raises: SettlementFileError naming every faulty line."""
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    created: date | None = None
    settled: date | None = None
    entry: Entry | None = None
    counts = {"batches": 0, "entries": 0}
    control: str | None = None
    for line, record in _records(content, file_name):
        kind = record[0]
        try:
            if kind == "1":
                created = _short_day(record[23:29])
            elif kind == "5":
                settled = _julian_day(record[75:78], created)
                counts["batches"] += 1
            elif kind == "6":
                entry = _entry(line, record)
                counts["entries"] += 1
            elif kind == "7":
                counts["entries"] += 1
                outcomes += _addenda(line, record, entry, settled or created)
            elif kind == "9":
                control = record
            elif kind != "8":
                raise ValueError("is no record of type 1, 5, 6, 7, 8 or 9")
        except ValueError as error:
            faults.append(Fault(line, str(error)))
    if not faults:
        faults = _control_faults(control, counts)
    if not faults and not outcomes:
        faults = [Fault(0, "holds neither a return (addenda 99) nor a notice (addenda 98)")]
    if faults:
        raise file_error(file_name, faults, _FETCH)
    return outcomes


def sent_entries(content: bytes, file_name: str) -> list[Entry]:
    """The entries of a file that was sent, to find one by its trace.

    Raises: SettlementFileError.
    """
    return [
        _entry(line, record) for line, record in _records(content, file_name) if record[0] == "6"
    ]


def _records(content: bytes, file_name: str) -> Iterator[tuple[int, str]]:
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise file_error(file_name, [Fault(line, "is no ASCII text")], _FETCH) from None
    lines = text.splitlines()
    if len(lines) == 1 and len(text.strip("\n")) % RECORD == 0:
        # Some banks send records without line ends.
        lines = [text[start : start + RECORD] for start in range(0, len(text), RECORD)]
    for number, line in enumerate(lines, start=1):
        # Trailing spaces are often lost on the way.
        record = line.rstrip().ljust(RECORD)
        if not record.strip() or record == _FILLER:
            continue
        if len(record) > RECORD:
            raise file_error(
                file_name, [Fault(number, f"has {len(record)} characters, not {RECORD}")], _FETCH
            )
        yield number, record


def _entry(line: int, record: str) -> Entry:
    if not record[29:39].isdecimal():
        raise ValueError("an entry has no amount of ten digits")
    return Entry(line, int(record[29:39]), record[39:54].strip(), record[79:94].strip())


def _addenda(line: int, record: str, entry: Entry | None, day: date | None) -> Iterator[Outcome]:
    kind, code = record[1:3], record[3:6]
    if kind not in ("98", "99"):
        return
    pattern = _CHANGE if kind == "98" else _REASON
    if not pattern.fullmatch(code):
        raise ValueError(
            f"an addenda {kind} has no code such as {'C01' if kind == '98' else 'R03'}"
        )
    if entry is None:
        raise ValueError(f"an addenda {kind} follows no entry")
    prefix = payout_hex(entry.individual_id)
    is_prefix = len(prefix) >= SHORTEST_PREFIX
    yield Outcome(
        key=prefix if is_prefix else record[6:21].strip(),
        key_kind="payout_prefix" if is_prefix else "trace",
        outcome=NOTICE if kind == "98" else RETURNED,
        # A notice carries no money: its entry has the amount zero.
        amount_minor=None if kind == "98" else entry.amount_minor,
        currency_code=None if kind == "98" else CURRENCY,
        value_date=day,
        reason_code=code,
        # A trace is the bank's own number of fifteen digits, which others are masked for.
        reference=entry.trace if entry.trace.isdecimal() else clean_reference(entry.trace),
        line=line,
    )


def _control_faults(control: str | None, counts: dict[str, int]) -> list[Fault]:
    """A file that was cut off on the way lacks its last record, or counts what is not there."""
    if control is None:
        return [Fault(0, "ends without its control record (type 9)")]
    wanted = {"batches": control[1:7], "entries": control[13:21]}
    return [
        Fault(0, f"holds {found} {name}, its control record says {wanted[name].strip() or 'none'}")
        for name, found in counts.items()
        if not wanted[name].isdecimal() or int(wanted[name]) != found
    ]


def _short_day(text: str) -> date:
    if not text.isdecimal():
        raise ValueError("the file header has no creation date")
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise ValueError("the file header has no creation date") from None


def _julian_day(text: str, created: date | None) -> date | None:
    """The settlement date that the operator fills in as day of the year; the year is the nearest
    one to the file's creation. None when it is not filled in."""
    if not text.isdecimal() or not 1 <= int(text) <= 366 or created is None:
        return None
    near = [
        date(year, 1, 1) + timedelta(days=int(text) - 1)
        for year in (created.year - 1, created.year, created.year + 1)
    ]
    return min(near, key=lambda day: abs((day - created).days))
