"""Who is signed in to the web app: sessions that end by themselves and can be ended at once.

What belongs here: opening, finding, listing and ending sessions. What does not: cookies, roles and
how somebody proved who they are (``dashboards.access``). Tokens are made at the edge from at least
128 random bits; their SHA-256 alone is stored, so that whoever reads the database signs in nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, delete, or_, select, update

from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text, sha256_text
from payouts.schema import web_sessions
from payouts.terms import person

STAFF, PARTNER, DEMO = "staff", "partner", "demo"
# How long a session lasts, however much it is used. A partner signs in by mail, which is a walk.
LIFETIMES = {
    STAFF: timedelta(hours=12),
    PARTNER: timedelta(days=7),
    DEMO: timedelta(hours=12),
}
# So long ended sessions stay to be listed, then they are removed.
KEPT_AFTER_END = timedelta(days=30)
_TOKEN_CHARACTERS = 500


@dataclass(frozen=True)
class WebSession:
    """One session. Instants are fixed-width UTC text; ``expires_at`` is excluded.

    session_sha256: of the token in the cookie. subject: e-mail address in lower case, or
    ``partner:<partner_id>``. kind: staff, partner or demo. identity_level: see ``identity``.
    """

    session_sha256: str
    subject: str
    kind: str
    identity_level: str
    partner_id: str | None
    created_at: str
    expires_at: str
    revoked_at: str | None


def open_session(
    connection: Connection,
    token: str,
    *,
    subject: str,
    kind: str,
    identity_level: str,
    now: datetime,
    partner_id: str | None = None,
) -> WebSession:
    """Record that somebody has signed in, in the caller's write transaction; old rows go.

    Raises: DecisionRefusedError for a kind that does not exist.
    """
    if kind not in LIFETIMES:
        raise DecisionRefusedError(
            f"{kind!r} is no kind of session; known are {', '.join(LIFETIMES)}"
        )
    remove_old(connection, now)
    opened = WebSession(
        session_sha256=sha256_text(token),
        subject=person(subject) if partner_id is None else subject,
        kind=kind,
        identity_level=identity_level,
        partner_id=partner_id,
        created_at=instant_text(now),
        expires_at=instant_text(now + LIFETIMES[kind]),
        revoked_at=None,
    )
    connection.execute(web_sessions.insert().values(**vars(opened)))
    return opened


def find_session(connection: Connection, token: str, now: datetime) -> WebSession | None:
    """The session of a token, or None when it is unknown, has ended or was ended."""
    row = connection.execute(
        select(web_sessions).where(
            web_sessions.c.session_sha256 == sha256_text(token[:_TOKEN_CHARACTERS]),
            *_is_live(now),
        )
    ).first()
    return _session(row) if row else None


def live_sessions(
    connection: Connection, now: datetime, subject: str | None = None
) -> list[WebSession]:
    """Everybody who is signed in, or the sessions of one subject; the newest first."""
    wanted = select(web_sessions).where(*_is_live(now))
    if subject is not None:
        wanted = wanted.where(web_sessions.c.subject == subject_of(subject))
    rows = connection.execute(
        wanted.order_by(web_sessions.c.created_at.desc(), web_sessions.c.session_sha256)
    )
    return [_session(row) for row in rows]


def revoke_session(connection: Connection, session_sha256: str, now: datetime) -> int:
    """End one session; how many were ended: 0 when it had ended already."""
    return _revoke(connection, now, web_sessions.c.session_sha256 == session_sha256)


def revoke_subject(connection: Connection, subject: str, now: datetime) -> int:
    """End every session of a person or partner; how many were ended."""
    return _revoke(connection, now, web_sessions.c.subject == subject_of(subject))


def revoke_everybody(connection: Connection, now: datetime) -> int:
    """End every session there is; how many were ended."""
    return _revoke(connection, now)


def remove_old(connection: Connection, now: datetime) -> int:
    """Remove sessions that ended more than 30 days ago; how many were removed."""
    before = instant_text(now - KEPT_AFTER_END)
    return connection.execute(
        delete(web_sessions).where(
            or_(web_sessions.c.expires_at <= before, web_sessions.c.revoked_at <= before)
        )
    ).rowcount


def partner_subject(partner_id: str) -> str:
    """The subject of a partner, which is also the actor of what it decides."""
    return f"partner:{partner_id}"


def subject_of(text: str) -> str:
    """A subject as it is stored: ids of partners as they are, addresses in one spelling."""
    cleaned = text.strip()
    return cleaned if cleaned.startswith(partner_subject("")) else person(cleaned)


def _is_live(now: datetime) -> tuple:
    return (
        web_sessions.c.revoked_at.is_(None),
        web_sessions.c.expires_at > instant_text(now),
    )


def _revoke(connection: Connection, now: datetime, *conditions: object) -> int:
    return connection.execute(
        update(web_sessions).where(*_is_live(now), *conditions).values(revoked_at=instant_text(now))
    ).rowcount


def _session(row: Row) -> WebSession:
    return WebSession(**row._mapping)
