"""What is disputed, as the published snapshot has it: whose it is, since when, what it rests on.

What belongs here: reading the facts that `payouts.disputes` is given, and the evidence that is
attached. What does not: the rules (`payouts`) and the commands (`cli_disputes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError, json_text, query
from orchestration.lead_references import require_lead

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payouts.dispute_owners import Governing
    from payouts.dispute_records import Dispute

LINE, LEAD, PAYOUT = "line", "lead", "payout"
# The type that `explain` is told to look for.
_EXPLAINED_AS = {LINE: "commission", LEAD: "lead", PAYOUT: "payout"}


@dataclass(frozen=True)
class Subject:
    """One subject. ``happened_on``: local day of the newest earning; of a payout None.

    ``entry_id`` is the newest entry of a line, which an adjustment of the line corrects.
    """

    subject_type: str
    subject_id: str
    partner_id: str
    happened_on: date | None = None
    lead_id: str | None = None
    adjustment_id: str | None = None
    entry_id: str | None = None


def find_subject(
    connection: DuckDBPyConnection, subject_type: str, reference: str, partner_id: str | None
) -> Subject:
    """What somebody disputes.

    reference: commission id, payout id, or any name of a lead. partner_id: needed for a lead, which
    nobody need have earned on yet; otherwise whose the subject is follows from it.
    Raises: CommandError when there is no such subject, or it is another partner's.
    """
    if subject_type == LEAD:
        return _lead(connection, reference, partner_id)
    found = _line(connection, reference) if subject_type == LINE else _payout(connection, reference)
    if partner_id is not None and partner_id != found.partner_id:
        raise CommandError(
            f"{subject_type} {reference} is one of partner {found.partner_id}, not of "
            f"{partner_id}; nothing was recorded",
            "A partner disputes what is its own; who earned on a lead is disputed on the lead.",
        )
    return found


def evidence_text(connection: DuckDBPyConnection, home: Path, subject: Subject) -> str:
    """The chain behind a subject as `explain --json` gives it, without messages about a lead.

    Messages stand in the control database already, and some of them are not for partners.
    """
    from orchestration.evidence import explain
    from orchestration.evidence_home import with_home
    from orchestration.lead_control import with_recorded
    from orchestration.lead_timeline import timeline

    evidence = explain(connection, subject.subject_id, _EXPLAINED_AS[subject.subject_type])
    if subject.subject_type != LEAD:
        return json_text(with_home(evidence, home))
    evidence = {**with_recorded(evidence, home), "messages": []}
    return json_text({**evidence, "timeline": timeline(evidence)})


def subject_of(connection: DuckDBPyConnection, dispute: Dispute) -> Subject:
    """The subject of a dispute as it is now; a payout needs nothing of the snapshot.

    Raises: CommandError when the snapshot no longer knows it.
    """
    if dispute.subject_type == PAYOUT:
        return Subject(PAYOUT, dispute.subject_id, dispute.partner_id)
    return find_subject(connection, dispute.subject_type, dispute.subject_id, dispute.partner_id)


def governing(connection: DuckDBPyConnection, subject: Subject) -> Governing:
    """What the subject rests on: its lead, the lead's registrations, its adjustment."""
    from payouts.dispute_owners import Governing

    keys: list[dict[str, Any]] = []
    if subject.lead_id:
        keys = query(
            connection,
            "select submission_key from marts.fct_lead_submissions where lead_id = ? order by 1",
            [subject.lead_id],
        )
    return Governing(
        lead_id=subject.lead_id,
        registration_keys=tuple(row["submission_key"] for row in keys),
        adjustment_id=subject.adjustment_id,
    )


def payout_currency(connection: DuckDBPyConnection, partner_id: str) -> str | None:
    """What a partner is paid in; None when the snapshot does not know the partner."""
    rows = query(
        connection,
        "select payout_currency_code from marts.dim_partners where partner_id = ?",
        [partner_id],
    )
    return rows[0]["payout_currency_code"] if rows else None


def _line(connection: DuckDBPyConnection, commission_id: str) -> Subject:
    rows = query(
        connection,
        "select entry_id, partner_id, lead_id, source_type, source_id, effective_date "
        "from marts.fct_commission_entries where commission_id = ? "
        "order by effective_date, ordinal",
        [commission_id],
    )
    if not rows:
        raise CommandError(
            f"the published snapshot has no line {commission_id!r}; nothing was recorded",
            "Name the commission id of a line, as `partnerledger explain ENTRY` shows it; what was "
            "never credited is disputed on the lead.",
        )
    newest = rows[-1]
    is_adjustment = newest["source_type"] == "adjustment"
    return Subject(
        LINE,
        commission_id,
        newest["partner_id"],
        happened_on=newest["effective_date"],
        lead_id=newest["lead_id"],
        adjustment_id=newest["source_id"] if is_adjustment else None,
        entry_id=newest["entry_id"],
    )


def _lead(connection: DuckDBPyConnection, reference: str, partner_id: str | None) -> Subject:
    if partner_id is None:
        raise CommandError(
            "a dispute on a lead needs the partner whose credit is in question; nothing was "
            "recorded",
            "Name it with --partner.",
        )
    lead_id = require_lead(connection, reference)
    (row,) = query(
        connection,
        "select max(effective_date) as newest from marts.fct_commission_lines where lead_id = ?",
        [lead_id],
    )
    return Subject(LEAD, lead_id, partner_id, happened_on=row["newest"], lead_id=lead_id)


def _payout(connection: DuckDBPyConnection, payout_id: str) -> Subject:
    rows = query(
        connection,
        "select partner_id from marts.fct_payout_items where payout_id = ?",
        [payout_id],
    )
    if not rows:
        raise CommandError(
            f"the published snapshot has no payout {payout_id!r}; nothing was recorded",
            "`partnerledger batches show BATCH` lists them; one of today is there from the next "
            "night on.",
        )
    return Subject(PAYOUT, payout_id, rows[0]["partner_id"])
