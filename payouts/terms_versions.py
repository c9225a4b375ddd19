"""T1: a version of the terms that has been used is immutable.

What belongs here: remembering the hash of each used version and comparing it on later nights.
What does not: computing those hashes (``program``) or reading the terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import TermsChangedError
from payouts.schema import terms_used

VersionKey = tuple[str, str, str]
"""Kind (``plan``, ``lead``, ``attribution``), id (the kind where there is one list), version."""


def used_versions(connection: Connection) -> dict[VersionKey, str]:
    """SHA-256 of every version that has been used, as it was then."""
    rows = connection.execute(select(terms_used))
    return {(row.kind, row.id, row.version): row.sha256 for row in rows}


def check_unchanged(
    connection: Connection, hashes: Mapping[VersionKey, str], file_name: str = "program.yml"
) -> None:
    """Refuse terms in which a used version differs or is gone; all of them in one message.

    Raises: TermsChangedError, one line per version.
    """
    problems = []
    for key, sha256 in sorted(used_versions(connection).items()):
        now = hashes.get(key)
        if now == sha256:
            continue
        kind, name, version = key
        label = f"{kind} {name} version {version}" if name != kind else f"{kind} version {version}"
        what = "was removed" if now is None else "was changed"
        problems.append(
            f"{file_name}: {label} {what}, but entries have been posted under it (T1); nothing "
            "was posted. Put it back as it was and add a new version with a later effective_from"
        )
    if problems:
        raise TermsChangedError("\n".join(problems))


def record_used(
    connection: Connection,
    hashes: Mapping[VersionKey, str],
    used: Iterable[VersionKey],
    *,
    as_of: date,
    actor: str,
    recorded_at: datetime,
) -> None:
    """Remember versions used for the first time, in the caller's write transaction.

    Raises: TermsChangedError when an entry names a version that the terms do not have.
    """
    known = used_versions(connection)
    added = sorted(set(used) - set(known))
    unknown = [key for key in added if key not in hashes]
    if unknown:
        raise TermsChangedError(
            f"entries name versions that the terms do not have: {unknown}; nothing was posted. "
            "Run the night again from the start with these terms"
        )
    for kind, name, version in added:
        connection.execute(
            terms_used.insert().values(
                kind=kind,
                id=name,
                version=version,
                sha256=hashes[(kind, name, version)],
                first_as_of=as_of.isoformat(),
            )
        )
    if added:
        events.append(
            connection,
            kind="terms_used",
            subject=f"terms:{as_of.isoformat()}",
            actor=actor,
            recorded_at=recorded_at,
            payload={"versions": [[*key, hashes[key]] for key in added]},
        )
