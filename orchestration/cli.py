"""The command line `partnerledger`: puts the commands together and ends them clearly.

Exit 0: done. 1: refused or failed, one line on standard error says what, where and what to do.
2: wrong usage. What does not belong here: what a command does (`cli_*`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import typer

from orchestration import (
    cli_access,
    cli_adjust,
    cli_batches,
    cli_disputes,
    cli_evidence,
    cli_ingest,
    cli_landing,
    cli_later,
    cli_leads,
    cli_night,
    cli_notices,
    cli_people,
    cli_periods,
    cli_rules,
    cli_serve,
    cli_setup,
    cli_sql,
)
from orchestration.cli_common import DEFAULT_HOME, HOME_VARIABLE, clear_line, fail

app = typer.Typer(
    name="partnerledger",
    help="Who brought this customer, what is owed, what is taken back, what may be paid, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
cli_setup.add_commands(app)
cli_night.add_commands(app)
cli_ingest.add_commands(app)
app.add_typer(cli_landing.app, name="landing")
app.add_typer(cli_batches.app, name="batches")
cli_people.add_commands(app)
app.add_typer(cli_leads.app, name="lead")
app.add_typer(cli_rules.app, name="rule")
app.add_typer(cli_adjust.app, name="adjust")
app.add_typer(cli_periods.app, name="period")
app.add_typer(cli_disputes.app, name="dispute")
cli_evidence.add_commands(app)
cli_serve.add_commands(app)
app.add_typer(cli_access.app, name="access")
app.add_typer(cli_notices.app, name="notices")
cli_sql.add_commands(app)
cli_later.add_commands(app)

LOG_NAME = "cli.log"


def main() -> None:
    """Entry point of the console script."""
    try:
        app(prog_name="partnerledger")
    except Exception as error:  # noqa: BLE001  (the outermost edge: a person never sees a traceback)
        line = clear_line(error)
        if line is None:
            log = _write_log(error)
            text = " ".join(str(error).split())[:300]
            line = f"unexpected {type(error).__name__}: {text}. The traceback is in {log}."
        fail(line)


def _write_log(error: Exception) -> Path:
    """Append the traceback to HOME/logs/cli.log; to the system's temporary folder if it cannot."""
    text = "".join(traceback.format_exception(error))
    for folder in (_home_of(sys.argv) / "logs", Path(tempfile.gettempdir())):
        try:
            if folder.parent.is_dir():
                folder.mkdir(exist_ok=True)
                with (folder / LOG_NAME).open("a", encoding="utf-8") as log:
                    log.write(f"{' '.join(sys.argv[1:3])}\n{text}\n")
                return folder / LOG_NAME
        except OSError:
            continue
    return Path(os.devnull)


def _home_of(arguments: list[str]) -> Path:
    # The option is read again because the error may come from before it was parsed.
    for number, argument in enumerate(arguments):
        if argument == "--home" and number + 1 < len(arguments):
            return Path(arguments[number + 1])
        if argument.startswith("--home="):
            return Path(argument.partition("=")[2])
    return Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)


if __name__ == "__main__":
    main()
