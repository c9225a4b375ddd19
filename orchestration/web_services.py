"""What the web app asks of this room: evidence, statements, batches (`dashboards.services`).

Each method is a thin wrapper around what the command line does. Refusals of the command line
become those of the app, so that they are shown as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Connection

    from orchestration.dispute_subjects import Subject
    from orchestration.documents import Document
    from orchestration.lead_subjects import RegistrationSubject
    from orchestration.lead_subjects import Subject as LeadSubject
    from orchestration.pay_actions import Payment
    from payouts.export import ExportResult
    from payouts.export_preview import ExportPreview
    from payouts.records import BatchSummary
    from payouts.store import Store
    from program.load import Workspace

Record = dict[str, Any]


class WebServices:
    """One home and its programme. current_terms: the checked terms as they are now."""

    def __init__(self, home: Path, current_terms: Callable[[], Workspace]) -> None:
        self._home = home
        self._current_terms = current_terms

    @property
    def _workspace(self) -> Workspace:
        return self._current_terms()

    def last_night(self) -> Record | None:
        """How the last night ended: state, as_of, at, message."""
        from orchestration.last_night import read_last_night

        return read_last_night(self._home)

    def explain(self, connection: DuckDBPyConnection, reference: str) -> Record:
        """The chain of evidence of an id (B1). Raises: NotFoundError."""
        from orchestration.evidence import explain
        from orchestration.evidence_home import with_home
        from orchestration.lead_control import with_recorded
        from orchestration.lead_timeline import timeline

        with _nothing_found():
            evidence = explain(connection, reference)
        if evidence["reference_type"] != "lead":
            return with_home(evidence, self._home)
        evidence = with_recorded(evidence, self._home)
        return {**evidence, "timeline": timeline(evidence)}

    def explain_document(self, evidence: Record) -> Document:
        """The same for people."""
        from orchestration.evidence_document import evidence_document

        return evidence_document(evidence)

    def lead(self, connection: DuckDBPyConnection, reference: str) -> Record:
        """A lead with what was recorded about it since the night. Raises: NotFoundError."""
        from orchestration.lead_control import with_recorded
        from orchestration.lead_records import lead_evidence
        from orchestration.lead_subjects import partners_of
        from orchestration.lead_timeline import timeline

        with _nothing_found():
            evidence = with_recorded(lead_evidence(connection, reference), self._home)
        return {**evidence, "timeline": timeline(evidence), "partners": partners_of(evidence)}

    def commission(self, connection: DuckDBPyConnection, commission_id: str) -> Record:
        """A commission with its terms and steps in words. Raises: NotFoundError."""
        from orchestration.evidence import explain
        from orchestration.evidence_terms import terms_sentences, terms_title
        from orchestration.evidence_words import check_text, steps

        with _nothing_found():
            evidence = explain(connection, commission_id, "commission")
        terms = evidence["terms"]
        for entry in evidence["entries"]:
            entry["check_text"] = check_text(entry["recomputed"])
            entry["steps"] = steps(
                entry["explanation"] or {}, entry["currency_code"], entry["payout_currency_code"]
            )
        return {
            **evidence,
            "terms_title": terms_title(terms) if terms else "",
            "terms_sentences": terms_sentences(terms) if terms else [],
        }

    def registration(
        self, connection: DuckDBPyConnection, control: Connection, reference: str
    ) -> RegistrationSubject:
        """The registration or entered lead of a key. Raises: NotFoundError."""
        from orchestration.lead_subjects import require_registration

        with _nothing_found():
            return require_registration(connection, control, reference)

    def update_subject(
        self, connection: DuckDBPyConnection, control: Connection, request_id: str
    ) -> LeadSubject:
        """What a request for an update is about. Raises: NotFoundError."""
        from orchestration.lead_subjects import require_request

        with _nothing_found():
            return require_request(connection, control, request_id)

    def stream_freshness(self) -> list[Record]:
        """How fresh each stream of the sources is."""
        from orchestration.stream_freshness import stream_freshness

        return stream_freshness(self._home, self._workspace)

    def statement(self, store: Store, partner_id: str, period: str | None) -> Record:
        """A partner's month as known now; None is that of the last night. Raises: NotFoundError."""
        from orchestration.known_partner import partner_statement

        with store.read() as connection, _nothing_found():
            record, name = partner_statement(
                connection, self._home, self._workspace.program, partner_id, period, None
            )
        return {**record, "partner_name": name}

    def propose(
        self, store: Store, pay_date: date | None, actor: str, now: datetime
    ) -> list[BatchSummary]:
        """Propose what is due, or one pay date, from the published night."""
        from orchestration.batch_actions import propose_batches

        with _refusals():
            return propose_batches(
                store, self._workspace, self._home, pay_date=pay_date, actor=actor, proposed_at=now
            )

    def export(self, store: Store, batch_id: str, actor: str, now: datetime) -> ExportResult:
        """Write the files of an approved batch, or confirm those that were written."""
        from orchestration.batch_actions import export_approved

        with _refusals():
            return export_approved(
                store, self._workspace, self._home, batch_id, exported_at=now, actor=actor
            )

    def preview(self, store: Store, batch_id: str, now: datetime) -> ExportPreview:
        """The files that an export would write now; writes nothing (I25)."""
        from orchestration.batch_actions import preview_approved

        with _refusals():
            return preview_approved(store, self._workspace, self._home, batch_id, exported_at=now)

    def look_at_pay_date(
        self, store: Store, pay_date: date, actor: str, role: str, typed: Sequence[str],
        with_export: bool, now: datetime,
    ) -> Payment:  # fmt: skip
        """What approving and exporting a whole pay date would do; writes nothing (I25)."""
        from orchestration.pay_actions import look_at_pay_date

        with _refusals():
            return look_at_pay_date(
                store, self._workspace, self._home, pay_date=pay_date, actor=actor, role=role,
                typed=typed, with_export=with_export, now=now,
            )  # fmt: skip

    def pay_pay_date(
        self, store: Store, pay_date: date, actor: str, role: str, typed: Sequence[str],
        with_export: bool, now: datetime, identity_level: str,
    ) -> Payment:  # fmt: skip
        """Approve all ready batches of a pay date, and export what is complete."""
        from orchestration.pay_actions import pay_pay_date

        with _refusals():
            return pay_pay_date(
                store, self._workspace, self._home, pay_date=pay_date, actor=actor, role=role,
                typed=typed, with_export=with_export, now=now, identity_level=identity_level,
            )  # fmt: skip

    def evidence_pack(self, store: Store, batch_id: str) -> bytes:
        """The evidence pack of a batch, a ZIP archive; equal as long as nothing happened."""
        from orchestration.cli_pack import terms_at_hand
        from payouts.evidence_pack import evidence_pack
        from payouts.verify import verify

        with _refusals():
            return evidence_pack(
                store,
                self._home,
                batch_id,
                terms=terms_at_hand(self._workspace),
                findings=verify(self._home, store=store),
            )

    def dispute_subject(
        self,
        connection: DuckDBPyConnection,
        subject_type: str,
        reference: str,
        partner_id: str | None,
    ) -> Subject:
        """The line, lead or payout that a dispute would be about. Raises: NotFoundError."""
        from orchestration.dispute_subjects import find_subject

        with _nothing_found():
            return find_subject(connection, subject_type, reference, partner_id)

    def dispute_evidence(self, connection: DuckDBPyConnection, subject: Subject) -> str:
        """The chain behind a subject, as the system attaches it."""
        from orchestration.dispute_subjects import evidence_text

        with _nothing_found():
            return evidence_text(connection, self._home, subject)

    def dispute_governing(self, connection: DuckDBPyConnection, subject: Subject) -> Any:
        """What a subject rests on, from which follows who may not decide its dispute."""
        from orchestration.dispute_subjects import governing

        return governing(connection, subject)

    def shown_terms(self, partner_id: str) -> tuple[str, str]:
        """Version and text of the terms that a partner would accept. Raises: NotFoundError."""
        from orchestration.cli_onboarding import shown_terms

        with _nothing_found():
            return shown_terms(self._workspace, self._home, partner_id)

    def partner_rules(self, partner_id: str) -> str:
        """The rules that apply to a partner, in words, as Markdown. Raises: NotFoundError."""
        return self.shown_terms(partner_id)[1]

    def programme_rules(self) -> str:
        """The rules of the programme, in words, as Markdown."""
        from orchestration.docs_rules import commission_rules

        return commission_rules(self._workspace.program_path, "")


@contextmanager
def _refusals() -> Iterator[None]:
    from dashboards.errors import RefusedError

    try:
        yield
    except CommandError as error:
        raise RefusedError(error.message, error.what_to_do) from error


@contextmanager
def _nothing_found() -> Iterator[None]:
    from dashboards.errors import NotFoundError

    try:
        yield
    except CommandError as error:
        raise NotFoundError(error.message) from error
