"""Commands that move the warehouse: `run`, `ingest`, `backfill`, `restore`, `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    open_control,
    open_workspace,
    out,
    parse_date,
    print_json,
    print_table,
    workspace_path,
)
from orchestration.cli_summary import night_record, print_demo, print_night

if TYPE_CHECKING:
    from ingest.report import StreamReport

SourcesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SOURCE]…", help="Sources of sources.yml; none: all.")
]
AcceptFewerOption = Annotated[
    bool,
    typer.Option("--accept-fewer", help="Take lists that are far shorter than last time's."),
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("ingest")(ingest)
    app.command("backfill")(backfill)
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


def ingest(
    sources: SourcesArgument = None,
    accept_fewer: AcceptFewerOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch and land the sources; compute and post nothing."""
    _land(sources, accept_fewer, home, program, as_json)


def backfill(
    sources: SourcesArgument = None,
    accept_fewer: AcceptFewerOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the sources again from their beginning.

    Every source of this release is read whole each time (billing lists page by page, the drop
    folder file by file); what is landed already is recognised and not landed twice.
    """
    _land(sources, accept_fewer, home, program, as_json)


def _land(
    sources: list[str] | None,
    accept_fewer: bool,
    home: Path,
    program: Path | None,
    as_json: bool,
) -> None:
    workspace = open_workspace(program)
    from ingest.run import ingest as land
    from orchestration.cli_progress import ingest_progress
    from orchestration.clock import utc_now

    with ingest_progress() as show:
        report = land(
            workspace, home, sources or None, show, now=utc_now(), accept_fewer=accept_fewer
        )
    if as_json:
        print_json([_stream_record(stream) for stream in report.streams])
    else:
        _print_streams(report.streams)
    if report.failed:
        first = report.failed[0]
        raise CommandError(
            f"{len(report.failed)} of {len(report.streams)} streams failed, first "
            f"{first.source}/{first.stream}: {first.message}",
            first.what_to_do,
        )


def _print_streams(streams: tuple[StreamReport, ...]) -> None:
    print_table(
        "Streams",
        ("source", "stream", "status", "landed", "rejected", "message"),
        [
            (each.source, each.stream, each.status, each.rows_landed, each.rows_rejected,
             each.message)
            for each in streams
        ],
        right=("landed", "rejected"),
    )  # fmt: skip
    for stream in streams:
        for reject in stream.rejects:
            out().print(f"rejected: {reject}")


def _stream_record(stream: StreamReport) -> dict[str, Any]:
    record = {name: value for name, value in vars(stream).items() if name != "rejects"}
    return {**record, "rejects": [vars(reject) for reject in stream.rejects]}
