"""What partners want to be told by mail: everything, or only what they cannot do without.

What belongs here: recording the choice and reading it. What does not: which messages each choice
leaves (``dashboards.notices``).

The events have a subject of their own: a choice must not void what somebody of the staff signs over
the last event of the partner.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.payee_state import PARTNER_PREFIX
from payouts.store import Store
from payouts.terms import person
from payouts.texts import identifier

ALL, NEEDED = "all", "needed"
CHOICES = (ALL, NEEDED)
NOTICE_CHOICE = "notice_choice"
_SUBJECT_PREFIX = f"notices:{PARTNER_PREFIX}"


def choose_notices(
    store: Store,
    partner_id: str,
    choice: str,
    *,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> bool:
    """Record what a partner wants to be told; False, and no event, when it is so already.

    Raises: DecisionRefusedError for an unknown choice.
    """
    if choice not in CHOICES:
        raise DecisionRefusedError(
            f"{choice!r} is no choice of messages; use {' or '.join(CHOICES)}. Nothing was recorded"
        )
    partner = identifier(partner_id, "the partner")
    with store.write() as connection:
        if notice_choice(connection, partner) == choice:
            return False
        events.append(
            connection,
            kind=NOTICE_CHOICE,
            subject=f"{_SUBJECT_PREFIX}{partner}",
            actor=person(actor),
            recorded_at=recorded_at,
            payload={"choice": choice},
            identity_level=identity_level,
        )
    return True


def notice_choice(connection: Connection, partner_id: str) -> str:
    """What a partner wants to be told; everything, unless it has said otherwise."""
    chosen = events.of_subject(connection, f"{_SUBJECT_PREFIX}{partner_id}")
    return chosen[-1].payload["choice"] if chosen else ALL


def partners_wanting_less(connection: Connection) -> frozenset[str]:
    """Partners that want only what they cannot do without."""
    choices = {
        event.subject.removeprefix(_SUBJECT_PREFIX): event.payload["choice"]
        for event in events.of_kinds(connection, (NOTICE_CHOICE,))
    }
    return frozenset(partner_id for partner_id, choice in choices.items() if choice == NEEDED)
