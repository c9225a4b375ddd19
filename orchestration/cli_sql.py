"""The command `sql`: questions of analysts to the published snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_common import DEFAULT_HOME, CommandError, HomeOption

if TYPE_CHECKING:
    from orchestration.sql_shell import Shell

_SHOWN_ROWS = 100


def add_commands(app: typer.Typer) -> None:
    """Add the command of this module to the command line."""
    app.command("sql")(sql)


def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            metavar="[QUERY]", help="Statements in DuckDB's SQL; without any they are prompted for."
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Read them from a file.", dir_okay=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=0,
            help=f"Rows to show; 0 is all. Default: {_SHOWN_ROWS}, with --json and --csv all.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
) -> None:
    """Ask the published snapshot, read-only: no file, no network and no setting is in reach.

    Tables of `marts` need no prefix. Temporary tables last as long as the command. With --json and
    --csv one statement is answered. docs/analysts.md has worked queries.
    """
    from orchestration.sql_shell import Output, opened

    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both", param_hint="--csv")
    if query is not None and file is not None:
        raise typer.BadParameter("give statements or --file, not both", param_hint="--file")
    form = "json" if as_json else "csv" if as_csv else "table"
    if limit is None:
        limit = _SHOWN_ROWS if form == "table" else 0
    with opened(home, Output(form, limit)) as shell:
        if file is not None:
            shell.answer(_text_of(file))
        elif query is not None:
            shell.answer(query)
        else:
            _prompted(shell)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise CommandError(
            f"{file} cannot be read: {reason}", "Name a text file with SQL."
        ) from error


def _prompted(shell: Shell) -> None:
    """Statements as they come: from a person with a prompt, else from standard input."""
    import sys

    from orchestration.sql_shell import converse

    if sys.stdin.isatty():
        converse(shell)
    else:
        shell.answer(sys.stdin.read())
