"""What the app asks of the room that runs nights, which it may not import.

`orchestration.web_services` is the implementation; `serve` passes it in. Records are plain
dictionaries, as the command line prints them with --json.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import duckdb
    from payouts.store import Store
    from sqlalchemy import Connection

Record = dict[str, Any]


class Services(Protocol):
    """Everything beyond published tables and `payouts`. Errors are those of the rooms."""

    def last_night(self) -> Record | None:
        """How the last night went: state (started, succeeded, failed), as_of, at, message,
        failed_checks (a line each); None before the first night."""

    def explain(self, connection: duckdb.DuckDBPyConnection, reference: str) -> Record:
        """The chain of evidence of an entry, line, lead, invoice, payout or batch (B1)."""

    def explain_document(self, evidence: Record) -> Any:
        """The same for people: title, subtitle, blocks of facts, tables and sentences."""

    def lead(self, connection: duckdb.DuckDBPyConnection, reference: str) -> Record:
        """A lead by any of its ids: rows of the marts by section, rulings, messages, timeline;
        partners: ids of those that have to do with it."""

    def commission(self, connection: duckdb.DuckDBPyConnection, commission_id: str) -> Record:
        """The same of a commission, with terms and steps in words, recomputed."""

    def registration(
        self, connection: duckdb.DuckDBPyConnection, control: Connection, reference: str
    ) -> Any:
        """A registration or entered lead: key, entity, and what files say of it (delivered)."""

    def update_subject(
        self, connection: duckdb.DuckDBPyConnection, control: Connection, request_id: str
    ) -> Any:
        """What a request for an update is about: subject_type and subject_id."""

    def stream_freshness(self) -> list[Record]:
        """How fresh each stream is: when it was read and how that went, when and how much came."""

    def statement(self, store: Store, partner_id: str, period: str | None) -> Record:
        """The partner's statement of a month (`statement --json`), as known now."""

    def propose(self, store: Store, pay_date: date | None, actor: str, now: datetime) -> list[Any]:
        """Propose what is due, or one pay date, from the published night."""

    def export(self, store: Store, batch_id: str, actor: str, now: datetime) -> Any:
        """Write the files of an approved batch, or confirm those that were written."""

    def preview(self, store: Store, batch_id: str, now: datetime) -> Any:
        """The files that an export would write now; writes nothing."""

    def look_at_pay_date(
        self, store: Store, pay_date: date, actor: str, role: str, typed: Sequence[str],
        with_export: bool, now: datetime,
    ) -> Any:  # fmt: skip
        """What approving and exporting a whole pay date would do; writes nothing."""

    def pay_pay_date(
        self, store: Store, pay_date: date, actor: str, role: str, typed: Sequence[str],
        with_export: bool, now: datetime, identity_level: str,
    ) -> Any:  # fmt: skip
        """Approve all ready batches of a pay date, and export what is complete."""

    def evidence_pack(self, store: Store, batch_id: str) -> bytes:
        """The evidence pack of a batch, a ZIP archive."""

    def dispute_subject(
        self,
        connection: duckdb.DuckDBPyConnection,
        subject_type: str,
        reference: str,
        partner_id: str | None,
    ) -> Any:
        """The line, lead or payout that a dispute would be about."""

    def dispute_evidence(self, connection: duckdb.DuckDBPyConnection, subject: Any) -> str:
        """The chain behind a subject, as the system attaches it to a dispute."""

    def dispute_governing(self, connection: duckdb.DuckDBPyConnection, subject: Any) -> Any:
        """What a subject rests on, from which follows who may not decide its dispute."""

    def shown_terms(self, partner_id: str) -> tuple[str, str]:
        """Version and text of the terms that a partner would accept."""

    def partner_rules(self, partner_id: str) -> str:
        """The rules that apply to a partner, in words (Markdown of the generated page)."""

    def programme_rules(self) -> str:
        """The rules of the programme, in words (Markdown of the generated page)."""
