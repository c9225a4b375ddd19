"""The files of the European Central Bank: from bytes as received to rates as published.

Belongs here: the XML of the day and of the last 90 days, the zipped CSV of the whole history, and
every way in which they can be broken. Does not belong here: which file is asked for (`ecb`), what
a rate means. A file with one fault is refused whole: half a day of rates looks like a whole one.

Source: sources.md section 5 (wide CSV, newest first, N/A for missing, trailing comma).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from xml.parsers import expat

from ingest.errors import FileRefusedError
from ingest.shapes import shown

DAILY = "eurofxref-daily.xml"
LAST_90_DAYS = "eurofxref-hist-90d.xml"
HISTORY = "eurofxref-hist.zip"

MAXIMUM_BYTES = 16_000_000
"""Of a file as sent; the history has less than one million."""
MAXIMUM_UNPACKED_BYTES = 64_000_000
ENVELOPE = "http://www.gesmes.org/xml/2002-08-01 Envelope"
CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
NOT_PUBLISHED = "N/A"
EURO = "EUR"
CURRENCY_PATTERN = "[A-Z]{3}"
RATE_PATTERN = r"[0-9]{1,12}(\.[0-9]{1,10})?"
DATE_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
FIRST_DATE = "1999-01-04"
"""The first day with reference rates."""
FILE_ADVICE = (
    "Open the file at the source's base_url; if it is right there, run again, else wait until it "
    "is mended. Rates landed before stay."
)


@dataclass(frozen=True)
class Rate:
    """Units of a currency per 1 EUR. rate_date: ISO 8601. rate: text as published, above 0."""

    rate_date: str
    currency_code: str
    rate: str


def read_rates(file_name: str, content: bytes, newest: date) -> list[Rate]:
    """All rates of a file, in its order; what is N/A is left out.

    newest: no rate can be of a later day. Raises: FileRefusedError naming file and line.
    """
    read = _read_history if file_name == HISTORY else _read_xml
    found: list[Rate] = []
    seen: set[tuple[str, str]] = set()
    for place, rate in read(file_name, content):
        _check(place, rate, newest)
        key = (rate.rate_date, rate.currency_code)
        if key in seen:
            raise _refused(place, f"{rate.currency_code} of {rate.rate_date} appears twice")
        seen.add(key)
        if rate.rate != NOT_PUBLISHED:
            found.append(rate)
    if not found:
        raise _refused(file_name, "holds no rate")
    return found


def _refused(place: str, reason: str) -> FileRefusedError:
    return FileRefusedError(f"{place}: {reason}", FILE_ADVICE)


def _check(place: str, rate: Rate, newest: date) -> None:
    """Raises: FileRefusedError if the rate is not one that can have been published."""
    try:
        is_day = bool(re.fullmatch(DATE_PATTERN, rate.rate_date))
        day = date.fromisoformat(rate.rate_date) if is_day else None
    except ValueError:
        day = None
    if day is None:
        raise _refused(place, f"{shown(rate.rate_date)}is not a date such as 2026-02-27")
    if rate.rate_date < FIRST_DATE or day > newest:
        raise _refused(place, f"{rate.rate_date} cannot be the day of a published rate")
    if not re.fullmatch(CURRENCY_PATTERN, rate.currency_code) or rate.currency_code == EURO:
        raise _refused(place, f"{_shown_name(rate.currency_code)} is not a foreign currency")
    if rate.rate == NOT_PUBLISHED:
        return
    if not re.fullmatch(RATE_PATTERN, rate.rate) or not rate.rate.strip("0."):
        raise _refused(place, f"{shown(rate.rate)}is not a rate of {rate.currency_code}")


def _shown_name(name: str) -> str:
    return f"{name!r}" if re.fullmatch("[A-Za-z0-9 _.-]{1,40}", name) else "what is given"


def _read_xml(file_name: str, content: bytes) -> Iterator[tuple[str, Rate]]:
    """Place and rate of each cube of a gesmes envelope."""
    reader = _CubeReader(file_name)
    reader.read(content)
    yield from reader.found


class _CubeReader:
    """Expat with every document type declaration refused.

    The file comes from a network. All attacks by XML (entities that expand without end, files or
    addresses that are read along) begin with declarations in a DOCTYPE, which this format does not
    have; expat itself never fetches anything.
    """

    def __init__(self, file_name: str) -> None:
        self.found: list[tuple[str, Rate]] = []
        self._file_name = file_name
        self._days: list[str | None] = []
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse_declarations
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def read(self, content: bytes) -> None:
        """Fill `found`. Raises: FileRefusedError."""
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            place = f"{self._file_name}, line {error.lineno}"
            raise _refused(place, f"is not XML: {expat.ErrorString(error.code)}") from None
        except (LookupError, ValueError):
            raise _refused(self._file_name, "is in an encoding that is not read") from None

    @property
    def _place(self) -> str:
        return f"{self._file_name}, line {self._parser.CurrentLineNumber}"

    def _refuse_declarations(self, *_: object) -> None:
        raise _refused(self._place, "has a document type declaration, which rates never have")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != ENVELOPE:
            raise _refused(self._place, "is not an envelope of reference rates")
        if name != CUBE:
            return
        day = self._days[-1] if self._days else None
        if attributes.keys() == {"time"}:
            day = attributes["time"]
        elif attributes.keys() == {"currency", "rate"} and day is not None:
            rate = Rate(day, attributes["currency"], attributes["rate"])
            self.found.append((self._place, rate))
        elif attributes:
            raise _refused(self._place, "a Cube has neither time, nor currency and rate of a day")
        self._days.append(day)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == CUBE:
            self._days.pop()


def _read_history(file_name: str, content: bytes) -> Iterator[tuple[str, Rate]]:
    """Place and rate of each cell of the zipped CSV."""
    member, text = _unpacked(file_name, content)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        place = f"{member}, line {reader.line_num + 1}"
        try:
            fields = [field.strip() for field in next(reader)]
        except StopIteration:
            break
        except csv.Error:
            raise _refused(place, "is not a line of a CSV file") from None
        if not any(fields):
            continue
        if header is None:
            header = _checked_header(place, fields)
            continue
        # Every line ends in a comma, so that each has an empty field too many.
        if len(fields) == len(header) + 1 and not fields[-1]:
            fields.pop()
        if len(fields) != len(header):
            raise _refused(place, f"{len(fields)} fields where the header has {len(header)}")
        for code, value in zip(header[1:], fields[1:], strict=True):
            yield f"{place}, column {code}", Rate(fields[0], code, value)
    if header is None:
        raise _refused(member, "is empty")


def _checked_header(place: str, names: list[str]) -> list[str]:
    if names[-1] == "":
        names = names[:-1]
    if names[:1] != ["Date"]:
        raise _refused(place, "is not the header of the history: it begins with Date")
    for position, name in enumerate(names[1:], start=2):
        if not re.fullmatch(CURRENCY_PATTERN, name) or name == EURO:
            shown_as = _shown_name(name)
            raise _refused(place, f"column {position}, {shown_as}, is not a foreign currency")
        if names.count(name) > 1:
            raise _refused(place, f"column {name} appears twice")
    return names


def _unpacked(file_name: str, content: bytes) -> tuple[str, str]:
    """Name and text of the only member. Its path is never used: nothing is written."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) != 1 or not members[0].filename.endswith(".csv"):
                raise _refused(file_name, "does not hold exactly one CSV file")
            with archive.open(members[0]) as opened:
                # The size that the archive states can be a lie: what is read is what counts.
                unpacked = opened.read(MAXIMUM_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise _refused(file_name, "is not a readable zip file") from None
    if len(unpacked) > MAXIMUM_UNPACKED_BYTES:
        raise _refused(file_name, f"unpacks to more than {MAXIMUM_UNPACKED_BYTES} bytes")
    try:
        return HISTORY.replace(".zip", ".csv"), unpacked.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(file_name, "is not text") from None
