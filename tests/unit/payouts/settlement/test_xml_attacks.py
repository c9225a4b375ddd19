"""XML that attacks its reader: entities, DTDs, depth, size. All refused, nothing is fetched."""

from __future__ import annotations

import time

import pytest
from bank_files import Move, camt

from payouts.errors import SettlementFileError
from payouts.settlement import xml_tree
from payouts.settlement.reading import MAXIMUM_BYTES, read_outcomes

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9))
    + "]><Document>&j;</Document>"
)


def _refused(content: bytes, match: str) -> None:
    started = time.monotonic()
    with pytest.raises(SettlementFileError, match=match) as caught:
        read_outcomes(content, "bank.xml")
    assert time.monotonic() - started < 5
    assert "Nothing of the file was applied" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd"><Document/>',
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
        '<!DOCTYPE d [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]><Document/>',
        "<!DOCTYPE d><Document/>",
    ],
)
def test_declarations_are_refused(content):
    _refused(content.encode(), "document type or entity is declared")


def test_declaration_in_utf_16_is_refused():
    _refused('<?xml version="1.0"?><!DOCTYPE d><Document/>'.encode("utf-16"), "is declared")


def test_entity_that_nobody_declared_is_refused():
    _refused(b"<Document>&x;</Document>", "line 1: is no well-formed XML")


def test_file_of_100_megabytes_is_refused_unread():
    _refused(b"<Document>" + b"a" * 100_000_000, f"more than {MAXIMUM_BYTES}")


def test_deep_nesting_is_refused():
    _refused(b"<a>" * 100_000, "nested deeper than 64")


def test_millions_of_elements_are_refused(monkeypatch):
    monkeypatch.setattr(xml_tree, "MAXIMUM_ELEMENTS", 1000)
    _refused(b"<Document>" + b"<a/>" * 2000 + b"</Document>", "more than 1000 elements")


@pytest.mark.parametrize("cut", [2, 200, 400])
def test_cut_file_is_refused(cut):
    _refused(camt([Move("a", "1.00")])[:-cut], "no well-formed XML")


def test_unknown_encoding_is_refused():
    _refused(b'<?xml version="1.0" encoding="klingon"?><Document/>', "encoding|well-formed")


def test_tree_of_another_encoding_is_read():
    content = camt([Move("a", "1.00")]).decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert read_outcomes(content, "bank.xml")[0] == "camt.053"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_xml_in_utf_16_is_read(encoding):
    text = camt([Move("a", "1.00")]).decode().partition("?>")[2].lstrip()
    assert read_outcomes(text.encode(encoding), "bank.xml")[0] == "camt.053"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<Document>\nZ\xfcrich</Document>", "line 2: is no UTF-8 text: byte 0xFC"),
        (b'<?xml version="1.0" encoding="UTF-8"?><Document>\xfc</Document>', "is no UTF-8 text"),
        ("<Document/>".encode("utf-32"), "is UTF-32 text, not UTF-8"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xfc<b></a>', "no well-formed XML"),
    ],
)
def test_xml_in_bytes_that_are_no_text_is_refused(content, found):
    _refused(content, found)
