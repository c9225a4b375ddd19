"""The tiles of a page, read back as people read them."""

from __future__ import annotations

from typing import Any

from tests.web.page_tables import page_of, text_of

SPACE = "\N{NARROW NO-BREAK SPACE}"


def tiles_of(answer: Any) -> dict[str, tuple[str, str, str]]:
    """Value, change and its tone of each tile by its label; narrow spaces as plain ones."""
    found = {}
    for tile in page_of(answer).xpath("//div[@class='tiles']/div"):
        # The label without the hint behind it.
        label = tile.xpath("./div/a/text()") or tile.xpath("./div/text()")
        change = tile.xpath("./p[starts-with(@class, 'delta')]")
        found[label[0].strip()] = (
            text_of(tile.xpath("./p[@class='value']")[0]).replace(SPACE, " "),
            text_of(change[0]).replace(SPACE, " ") if change else "",
            change[0].get("class").split()[1] if change else "",
        )
    return found
