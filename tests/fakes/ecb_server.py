"""A loopback server with the three files of euro reference rates, and one that misbehaves.

The files are written as the bank publishes them: a gesmes envelope with single-quoted attributes
for the day and for the last 90 days, newest first; for the history a zipped CSV with one column per
currency there ever was, `N/A` where there is no rate, and a comma at the end of every line. Nothing
here imports the product.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.fakes.server import FakeServer, Fault, Reply, Request

__all__ = ["DAILY", "HISTORY", "LAST_90_DAYS", "FakeEcb", "Fault", "envelope", "zipped"]

DAILY = "/eurofxref-daily.xml"
LAST_90_DAYS = "/eurofxref-hist-90d.xml"
HISTORY = "/eurofxref-hist.zip"
NAMESPACES = (
    'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
    'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"'
)

Days = Mapping[str, Mapping[str, str]]


def envelope(days: Days, declaration: str = "") -> bytes:
    """The XML of some days: currency -> rate by day. declaration: put before the root."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        *([declaration] if declaration else []),
        f"<gesmes:Envelope {NAMESPACES}>",
        "\t<gesmes:subject>Reference rates</gesmes:subject>",
        "\t<gesmes:Sender>",
        "\t\t<gesmes:name>European Central Bank</gesmes:name>",
        "\t</gesmes:Sender>",
        "\t<Cube>",
    ]
    for day, rates in days.items():
        lines.append(f"\t\t<Cube time='{day}'>")
        lines += [
            f"\t\t\t<Cube currency='{code}' rate='{rate}'/>"
            for code, rate in rates.items()
            if rate != "N/A"
        ]
        lines.append("\t\t</Cube>")
    lines += ["\t</Cube>", "</gesmes:Envelope>"]
    return "\n".join(lines).encode()


def history_csv(days: Days) -> str:
    """The wide CSV of all days."""
    codes = list(dict.fromkeys(code for rates in days.values() for code in rates))
    lines = ["Date," + "".join(f"{code}," for code in codes)]
    lines += [
        f"{day}," + "".join(f"{rates.get(code, 'N/A')}," for code in codes)
        for day, rates in days.items()
    ]
    return "\n".join(lines) + "\n"


def zipped(text: str | bytes, name: str = "eurofxref-hist.csv", copies: int = 1) -> bytes:
    """An archive that holds the text under that name, so many times."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(copies):
            archive.writestr(name if not number else f"{number}-{name}", text)
    return packed.getvalue()


@dataclass
class FakeEcb(FakeServer):
    """A running fake. days: currency -> rate by day that has rates, in any order."""

    days: dict[str, dict[str, str]] = field(default_factory=dict)

    def reply(self, request: Request) -> Reply:
        """One of the three files."""
        ordered = {day: self.days[day] for day in sorted(self.days, reverse=True)}
        newest = next(iter(ordered))
        if request.path == DAILY:
            return Reply(envelope({newest: ordered[newest]}))
        if request.path == LAST_90_DAYS:
            since = (date.fromisoformat(newest) - timedelta(days=90)).isoformat()
            return Reply(envelope({day: ordered[day] for day in ordered if day > since}))
        if request.path == HISTORY:
            return Reply(zipped(history_csv(ordered)))
        return Reply(b"<html><title>Page not found</title></html>", 404)
