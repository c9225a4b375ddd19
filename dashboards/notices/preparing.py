"""From facts to kept messages, in one transaction: what is due is kept and counted as told at once.

What does not belong here: deciding (``due``, ``staff``), sending (``sending``), opening the
databases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dashboards.notices.due import Due, Notice, due_notices, news, week_key
from dashboards.notices.facts import Decided, Published, read_decided, read_published, told_segments
from dashboards.notices.staff import staff_keys, staff_notices

if TYPE_CHECKING:
    import duckdb
    from payouts.store import Store
    from program.load import Workspace
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Prepared:
    """What a run kept for sending.

    state: ``off``, ``switched_on`` (the first run: what is known is taken as told) or ``prepared``.
    kept: messages per kind. without_address: partners with news and no address.
    """

    state: str
    kept: Mapping[str, int] = field(default_factory=dict)
    without_address: tuple[str, ...] = ()

    @property
    def messages(self) -> int:
        """How many messages were kept."""
        return sum(self.kept.values())


def prepare(
    store: Store,
    workspace: Workspace,
    snapshot: tuple[duckdb.DuckDBPyConnection, datetime] | None,
    *,
    now: datetime,
    today: date,
    last_night: Mapping[str, Any] | None = None,
) -> Prepared:
    """Keep every message that is due; running it again keeps nothing twice.

    snapshot: an open published one with the instant of its publication, naive UTC; None before the
    first night. now: naive UTC. today: the programme's local day. last_night: how it ended.
    Raises: the errors of payouts.store.
    """
    from payouts.told import NOTICES_DISABLED, record_switch, remember, switched_on

    terms = workspace.program.notices
    with store.read() as reader:
        switch = switched_on(reader)
        segments = told_segments(reader)
    if not terms.enabled:
        if switch is not None:
            with store.write() as writer:
                record_switch(writer, NOTICES_DISABLED, now)
        return Prepared("off")
    published = _published(snapshot, workspace, switch, segments)
    with store.write() as writer:
        decided = read_decided(writer, published.as_of if published else today)
        # Once more: another run may have switched on meanwhile.
        switch = switched_on(writer)
        is_first = switch is None and published is not None
        if is_first:
            _switch_on(writer, published, decided, now)
        due = Due() if is_first else _due(writer, workspace, published, decided, now)
        staff = _staff(writer, workspace, published, decided, now, today, last_night)
        notices = [*due.notices, *staff]
        _keep(writer, notices, now)
        remember(writer, [*due.unwanted, *([due.week] if due.week else [])], None, now)
    kept = Counter(notice.kind for notice in notices)
    return Prepared(
        "switched_on" if is_first else "prepared", dict(sorted(kept.items())), due.without_address
    )


def _published(
    snapshot: tuple[duckdb.DuckDBPyConnection, datetime] | None,
    workspace: Workspace,
    switch: Any,
    segments: Mapping[str, int],
) -> Published | None:
    if snapshot is None:
        return None
    connection, published_at = snapshot
    opening = switch.payload["segment"] if switch is not None else 0
    if switch is not None:
        # Statements of before an interruption do not reach over it.
        segments = {name: max(segment, opening) for name, segment in segments.items()}
    return read_published(connection, workspace, opening, segments, published_at)


def _switch_on(writer: Connection, published: Published, decided: Decided, now: datetime) -> None:
    """What is known now is taken as told, so that an old home floods nobody."""
    from payouts.told import NOTICES_ENABLED, record_switch, remember

    record_switch(writer, NOTICES_ENABLED, now, published.as_of.isoformat(), published.segment)
    remember(writer, (each.key for each in news(published, decided)), None, now)


def _due(
    writer: Connection,
    workspace: Workspace,
    published: Published | None,
    decided: Decided,
    now: datetime,
) -> Due:
    from payouts.told import switched_on, told_among

    switch = switched_on(writer)
    if published is None or switch is None:
        return Due()
    weekly = workspace.program.notices.weekly_statement
    since = date.fromisoformat(switch.payload["as_of"])
    week = week_key(published.as_of, weekly, since)
    keys = [each.key for each in news(published, decided)]
    return due_notices(
        told_among(writer, [*keys, week] if week else keys),
        published,
        decided,
        now=now,
        weekly_statement=weekly,
        since=since,
    )


def _staff(
    writer: Connection,
    workspace: Workspace,
    published: Published | None,
    decided: Decided,
    now: datetime,
    today: date,
    last_night: Mapping[str, Any] | None,
) -> list[Notice]:
    from payouts.told import told_among

    roles = workspace.program.roles.model_dump()
    facts = {"roles": roles, "now": now, "today": today, "last_night": last_night}
    return staff_notices(
        told_among(writer, staff_keys(published, decided, **facts)),
        published,
        decided,
        with_webhook=workspace.program.notices.staff_webhook,
        **facts,
    )


def _keep(writer: Connection, notices: list[Notice], now: datetime) -> None:
    from payouts.outbox import enqueue_in
    from payouts.told import remember

    for notice in notices:
        identity = enqueue_in(
            writer,
            notice.kind,
            notice.subject_ref,
            notice.channel,
            notice.recipient,
            notice.payload,
            now,
            expires_at=notice.expires_at,
        )
        remember(writer, notice.told, identity, now, notice.segment)
