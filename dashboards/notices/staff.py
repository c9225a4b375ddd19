"""What staff is told: batches that wait for a role, old numbers, a night that failed. Pure.

What does not belong here: news for partners (``due``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from dashboards.age import FRESH, age_of
from dashboards.notices.due import MAIL, WEBHOOK, Notice, totals_of
from dashboards.notices.facts import Decided, Published, Record
from dashboards.notices.kinds import (
    APPROVAL_WAITING,
    DATA_STALE,
    NIGHT_FAILED,
    STAFF_LASTS,
    STAFF_WEBHOOK,
)

_ADDRESS = re.compile(r"[^\s@:/<>,;|'\"]+@[^\s@:/<>,;|'\"]+")
_MESSAGE_CHARACTERS = 400


def staff_notices(
    told: Collection[str],
    published: Published | None,
    decided: Decided,
    *,
    roles: Mapping[str, Sequence[str]],
    now: datetime,
    today: date,
    last_night: Mapping[str, object] | None,
    with_webhook: bool,
) -> list[Notice]:
    """Messages to staff. roles: addresses per role. today: local day of the programme.

    published: None before the first published night. last_night: ``Services.last_night``.
    told: keys that were told already, among those of ``staff_keys``.
    """
    found: list[Notice] = []
    for key, kind, people, payload in _candidates(
        published, decided, roles, now, today, last_night
    ):
        if key in told:
            continue
        readers = [(MAIL, address) for address in people]
        if with_webhook:
            readers.append((WEBHOOK, STAFF_WEBHOOK))
        found += [
            Notice(kind, key, channel, reader, payload, now + STAFF_LASTS, (key,))
            for channel, reader in readers
        ]
    return found


def staff_keys(
    published: Published | None,
    decided: Decided,
    *,
    roles: Mapping[str, Sequence[str]],
    now: datetime,
    today: date,
    last_night: Mapping[str, object] | None,
) -> list[str]:
    """Keys of everything that staff could be told now."""
    found = _candidates(published, decided, roles, now, today, last_night)
    return [key for key, _, _, _ in found]


def _candidates(
    published: Published | None,
    decided: Decided,
    roles: Mapping[str, Sequence[str]],
    now: datetime,
    today: date,
    last_night: Mapping[str, object] | None,
) -> list[tuple[str, str, list[str], Record]]:
    """Key, kind, addresses and payload of each thing."""
    found = [
        *_approvals(decided, roles, today),
        *_stale(published, roles, now),
        *_failed(published, roles, last_night),
    ]
    return found


def _approvals(
    decided: Decided, roles: Mapping[str, Sequence[str]], today: date
) -> list[tuple[str, str, list[str], Record]]:
    """Once a day per role, as long as something waits for it."""
    found = []
    for role in ("partnerships", "finance"):
        waiting = [row for row in decided.waiting if row["role"] == role]
        if waiting:
            payload = {
                "role": role,
                "batches": [
                    {**row, "pay_date": row["pay_date"].isoformat()}
                    for row in sorted(
                        waiting, key=lambda each: (each["pay_date"], each["batch_id"])
                    )
                ],
                "totals": totals_of(waiting, "total_minor"),
            }
            key = f"{APPROVAL_WAITING}|{role}|{today.isoformat()}"
            found.append((key, APPROVAL_WAITING, _people(roles, role), payload))
    return found


def _stale(
    published: Published | None, roles: Mapping[str, Sequence[str]], now: datetime
) -> list[tuple[str, str, list[str], Record]]:
    """Once when the numbers turn old, once more when they turn stale, per published night."""
    if published is None:
        return []
    age = age_of(published.published_at, now)
    if age.level == FRESH:
        return []
    payload = {
        "run_id": published.run_id,
        "as_of": published.as_of.isoformat(),
        "age": age.text,
        "level": age.level,
    }
    key = f"{DATA_STALE}|{published.run_id}|{published.published_at.isoformat()}|{age.level}"
    return [(key, DATA_STALE, _operators(roles), payload)]


def _failed(
    published: Published | None,
    roles: Mapping[str, Sequence[str]],
    last_night: Mapping[str, object] | None,
) -> list[tuple[str, str, list[str], Record]]:
    """Once per night that ended badly, unless a later one has published."""
    if last_night is None or last_night.get("state") != "failed":
        return []
    ended_at = str(last_night.get("at") or "")
    if published is not None and ended_at and _instant(ended_at) <= published.published_at:
        return []
    message = _ADDRESS.sub("…", " ".join(str(last_night.get("message") or "").split()))
    payload = {
        "as_of": str(last_night.get("as_of") or ""),
        "ended_at": ended_at,
        "message": message[:_MESSAGE_CHARACTERS],
    }
    key = f"{NIGHT_FAILED}|{payload['as_of']}|{ended_at}"
    return [(key, NIGHT_FAILED, _operators(roles), payload)]


def _instant(text: str) -> datetime:
    """Naive UTC of ISO text with or without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        return instant
    return instant.astimezone(UTC).replace(tzinfo=None)


def _people(roles: Mapping[str, Sequence[str]], role: str) -> list[str]:
    """Addresses of a role; a name that is no address cannot be written to."""
    return sorted({person for person in roles.get(role, ()) if "@" in person})


def _operators(roles: Mapping[str, Sequence[str]]) -> list[str]:
    """Who looks after nights: admin, else those whose work stands still without one."""
    return _people(roles, "admin") or sorted(
        {*_people(roles, "partnerships"), *_people(roles, "finance")}
    )
