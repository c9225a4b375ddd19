"""Payouts and statements of the partner that asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import PAYOUT

from dashboards import words
from dashboards.errors import NotFoundError
from dashboards.portal import addresses
from dashboards.portal.asking import question_of
from dashboards.portal.masking import customer
from dashboards.portal.words import MOVEMENTS, PAYOUT_REASONS, line_label, line_reason
from dashboards.routing import page
from dashboards.statements.wording import ENTRY_STATES
from dashboards.tables import Column, Table
from dashboards.users import PARTNER

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def payouts(visit: Visit) -> Response:
    """Every payout with its state, and the statements of all months."""
    rows = visit.rows("portal/payouts", partner_id=visit.partner_id, payout_id="")
    return visit.render(
        "portal/payouts.html",
        tables=[_payouts_table([_with_why(row) for row in rows])],
        months=_months(visit),
    )


def payout(visit: Visit) -> Response:
    """One payout and what it consists of."""
    payout_id = visit.path("payout_id")
    rows = visit.rows("portal/payouts", partner_id=visit.partner_id, payout_id=payout_id)
    if not rows or not payout_id:
        raise NotFoundError("there is no such payout of yours")
    lines = visit.rows("portal/payout_lines", partner_id=visit.partner_id, payout_id=payout_id)
    return visit.render(
        "portal/payout.html",
        tables=[_lines_table(lines)],
        row=_with_why(rows[0]),
        total=sum(line["amount_minor"] for line in lines),
        question=question_of(visit, PAYOUT, payout_id),
    )


def statement(visit: Visit) -> Response:
    """A month as a page."""
    period, record = _statement(visit)
    return visit.render(
        "portal/statement.html",
        tables=[_statement_table(each) for each in record["currencies"]],
        statement=record,
        period=period,
        movements=MOVEMENTS,
        months=[row["posting_period"] for row in _months(visit)],
    )


def statement_pdf(visit: Visit) -> Response:
    """The same month as a PDF file."""
    from dashboards.statements.pdf import render_pdf

    period, record = _statement(visit)
    name = record.pop("partner_name", "")
    terms = visit.workspace.program.program
    programme = {"name": terms.name, "legal_entity": terms.legal_entity}
    content = render_pdf(record, programme, name)
    return visit.download(content, f"statement-{period}.pdf", "application/pdf")


def statement_csv(visit: Visit) -> Response:
    """The same month as a CSV file."""
    from dashboards.statements.csv_file import render_csv

    period, record = _statement(visit)
    return visit.download(render_csv(record), f"statement-{period}.csv", "text/csv; charset=utf-8")


def _statement(visit: Visit) -> tuple[str, dict[str, Any]]:
    """The partner's month of the address. Raises: NotFoundError without a posting in it."""
    period = visit.path("period")
    months = {row["posting_period"] for row in _months(visit)}
    if not _MONTH.fullmatch(period) or period not in months | {f"{visit.as_of:%Y-%m}"}:
        raise NotFoundError(f"there is no statement of {period[:20]}")
    return period, visit.services.statement(visit.store, visit.partner_id, period)


def _months(visit: Visit) -> list[dict[str, Any]]:
    return visit.rows("portal/months", partner_id=visit.partner_id)


def _with_why(row: dict[str, Any]) -> dict[str, Any]:
    reason = row["left_out_reason"]
    if reason:
        why = words.word(reason, words.LEFT_OUT)
    else:
        why = PAYOUT_REASONS.get(row["state"], "")
        if why and row["reason_code"]:
            why = f"{why} ({row['reason_code']})"
    return {**row, "why": why}


def _payouts_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "payouts",
        "Payouts",
        [
            Column(
                "pay_date", "Pay day", "date",
                href=lambda row: addresses.payout(row["payout_id"]),
            ),
            Column("amount_minor", "Amount", "money"),
            Column("state", "State", "badge", words=words.PAYOUT_STATES),
            Column("why", "Why"),
            Column("settled_date", "Arrived", "date"),
            Column("cutoff_date", "What was available until", "date"),
            Column("payout_id", "Payout", "id", is_csv_only=True),
        ],
        rows,
        empty="No payout yet.",
    )  # fmt: skip


def _lines_table(lines: list[dict[str, Any]]) -> Table:
    return Table(
        "lines",
        "What it consists of",
        [
            Column("effective_date", "Day", "date"),
            Column("label", "What", href=lambda row: addresses.earning(row["commission_id"])),
            Column("who", "Customer"),
            Column("reason", "Because of"),
            Column("amount_minor", "Amount", "money", "payout_currency_code"),
            Column("entry_id", "Entry", "id", is_csv_only=True),
        ],
        [
            {
                **line,
                "who": "" if line["source_type"] == "commission" else customer(line),
                "label": line_label(line),
                "reason": line_reason(line) if line["kind"] != "earning" else "",
            }
            for line in lines
        ],
        empty="Nothing: you were left out of it.",
        total=len(lines),
    )  # fmt: skip


def _statement_table(of_currency: dict[str, Any]) -> Table:
    code = of_currency["payout_currency_code"]
    return Table(
        f"lines-{code.lower()}",
        f"Lines in {code}",
        [
            Column("effective_date", "Day", "date"),
            Column("movement", "What", words=MOVEMENTS),
            Column("component_id", "Part of the plan"),
            Column("source_id", "For", "id"),
            Column("cause_id", "Because of", "id"),
            Column("state", "State", words=ENTRY_STATES),
            Column("expected_pay_date", "Expected pay day", "date"),
            Column("paid_date", "Paid", "date"),
            Column("payout_amount_minor", "Amount", "money", "payout_currency_code"),
        ],
        [
            {
                **line,
                "source_id": None if line["source_type"] == "commission" else line["source_id"],
            }
            for line in of_currency["lines"]
        ],
        empty="Nothing was posted in this month.",
        total=len(of_currency["lines"]),
    )


ENTRIES = [
    page("/portal/payouts", payouts, PARTNER),
    page("/portal/payouts/{payout_id}", payout, PARTNER),
    page("/portal/statements/{period}.pdf", statement_pdf, PARTNER),
    page("/portal/statements/{period}.csv", statement_csv, PARTNER),
    page("/portal/statements/{period}", statement, PARTNER),
]
