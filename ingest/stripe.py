"""Pull billing objects from Stripe, or from a server that speaks its API, into the landing.

Belongs here: the streams, cursor paging with its guards, the pages of long invoices, resuming a
killed pull. Does not belong here: retries (`http`), turning pages into rows (`stripe_objects`), any
meaning of an object.

One pull of a stream is one landing. Its parts are NDJSON, zstd: one line per HTTP answer, the body
as received. Every part records where the next one starts, so a killed pull goes on after its last
part; pages of an unrecorded part are fetched again. Sources: sources.md sections 2 and 4.1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from ingest.errors import (
    IngestError,
    LoopingPagesError,
    PermanentSourceError,
    TruncatedPullError,
)
from ingest.http import Answer, HttpClient, UnusableAnswerError
from ingest.landing import Landing, LandingStore, LandingWriter
from ingest.report import IngestProgress, ProgressCallback, StreamReport
from ingest.stripe_objects import write_objects

KIND = "stripe"
PAGE_LIMIT = 100
PART_PAGES = 20
PART_BYTES = 16_000_000
RESUME_WITHIN = timedelta(hours=6)
"""A killed pull older than this is not continued: its first pages would be stale."""

ZSTD_LEVEL = 3


@dataclass(frozen=True)
class ListEndpoint:
    """A list of the API. params: beyond limit and cursor."""

    path: str
    params: tuple[tuple[str, str], ...] = ()


ENDPOINTS: Mapping[str, ListEndpoint] = MappingProxyType(
    {
        "customers": ListEndpoint("/v1/customers"),
        # Without status=all Stripe leaves canceled subscriptions out, and churn is unseen.
        "subscriptions": ListEndpoint("/v1/subscriptions", (("status", "all"),)),
        "invoices": ListEndpoint("/v1/invoices"),
        "charges": ListEndpoint("/v1/charges"),
        "refunds": ListEndpoint("/v1/refunds"),
    }
)


@dataclass(frozen=True)
class PullOptions:
    """How one pull is made. instant: the current instant, naive UTC, for retrieval times.

    accept_fewer: take a list that is far shorter than last time's.
    """

    api_version: str
    instant: Callable[[], datetime]
    progress: ProgressCallback
    accept_fewer: bool = False
    part_pages: int = PART_PAGES
    part_bytes: int = PART_BYTES


def check_list(content: Any) -> None:
    """Whether the content is a page of a list. Raises: UnusableAnswerError saying what is not."""
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise UnusableAnswerError("the answer has no list named data")
    if not isinstance(content.get("has_more"), bool):
        raise UnusableAnswerError("the answer has no has_more")
    for each in content["data"]:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str) or not each["id"]:
            raise UnusableAnswerError("an object of the answer has no id")
    if content["has_more"] and not content["data"]:
        raise UnusableAnswerError("the answer is empty, yet says that more follows")


def list_pages(
    client: HttpClient,
    path: str,
    params: Mapping[str, str],
    starting_after: str | None,
    known_cursors: frozenset[str] = frozenset(),
) -> Iterator[Answer]:
    """Pages of a list from a cursor on.

    known_cursors: ends of earlier pages of the same list.
    Raises: LoopingPagesError if a page repeats what came before it.
    """
    ended = set(known_cursors)
    while True:
        asked = {**params, "limit": str(PAGE_LIMIT)}
        if starting_after is not None:
            ended.add(starting_after)
            asked["starting_after"] = starting_after
        answer = client.get(path, asked, check_list)
        ids = [each["id"] for each in answer.content["data"]]
        if not ended.isdisjoint(ids):
            raise LoopingPagesError(
                f"GET {path}: the server ignores starting_after and repeats earlier pages",
                "Report it to the maker of the server; Stripe itself honours starting_after.",
            )
        yield answer
        if not answer.content["has_more"]:
            return
        starting_after = ids[-1]


class _PartBuffer:
    """Collects answers and writes them as part files of bounded size."""

    def __init__(self, writer: LandingWriter, options: PullOptions) -> None:
        self._writer = writer
        self._options = options
        self._lines: list[bytes] = []
        self._size_bytes = 0
        pages = [part for part in writer.parts if part.role == "pages"]
        last: Mapping[str, Any] = pages[-1].cursor or {} if pages else {}
        self._number = len(pages)
        self.sequence: int = last.get("sequence", 0)
        self.starting_after: str | None = last.get("starting_after")
        self.is_complete: bool = last.get("is_complete", False)
        self.known_cursors = frozenset(
            cursor for part in pages for cursor in part.facts.get("page_ends", ())
        )
        self._page_ends: list[str] = []

    def add(self, kind: str, path: str, answer: Answer, parent_id: str | None = None) -> None:
        """Take one answer; flush when the part is full. The cursor does not move."""
        self.sequence += 1
        envelope = {
            "sequence": self.sequence,
            "kind": kind,
            "path": path,
            "parent_id": parent_id,
            "status": answer.status,
            "request_id": answer.request_id,
            "retrieved_at": self._options.instant().isoformat(),
            "body": answer.body,
        }
        line = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if self._lines and self._size_bytes + len(line) > self._options.part_bytes:
            self.flush()
        self._lines.append(line)
        self._size_bytes += len(line)
        if len(self._lines) >= self._options.part_pages and kind == "lines":
            self.flush()

    def advance(self, page_end: str | None, is_complete: bool) -> None:
        """Move the cursor behind a page of which everything was added."""
        if page_end is not None:
            self.starting_after = page_end
            self._page_ends.append(page_end)
        self.is_complete = is_complete
        if is_complete or len(self._lines) >= self._options.part_pages:
            self.flush()

    def flush(self) -> None:
        """Write and record what was collected."""
        if not self._lines:
            return
        import zstandard

        self._number += 1
        name = f"pages-{self._number:05d}.ndjson.zst"
        packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(b"".join(self._lines))
        self._writer.temporary_path(name).write_bytes(packed)
        self._writer.commit_part(
            name,
            "pages",
            rows=len(self._lines),
            cursor={
                "sequence": self.sequence,
                "starting_after": self.starting_after,
                "is_complete": self.is_complete,
            },
            longest_line_bytes=max(map(len, self._lines)),
            page_ends=self._page_ends,
        )
        self._lines, self._size_bytes, self._page_ends = [], 0, []


def pull_stream(
    store: LandingStore,
    source: str,
    stream: str,
    client: HttpClient,
    options: PullOptions,
) -> StreamReport:
    """Pull one full list and make it visible, or go on with a killed pull of it.

    Raises: IngestError; parts written before a transient failure are kept and continued.
    """
    if stream not in ENDPOINTS:
        raise PermanentSourceError(
            f"there is no stream {stream!r} of a stripe source",
            f"Choose from: {', '.join(ENDPOINTS)}.",
        )
    writer = _open(store, source, stream, options)
    try:
        buffer = _PartBuffer(writer, options)
        _fetch(client, source, stream, buffer, options)
        changed, listed = _finish(store, source, stream, writer, options)
    except IngestError as error:
        if not writer.parts:
            writer.discard()
        elif not error.is_transient:
            writer.abandon(type(error).__name__)
        raise
    finally:
        store.refresh(writer.landing)
    return StreamReport(
        source=source,
        stream=stream,
        status="ok" if changed else "unchanged",
        rows_landed=changed,
        last_arrival=writer.landing.arrival,
        message=f"{listed} listed, {changed} new or changed",
        pages=sum(part.rows for part in writer.parts if part.role == "pages"),
    )


def _settings(options: PullOptions) -> dict[str, str]:
    return {"api_version": options.api_version}


def _open(store: LandingStore, source: str, stream: str, options: PullOptions) -> LandingWriter:
    """A killed recent pull with the same settings, else a new landing."""
    now = options.instant()
    for landing in store.of_stream(source, stream, KIND):
        if landing.is_final or landing.is_abandoned:
            continue
        is_recent = now - landing.started_at <= RESUME_WITHIN
        if is_recent and landing.settings == _settings(options):
            return LandingWriter(landing)
        LandingWriter(landing).abandon("not continued: too old, or other settings")
    return store.begin(source, stream, KIND, now, _settings(options))


def _fetch(
    client: HttpClient,
    source: str,
    stream: str,
    buffer: _PartBuffer,
    options: PullOptions,
) -> None:
    endpoint = ENDPOINTS[stream]
    if buffer.is_complete:
        return
    pages, rows = 0, 0
    known = buffer.known_cursors
    for answer in list_pages(
        client, endpoint.path, dict(endpoint.params), buffer.starting_after, known
    ):
        objects = answer.content["data"]
        buffer.add("list", endpoint.path, answer)
        if stream == "invoices":
            for invoice in objects:
                _fetch_lines(client, invoice, buffer)
        buffer.advance(objects[-1]["id"] if objects else None, not answer.content["has_more"])
        pages, rows = pages + 1, rows + len(objects)
        options.progress(IngestProgress(source, stream, endpoint.path, pages, None, rows))


def _fetch_lines(client: HttpClient, invoice: Mapping[str, Any], buffer: _PartBuffer) -> None:
    """Page all lines of an invoice that embeds only its first ones."""
    lines = invoice.get("lines")
    if not isinstance(lines, dict) or not lines.get("has_more"):
        return
    path = f"/v1/invoices/{invoice['id']}/lines"
    for answer in list_pages(client, path, {}, None):
        buffer.add("lines", path, answer, parent_id=invoice["id"])


def _finish(
    store: LandingStore,
    source: str,
    stream: str,
    writer: LandingWriter,
    options: PullOptions,
) -> tuple[int, int]:
    """Write the rows of a complete pull and make it visible; changed and listed objects.

    Raises: TruncatedPullError if the list is far shorter than last time's.
    """
    earlier = [each for each in store.of_stream(source, stream, KIND) if each.is_final]
    changed, listed = write_objects(writer, earlier)
    if not options.accept_fewer:
        _refuse_truncation(earlier, listed, stream)
    writer.finalise({"listed": listed, "rows": changed, "rejected": 0})
    return changed, listed


def _refuse_truncation(earlier: list[Landing], listed: int, stream: str) -> None:
    previous = earlier[-1].totals["listed"] if earlier else 0
    if listed * 5 < previous * 4:
        raise TruncatedPullError(
            f"{stream}: the list has {listed} objects, last time it had {previous}; it is not used",
            "Check that the key belongs to the same account; if the shorter list is right, "
            "run `partnerledger ingest --accept-fewer` once.",
        )
