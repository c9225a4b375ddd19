"""Euro reference rates of the European Central Bank: one file per pull, no key.

Belongs here: which of the published files a pull reads, its landing, and rows for the rates that
are new. Does not belong here: reading a file (`ecb_files`), HTTP, what a rate is used for.

The bytes are kept as received; rows are made from them, and only for rates that differ from the
newest landed version. The state is the newest day with rates. Source: sources.md section 5: rates
come out on TARGET working days at about 16:00 in Frankfurt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ingest.connectors import Connector
from ingest.ecb_files import (
    DAILY,
    HISTORY,
    LAST_90_DAYS,
    MAXIMUM_BYTES,
    Rate,
    read_rates,
)
from ingest.errors import PermanentSourceError, TruncatedPullError
from ingest.history import Mode, Plan, StreamHistory, history_of
from ingest.http import HttpClient, UnusableAnswerError
from ingest.landing import LandingStore, LandingWriter
from ingest.manifest import Landing
from ingest.objects import Records, path_list
from ingest.pull import PullOptions, plan_pull
from ingest.report import IngestProgress, StreamReport
from ingest.shapes import quoted
from ingest.staged import open_connection

PUBLISHED_BY_UTC_HOUR = 14
"""16:00 in Frankfurt in summer. In winter it is an hour later: then the larger file is read for
one hour, which does no harm."""
LAST_90_DAYS_REACH = timedelta(days=80)
ZSTD_LEVEL = 3
RECEIVED = "received"


@dataclass(frozen=True)
class RatesStream:
    """The only stream of this kind. Satisfies what `plan_pull` asks of a stream."""

    name: str = "rates"
    records: tuple[Records, ...] = (Records("rates", "rates"),)
    needs: tuple[str, ...] = ()

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """Nothing decides what a file looks like."""
        return {}

    def plan(self, history: StreamHistory) -> Plan:
        """The smallest file that has every day since the newest one landed."""
        newest = history.state.get("rate_date")
        if newest is None and history.settings.history:
            return _plan("full", HISTORY, "first pull: the whole history")
        if newest is None:
            return _plan("changes", LAST_90_DAYS, "first pull: the last 90 days")
        last = date.fromisoformat(newest)
        if history.now.date() - last > LAST_90_DAYS_REACH:
            return _plan("full", HISTORY, f"the newest rates are of {newest}: the whole history")
        missing = _working_days_published(last, history.now)
        if missing > 1:
            reason = f"{missing} working days since {newest}: the last 90 days"
            return _plan("changes", LAST_90_DAYS, reason)
        return _plan("changes", DAILY, "")


RATES = RatesStream()


def _plan(mode: Mode, file_name: str, reason: str) -> Plan:
    return Plan(mode, {"file": file_name}, reason)


def _working_days_published(last: date, now: datetime) -> int:
    """Monday to Friday after a day, up to now. TARGET holidays count: then a larger file than
    needed is read, never a smaller one."""
    until = now.date() if now.hour >= PUBLISHED_BY_UTC_HOUR else now.date() - timedelta(days=1)
    days = (last + timedelta(days=number) for number in range(1, (until - last).days + 1))
    return sum(day.weekday() < 5 for day in days)


def streams(settings: Any) -> Sequence[Any]:
    """The one stream."""
    return (RATES,)


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """A client without a key. Raises: PermanentSourceError for an unsafe address."""
    return HttpClient(source, settings.base_url, "", "", settings.timeout_seconds, pause=pause)


def land_rates(
    store: LandingStore,
    source: str,
    kind: str,
    stream: RatesStream,
    settings: Any,
    client: HttpClient,
    options: PullOptions,
) -> StreamReport:
    """Read one file and land its new rates, all of them or none.

    Raises: IngestError. A file that was refused is kept as evidence, and never visible.
    """
    now = options.instant()
    history = history_of(store, source, kind, stream.name, settings, now)
    _discard_killed(store, source, kind, stream.name)
    _, plan = plan_pull(store, kind, stream, history, options.force_full)
    asked_before, tried_before = client.requests, client.retries
    file_name = plan.bounds["file"]
    options.progress(IngestProgress(source, stream.name, file_name, 0, 1))
    content = client.get_bytes("/" + file_name, MAXIMUM_BYTES, _looks_like(file_name))
    retrieved_at = options.instant()
    writer = store.begin(source, stream.name, kind, now, {"plan": plan.__dict__})
    try:
        _keep(writer, file_name, content, retrieved_at)
        totals = make_rows(writer, history.visible)
        if plan.mode == "full" and not options.accept_fewer:
            _refuse_truncation(history.last_full, totals["listed"], file_name)
        writer.finalise(totals)
    except BaseException as error:
        if writer.parts and isinstance(error, PermanentSourceError):
            writer.abandon(type(error).__name__)
        else:
            writer.discard()
        raise
    finally:
        store.refresh(writer.landing)
    rows = totals["rows"]
    options.progress(IngestProgress(source, stream.name, "done", 1, 1, rows))
    told = f"{totals['listed']} listed, {rows} new or changed"
    return StreamReport(
        source=source,
        stream=stream.name,
        status="ok" if rows else "unchanged",
        rows_landed=rows,
        last_arrival=writer.landing.arrival,
        message=told + (f" ({plan.reason})" if plan.reason else ""),
        pages=1,
        mode=plan.mode,
        cursor=json.dumps(totals["state"]),
        requests=client.requests - asked_before,
        retries=client.retries - tried_before,
    )


def _discard_killed(store: LandingStore, source: str, kind: str, stream: str) -> None:
    """A killed pull is one request: it is made again, since the server still has it all."""
    for landing in store.of_stream(source, stream, kind):
        if not landing.is_final and not landing.is_abandoned:
            LandingWriter(landing).discard()
            store.refresh(landing)


def _looks_like(file_name: str) -> Callable[[bytes], None]:
    """A check of the first bytes: a page of a proxy is asked for again, then told as one."""

    def check(content: bytes) -> None:
        if file_name == HISTORY and not content.startswith(b"PK"):
            raise UnusableAnswerError("the answer is not a zip file")
        if file_name != HISTORY and b"Envelope" not in content[:1000]:
            raise UnusableAnswerError("the answer is not a file of reference rates")

    return check


def _keep(writer: LandingWriter, file_name: str, content: bytes, retrieved_at: datetime) -> None:
    """Write the bytes as received as a part; XML compressed, the archive as it is."""
    import zstandard

    is_archive = file_name == HISTORY
    name = "received.zip" if is_archive else "received.xml.zst"
    kept = content if is_archive else zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content)
    writer.temporary_path(name).write_bytes(kept)
    writer.commit_part(
        name,
        RECEIVED,
        rows=0,
        original_name=file_name,
        original_sha256=hashlib.sha256(content).hexdigest(),
        retrieved_at=retrieved_at.isoformat(),
    )


def make_rows(writer: LandingWriter, earlier: Sequence[Landing]) -> Mapping[str, Any]:
    """Write the rows of the file that was kept; returns the landing's totals.

    earlier: visible landings of the stream that came before. Raises: FileRefusedError.
    """
    import zstandard

    (part,) = [part for part in writer.parts if part.role == RECEIVED]
    content = (writer.directory / part.name).read_bytes()
    if part.name.endswith(".zst"):
        content = zstandard.ZstdDecompressor().decompress(content)
    retrieved_at = datetime.fromisoformat(part.facts["retrieved_at"])
    # A day more, for clocks that differ.
    newest = retrieved_at.date() + timedelta(days=1)
    rates = read_rates(part.facts["original_name"], content, newest)
    rows = _write_new(writer, rates, earlier, retrieved_at)
    states = [landing.totals["state"]["rate_date"] for landing in earlier[-1:]]
    newest_date = max([*states, *(rate.rate_date for rate in rates)])
    return {
        "listed": len(rates),
        "rows": rows,
        "vanished": 0,
        "rejected": 0,
        "state": {"rate_date": newest_date},
    }


def _write_new(
    writer: LandingWriter, rates: Sequence[Rate], earlier: Sequence[Landing], at: datetime
) -> int:
    """Write the rates that differ from the newest landed version of theirs; their number."""
    import pyarrow

    (records,) = RATES.records
    connection = open_connection(writer.temporary_path("spill"))
    try:
        columns = {name: [getattr(rate, name) for rate in rates] for name in Rate.__match_args__}
        columns["position"] = list(range(1, len(rates) + 1))
        connection.register("published", pyarrow.table(columns))
        paths = [path for landing in earlier for path in landing.part_paths(records.role)]
        known = f"read_parquet({path_list(paths)})" if paths else _NOTHING
        name = "rates-00001.parquet"
        temporary = writer.temporary_path(name)
        landing = writer.landing
        ((rows,),) = connection.execute(
            f"""
            copy (
                with read as (
                    select
                        rate_date || ':' || currency_code as object_id,
                        cast(null as varchar) as parent_id,
                        json_object(
                            'rate_date', rate_date, 'currency_code', currency_code, 'rate', rate
                        ) as payload,
                        false as is_tombstone,
                        {quoted(landing.source)} as _source,
                        cast({landing.arrival} as bigint) as _arrival,
                        position as _row,
                        cast({quoted(at.isoformat())} as timestamp) as _retrieved_at,
                        md5(cast(payload as varchar)) as _digest
                    from published
                ),
                known as (
                    select object_id, max_by(_digest, _arrival) as _digest
                    from {known}
                    group by object_id
                )
                select read.*
                from read
                left join known using (object_id)
                where known._digest is distinct from read._digest
                order by _row
            ) to {quoted(str(temporary))} (format parquet, compression zstd)
            """
        ).fetchall()
    finally:
        connection.close()
    if rows:
        writer.commit_part(name, records.role, rows=rows)
    else:
        temporary.unlink(missing_ok=True)
    return rows


_NOTHING = "(select '' as object_id, '' as _digest, 0 as _arrival where false)"


def _refuse_truncation(previous: Landing | None, listed: int, file_name: str) -> None:
    before = previous.totals["listed"] if previous else 0
    if listed * 5 < before * 4:
        raise TruncatedPullError(
            f"{file_name}: has {listed} rates, last time it had {before}; it is not used",
            "Open the file at the source's base_url; if the shorter one is right, run "
            "`partnerledger ingest --accept-fewer` once.",
        )


CONNECTOR = Connector(streams, open_client, land_rates)
