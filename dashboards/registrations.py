"""Deal registrations and entered leads as they stand now: what the night knew, and what was
recorded since.

What does not belong here: pages and forms (`pages`), and the rules of deciding
(`payouts.registrations`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from payouts.hashing import parse_instant
from payouts.registrations import (
    ENTITIES,
    EXTENDED,
    PENDING,
    RegistrationDecision,
    load_decisions,
    load_registrations,
)

if TYPE_CHECKING:
    from dashboards.visit import Visit

Record = dict[str, Any]
ENTERED = "entered"
_LEAD_ENTRIES = "lead_entries"


def is_registration(key: str) -> bool:
    """Whether a key is that of a registration or an entered lead; people decide on those alone."""
    parts = key.split(":", 2)
    return len(parts) == 3 and parts[1] in ENTITIES  # noqa: PLR2004  (source, entity, id)


def is_entered_lead(key: str) -> bool:
    """Whether it is a lead that was entered: it counts without an approval."""
    return is_registration(key) and key.split(":", 2)[1] == _LEAD_ENTRIES


def waiting_registrations(visit: Visit) -> list[Record]:
    """Registrations that nobody has decided on yet, and submissions without a lead, oldest first.

    Records have the columns of marts.fct_lead_submissions, ``status`` as it is now and
    ``is_decidable``. What was entered since the night has no verdict yet.
    """
    published = visit.rows("programme/registrations")
    turns = decisions_by_key(visit)
    rows = [
        {**row, "status": status_now(row["registration_status"], turns[row["submission_key"]])}
        for row in published
    ]
    rows += entered_since(visit, turns)
    return [
        {**row, "is_decidable": is_registration(row["submission_key"])}
        for row in sorted(rows, key=lambda each: (each["submitted_at"], each["submission_key"]))
        if row["status"] == PENDING or row["lead_id"] is None
    ]


def entered_since(
    visit: Visit, turns: dict[str, list[RegistrationDecision]] | None = None
) -> list[Record]:
    """What was entered here since the night, as `waiting_registrations` has it."""
    decided = turns if turns is not None else decisions_by_key(visit)
    with visit.control() as connection:
        entered = load_registrations(connection)
    known = {
        row["submission_key"]
        for row in visit.rows("programme/submissions_known", keys=[each.key for each in entered])
    }
    return [
        {
            "submission_key": each.key,
            "lead_id": None,
            "partner_id": each.partner_id,
            "submission_type": "lead_entry" if each.entity == _LEAD_ENTRIES
            else "deal_registration",
            "submitted_at": parse_instant(each.submitted_at),
            "verdict": None,
            "rule": None,
            "rival_key": None,
            "registration_status": None,
            "status": status_now(
                ENTERED if each.entity == _LEAD_ENTRIES else PENDING, decided[each.key]
            ),
            "expires_at": None,
            "protected_until_at": None,
        }
        for each in entered
        if each.key not in known
    ]  # fmt: skip


def decisions_by_key(visit: Visit) -> dict[str, list[RegistrationDecision]]:
    """All decisions since the night, by registration, oldest first.

    Those that the night knew have made the status that it published.
    """
    known = {row["decision_key"] for row in visit.rows("programme/registration_decisions")}
    found: dict[str, list[RegistrationDecision]] = defaultdict(list)
    with visit.control() as connection:
        for decision in load_decisions(connection):
            if f"registration:{decision.seq}" not in known:
                found[decision.registration_key].append(decision)
    return found


def status_now(published: str | None, since: list[RegistrationDecision]) -> str | None:
    """What a registration is: as the night said, unless somebody has decided since."""
    turns = [each.decision for each in since if each.decision != EXTENDED]
    return turns[-1] if turns else published
