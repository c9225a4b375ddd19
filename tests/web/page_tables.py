"""What a page shows, read back: rows of its tables, and links."""

from __future__ import annotations

import csv
import io
from typing import Any

from lxml import html


def page_of(answer: Any) -> html.HtmlElement:
    """The page of an answer, which must be one."""
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.text)


def text_of(element: html.HtmlElement) -> str:
    """Its text as people read it, spaces folded."""
    return " ".join(element.text_content().split())


def table_rows(answer: Any, name: str) -> list[dict[str, str]]:
    """Cells of a table's rows by the labels of its columns; none for an empty one."""
    rows = page_of(answer).xpath(f"//section[@id='{name}']//tbody/tr")
    return [{cell.get("data-label"): text_of(cell) for cell in row.xpath("./td")} for row in rows]


def links_of(answer: Any, below: str) -> list[str]:
    """Addresses on a page that begin with a text, in order, each once."""
    found = page_of(answer).xpath(f"//main//a[starts-with(@href, '{below}')]/@href")
    return list(dict.fromkeys(found))


def table_links(answer: Any, name: str, label: str) -> list[str]:
    """Addresses in one column of a table."""
    return page_of(answer).xpath(
        f"//section[@id='{name}']//tbody//td[@data-label='{label}']//a/@href"
    )


def csv_rows(answer: Any) -> list[dict[str, str]]:
    """Rows of a CSV answer."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
