"""Commands before the first night: `init` and `doctor`. The checks themselves are in `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    out,
    print_json,
    print_table,
    workspace_path,
)


def add_commands(app: typer.Typer) -> None:
    """Add `init` and `doctor` to the command line."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="New folder of the workspace.")],
) -> None:
    """Write a new workspace to start from.

    program.yml, sources.yml, their JSON Schemas for editors, and an empty drop folder. Nothing
    that is there already is overwritten.
    """
    from program.templates import write_workspace

    written = write_workspace(directory)
    console = out()
    for path in written:
        console.print(f"wrote {path}")
    console.print(
        f"Next: edit {directory / 'program.yml'}, put files into {directory / 'drop'}, then\n"
        f"  cd {directory} && partnerledger doctor && partnerledger run"
    )


def doctor(
    home: HomeOption = DEFAULT_HOME, program: ProgramOption = None, as_json: JsonOption = False
) -> None:
    """Say what is missing or misconfigured; change nothing.

    Looks at Python, packages, terms, sources, secrets, roles, disk and state; uses no network.
    """
    from orchestration.doctor import examine

    findings = examine(workspace_path(program), home)
    if as_json:
        print_json(findings)
    else:
        print_table(
            "partnerledger doctor",
            ("", "check", "what was found", "what to do"),
            [(each.status, each.check, each.detail, each.what_to_do) for each in findings],
        )
    failed = [each for each in findings if each.status == "failed"]
    if failed:
        raise CommandError(
            f"{len(failed)} of {len(findings)} checks failed, first {failed[0].check}: "
            f"{failed[0].detail}",
            failed[0].what_to_do,
        )
