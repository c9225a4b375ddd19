"""Attribution: what other models would pay, and credit that somebody should look at.

What does not belong here: one lead (`programme_lead`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import addresses, words
from dashboards.charts import Chart, Series
from dashboards.lead_view import share
from dashboards.line_words import rule_text
from dashboards.metrics import metric
from dashboards.model_words import model_sentences, version_in_force
from dashboards.paging import SIZE, asked_code, asked_text, window
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

Record = dict[str, Any]
VIEWS = {
    "comparison": "Other models",
    "discrepancies": "Pins and rulings",
    "missed": "Missed credit",
    "duplicates": "Duplicates",
}
_PARTNER = Column("partner_id", "Partner", href=lambda row: addresses.partner(row["partner_id"]))
_LEAD = Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"]))
_BARS = 15


def attribution(visit: Visit) -> Response:
    """One of the four views."""
    view = asked_code(visit, "view", VIEWS) or "comparison"
    counts = visit.row("programme/attribution_counts") or {}
    shared = {
        "view": view,
        "views": [(name, label, counts.get(name)) for name, label in VIEWS.items()],
        "partner": asked_text(visit, "partner"),
        "partners": visit.rows("programme/partner_names"),
        "page_size": SIZE,
        "page_number": visit.page_number(),
    }
    views = {"comparison": _comparison, "discrepancies": _discrepancies, "missed": _missed}
    return views.get(view, _duplicates)(visit, shared)


def _comparison(visit: Visit, shared: Record) -> Response:
    version = version_in_force(visit.workspace.program.attribution, visit.as_of)
    by_model = visit.rows("programme/attribution_models")
    known = sorted({row["model"] for row in by_model})
    model = asked_code(visit, "model", words.ATTRIBUTION_MODELS) or (known[0] if known else "")
    currency = asked_text(visit, "currency").upper()
    rows = visit.rows(
        "programme/attribution_comparison", model=model, partner=shared["partner"],
        currency=currency,
    )  # fmt: skip
    tables = [_models_table(by_model), _comparison_table(rows)]
    if shared["partner"] and model != "recomputed":
        tables.append(_moved_leads(visit, model, shared["partner"]))
    sentences = model_sentences(version)
    charts = _charts(rows, model)
    return visit.render(
        "programme/attribution.html",
        tables=tables,
        charts=charts,
        drawn=charts,
        models=[
            (each, words.word(each, words.ATTRIBUTION_MODELS), sentences.get(each, ""))
            for each in (version.model, *(each for each in known if each != version.model))
        ],
        model=model,
        paying=version.model,
        currency=currency,
        total=len(rows),
        **shared,
    )


def _charts(rows: list[Record], model: str) -> list[Chart]:
    charts = []
    for currency in sorted({row["currency_code"] for row in rows if row["moved_amount_minor"]}):
        moved = [row for row in rows if row["currency_code"] == currency][:_BARS]
        charts.append(
            Chart(
                f"moved-{currency.lower()}",
                f"What would move in {currency}",
                f"{words.word(model, words.ATTRIBUTION_MODELS)} instead of what pays, the partners "
                "with the largest changes; above zero is what a partner would gain.",
                "bar",
                [row["partner_id"] for row in moved],
                [Series("Would move", [row["moved_amount_minor"] for row in moved])],
                unit=currency,
            )
        )
    return charts


def _models_table(rows: list[Record]) -> Table:
    return Table(
        "models",
        "What would change hands",
        [
            Column(
                "model", "Model", words=words.ATTRIBUTION_MODELS,
                href=lambda row: f"/attribution?model={row['model']}"
                f"&currency={row['currency_code']}",
            ),
            Column("partners", "Partners", "number", hint="Whose amount would differ."),
            Column("gained_amount_minor", "Partners would gain", "money"),
            Column("lost_amount_minor", "Partners would lose", "money"),
            Column(
                "moved_amount_minor", "Together", "money",
                hint="Not always nothing: partners have plans of their own.",
            ),
        ],
        rows,
        empty="The terms compare no other model.",
    )  # fmt: skip


def _comparison_table(rows: list[Record]) -> Table:
    return Table(
        "comparison",
        "By partner",
        [
            Column(
                "partner_id", "Partner",
                href=lambda row: f"/attribution?model={row['model']}&partner={row['partner_id']}",
            ),
            Column("name", "Name"),
            Column("leads", "Leads", "number"),
            Column("paying_amount_minor", "Earns", "money"),
            Column("model_amount_minor", "Would earn", "money"),
            Column(
                "moved_amount_minor", metric("would_move").label, "money",
                hint=metric("would_move").definition,
            ),
            Column("model", "Model", is_csv_only=True),
        ],
        rows,
        empty="No partner matches.",
    )  # fmt: skip


def _moved_leads(visit: Visit, model: str, partner_id: str) -> Table:
    rows = visit.rows("programme/attribution_moved_leads", model=model, partner=partner_id)
    return Table(
        "moved-leads",
        "Leads on which the credit of this partner would differ",
        [
            _LEAD,
            Column("company_domain", "Company"),
            Column("stage", "Stage", "badge", words=words.LEAD_STAGES),
            Column("paying_share", "Has", "percent"),
            Column("model_share", "Would have", "percent"),
        ],
        [
            {**row, "paying_share": share(row["paying_credit_ppm"]),
             "model_share": share(row["model_credit_ppm"])}
            for row in rows
        ],
        empty="On no lead.",
    )  # fmt: skip


def _discrepancies(visit: Visit, shared: Record) -> Response:
    filters = {"partner": shared["partner"]}
    found = visit.row("programme/discrepancy_count", **filters) or {"cases": 0}
    rows = visit.rows(
        "programme/attribution_discrepancies", **filters, **window(visit, "discrepancies")
    )
    table = Table(
        "discrepancies",
        "Credit that a pin or a ruling keeps against today's facts",
        [
            _LEAD,
            Column("scope_type", "Scope"),
            Column("scope_id", "Its id", "id"),
            _PARTNER,
            Column("held_by", "Kept by"),
            Column("share", "Counts", "percent"),
            Column("computed_share", "Today's facts", "percent"),
            Column("decided_at", "Decided", "instant"),
        ],
        [
            {**row, "share": share(row["credit_ppm"]),
             "computed_share": share(row["computed_credit_ppm"])}
            for row in rows
        ],
        empty="Nothing: pins and rulings say what today's facts say.",
        total=found["cases"],
    )  # fmt: skip
    return visit.render(
        "programme/attribution.html", tables=[table], shown=[table], total=found["cases"], **shared
    )


def _missed(visit: Visit, shared: Record) -> Response:
    filters = {"partner": shared["partner"], "owner": asked_text(visit, "owner")}
    totals = visit.rows("programme/missed_credits_totals", **filters)
    rows = visit.rows("programme/missed_credits", **filters, **window(visit, "missed"))
    total = sum(row["rows_shown"] for row in totals)
    tables = [_missed_totals(totals), _missed_table(rows, total)]
    return visit.render(
        "programme/attribution.html",
        tables=tables,
        shown=tables,
        owner=filters["owner"],
        owners=[
            ("", "Anybody"),
            *((row["owner"],) * 2 for row in visit.rows("programme/missed_credit_owners")),
        ],
        total=total,
        **shared,
    )


def _missed_totals(rows: list[Record]) -> Table:
    return Table(
        "missed-totals",
        "Paid, each customer counted once",
        [
            Column("currency_code", "Currency"),
            Column("customers", "Customers", "number"),
            Column("paid_lines", "Lines", "number"),
            Column("amount_minor", "Paid", "money", hint=metric("missed_credit").definition),
        ],
        rows,
        empty="None.",
    )


def _missed_table(rows: list[Record], total: int) -> Table:
    return Table(
        "missed",
        "Paid money that points to a partner and earns nobody anything",
        [
            Column("customer_id", "Customer", href=lambda row: addresses.unearned(
                customer=row["customer_id"], currency=row["currency_code"])),
            _PARTNER,
            _LEAD,
            Column("amount_minor", "Paid", "money"),
            Column("paid_lines", "Lines", "number"),
            Column("reason", "Why it earns nothing", words=words.UNEARNED_REASONS),
            Column("evidence_type", "Evidence", words=words.TOUCH_TYPES),
            Column("evidence_at", "Of", "instant"),
            Column("why_not_text", "Why it does not count"),
            Column("why_not", "Rule", is_csv_only=True),
            Column("owner", "Owner"),
            Column("first_paid_date", "First paid", "date"),
            Column("evidence_key", "Record", "id", is_csv_only=True),
        ],
        [{**row, "why_not_text": rule_text(row["why_not"])} for row in rows],
        empty="None: no paid customer points to a partner whom nobody credits.",
        total=total,
        note="What should count can be ruled: partnerledger rule propose.",
    )  # fmt: skip


def _duplicates(visit: Visit, shared: Record) -> Response:
    kind = asked_code(visit, "kind", words.DUPLICATE_KINDS)
    filters = {"partner": shared["partner"]}
    counts = visit.rows("programme/duplicate_counts", **filters)
    rows = visit.rows(
        "programme/duplicate_leads", kind=kind, **filters, **window(visit, "duplicates")
    )
    total = sum(row["cases"] for row in counts if kind in ("", row["kind"]))
    table = Table(
        "duplicates",
        "Leads and claims that are, were or may be the same",
        [
            Column("kind", "Kind", words=words.DUPLICATE_KINDS),
            _LEAD,
            Column(
                "other_lead_id", "Other lead", "id",
                href=lambda row: addresses.lead(row["other_lead_id"]),
            ),
            _PARTNER,
            Column(
                "other_partner_id", "Other partner", "id",
                href=lambda row: addresses.partner(row["other_partner_id"]),
            ),
            Column("evidence", "Evidence"),
            Column("found_at", "Found", "instant"),
            Column("owner", "Owner"),
            Column("duplicate_id", "Case", "id", is_csv_only=True),
        ],
        rows,
        empty="No case matches.",
        total=total,
    )  # fmt: skip
    return visit.render(
        "programme/attribution.html",
        tables=[table],
        shown=[table],
        kind=kind,
        kinds=[
            ("", "All"),
            *((row["kind"], f"{words.word(row['kind'], words.DUPLICATE_KINDS)} ({row['cases']})")
              for row in counts if row["kind"] != kind),
            *([(kind, words.word(kind, words.DUPLICATE_KINDS))] if kind else []),
        ],
        total=total,
        **shared,
    )  # fmt: skip


ENTRIES = [page("/attribution", attribution, STAFF)]
