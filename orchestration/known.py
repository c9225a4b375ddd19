"""What was known when: a cut through the chain of events (J3, B2).

Everything that is posted, decided or exported stands in one chain of events; what was known at
some time is a beginning of that chain, and the segments that it registered. What belongs here:
finding where to cut. What does not: what the ledger said there (`known_ledger`, `known_batches`).

A day stands for its end in the programme's zone and for the last night up to it, with what that
night proposed and held, at whatever hour it ran; what people did later belongs to the next night.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.cli_common import CommandError, parse_instant

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OPTION = "--as-known"
_SEGMENT = re.compile(r"segment:([1-9][0-9]*)")
# Who records what a night does after it posted; people's own decisions carry their names.
_NIGHT_ACTORS = ("system:night", "system:risk", "system:hold")
_POSTED, _REGISTERED, _EXPORTED = "night_posted", "segment_registered", "batch_exported"


@dataclass(frozen=True)
class Known:
    """A cut. asked: as typed, None for now. day: whose end decides what is available.

    as_of, run_id: of the last night that is part of it, None before the first. event, segment:
    numbers of the last of each, 0 without any. journal_hash: of that segment in the register's
    chain.
    """

    asked: str | None
    day: date
    as_of: date | None
    run_id: str | None
    event: int
    segment: int
    journal_hash: str


@dataclass(frozen=True)
class _Night:
    seq: int
    run_id: str
    as_of: date
    ends_at: str


def known_at(connection: Connection, asked: str | None, timezone: str) -> Known:
    """Where to cut for what somebody asked.

    asked: a day, an instant (naive ones are local), `segment:N`, or None for all that is recorded.
    timezone: IANA name of the programme's.
    Raises: CommandError where nothing was posted yet or there is no such segment; typer's
    BadParameter (exit 2) for what is none of these.
    """
    nights = list(_nights(connection))
    registered = _registered(connection)
    segment = _SEGMENT.fullmatch(asked) if asked else None
    if asked is None:
        seq, day = _last_seq(connection), None
    elif segment:
        seq, day = _seq_of_segment(connection, registered, int(segment[1])), None
    else:
        limit, day = _limit(asked, timezone)
        seq = _seq_at(connection, nights, registered, limit)
    posted = [night for night in nights if night.seq <= seq]
    if day is None and not posted:
        raise CommandError("no night has been posted yet", "Run `partnerledger run` first.")
    last = next((row for row in reversed(registered) if row["seq"] <= seq), None)
    return Known(
        asked=asked,
        day=day or posted[-1].as_of,
        as_of=posted[-1].as_of if posted else None,
        run_id=posted[-1].run_id if posted else None,
        event=seq,
        segment=last["segment"] if last else 0,
        journal_hash=last["hash"] if last else "",
    )


def _limit(asked: str, timezone: str) -> tuple[str, date]:
    """The last instant that counts, as text, and the local day that it ends or lies in."""
    from payouts.hashing import instant_text
    from program.instants import day_end_utc

    try:
        day = date.fromisoformat(asked)
    except ValueError:
        instant = parse_instant(asked, f"{_OPTION} (or segment:N)", timezone)
        utc = (instant - timedelta(microseconds=1)).replace(tzinfo=ZoneInfo("UTC"))
        return instant_text(instant), utc.astimezone(ZoneInfo(timezone)).date()
    if day == date.max:
        # The calendar ends there: its end is no instant any more.
        day -= timedelta(days=1)
    return instant_text(day_end_utc(day, timezone)), day


def _seq_at(
    connection: Connection, nights: list[_Night], registered: list[dict[str, Any]], limit: str
) -> int:
    """The last event that belongs to the nights whose day was over at `limit`, or is no later."""
    until = max((night.seq for night in nights if night.ends_at <= limit), default=0)
    of_nights = {row["seq"] for row in registered if row["origin"] == "night"}
    is_night = until > 0
    for event in _events_after(connection, until):
        if event.kind == _POSTED or event.seq in of_nights:
            break
        is_night = is_night and event.actor in _NIGHT_ACTORS
        if not is_night and event.recorded_at > limit:
            break
        until = event.seq
    return until


def _seq_of_segment(connection: Connection, registered: list[dict[str, Any]], segment: int) -> int:
    """The last event of what registered a segment: the rest of its night, or the export."""
    found = [row for row in registered if row["segment"] == segment]
    if not found:
        raise CommandError(
            f"there is no segment {segment} in the journal",
            f"The last one is {max((row['segment'] for row in registered), default=0)}.",
        )
    (row,) = found
    until = row["seq"]
    is_over = False
    for event in _events_after(connection, until):
        if row["origin"] != "night":
            return event.seq if event.kind == _EXPORTED else until
        if event.kind == _REGISTERED or (event.kind == _POSTED and is_over):
            break
        if event.actor not in _NIGHT_ACTORS:
            break
        is_over = is_over or event.kind == _POSTED
        until = event.seq
    return until


def _nights(connection: Connection) -> Iterator[_Night]:
    from sqlalchemy import select

    from payouts import events
    from payouts.schema import nights

    rows = {row.run_id: row for row in connection.execute(select(nights))}
    for event in events.of_kinds(connection, (_POSTED,)):
        row = rows[event.subject.removeprefix("night:")]
        yield _Night(event.seq, row.run_id, date.fromisoformat(row.as_of), row.recorded_at)


def _registered(connection: Connection) -> list[dict[str, Any]]:
    """Segments with the number of the event that registered each."""
    from payouts import events, segments

    seqs = {
        int(event.subject.removeprefix("segment:")): event.seq
        for event in events.of_kinds(connection, (_REGISTERED,))
    }
    return [
        {"segment": row.segment, "seq": seqs[row.segment], "origin": row.origin, "hash": row.hash}
        for row in segments.records(connection)
    ]


def _events_after(connection: Connection, seq: int) -> Iterator[Any]:
    from sqlalchemy import select

    from payouts.schema import events

    columns = (events.c.seq, events.c.kind, events.c.actor, events.c.recorded_at)
    yield from connection.execute(select(*columns).where(events.c.seq > seq).order_by(events.c.seq))


def _last_seq(connection: Connection) -> int:
    from payouts import events

    return events.head(connection).seq
