"""Data health: how fresh the sources are, what needs a person, and whether the money ties.

What does not belong here: reading landings (`Services.stream_freshness`) and the checks themselves,
which stop a night before it publishes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from payouts.segments import records

from dashboards import addresses
from dashboards.metrics import metric
from dashboards.pages.programme_entries import unearned_totals_table
from dashboards.paging import SIZE, asked_code, asked_text, window
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from dashboards.visit import Visit

Record = dict[str, Any]
SEVERITIES = {"error": "Error", "warning": "Warning", "info": "To know"}
FRESH, LATE, FAILED, NEVER = "fresh", "late", "failed", "never"
FRESHNESS = {FRESH: "Fresh", LATE: "Late", FAILED: "Failed", NEVER: "Never read"}
# Where the terms of a source do not say how old its last reading may be: as for the whole page.
_USUAL_HOURS = 26
STATEMENTS = {
    "lines": "Commissions are what the journal has posted for them",
    "balances": "Balances are the sum of the journal",
    "liability": "Liability by month and state is the sum of the journal",
    "ledger": "Debits of the double-entry lines equal their credits",
    "batches": "Batches are the sums of their payouts",
}


def health(visit: Visit) -> Response:
    """The page."""
    filters = {
        "kind": asked_text(visit, "kind"),
        "severity": asked_code(visit, "severity", SEVERITIES),
        "owner": asked_text(visit, "owner"),
    }
    by_kind = visit.rows("programme/exceptions_totals", **filters)
    found = visit.rows("programme/exceptions", **filters, **window(visit, "exceptions"))
    total = sum(row["exceptions"] for row in by_kind)
    streams = [_stream(visit, row) for row in visit.services.stream_freshness()]
    money = visit.rows("programme/reconciliation")
    everything = {"reason": "", "currency": "", "customer": ""}
    night = visit.services.last_night()
    return visit.render(
        "programme/health.html",
        tables=[
            _kinds_table(by_kind),
            _exceptions_table(found, total),
            _streams_table(streams),
            _money_table(money),
            _paid_lines_table(visit.rows("programme/paid_lines")),
            unearned_totals_table(visit.rows("programme/unearned_totals", **everything)),
        ],
        filters=filters,
        severities=[("", "All"), *SEVERITIES.items()],
        choices=_choices(visit.rows("programme/exception_choices")),
        total=total,
        page_number=visit.page_number(),
        page_size=SIZE,
        night=night,
        failed_checks=(night or {}).get("failed_checks", []),
        not_fresh=[row for row in streams if row["freshness"] != FRESH],
        untied=[row for row in money if not row["is_equal"]],
        journal=_journal(visit),
        exceptions=metric("exceptions"),
    )


def _stream(visit: Visit, row: Record) -> Record:
    hours = row["freshness_hours"] or _USUAL_HOURS
    is_late = row["pulled_at"] is None or visit.now - row["pulled_at"] > timedelta(hours=hours)
    if row["status"] == FAILED:
        freshness = FAILED
    elif row["status"] == NEVER:
        freshness = NEVER
    else:
        freshness = LATE if is_late else FRESH
    return {**row, "freshness": freshness}


def _journal(visit: Visit) -> Record:
    """The register of segments now, beside the one that the snapshot was made from."""
    with visit.control() as connection:
        segments = records(connection)
    head = segments[-1] if segments else None
    published = visit.metadata.get("journal_segment") or 0
    return {
        "segment": head.segment if head else 0,
        "sha256": head.sha256 if head else "",
        "hash": head.hash if head else "",
        "recorded_at": head.recorded_at if head else None,
        "since": sum(1 for each in segments if each.segment > published),
        "rows": sum(each.rows for each in segments),
    }


def _choices(rows: Sequence[Record]) -> dict[str, list[tuple[str, str]]]:
    return {
        name: [("", "All"), *((each, each.replace("_", " ")) for each in sorted(values))]
        for name, values in (
            ("kind", {row["kind"] for row in rows}),
            ("owner", {row["owner"] for row in rows if row["owner"]}),
        )
    }


def subject_address(subject: str | None) -> str | None:
    """The page of what an exception is about, where there is one."""
    kind, _, name = (subject or "").partition(":")
    if kind == "lead":
        return addresses.lead(name)
    if kind == "customer":
        return addresses.unearned(customer=name)
    if kind == "partner":
        return addresses.partner(name)
    if kind == "batch":
        return addresses.batch(name)
    if kind == "duplicate":
        return "/attribution?view=duplicates"
    return None


def _filtered(row: Record) -> str:
    """The list below, of one kind and severity."""
    return f"/health?kind={row['kind']}&severity={row['severity']}#exceptions"


def _kinds_table(rows: list[Record]) -> Table:
    return Table(
        "kinds",
        "Exceptions by kind",
        [
            Column(
                "kind_shown", "Kind",
                href=_filtered,
            ),
            Column("severity", "Severity", "badge", words=SEVERITIES),
            Column("exceptions", "How many", "number"),
            Column("amount_minor", "Concerns", "money"),
            Column("owners", "Owners"),
            Column("kind", "Kind", is_csv_only=True),
        ],
        [{**row, "kind_shown": row["kind"].replace("_", " ")} for row in rows],
        empty="No exception matches.",
    )  # fmt: skip


def _exceptions_table(rows: list[Record], total: int) -> Table:
    return Table(
        "exceptions",
        "Exceptions",
        [
            Column("severity", "Severity", "badge", words=SEVERITIES),
            Column("kind_shown", "Kind"),
            Column("subject", "About", "id", href=lambda row: subject_address(row["subject"])),
            Column("amount_minor", "Amount", "money"),
            Column("owner", "Owner"),
            Column("opened_at", "Since", "instant"),
            Column("what_to_do", "What to do"),
            Column("kind", "Kind", is_csv_only=True),
            Column("exception_id", "Exception", "id", is_csv_only=True),
        ],
        [{**row, "kind_shown": row["kind"].replace("_", " ")} for row in rows],
        empty="No exception matches.",
        total=total,
    )


def _streams_table(rows: list[Record]) -> Table:
    return Table(
        "streams",
        "Sources",
        [
            Column("source", "Source"),
            Column("stream", "Stream"),
            Column("freshness", "State", "badge", words=FRESHNESS),
            Column("pulled_at", "Last read", "instant"),
            Column("changed_at", "Last news", "instant"),
            Column("rows", "Rows then", "number"),
            Column(
                "usual_rows", "Usual", "number",
                hint="The middle one of the landings in the seven days before.",
            ),
            Column("rows_rejected", "Rejected", "number"),
            Column("message", "What happened"),
            Column("what_to_do", "What to do"),
        ],
        rows,
        empty="No source was ever read.",
    )  # fmt: skip


def _money_table(rows: list[Record]) -> Table:
    return Table(
        "reconciliation",
        "Does the money tie?",
        [
            Column("statement", "Statement", words=STATEMENTS),
            Column("amount_minor", "Here", "money"),
            Column("other_amount_minor", "There", "money"),
            Column("is_equal", "Ties", "yes_no"),
        ],
        rows,
        empty="Nothing was ever posted.",
        note="The night itself refuses to publish what does not tie, from the landed records on.",
    )


def _paid_lines_table(rows: list[Record]) -> Table:
    return Table(
        "paid-lines",
        "Every paid invoice line is earned, or unearned for one reason",
        [
            Column("currency_code", "Currency"),
            Column("paid_lines", "Paid lines", "number"),
            Column("earned_lines", "Earned", "number"),
            Column(
                "unearned_lines", "Unearned", "number",
                href=lambda row: addresses.unearned(currency=row["currency_code"]),
            ),
            Column("commission_amount_minor", "Commission", "money"),
            Column("unearned_amount_minor", "Paid and unearned", "money"),
        ],
        rows,
        empty="No invoice was ever paid.",
    )  # fmt: skip


ENTRIES = [page("/health", health, STAFF)]
