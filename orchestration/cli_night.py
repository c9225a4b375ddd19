"""Commands that move the warehouse: `run`, `restore`, `demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    ProgramOption,
    open_control,
    open_workspace,
    parse_date,
    print_json,
    workspace_path,
)
from orchestration.cli_summary import night_record, print_demo, print_night


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("restore")(restore)


def run(
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="DATE", help="Last local day that counts; default: yesterday."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one whole night, from fetching to publishing.

    Ingest, compute, post the difference, propose batches that are due, check, publish. A night
    that fails leaves the last published numbers as they are; running it again is safe.
    """
    day = parse_date(as_of, "--as-of")
    path = workspace_path(program)
    open_workspace(path)  # refuse faulty terms before the seconds that Dagster takes to load
    from orchestration.cli_progress import night_progress
    from orchestration.night import run_night
    from orchestration.result import STEPS

    with night_progress(STEPS) as show:
        result = run_night(path, home, day, show)
    if as_json:
        print_json(night_record(result))
    else:
        print_night(result)


def restore(
    home: HomeOption = DEFAULT_HOME, program: ProgramOption = None, as_json: JsonOption = False
) -> None:
    """Rebuild the warehouse from durable state; publish it.

    The last posted night again, without fetching, from landing, journal and control database.
    """
    path = workspace_path(program)
    open_workspace(path)
    with open_control(home):
        pass  # refuses an empty home before anything is created in it
    from orchestration.cli_progress import night_progress
    from orchestration.restore import restore as rebuild
    from orchestration.result import STEPS

    with night_progress(tuple(step for step in STEPS if step != "ingest")) as show:
        result = rebuild(path, home, show)
    if as_json:
        print_json(night_record(result))
    else:
        print_night(result)


def demo(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Run the bundled sample programme end to end, offline."""
    from orchestration.cli_progress import night_progress
    from orchestration.demo import run_demo
    from orchestration.night_summary import summarise
    from orchestration.result import STEPS

    with night_progress(STEPS) as show:
        result = run_demo(home, show)
    summary = summarise(home)
    if as_json:
        print_json({"night": night_record(result), **summary})
    else:
        print_demo(result, summary)
