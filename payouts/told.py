"""What has been told already, so that no run of the notices tells it twice.

What belongs here: keys of facts that were told. What does not: which facts are worth telling
(``dashboards.notices``) and the messages themselves (``outbox``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from payouts import events
from payouts.hashing import instant_text
from payouts.schema import notices_told

NOTICES_ENABLED, NOTICES_DISABLED = "notices_enabled", "notices_disabled"
SUBJECT = "notices:programme"
_CHUNK = 500


def told_among(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the keys that were told."""
    wanted, found = sorted(set(keys)), set()
    for start in range(0, len(wanted), _CHUNK):
        query = select(notices_told.c.told_key).where(
            notices_told.c.told_key.in_(wanted[start : start + _CHUNK])
        )
        found.update(connection.execute(query).scalars())
    return found


def remember(
    connection: Connection,
    keys: Iterable[str],
    message_id: str | None,
    told_at: datetime,
    segment: int | None = None,
) -> None:
    """Keep keys as told, in the caller's write transaction; known ones stay as they are.

    message_id: None for what was known when notices were switched on.
    """
    wanted = set(keys)
    new = sorted(wanted - told_among(connection, wanted))
    if new:
        at = instant_text(told_at)
        connection.execute(
            notices_told.insert(),
            [
                {"told_key": key, "message_id": message_id, "segment": segment, "told_at": at}
                for key in new
            ],
        )


def last_segments(connection: Connection, prefix: str) -> dict[str, int]:
    """The newest segment that was told under keys ``prefix|name|…``, by name."""
    query = select(notices_told.c.told_key, notices_told.c.segment).where(
        notices_told.c.told_key.startswith(f"{prefix}|", autoescape=True),
        notices_told.c.segment.is_not(None),
    )
    found: dict[str, int] = {}
    for key, segment in connection.execute(query):
        name = key.split("|")[1]
        found[name] = max(segment, found.get(name, segment))
    return found


def count_told(connection: Connection) -> int:
    """How many facts were told."""
    return connection.execute(select(func.count()).select_from(notices_told)).scalar_one()


def switched_on(connection: Connection) -> events.Event | None:
    """The event that switched notices on; None while they are off.

    Its payload holds ``as_of`` and ``segment`` of the night that was published then.
    """
    found = events.of_kinds(connection, (NOTICES_ENABLED, NOTICES_DISABLED))
    return found[-1] if found and found[-1].kind == NOTICES_ENABLED else None


def record_switch(
    connection: Connection,
    kind: str,
    recorded_at: datetime,
    as_of: str | None = None,
    segment: int | None = None,
) -> events.Event:
    """Append that notices were switched on or off, in the caller's write transaction."""
    payload = {"as_of": as_of, "segment": segment} if kind == NOTICES_ENABLED else {}
    return events.append(
        connection,
        kind=kind,
        subject=SUBJECT,
        actor="system:notices",
        recorded_at=recorded_at,
        payload=payload,
    )
