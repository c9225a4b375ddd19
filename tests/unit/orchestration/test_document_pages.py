"""Pages need nothing but themselves, and no value can become markup."""

import re

import pytest

from orchestration.cli_common import CommandError
from orchestration.document_pages import page, write_page
from orchestration.documents import Document, Facts, Sentence, Sentences, Table

NASTY = "<script>alert('x')</script> & \"quoted\" <img src=http://evil.example onerror=x>"


def nasty_document():
    document = Document(NASTY, NASTY)
    document.add(
        Facts(NASTY, [(NASTY, NASTY), ("empty", None)]),
        Table(NASTY, (NASTY, "amount"), [(NASTY, 1)], right=("amount",)),
        Sentence(NASTY, is_fault=True),
        Sentences(NASTY, [NASTY]),
    )
    return document


def tags(text):
    return set(re.findall(r"<([a-z0-9]+)", text))


def test_every_value_is_escaped():
    text = page(nasty_document())
    assert tags(text) == {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "thead",
        "tbody", "tr", "th", "td", "ul", "li",
    }  # fmt: skip
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;quoted&quot;" in text
    for attribute in re.findall(r"<[^>]*>", text):
        assert not re.search(r"\b(src|href|on[a-z]+)\s*=", attribute), attribute


def test_a_page_asks_for_nothing_and_forbids_it():
    text = page(nasty_document())
    assert "default-src 'none'" in text
    assert "url(" not in text and "@import" not in text
    assert text.startswith("<!doctype html>")


def test_a_page_follows_light_and_dark_and_prints():
    text = page(nasty_document())
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_numbers_stand_right_and_empty_values_are_left_out():
    text = page(nasty_document())
    assert '<td class="number">1</td>' in text
    assert "empty" not in text


def test_what_is_empty_is_no_part_of_a_document():
    document = Document("t")
    document.add(None, Facts("a", [("b", "")]), Table("c", ("d",), []), Sentences("e", []))
    assert document.blocks == []


def test_a_page_is_written_whole_or_not(tmp_path):
    file = tmp_path / "page.html"
    write_page(Document("first"), file)
    write_page(Document("second"), file)
    assert "second" in file.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(CommandError, match="cannot be written"):
        write_page(Document("third"), tmp_path / "none" / "page.html")
