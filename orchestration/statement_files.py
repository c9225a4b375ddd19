"""A statement as files: page, PDF, CSV. What does not belong here: what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.document_pages import page, write_file
from orchestration.statement_document import statement_document

if TYPE_CHECKING:
    from program.schema import ProgramIdentity


def write_statement(
    record: dict[str, Any],
    partner_name: str,
    programme: ProgramIdentity,
    files: Mapping[str, Path | None],
) -> list[Path]:
    """Write the forms that have a file, all or, when one cannot be made, none; what was written.

    files: by form, `html`, `pdf`, `csv`. Raises: StatementError, and as `write_file`.
    """
    from dashboards.statements.csv_file import render_csv
    from dashboards.statements.pdf import render_pdf

    contents = {}
    for form, file in files.items():
        if file is None:
            continue
        if form == "html":
            contents[file] = page(statement_document(record, partner_name)).encode("utf-8")
        elif form == "pdf":
            contents[file] = render_pdf(record, programme_words(programme), partner_name)
        else:
            contents[file] = render_csv(record)
    for file, content in contents.items():
        write_file(content, file)
    return list(contents)


def programme_words(programme: ProgramIdentity) -> dict[str, str]:
    """What a statement says of the programme (`render_pdf`)."""
    return {"name": programme.name, "legal_entity": programme.legal_entity}
