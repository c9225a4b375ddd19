"""Markdown that our own rooms write, as HTML: headings, paragraphs, lists, tables, emphasis, code.

Names of plans and partners stand in it, so HTML in the text is shown as text, and links and images
are not made. What does not belong here: choosing the words (`Services.programme_rules`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


def to_html(text: str) -> Markup:
    """The HTML of a text; safe to put into a page as it is."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        # The alignment of a table's column comes as a style, which pages may not have.
        if token.attrs.pop("style", None) == "text-align:right":
            token.attrSet("class", "right")
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 escaped by it


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return (
        MarkdownIt("commonmark", {"html": False})
        .enable("table")
        .disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])
    )
