"""Options that several commands about evidence share. Light: `partnerledger --help` loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

AsKnownOption = Annotated[
    str | None,
    typer.Option(
        "--as-known",
        metavar="WHEN",
        help="As it was known then: a day (with its night), an instant, or segment:N of the "
        "journal.",
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", help="Write one self-contained page instead.", dir_okay=False
    ),
]
PdfOption = Annotated[
    Path | None,
    typer.Option(
        "--pdf", metavar="FILE", help="Write a tagged PDF (PDF/UA) instead.", dir_okay=False
    ),
]
CsvOption = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="Write a CSV instead: opening balance, lines, closing balance.",
        dir_okay=False,
    ),
]


def refuse_both(as_json: bool, html: Path | None) -> None:
    """Raises: BadParameter (exit 2) when both --json and --html are given."""
    if as_json and html is not None:
        raise typer.BadParameter("give --json or --html, not both", param_hint="--html")


def refuse_files(as_json: bool, files: Mapping[str, Path | None]) -> None:
    """Raises: BadParameter (exit 2) for --json and a file, or two forms in one file."""
    named = [file for file in files.values() if file is not None]
    if as_json and named:
        raise typer.BadParameter("give --json or files, not both", param_hint="--json")
    if len(set(named)) < len(named):
        raise typer.BadParameter("give each form a file of its own", param_hint=str(named[0]))
