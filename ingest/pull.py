"""One pull of one stream of an API, from the first request to a visible landing.

Belongs here: what all connectors share: planning from committed manifests, resuming a killed pull,
part files of bounded size, refusing lists that came back far too short. Does not belong here:
requests and cursors of a vendor (`stripe`, `hubspot`, ...), slicing answers into rows (`objects`),
what is told of a pull (`pull_report`).

One pull of a stream is one landing. Its parts are NDJSON, zstd: one line per HTTP answer, the body
as received. Every part records where the next one starts, so a killed pull goes on after its last
part; pages of an unrecorded part are fetched again. Source: sources.md section 2.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import orjson

from ingest.errors import IngestError, TruncatedPullError
from ingest.history import Plan, StreamHistory, history_of, plan_of
from ingest.http import Answer, HttpClient
from ingest.landing import Landing, LandingStore, LandingWriter
from ingest.objects import Records, Written, write_objects
from ingest.page_part import PagePart
from ingest.pull_begin import RESUME_WITHIN, is_forced, open_pull, plan_pull
from ingest.pull_report import joined, report_of
from ingest.report import IngestProgress, ProgressCallback, Reject, StreamReport

__all__ = [
    "RESUME_WITHIN",
    "Plan",
    "Pull",
    "PullOptions",
    "Stream",
    "StreamHistory",
    "history_of",
    "plan_of",
    "plan_pull",
    "pull_stream",
]

LOG = logging.getLogger(__name__)

PART_PAGES = 20
PART_BYTES = 16_000_000
PULLED_AGAIN_AFTER = timedelta(hours=1)
"""A killed pull goes on with the bounds it began with. When it began longer before this run, what
changed since is asked for at once: the next run may be a day away. Less is the same night again."""


class Stream(Protocol):
    """One stream of a connector.

    records: how its answers are sliced. needs: streams of the same source without which this one
    cannot know what changed: when one of them fails in a run, so does this. fingerprint: settings
    under which landed pages can be continued (API version, lists of properties): a killed pull
    with another one is abandoned.
    """

    @property
    def name(self) -> str: ...

    @property
    def records(self) -> Sequence[Records]: ...

    @property
    def needs(self) -> Sequence[str]: ...

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """JSON values that decide what an answer looks like."""
        ...

    def plan(self, history: StreamHistory) -> Plan:
        """What to ask for now. Pure: no request is made."""
        ...

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Make the requests; returns the state that the next `plan` finds. Goes on at
        `pull.cursor` when it is not None."""
        ...


@dataclass(frozen=True)
class PullOptions:
    """How pulls are made. instant: the current instant, naive UTC, for retrieval times.

    accept_fewer: take a list that is far shorter than last time's. root: the workspace's folder.
    force_full: read from the beginning, as a first pull does; what is landed already is recognised
    and not landed twice.
    """

    instant: Callable[[], datetime]
    progress: ProgressCallback
    accept_fewer: bool = False
    root: Path = Path()
    force_full: bool = False
    part_pages: int = PART_PAGES
    part_bytes: int = PART_BYTES


class Pull:
    """A running pull: what a stream's `fetch` works with.

    client: the source's HTTP client. settings: the source's settings. history: of the stream.
    plan: frozen, also after a kill. cursor: the last committed one of this landing, None at the
    start. home: where landings of neighbours can be read.
    """

    def __init__(
        self,
        client: HttpClient,
        history: StreamHistory,
        writer: LandingWriter,
        options: PullOptions,
    ) -> None:
        self.client = client
        self.settings = history.settings
        self.history = history
        self.plan = plan_of(writer.landing)
        self.root = options.root
        self._writer = writer
        self._options = options
        self._part = PagePart()
        pages = [part for part in writer.parts if part.role == "pages"]
        last: Mapping[str, Any] = (pages[-1].cursor or {}) if pages else {}
        self._number = len(pages)
        self._sequence: int = last.get("sequence", 0)
        self.cursor: Mapping[str, Any] | None = last.get("cursor")
        self._pages = sum(part.rows for part in pages)
        self._asked_before = client.requests
        self.rejects: list[Reject] = []
        self.notes: list[str] = []

    def note(self, told: str) -> None:
        """Say what people should read of this pull beside its counts; also logged."""
        LOG.warning("%s/%s: %s", self.history.source, self.history.stream, told)
        self.notes.append(told)

    def reject(self, found: Reject) -> None:
        """Take a record that cannot be used. Rejects are written when the pull is complete: a
        stream that goes on after a kill tells those of what it does not read again once more."""
        self.rejects.append(found)

    def add(
        self,
        kind: str,
        path: str,
        answer: Answer,
        *,
        parent_id: str | None = None,
        asked_ids: Sequence[str] = (),
        continues: bool = False,
    ) -> None:
        """Take one answer. The cursor does not move: see `advance`.

        kind: which of the stream's `records` slices it. parent_id: of which object the answer is
        a part. asked_ids: what was asked for by id, so that an absent one is seen to be absent.
        continues: a further page of the sets that an earlier answer began; an answer that does
        not continue one replaces what was answered of its parents before, as after a kill.
        """
        self._sequence += 1
        envelope = {
            "sequence": self._sequence,
            "kind": kind,
            "path": path,
            "parent_id": parent_id,
            "asked_ids": list(asked_ids),
            "continues": continues,
            "status": answer.status,
            "request_id": answer.request_id,
            "retrieved_at": self._options.instant().isoformat(),
            "body": answer.body,
        }
        line = orjson.dumps(envelope, option=orjson.OPT_APPEND_NEWLINE)
        # A part may end among the answers that belong to one page: its cursor still stands before
        # that page, and what is fetched again after a kill replaces what was fetched before.
        is_full = self._part.rows >= self._options.part_pages
        is_large = self._part.size_bytes + len(line) > self._options.part_bytes
        if self._part.rows and (is_full or is_large):
            self._flush()
        self._part.add(line, kind)
        self._pages += 1
        self.show(path)

    def show(self, step: str, total: int | None = None, rows: int = 0) -> None:
        """Tell whoever watches how far the pull is. total: pages in all, None while unknown."""
        self._options.progress(
            IngestProgress(
                self.history.source,
                self.history.stream,
                step,
                self._pages,
                total,
                rows,
                self.client.requests - self._asked_before,
            )
        )

    def advance(self, cursor: Mapping[str, Any]) -> None:
        """Say that everything added so far is complete up to the cursor (JSON values): a pull that
        dies later goes on from here. It is durable with the next part that is written."""
        self.cursor = dict(cursor)
        if self._part.rows >= self._options.part_pages:
            self._flush()

    def finish(self) -> None:
        """Write what was collected. Called by `pull_stream` when `fetch` has returned."""
        self._flush()

    def _flush(self) -> None:
        part = self._part
        if not part.rows:
            return
        self._number += 1
        name = f"pages-{self._number:05d}.ndjson.zst"
        self._writer.temporary_path(name).write_bytes(part.packed())
        self._writer.commit_part(
            name,
            "pages",
            rows=part.rows,
            cursor={"sequence": self._sequence, "cursor": self.cursor},
            longest_line_bytes=part.longest_line_bytes,
            kinds=sorted(part.kinds),
        )
        self._part = PagePart()


