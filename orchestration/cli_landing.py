"""`partnerledger landing …`: list, verify, reread, prune.

What does not belong here: what these do (`ingest`), fetching (`cli_ingest`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from orchestration.cli_ingest import SourcesArgument

if TYPE_CHECKING:
    from ingest.landing import LandingStore
    from ingest.landing_admin import Verified
    from ingest.reread import RereadStream
    from ingest.retention import Prunable

SHOWN_DAMAGES = 50

app = typer.Typer(
    help="What sources delivered: list, verify, read again, take away.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_(
    sources: SourcesArgument = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show every landing of every stream, oldest first."""
    _require_landing(home)
    from ingest.landing_admin import list_landings

    rows = list_landings(home, sources)
    if as_json:
        print_json(rows)
        return
    print_table(
        "Landings",
        ("source", "stream", "arrival", "started (UTC)", "mode", "rows", "bytes", "state", "file"),
        [
            (each.source, each.stream, each.arrival, f"{each.started_at:%Y-%m-%d %H:%M}",
             each.mode, each.rows, each.size_bytes,
             f"{each.state}, re-read" if each.reread_at else each.state, each.file)
            for each in rows
        ],
        right=("arrival", "rows", "bytes"),
    )  # fmt: skip


@app.command("verify")
def verify(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Prove that every landed file is what was written."""
    _require_landing(home)
    from ingest.landing_admin import verify_landings
    from orchestration.cli_progress import bar

    with bar("verifying", is_quiet=as_json) as show:
        found = verify_landings(home, show)
    if as_json:
        print_json(
            {**vars(found), "damages": [vars(each) for each in found.damages]},
        )
    else:
        _print_verified(found)
    if found.damages:
        first = found.damages[0]
        raise CommandError(
            f"{counted(len(found.damages), 'file')} of the landing damaged, first {first.path}: "
            f"{first.fault}",
            "Restore it from a backup: see docs/runbooks/landing.md.",
        )


def _print_verified(found: Verified) -> None:
    if found.damages:
        print_table(
            "Damaged",
            ("file below landing/", "what was found"),
            [(each.path, each.fault) for each in found.damages[:SHOWN_DAMAGES]],
        )
        more = len(found.damages) - SHOWN_DAMAGES
        if more > 0:
            out().print(f"{more} more: --json lists all")
    out().print(
        f"{counted(found.parts, 'file')} of {counted(found.landings, 'landing')}, "
        f"{found.size_bytes} bytes; {found.pruned} pruned; {len(found.damages)} damaged"
    )


@app.command("reread")
def reread(
    sources: SourcesArgument = None,
    stream: Annotated[
        list[str] | None,
        typer.Option("--stream", metavar="STREAM", help="Only this stream; several times."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count; every row stays as it is.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    program: ProgramOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make rows again from what was landed; ask nobody.

    After a fix, or a change of `formats`. What sources delivered is not touched; the next night
    computes with the new rows and posts the difference.
    """
    _require_landing(home)
    workspace = open_workspace(program)
    from ingest.reread import reread as make_again
    from orchestration.cli_progress import ingest_progress
    from orchestration.clock import utc_now

    with _open(home) as store, ingest_progress(is_quiet=as_json) as show:
        _require_stream(store, stream)
        found = make_again(
            workspace, store, sources or None, stream or None, show, now=utc_now(),
            is_dry_run=dry_run,
        )  # fmt: skip
    if as_json:
        print_json([_reread_record(each) for each in found])
    else:
        _print_reread(found, dry_run)
    failed = [each for each in found if each.errors]
    if failed:
        raise CommandError(
            f"{len(failed)} of {len(found)} streams could not be read again, first "
            f"{failed[0].source}/{failed[0].stream}: {failed[0].message}",
            failed[0].what_to_do,
        )


def _require_stream(store: LandingStore, streams: Sequence[str] | None) -> None:
    known = sorted({each.stream for each in store.landings})
    for name in streams or ():
        if name not in known:
            raise CommandError(
                f"nothing of a stream {name!r} was landed", f"There are: {', '.join(known)}."
            )


def _reread_record(found: RereadStream) -> dict:
    told = {name: value for name, value in vars(found).items() if name != "errors"}
    return {**told, "message": found.message, "what_to_do": found.what_to_do}


def _print_reread(found: Sequence[RereadStream], is_dry_run: bool) -> None:
    print_table(
        "Would be read again" if is_dry_run else "Read again",
        ("source", "stream", "landings", "changed", "pruned", "rows before", "rows after",
         "message"),
        [
            (each.source, each.stream, each.landings, each.changed, each.pruned,
             each.rows_before, each.rows_after, each.message)
            for each in found
        ],
        right=("landings", "changed", "pruned", "rows before", "rows after"),
    )  # fmt: skip
    pruned = sum(each.pruned for each in found)
    if pruned:
        out().print(
            f"{counted(pruned, 'landing')} left as they are: what the source sent was pruned, so "
            "their rows cannot be made again."
        )


@app.command("prune")
def prune(
    older_than: Annotated[
        int,
        typer.Option("--older-than", metavar="DAYS", min=1, help="Age in days, at least 1."),
    ],
    sources: SourcesArgument = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; take nothing away.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Take away what sources sent long ago; rows, hashes and manifests stay.

    Such landings cannot be read again. Pulls that never became visible go as a whole. The newest
    landing of each stream always stays.
    """
    _require_landing(home)
    from ingest.retention import find_prunable
    from ingest.retention import prune as take_away
    from orchestration.cli_progress import bar
    from orchestration.clock import utc_now

    with _open(home) as store:
        _require_sources(store, sources)
        found = find_prunable(store, older_than, sources, now=utc_now())
        is_meant = bool(found) and not dry_run
        if is_meant and not yes:
            _ask(found)
        if is_meant:
            with bar("pruning", is_quiet=as_json) as show:
                take_away(store, found, show, now=utc_now())
    if as_json:
        print_json([_prunable_record(each) for each in found])
    else:
        _print_pruned(found, dry_run)


def _ask(found: Sequence[Prunable]) -> None:
    """Raises: CommandError without an answer, typer.Abort for a no."""
    import sys

    text = f"Take away for good: {_summary(found)}?"
    if not sys.stdin.isatty():
        raise CommandError(
            f"nobody is there to ask: {text}", "Say --yes, or --dry-run to only look."
        )
    typer.confirm(text, abort=True, err=True)


def _summary(found: Sequence[Prunable]) -> str:
    whole = sum(each.is_whole for each in found)
    size = sum(each.size_bytes for each in found)
    return (
        f"the evidence of {counted(len(found) - whole, 'landing')}, "
        f"{counted(whole, 'unfinished pull')}, {size} bytes"
    )


def _prunable_record(each: Prunable) -> dict:
    landing = each.landing
    return {
        "source": landing.source,
        "stream": landing.stream,
        "arrival": landing.arrival,
        "started_at": landing.started_at,
        "is_whole": each.is_whole,
        "parts": [part.name for part in each.parts],
        "size_bytes": each.size_bytes,
    }


def _print_pruned(found: Sequence[Prunable], is_dry_run: bool) -> None:
    if is_dry_run or not found:
        print_table(
            "Would be taken away",
            ("source", "stream", "arrival", "started (UTC)", "files", "bytes", "what"),
            [
                (each.landing.source, each.landing.stream, each.landing.arrival,
                 f"{each.landing.started_at:%Y-%m-%d %H:%M}", len(each.parts), each.size_bytes,
                 "all of it" if each.is_whole else "evidence")
                for each in found
            ],
            right=("arrival", "files", "bytes"),
        )  # fmt: skip
    else:
        out().print(f"Taken away: {_summary(found)}.")


def _require_landing(home: Path) -> None:
    """Looking never creates anything. Raises: CommandError."""
    from ingest.manifest import landing_root

    if not landing_root(home).is_dir():
        raise CommandError(
            f"nothing was landed in {home}",
            f"Run `partnerledger run --home {home}` first, or name another --home.",
        )


def _require_sources(store: LandingStore, sources: Sequence[str] | None) -> None:
    known = sorted({each.source for each in store.landings})
    for name in sources or ():
        if name not in known:
            raise CommandError(
                f"nothing of a source {name!r} was landed", f"There are: {', '.join(known)}."
            )


@contextmanager
def _open(home: Path) -> Iterator[LandingStore]:
    from ingest.run import open_landing

    with open_landing(home) as store:
        yield store
