"""What people recorded about leads: read from the control database, so that it is as of now.

What belongs here: decisions, requests, messages and holds as plain records, and putting them beside
what the published snapshot says. What does not: the snapshot itself (`lead_records`), and writing.

Instants become naive UTC. Texts of messages are read here and shown; nothing stores them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import has_control, open_control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from payouts.rulings import Ruling

Record = dict[str, Any]

OPEN, OVERDUE, ANSWERED, RELEASED = "open", "overdue", "answered", "released"


@contextmanager
def control_reader(home: Path) -> Iterator[Connection | None]:
    """A connection to the control database; None where there is only a snapshot to look at."""
    if not has_control(home):
        yield None
        return
    with open_control(home) as store, store.read() as connection:
        yield connection


def with_recorded(evidence: Record, home: Path) -> Record:
    """The evidence of a lead together with everything that people recorded about it.

    Adds `rulings`, `messages` and `holds`; `decisions` are those of the control database, and
    `requests` know what was asked and answered since the night. Without a control database the
    evidence stays as it is.
    """
    with control_reader(home) as connection:
        if connection is None:
            return evidence
        leads = _lead_ids(evidence)
        keys = {row["submission_key"] for row in evidence["submissions"]}
        subjects = {("lead", each) for each in leads} | {("registration", each) for each in keys}
        rulings = [row for row in ruling_records(connection) if row["lead_id"] in leads]
        decisions = _registration_decisions(connection, evidence["submissions"])
        decisions += [turn for ruling in rulings for turn in _turns(ruling)]
        return {
            **evidence,
            "decisions": sorted(decisions, key=lambda row: row["decided_at"]),
            "requests": [
                {**row, "owner": row["owner"] or evidence["lead"]["owner"]}
                for row in known_requests(connection, evidence.get("requests") or [], subjects)
            ],
            "rulings": rulings,
            "messages": _messages(connection, subjects),
            "holds": _open_holds(connection, evidence, leads),
            "signals": evidence["signals"] and with_holds_of_now(connection, evidence["signals"]),
        }


def known_requests(
    connection: Connection,
    published: Iterable[Record],
    subjects: set[tuple[str, str]] | None = None,
) -> list[Record]:
    """Requests of the snapshot, and those of people since, each with its answer of now.

    subjects: (type, id) pairs to keep of those since; None keeps all. Sorted by their due dates.
    """
    from payouts.lead_update_records import load_answers, load_requests

    answers = {answer.request_id: answer for answer in load_answers(connection)}
    requests = {row["request_id"]: {**row, "partner_id": None} for row in published}
    for asked in load_requests(connection):
        named = (asked.subject_type, asked.subject_id)
        if subjects is not None and named not in subjects:
            continue
        known = requests.setdefault(asked.request_id, _new_request(asked))
        known |= {"text": asked.reason, "partner_id": asked.partner_id}
    for request_id, row in requests.items():
        answer = answers.get(request_id)
        if answer is not None and not row["answered_at"]:
            row.update(answered_at=_instant(answer.answered_at), state=ANSWERED)
    return sorted(requests.values(), key=lambda row: (row["due_at"], row["request_id"]))


def ruling_records(connection: Connection) -> list[Record]:
    """All rulings as they stand, oldest proposal first; instants are naive UTC."""
    from payouts.rulings import load_rulings

    return [ruling_record(ruling) for ruling in load_rulings(connection)]


def ruling_record(ruling: Ruling) -> Record:
    """One ruling with its instants; `credits` maps partners to parts per million."""
    return {
        **asdict(ruling),
        "credits": dict(ruling.credits),
        "proposed_at": _instant(ruling.proposed_at),
        "decided_at": _instant(ruling.decided_at),
    }


def entered_since(connection: Connection, known_keys: set[str]) -> list[Record]:
    """Registrations and leads entered here that the snapshot does not know yet, oldest first.

    Rows have the columns of marts.fct_lead_submissions; what only a night can say is None. The
    prospect's address stays where it is.
    """
    from payouts.registrations import EXTENDED, load_decisions, load_registrations

    rows = []
    for each in load_registrations(connection):
        if each.key in known_keys:
            continue
        turns = [d for d in load_decisions(connection, each.key) if d.decision != EXTENDED]
        is_entry = each.entity == "lead_entries"
        status = turns[-1].decision if turns else ("entered" if is_entry else "pending")
        rows.append(
            {
                "submission_key": each.key,
                "lead_id": None,
                "partner_id": each.partner_id,
                "submission_type": "lead_entry" if is_entry else "deal_registration",
                "submitted_at": _instant(each.submitted_at),
                "verdict": None,
                "rule": None,
                "rival_key": None,
                "registration_status": status,
                "expires_at": None,
                "protected_until_at": None,
            }
        )
    return rows


def with_holds_of_now(connection: Connection | None, signals: list[Record]) -> list[Record]:
    """Signals with the state of their holds: one may have been released since the night."""
    if connection is None or not signals:
        return signals
    from payouts.holds import load_holds

    holds = {hold.signal_id: hold for hold in load_holds(connection) if hold.signal_id}
    return [
        {**row, "hold_id": held.hold_id, "hold_state": OPEN if held.is_open else RELEASED}
        if (held := holds.get(row["signal_id"]))
        else row
        for row in signals
    ]


def _lead_ids(evidence: Record) -> set[str]:
    older = {row["alias_lead_id"] for row in evidence.get("aliases") or []}
    return {evidence["lead"]["lead_id"]} | older


def _registration_decisions(connection: Connection, submissions: list[Record]) -> list[Record]:
    from payouts.registrations import load_decisions

    partners = {row["submission_key"]: row["partner_id"] for row in submissions}
    return [
        {
            "decision_key": f"registration:{each.seq}",
            "kind": "registration",
            "subject_key": each.registration_key,
            "decision": each.decision,
            "partner_id": partners[each.registration_key],
            "decided_at": _instant(each.decided_at),
            "decided_by": each.decided_by,
            "expires_at": _instant(each.expires_at),
            "reason": each.reason,
            "evidence": each.evidence,
        }
        for each in load_decisions(connection)
        if each.registration_key in partners
    ]


def _turns(ruling: Record) -> Iterator[Record]:
    """What happened to a ruling: the proposal, then where it stands now."""
    partners = list(ruling["credits"])
    common = {
        "kind": "ruling",
        "subject_key": f"control:rulings:{ruling['ruling_id']}",
        "partner_id": partners[0] if len(partners) == 1 else None,
        "expires_at": None,
        "evidence": ruling["evidence"],
        "credits": ruling["credits"],
    }
    yield {
        **common,
        "decision_key": f"ruling:{ruling['ruling_id']}:proposed",
        "decision": "proposed",
        "decided_at": ruling["proposed_at"],
        "decided_by": ruling["proposed_by"],
        "reason": ruling["proposal_reason"],
    }
    if ruling["decided_at"] is not None:
        yield {
            **common,
            "decision_key": f"ruling:{ruling['ruling_id']}",
            "decision": ruling["state"],
            "decided_at": ruling["decided_at"],
            "decided_by": ruling["decided_by"],
            "reason": ruling["reason"],
        }


def _new_request(asked: Any) -> Record:
    """A request that no night has seen yet: it is open, and nobody was reminded of it."""
    is_lead = asked.subject_type == "lead"
    return {
        "request_id": asked.request_id,
        "lead_id": asked.subject_id if is_lead else None,
        "subject_key": asked.subject_id,
        "reason": "asked",
        "asked_of": asked.asked_of,
        "asked_at": _instant(asked.asked_at),
        "due_at": _instant(asked.due_at),
        "answered_at": None,
        "state": OPEN,
        "reminders_due": 0,
        "last_reminder_at": None,
        "owner": None,
    }


def _messages(connection: Connection, subjects: set[tuple[str, str]]) -> list[Record]:
    from payouts.lead_update_records import load_messages

    messages = [
        message
        for subject_type, subject_id in subjects
        for message in load_messages(connection, subject_type, subject_id)
    ]
    return [
        {**asdict(each), "posted_at": _instant(each.posted_at)}
        for each in sorted(messages, key=lambda each: (each.posted_at, each.message_id))
    ]


def _open_holds(connection: Connection, evidence: Record, leads: set[str]) -> list[Record]:
    """Holds that keep money of this lead back: on it, on a credited partner, or on a line of it."""
    from payouts.holds import load_holds

    subjects = {
        "lead": leads,
        "partner": {row["partner_id"] for row in evidence["attributions"] if row["is_paying"]},
        "line": {row["commission_id"] for row in evidence["lines"]},
    }
    return [
        {**asdict(hold), "opened_at": _instant(hold.opened_at)}
        for hold in load_holds(connection)
        if hold.is_open and hold.subject_id in subjects[hold.subject_type]
    ]


def _instant(text: str | None) -> Any:
    from payouts.hashing import parse_instant

    return None if text is None else parse_instant(text)
