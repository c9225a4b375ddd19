"""Commands that only fetch and land: `ingest`, `backfill`; and what either would ask for.

What does not belong here: how a source is read (`ingest`), the landing afterwards (`cli_landing`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli_common import (
    DEFAULT_HOME,
    CommandError,
    HomeOption,
    JsonOption,
    ProgramOption,
    counted,
    open_workspace,
    out,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from ingest.preview import StreamPreview
    from ingest.report import StreamReport
    from program.load import Workspace

SHOWN_CHARACTERS = 60

SourcesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SOURCE]…", help="Sources of sources.yml; none: all.")
]
StreamOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stream",
        metavar="STREAM",
        help="Only this stream of an API, and those it follows; can be given several times.",
    ),
]
AcceptFewerOption = Annotated[
    bool,
    typer.Option("--accept-fewer", help="Take lists that are far shorter than last time's."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be asked for; ask and write nothing.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module to the command line."""
    app.command("ingest")(ingest)
    app.command("backfill")(backfill)


def ingest(
    sources: SourcesArgument = None,
    stream: StreamOption = None,
    accept_fewer: AcceptFewerOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch and land the sources; compute and post nothing."""
    workspace = open_workspace(program)
    asked = _asked(workspace, sources, stream, is_backfill=False)
    _go(workspace, home, asked, accept_fewer, dry_run, as_json)


def backfill(
    sources: SourcesArgument = None,
    stream: StreamOption = None,
    accept_fewer: AcceptFewerOption = False,
    dry_run: DryRunOption = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the sources again from their beginning.

    APIs are asked for everything, as on the first night; what is landed already is recognised and
    not landed twice. Drop folders are read as `ingest` reads them. Without a request, rows can be
    made again from what was landed: `partnerledger landing reread`.
    """
    workspace = open_workspace(program)
    asked = _asked(workspace, sources, stream, is_backfill=True)
    _go(workspace, home, asked, accept_fewer, dry_run, as_json)


@dataclass(frozen=True)
class _Asked:
    """What is to be pulled. streams: None for all; forced: those to read from their beginning."""

    sources: Sequence[str] | None
    streams: Sequence[str] | None
    forced: Sequence[str]


def _asked(
    workspace: Workspace,
    sources: Sequence[str] | None,
    streams: Sequence[str] | None,
    *,
    is_backfill: bool,
) -> _Asked:
    """Which sources and streams the arguments mean. Raises: CommandError for an unknown stream,
    UnknownSourceError for an unknown source."""
    from ingest.run import choose_sources, declared_streams, source_settings

    chosen = choose_sources(source_settings(workspace), sources)
    declared = [
        each
        for each in declared_streams(workspace)
        if each.source in chosen and each.kind != "files"
    ]
    if not streams:
        forced = [each.stream for each in declared] if is_backfill else []
        return _Asked(sources or None, None, forced)
    known = list(dict.fromkeys(each.stream for each in declared))
    for name in streams:
        if name not in known:
            raise CommandError(
                f"no source of an API that is asked for has a stream {name!r}",
                f"There are: {', '.join(known) or 'none'}.",
            )
    having = {each.source for each in declared if each.stream in streams}
    needed = {
        need
        for each in declared
        if each.source in having and each.stream in streams
        for need in each.needs
    }
    return _Asked(
        [source for source in chosen if source in having],
        [name for name in known if name in needed or name in streams],
        list(streams) if is_backfill else [],
    )


def _go(
    workspace: Workspace,
    home: Path,
    asked: _Asked,
    accept_fewer: bool,
    is_dry_run: bool,
    as_json: bool,
) -> None:
    if is_dry_run:
        _preview(workspace, home, asked, as_json)
    else:
        _land(workspace, home, asked, accept_fewer, as_json)


def _land(
    workspace: Workspace, home: Path, asked: _Asked, accept_fewer: bool, as_json: bool
) -> None:
    from ingest.run import ingest as land
    from orchestration.cli_progress import ingest_progress
    from orchestration.clock import utc_now

    _log(home)
    with ingest_progress(is_quiet=as_json) as show:
        report = land(
            workspace,
            home,
            asked.sources,
            show,
            now=utc_now(),
            accept_fewer=accept_fewer,
            streams=asked.streams,
            force_full=asked.forced,
        )
    if as_json:
        print_json([_stream_record(each) for each in report.streams])
    else:
        _print_streams(report.streams)
    if report.failed:
        first = report.failed[0]
        raise CommandError(
            f"{len(report.failed)} of {len(report.streams)} streams failed, first "
            f"{first.source}/{first.stream}: {first.message}",
            first.what_to_do,
        )


def _log(home: Path) -> None:
    """Keep what is logged beside the logs of nights. Raises: CommandError."""
    from orchestration.log_files import log_to_files

    try:
        log_to_files(home)
    except OSError as error:
        raise CommandError(
            f"{home / 'logs'}: cannot be written: {error.strerror}",
            "Give the night's user write access, free space, or choose another --home.",
        ) from error


def _print_streams(streams: Sequence[StreamReport]) -> None:
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


def _preview(workspace: Workspace, home: Path, asked: _Asked, as_json: bool) -> None:
    from ingest.preview import preview
    from orchestration.clock import utc_now

    found = preview(
        workspace,
        home,
        asked.sources,
        asked.streams,
        now=utc_now(),
        force_full=asked.forced,
    )
    if as_json:
        print_json(found)
        return
    print_table(
        "Would be asked for",
        ("source", "stream", "kind", "mode", "last pull", "bounds", "last cursor", "why"),
        [
            (each.source, each.stream, each.kind, each.mode, _age(each), _short(each.bounds),
             _short(each.cursor), _why(each))
            for each in found
        ],
    )  # fmt: skip
    for each in found:
        for look in each.files:
            if look.state == "new":
                out().print(f"new: {each.source}/{look.name}, {look.size_bytes} bytes")


def _age(found: StreamPreview) -> str:
    return "never" if found.age_hours is None else f"{found.age_hours:g} h ago"


def _short(values: Any) -> str:
    text = json.dumps(values, ensure_ascii=False) if values else ""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _why(found: StreamPreview) -> str:
    said = [found.reason, found.problem]
    if found.continues is not None:
        said.insert(0, f"goes on with the killed pull {found.continues}")
    new = [look for look in found.files if look.state == "new"]
    if new:
        said.append(f"{counted(sum(look.size_bytes for look in new), 'byte')} to read")
    return "; ".join(each for each in said if each)
