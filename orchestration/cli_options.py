"""Options that several commands about evidence share. Light: `partnerledger --help` loads it."""

from __future__ import annotations

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


def refuse_both(as_json: bool, html: Path | None) -> None:
    """Raises: BadParameter (exit 2) when both --json and --html are given."""
    if as_json and html is not None:
        raise typer.BadParameter("give --json or --html, not both", param_hint="--html")