def pull_stream(
    store: LandingStore,
    source: str,
    kind: str,
    stream: Stream,
    settings: Any,
    client: HttpClient,
    options: PullOptions,
) -> StreamReport:
    """Pull one stream and make it visible, or go on with a killed pull of it; after one that is
    older than PULLED_AGAIN_AFTER, pull what changed since as well, into a second landing.

    Raises: IngestError; parts written before a transient failure are kept and continued, and what
    was completed before a second pull failed stays visible.
    """

    def once(asked: PullOptions) -> tuple[Landing, StreamReport]:
        history = history_of(store, source, kind, stream.name, settings, options.instant())
        return _pull_once(store, kind, stream, history, client, asked)

    begun = options.instant()
    landing, report = once(options)
    age = begun - landing.started_at
    if age <= PULLED_AGAIN_AFTER:
        return report
    # What was to be read from its beginning just was.
    _, newest = once(replace(options, force_full=False))
    return joined(report, newest, age)


def _pull_once(
    store: LandingStore,
    kind: str,
    stream: Stream,
    history: StreamHistory,
    client: HttpClient,
    options: PullOptions,
) -> tuple[Landing, StreamReport]:
    """Complete one landing, a new or a continued one. Raises: IngestError."""
    writer = open_pull(store, kind, stream, history, options.force_full)
    seen = history.forgotten() if is_forced(writer.landing) else history
    asked_before, tried_before = client.requests, client.retries
    try:
        pull = Pull(client, seen, writer, options)
        state = dict(stream.fetch(pull))
        pull.finish()
        pull.show("making rows")
        written = write_objects(writer, stream.records, history.visible, pull.plan.mode == "full")
        if pull.plan.mode == "full" and not options.accept_fewer:
            _refuse_truncation(history.last_full, pull.plan, written, stream.name)
        _write_rejects(writer, pull.rejects)
        writer.finalise(
            {
                "listed": written.listed,
                "rows": written.changed,
                "vanished": written.vanished,
                "rejected": len(pull.rejects),
                "state": state,
            }
        )
    except IngestError as error:
        if not writer.parts:
            writer.discard()
        elif not error.is_transient:
            writer.abandon(type(error).__name__)
        raise
    finally:
        store.refresh(writer.landing)
    pages = sum(part.rows for part in writer.parts if part.role == "pages")
    pull.show("done", total=pages, rows=written.changed)
    report = replace(
        report_of(writer.landing, pull.plan, written, state, pull.rejects, pull.notes),
        pages=pages,
        requests=client.requests - asked_before,
        retries=client.retries - tried_before,
    )
    return writer.landing, report


def _write_rejects(writer: LandingWriter, rejects: Sequence[Reject]) -> None:
    """Write all rejects as the part that `raw.ingest__rejects` shows."""
    from ingest.staged import write_rejects

    name, landing = "rejects.parquet", writer.landing
    if rejects and all(part.name != name for part in writer.parts):
        write_rejects(
            writer.temporary_path(name),
            rejects,
            landing.source,
            landing.stream,
            landing.landing_id,
            landing.arrival,
        )
        writer.commit_part(name, "rejects", rows=len(rejects))


def _refuse_truncation(previous: Landing | None, plan: Plan, written: Written, stream: str) -> None:
    """Raises: TruncatedPullError if a full list is far shorter than the last one, or is of other
    objects. One object alone may always go: a list of four coupons would be refused for it."""
    if not previous or plan_of(previous).bounds.get("scope") != plan.bounds.get("scope"):
        return
    listed, before = written.listed, previous.totals["listed"]
    advice = (
        "Check that the key belongs to the same account; if the list is right, "
        "run `partnerledger ingest --accept-fewer` once."
    )
    if listed * 5 < before * 4 and (before - listed > 1 or not listed):
        raise TruncatedPullError(
            f"{stream}: the list has {listed} objects, last time it had {before}; it is not used",
            advice,
        )
    if written.vanished > 1 and written.vanished * 2 > before:
        raise TruncatedPullError(
            f"{stream}: {written.vanished} of the {before} objects of last time are gone and "
            "others are there; the list is not used",
            advice,
        )
