"""What an ingest would ask for now: no request is made, nothing is written.

Belongs here: plans of streams and new files of drop folders, as values. Does not belong here: how
a stream plans (the connectors), printing. A stream that follows another one is planned by what is
landed now; what the other one would land first is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.connectors import load_connector
from ingest.drop_look import FileLook, look_at_files
from ingest.errors import IngestError
from ingest.files import KIND as FILES
from ingest.history import history_of
from ingest.landing import LandingIndex
from ingest.manifest import Landing, read_landings
from ingest.pull import Stream, plan_pull
from ingest.pull_report import without_tokens
from ingest.run import choose_sources, read_report, source_settings


@dataclass(frozen=True)
class StreamPreview:
    """What would be asked of one stream. mode: full or changes; empty for files.

    bounds: of what is asked for, JSON values. continues: the arrival of a killed pull that would
    go on. cursor: what the last pull left for this one. pulled_at: the last success, naive UTC;
    age_hours: how long ago that is. files: of a drop folder. problem: why it would fail.
    """

    source: str
    stream: str
    kind: str
    mode: str = ""
    bounds: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    continues: int | None = None
    cursor: Mapping[str, Any] = field(default_factory=dict)
    pulled_at: datetime | None = None
    age_hours: float | None = None
    files: tuple[FileLook, ...] = ()
    problem: str = ""


def preview(
    workspace: Any,
    home: Path,
    names: Sequence[str] | None = None,
    streams: Sequence[str] | None = None,
    *,
    now: datetime,
    force_full: Collection[str] = (),
) -> list[StreamPreview]:
    """What `ingest` would do with the same arguments, stream by stream.

    Raises: UnknownSourceError, LandingDamagedError.
    """
    at = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    looking = _Looking(home, at)
    found: list[StreamPreview] = []
    for source, settings in choose_sources(source_settings(workspace), names).items():
        if settings.kind == FILES:
            found += looking.files(source, Path(workspace.root) / settings.path)
        else:
            chosen = [
                each
                for each in load_connector(settings.kind).streams(settings)
                if streams is None or each.name in streams
            ]
            found += [
                looking.stream(source, settings, each, each.name in force_full) for each in chosen
            ]
    return found


class _Looking:
    """Looks at one home at one time."""

    def __init__(self, home: Path, now: datetime) -> None:
        self._index = LandingIndex(read_landings(home))
        self._now = now
        self._told = {(row["source"], row["stream"]): row for row in read_report(home)}

    def stream(self, source: str, settings: Any, stream: Stream, force_full: bool) -> StreamPreview:
        """What would be asked of a stream of an API."""
        kind = settings.kind
        history = history_of(self._index, source, kind, stream.name, settings, self._now)
        continued, plan = plan_pull(self._index, kind, stream, history, force_full)
        pulled_at = self._pulled_at(source, stream.name, history.visible)
        return StreamPreview(
            source=source,
            stream=stream.name,
            kind=kind,
            mode=plan.mode,
            bounds=without_tokens(plan.bounds),
            reason=plan.reason,
            continues=continued.arrival if continued else None,
            cursor=without_tokens(history.state),
            pulled_at=pulled_at,
            age_hours=self._age(pulled_at),
        )

    def files(self, source: str, folder: Path) -> list[StreamPreview]:
        """Files of a drop folder by entity."""
        try:
            looks = look_at_files(self._index, source, folder)
        except IngestError as error:
            return [StreamPreview(source, "*", FILES, problem=str(error))]
        by_stream: dict[str, list[FileLook]] = {}
        for look in looks:
            by_stream.setdefault(look.stream, []).append(look)
        return [self._entity(source, name, found) for name, found in by_stream.items()]

    def _entity(self, source: str, name: str, looks: Sequence[FileLook]) -> StreamPreview:
        visible = [each for each in self._index.of_stream(source, name, FILES) if each.is_final]
        pulled_at = self._pulled_at(source, name, visible)
        new = sum(look.state == "new" for look in looks)
        refused = [look for look in looks if look.state == "refused"]
        return StreamPreview(
            source=source,
            stream=name,
            kind=FILES,
            reason=f"{new} new, {len(looks) - new - len(refused)} unchanged",
            pulled_at=pulled_at,
            age_hours=self._age(pulled_at),
            files=tuple(looks),
            problem="; ".join(look.problem for look in refused),
        )

    def _pulled_at(self, source: str, stream: str, visible: Sequence[Landing]) -> datetime | None:
        """When the stream was last read with success: a pull without news lands as well, a drop
        folder without new files is only told in the report."""
        told = self._told.get((source, stream), {}).get("pulled_at")
        times = [datetime.fromisoformat(told)] if told else []
        times += [each.started_at for each in visible[-1:]]
        return max(times, default=None)

    def _age(self, pulled_at: datetime | None) -> float | None:
        if pulled_at is None:
            return None
        return round((self._now - pulled_at).total_seconds() / 3600, 1)
