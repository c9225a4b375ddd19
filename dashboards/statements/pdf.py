"""A statement as PDF: tagged (PDF/UA-1), one vendored font, equal bytes for equal records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from dashboards.errors import StatementError
from dashboards.statements.content import document_day, statement_content
from dashboards.statements.glyphs import FONTS

TEMPLATE = Path(__file__).resolve().parent / "statement.typ"
PAPERS = ("a4", "us-letter")
# Typst keeps what it set for the documents after it, some 100 kB a line, until so many others have
# been set (measured with 0.15.2). After a long statement that many empty ones are.
_LONG, _REMEMBERED = 500, 12


def render_pdf(
    statement: Mapping[str, Any],
    programme: Mapping[str, Any],
    partner_name: str = "",
    paper: str = "a4",
) -> bytes:
    """The statement as one PDF file.

    statement: the record of `orchestration.statements.statement`, days as dates or ISO text.
    programme: its `name` and `legal_entity`. partner_name: its present name, which is no part of
    the record. paper: one of PAPERS.
    The file is dated by the record's last night, so neither clock nor time zone changes a byte.
    Raises: StatementError for a record that does not add up or cannot be set.
    """
    import typst

    if paper not in PAPERS:
        raise ValueError(f"{paper!r} is no paper; known are {', '.join(PAPERS)}")
    content = statement_content(statement, programme, partner_name, paper)
    midnight = datetime.combine(document_day(statement), time(), UTC)
    try:
        return _compiled(
            TEMPLATE,
            pdf_standards="ua-1",
            sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
            timestamp=int(midnight.timestamp()),
        )
    except typst.TypstError as error:
        raise StatementError(
            f"the statement of {statement['partner_id']} for {statement['period']} cannot be set "
            f"as PDF: {error.message}. Its CSV and `partnerledger statement --json` hold the same."
        ) from error
    finally:
        if sum(len(row["lines"]) for row in statement["currencies"]) > _LONG:
            for _ in range(_REMEMBERED):
                _compiled(b"")


def _compiled(source: Path | bytes, **options: Any) -> bytes:
    """By Typst, with the vendored font alone: neither the machine's fonts nor its network."""
    import typst

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS]
    )
    return typst.compile(source, font_paths=fonts, format="pdf", **options)
