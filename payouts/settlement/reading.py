"""Which format a bank's or provider's file has, and reading it.

What belongs here: detection by content, versions, limits. What does not: any format's fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from payouts.settlement import camt, nacha_file, pain002, paypal_report, status_csv, xml_tree
from payouts.settlement.encoding import other_than_text, undecodable
from payouts.settlement.outcome import Fault, Outcome, file_error

MAXIMUM_BYTES = xml_tree.MAXIMUM_BYTES
STATUS_CSV, PAYPAL, NACHA = "status_csv", "paypal", "nacha"
PAIN002, CAMT053, CAMT054 = "pain.002", "camt.053", "camt.054"
FORMATS = (STATUS_CSV, PAYPAL, PAIN002, CAMT053, CAMT054, NACHA)
_TEXT_PARSERS: dict[str, Callable[[bytes, str], list[Outcome]]] = {
    STATUS_CSV: status_csv.parse,
    PAYPAL: paypal_report.parse,
    NACHA: nacha_file.parse,
}
# Message by the name of its element: format, oldest and newest version that is read.
_MESSAGES = {
    pain002.REPORT: (PAIN002, 3, 14),
    camt.STATEMENT: (CAMT053, 2, 13),
    camt.NOTIFICATION: (CAMT054, 2, 13),
}
_VERSION = re.compile(r"(pain|camt)\.[0-9]{3}\.001\.([0-9]{2})")
_NAME_IT = f"Known formats: {', '.join(FORMATS)}; name one with --format."
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = {b";": "semicolons", b"\t": "tabs", b"|": "bars"}
_AS_TEXT = (
    "Save it as UTF-8 text (of a workbook: as comma-separated UTF-8; of an archive: what is in it) "
    "and read it again."
)


def read_outcomes(
    content: bytes, file_name: str, file_format: str | None = None
) -> tuple[str, list[Outcome]]:
    """The format and everything that the file says, in its order.

    file_format: refuse any other; None detects it. Pure: nothing is looked up or recorded.
    Raises: SettlementFileError naming file, line and what to do.
    """
    if not content.strip():
        raise file_error(file_name, [Fault(0, "is empty")], "Fetch it again.")
    if len(content) > MAXIMUM_BYTES:
        raise file_error(
            file_name,
            [Fault(0, f"has {len(content)} bytes, more than {MAXIMUM_BYTES}")],
            "Ask for one file per day, or split it.",
        )
    if _is_xml(content):
        found, outcomes = _read_xml(content, file_name)
        _require(file_name, file_format, found)
        return found, outcomes
    other = other_than_text(content)
    if other is not None:
        raise file_error(file_name, [Fault(0, f"is {other}, not UTF-8")], _AS_TEXT)
    found = _detect_text(content)
    fault = None if found else _other_form(content)
    if fault:
        raise file_error(file_name, [Fault(1, fault[0])], fault[1])
    if found is None and file_format not in _TEXT_PARSERS:
        fault = undecodable(content)
        if fault is not None:
            raise file_error(file_name, [Fault(*fault)], _AS_TEXT)
        raise file_error(file_name, [Fault(1, "has no known format")], _NAME_IT)
    if found is not None:
        _require(file_name, file_format, found)
    chosen = found or file_format
    return chosen, _TEXT_PARSERS[chosen](content, file_name)


def _is_xml(content: bytes) -> bool:
    # A byte-order mark of UTF-8, or UTF-16 in either order, stands before the first bracket.
    head = content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return head[:1] == b"<"


def _detect_text(content: bytes) -> str | None:
    if nacha_file.is_nacha(content):
        return NACHA
    if status_csv.is_status_csv(content):
        return STATUS_CSV
    return PAYPAL if paypal_report.is_paypal_report(content) else None


def _other_form(content: bytes) -> tuple[str, str] | None:
    """What keeps a text from being one of the formats, and what to do; None when it is unknown."""
    if content.startswith(_BOM) and nacha_file.is_nacha(content.removeprefix(_BOM)):
        return (
            "begins with a byte-order mark, which a NACHA file has not: a program has changed it",
            "Fetch the file from the bank again, unchanged.",
        )
    for delimiter, name in _DELIMITERS.items():
        if delimiter in content and _detect_text(content.replace(delimiter, b",")):
            return (
                f"separates its columns by {name}, not by commas",
                "Save it as comma-separated UTF-8 text and read it again.",
            )
    return None


def _read_xml(content: bytes, file_name: str) -> tuple[str, list[Outcome]]:
    namespace, root = xml_tree.parse(content, file_name)
    report = next((child for child in root.children if child.name in _MESSAGES), None)
    if report is None:
        raise file_error(
            file_name,
            [Fault(root.line, "is no pain.002, camt.053 or camt.054 message")],
            "Ask the bank for one of these; a report within the day (camt.052) is not final.",
        )
    found, oldest, newest = _MESSAGES[report.name]
    version = _VERSION.search(namespace)
    if version and not oldest <= int(version[2]) <= newest:
        raise file_error(
            file_name,
            [Fault(root.line, f"is version .{version[2]} of {found}")],
            f"Versions .{oldest:02} to .{newest:02} are read; ask the bank for one of them.",
        )
    parser = pain002 if found == PAIN002 else camt
    return found, parser.parse(report, file_name)


def _require(file_name: str, wanted: str | None, found: str) -> None:
    if wanted not in (None, found):
        raise file_error(
            file_name,
            [Fault(1, f"is {found}, not {wanted}")],
            "Leave --format away, or name another file.",
        )
