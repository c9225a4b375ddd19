"""What a decision, a message or a request is about: a registration or a lead, found and checked.

What belongs here: turning what somebody typed into the subject that the control database records.
What does not: recording it (`payouts`), and finding leads (`lead_references`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError, query
from orchestration.lead_references import marts_of, require_lead

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Connection

    from payouts.registrations import DeliveredRegistration, RegistrationDecision

LEAD, REGISTRATION = "lead", "registration"
_HOW_TO_LIST = "`partnerledger lead list --submissions` shows them with their keys."
_BARE_PREFIX = "reg_"


@dataclass(frozen=True)
class RegistrationSubject:
    """A registration, or a lead that was entered. delivered: what files say; None if from here."""

    key: str
    entity: str
    delivered: DeliveredRegistration | None


@dataclass(frozen=True)
class Subject:
    """A lead by its present id, or a registration by its key."""

    subject_type: str
    subject_id: str


def require_registration(
    published: DuckDBPyConnection, control: Connection, reference: str
) -> RegistrationSubject:
    """The registration that a reference names.

    reference: `source:entity:id`, or the bare `reg_…` of one that was entered here.
    Raises: CommandError when there is none, it is a form, or the snapshot is too old to say.
    """
    found = find_registration(published, control, reference)
    if found is not None:
        return found
    if query(
        published,
        "select 1 from marts.fct_lead_submissions where submission_key = ?",
        [reference.strip()],
    ):
        raise CommandError(
            f"{reference} is a form, and nobody decides on forms",
            "Registrations are approved and declined; about the lead you can propose a ruling.",
        )
    raise CommandError(f"there is no registration {reference!r}", _HOW_TO_LIST)


def find_registration(
    published: DuckDBPyConnection, control: Connection, reference: str
) -> RegistrationSubject | None:
    """The same, or None when nothing is called so."""
    from payouts.registrations import ENTITIES, SOURCE, load_registrations

    reference = reference.strip()
    for each in load_registrations(control):
        if reference in (each.registration_id, each.key):
            return RegistrationSubject(each.key, each.entity, None)
    entity = reference.split(":")[1] if reference.count(":") >= 2 else ""
    if entity not in ENTITIES or reference.startswith(f"{SOURCE}:"):
        return None
    rows = query(
        published, "select * from marts.fct_lead_submissions where submission_key = ?", [reference]
    )
    if not rows:
        return None
    return RegistrationSubject(reference, entity, _delivered(published, control, rows[0]))


def require_subject(published: DuckDBPyConnection, control: Connection, reference: str) -> Subject:
    """The registration or the lead that a reference names; a registration comes first.

    Raises: CommandError when it is neither.
    """
    registration = find_registration(published, control, reference)
    if registration is not None:
        return Subject(REGISTRATION, registration.key)
    if reference.startswith(_BARE_PREFIX):
        raise CommandError(f"there is no registration {reference!r}", _HOW_TO_LIST)
    return Subject(LEAD, require_lead(published, reference))


def require_partner_of(
    published: DuckDBPyConnection, control: Connection, subject: Subject, partner_id: str
) -> None:
    """Refuse a partner that has nothing to do with a lead, or whose registration it is not.

    Raises: CommandError.
    """
    from orchestration.lead_records import lead_evidence

    if subject.subject_type == REGISTRATION:
        known = _registered_by(published, control, subject.subject_id)
    else:
        known = partners_of(lead_evidence(published, subject.subject_id))
    if partner_id not in known:
        named = ", ".join(known) or "nobody"
        raise CommandError(
            f"{partner_id} has nothing to do with {subject.subject_type} {subject.subject_id}",
            f"Name a partner that has to do with it ({named}), or leave --partner out.",
        )


def partners_of(evidence: dict[str, Any]) -> list[str]:
    """Partners that touched a lead, sent it in, or are or were credited with it, in order.

    evidence: as `lead_records.lead_evidence` gives it. These see the lead in the portal.
    """
    rows = [
        *(evidence["touches"] or []),
        *(evidence["submissions"] or []),
        *(row for row in evidence["attributions"] or [] if row["is_paying"]),
        # What is earned on the commission of another partner says nothing of the lead.
        *(row for row in evidence["lines"] or [] if row["source_type"] != "commission"),
    ]
    return sorted({row["partner_id"] for row in rows if row["partner_id"]})


def require_request(published: DuckDBPyConnection, control: Connection, request_id: str) -> Subject:
    """What a request is about: as it was recorded, else as the night that raised it says.

    Raises: CommandError when nobody asked for it and no published night raised it.
    """
    from payouts.lead_update_records import load_requests

    for asked in load_requests(control):
        if asked.request_id == request_id:
            return Subject(asked.subject_type, asked.subject_id)
    if "fct_lead_update_requests" in marts_of(published):
        rows = query(
            published,
            "select lead_id, subject_key from marts.fct_lead_update_requests where request_id = ?",
            [request_id],
        )
        if rows and _is_registration_key(rows[0]["subject_key"]):
            return Subject(REGISTRATION, rows[0]["subject_key"])
        if rows:
            return Subject(LEAD, rows[0]["lead_id"])
    raise CommandError(
        f"there is no request {request_id!r}",
        "`partnerledger lead requests` shows those that wait.",
    )


def _registered_by(published: DuckDBPyConnection, control: Connection, key: str) -> list[str]:
    from payouts.registrations import load_registrations

    entered = [each.partner_id for each in load_registrations(control) if each.key == key]
    return entered or [
        row["partner_id"]
        for row in query(
            published,
            "select partner_id from marts.fct_lead_submissions where submission_key = ?",
            [key],
        )
    ]


def _is_registration_key(key: str | None) -> bool:
    """Whether a key has the form `source:entity:id` of a registration or an entered lead."""
    from payouts.registrations import ENTITIES

    parts = (key or "").split(":", 2)
    return len(parts) == 3 and parts[1] in ENTITIES


def _delivered(
    published: DuckDBPyConnection, control: Connection, row: dict[str, Any]
) -> DeliveredRegistration:
    from payouts.registrations import DeliveredRegistration, load_decisions

    if "registration_status" not in row:
        raise CommandError(
            "the published snapshot is from before registrations were decided here",
            "Run `partnerledger run`, then decide.",
        )
    return DeliveredRegistration(
        status=row["registration_status"],
        submitted_at=row["submitted_at"],
        decided_at=_decided_by_file(published, row, load_decisions(control, row["submission_key"])),
        expires_at=row["expires_at"],
    )


def _decided_by_file(
    published: DuckDBPyConnection, row: dict[str, Any], recorded: list[RegistrationDecision]
) -> datetime | None:
    """When the file's own decision was taken, as far as it must be later than one taken here.

    The night has weighed both: where it knew of the newest decision here and says otherwise, the
    file's came later. In all other cases a decision here counts, and no instant is needed.
    """
    from payouts.hashing import parse_instant
    from payouts.registrations import EXTENDED

    turns = [each for each in recorded if each.decision != EXTENDED]
    if not turns or turns[-1].decision == row["registration_status"]:
        return None
    known = query(
        published,
        "select 1 from marts.fct_lead_decisions where subject_key = ? and decision = ? "
        "and decided_at = ?",
        [row["submission_key"], turns[-1].decision, parse_instant(turns[-1].decided_at)],
    )
    return parse_instant(turns[-1].decided_at) + timedelta(microseconds=1) if known else None
