"""One partner: how it does, what it is owed, how far it has come, and what people decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboards import addresses, words
from dashboards.errors import NotFoundError
from dashboards.holding import hold_from_form, may_hold, open_holds, release_from_form
from dashboards.paging import asked_code
from dashboards.partner_record import read_record
from dashboards.performance import LATER, read_performance, tables_present, tile
from dashboards.performance_charts import chart_of
from dashboards.performance_filters import bar, currencies_of, in_one_currency
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import APPROVERS, STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from dashboards.partner_record import PartnerRecord
    from dashboards.visit import Visit

Row = dict[str, Any]
_CHARTED = ("revenue", "earned", "taken_back", "net", "effective_rate", "clawback_rate")
_COUNTED = (
    "valid_leads",
    "demos_held",
    "deals_won",
    "new_customers",
    "lead_to_deal",
    "days_to_deal",
)
_DEFAULT_TILE = "earned"
_LEAD_COLUMNS = ("company_domain", "email_masked", "stage", "first_payment_at", "last_moved_at")
_SHOWN = 25
_STEPS = {
    "invitation": "Invitation", "terms": "Terms accepted", "payout_details": "Payout details",
    "verification": "Account verified", "tax_form": "Tax form", "screening": "Screening",
    "cooling_off": "Waiting time of new details",
}  # fmt: skip
_GATES = {
    "status": "Active in the directory", "terms_accepted": "Terms accepted",
    "payee_verified": "Payout details verified", "tax_form": "Tax form valid",
    "screening": "Screening passed", "cooling_off": "Waiting time of new details over",
}  # fmt: skip


def partner(visit: Visit) -> Response:
    """The page of a partner that the directory knows."""
    found = _found(visit)
    partner_id = found["partner_id"]
    chosen = asked_code(visit, "tile", _CHARTED) or _DEFAULT_TILE
    present = tables_present(visit)
    currencies = currencies_of(visit, present, partner_id)
    filters = in_one_currency(
        replace(visit.filters("12m"), partner_id=partner_id, group="", only_pilot=False),
        currencies,
        found["payout_currency_code"],
    )
    performance = read_performance(visit, filters, present)
    # The page's own address names the partner already.
    linked = replace(filters, partner_id="")
    chart = chart_of(visit, filters, chosen, present)
    record = read_record(visit, partner_id, found["status"])
    return visit.render(
        "programme/partner.html",
        tables=[*_money_tables(visit, partner_id), *_record_tables(record)],
        charts=[chart] if chart else [],
        drawn=chart,
        chart_note=LATER,
        partner=found,
        record=record,
        filters=filters,
        bar=bar(linked, currencies, []),
        tile_chosen=chosen,
        tiles=[
            *(
                tile(
                    performance, name, href=f"?{linked.query(tile=name)}", is_chosen=name == chosen
                )
                for name in _CHARTED
            ),
            *(tile(performance, name) for name in _COUNTED),
        ],
        holds=open_holds(visit, {"partner": {partner_id}}),
        may_hold=may_hold(visit),
        ledger=addresses.ledger(partner=partner_id),
        leads=addresses.leads(partner=partner_id),
        explain=addresses.explain(partner_id),
    )


def hold(visit: Visit) -> Response:
    """Hold everything that the partner has available."""
    partner_id = _found(visit)["partner_id"]
    return visit.redirect(
        f"{addresses.partner(partner_id)}", hold_from_form(visit, {"partner": partner_id})
    )


def release(visit: Visit) -> Response:
    """Release a hold on the partner."""
    partner_id = _found(visit)["partner_id"]
    return visit.redirect(f"{addresses.partner(partner_id)}", release_from_form(visit))


def _found(visit: Visit) -> Row:
    partner_id = visit.path("partner_id")
    found = visit.row("programme/partner", partner_id=partner_id)
    if found is None:
        raise NotFoundError(f"there is no partner {partner_id[:100]} in the directory")
    return found


def _money_tables(visit: Visit, partner_id: str) -> list[Table]:
    return [
        _balances(visit.rows("programme/partner_balances", partner_id=partner_id)),
        _leads(_newest_leads(visit, partner_id)),
        _commissions(_listed(visit, "commissions", partner_id)),
        _payouts(_listed(visit, "payouts", partner_id)),
        _held(visit.rows("programme/partner_holds", partner_id=partner_id)),
    ]


def _newest_leads(visit: Visit, partner_id: str) -> list[Row]:
    limit = None if visit.asked("csv") == "leads" else _SHOWN
    credited = visit.rows("programme/partner_newest_leads", partner_id=partner_id, limit=limit)
    if not credited:
        return []
    known = visit.rows(
        "programme/leads_by_id",
        ids=[row["lead_id"] for row in credited],
        since=credited[-1]["decided_at"],
    )
    by_id = {row["lead_id"]: row for row in known}
    return [
        dict.fromkeys(_LEAD_COLUMNS)
        | by_id.get(row["lead_id"], {})
        | row
        | {"credit": (row["credit_ppm"], 1_000_000)}
        for row in credited
    ]


def _listed(visit: Visit, name: str, partner_id: str) -> Sequence[Row]:
    """The newest rows of a list, all of them for its file."""
    limit = None if visit.asked("csv") == name else _SHOWN
    return visit.rows(f"programme/partner_{name}", partner_id=partner_id, limit=limit)


def _balances(rows: Sequence[Row]) -> Table:
    labels = {
        "earned": "Earned", "reversed": "Taken back", "paid": "Paid out", "balance": "Balance",
        "on_hold": "Not yet available", "available": "Available", "in_batch": "In a batch",
    }  # fmt: skip
    return Table(
        "balances",
        "Balances",
        [
            Column("currency_code", "Currency"),
            *(Column(f"{name}_amount_minor", label, "money") for name, label in labels.items()),
        ],
        rows,
        empty="Nothing has been earned yet.",
        note="Since the beginning. Earned, taken back and paid out together are the balance; so "
        "are not yet available, available and in a batch.",
    )


def _leads(rows: Sequence[Row]) -> Table:
    return Table(
        "leads",
        "Leads, newest first",
        [
            Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"])),
            Column("company_domain", "Company"),
            Column("email_masked", "Person"),
            Column("stage", "Stage", "badge", words=words.LEAD_STAGES),
            Column("credit", "Credit", "percent"),
            Column("decided_at", "Valid since", "instant"),
            Column("first_payment_at", "First payment", "instant"),
            Column("last_moved_at", "Last moved", "instant"),
            Column("decided_by", "Decided by", is_csv_only=True),
        ],
        rows,
        empty="No lead is credited to the partner yet.",
        total=rows[0]["leads"] if rows else None,
    )


def _commissions(rows: Sequence[Row]) -> Table:
    return Table(
        "commissions",
        f"Newest {_SHOWN} commissions",
        [
            Column("effective_date", "Day", "date"),
            Column("kind", "Kind", words=words.ENTRY_KINDS),
            Column(
                "commission_id", "Commission", "id",
                href=lambda row: addresses.commission(row["commission_id"]),
            ),
            Column("customer_id", "Customer", "id"),
            Column("component_id", "Component"),
            Column(
                "payout_amount_minor", "Amount", "money", currency_key="payout_currency_code"
            ),
            Column("status", "State", "badge", words=words.LINE_STATES),
            Column("unpaid_reason", "Because", words=words.UNPAID_REASONS),
            Column("expected_pay_date", "Expected", "date"),
            Column("lead_id", "Lead", is_csv_only=True),
            Column("source_type", "Source", is_csv_only=True),
            Column("source_id", "Source id", is_csv_only=True),
        ],
        rows,
        empty="The partner has earned nothing yet.",
    )  # fmt: skip


def _payouts(rows: Sequence[Row]) -> Table:
    return Table(
        "payouts",
        "Payouts, newest first",
        [
            Column("pay_date", "Pay date", "date"),
            Column("amount_minor", "Amount", "money"),
            Column("state", "State", "badge", words=words.PAYOUT_STATES),
            Column("left_out_reason", "Left out because", words=words.LEFT_OUT),
            Column("rail", "Rail"),
            Column("settled_date", "Settled", "date"),
            Column("batch_id", "Batch", "id", href=lambda row: addresses.batch(row["batch_id"])),
            Column(
                "payout_id", "Payout", "id", href=lambda row: addresses.explain(row["payout_id"])
            ),
        ],
        rows,
        empty="No batch has had the partner yet.",
    )


def _held(rows: Sequence[Row]) -> Table:
    return Table(
        "held",
        "Not payable for now",
        [
            Column("hold_reason", "Because", words=words.UNPAID_REASONS),
            Column("entries", "Entries", "number"),
            Column("amount_minor", "Amount", "money"),
        ],
        rows,
        empty="Nothing is held.",
    )


def _record_tables(record: PartnerRecord) -> list[Table]:
    return [
        Table(
            "onboarding",
            "Onboarding",
            [
                Column("step", "Step", words=_STEPS),
                Column("is_done", "Done", "yes_no"),
                Column("detail", "What is known"),
            ],
            record.steps,
        ),
        Table(
            "gates",
            "What must be true before a payout",
            [Column("gate", "Gate", words=_GATES), Column("is_passed", "Passed", "yes_no")],
            record.gates,
            empty="The programme asks for nothing.",
        ),
        Table(
            "year-totals",
            "Paid out this year",
            [
                Column("year", "Year"),
                Column("legal_entity", "Paid by"),
                Column("amount_minor", "Amount", "money"),
                Column("payments", "Payments", "number"),
                Column("form", "Form to report"),
                Column("threshold_minor", "From", "money"),
                Column("is_reached", "Reached", "yes_no"),
            ],
            record.year_totals,
            empty="Nothing has been paid out this year.",
        ),
    ]


ENTRIES = [
    page("/partners/{partner_id}", partner, STAFF),
    action("/partners/{partner_id}/hold", hold, APPROVERS),
    action("/partners/{partner_id}/release", release, APPROVERS),
]
