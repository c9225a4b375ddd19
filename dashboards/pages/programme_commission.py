"""One commission: the line, how it was computed, its entries, and holding it.

What does not belong here: finding and recomputing it (`Services.commission`) and the rules of
holds (`payouts.holds`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.lead_joins import former_lead_ids

from dashboards import addresses, words
from dashboards.errors import NotFoundError
from dashboards.holding import hold_from_form, may_hold, open_holds, release_from_form
from dashboards.lead_view import exact_percent
from dashboards.line_words import unpaid_text
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import APPROVERS, STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

Record = dict[str, Any]
_FAULTY = "differs"


def commission(visit: Visit) -> Response:
    """The page."""
    commission_id = visit.path("commission_id")
    evidence = visit.services.commission(visit.snapshot, commission_id)
    entries, line = evidence["entries"], evidence["line"]
    known = line or entries[0]
    claims = {row["entry_id"]: row for row in evidence["claims"]}
    return visit.render(
        "programme/commission.html",
        tables=[
            _entries(entries, claims),
            _others(visit, "taken-back-by", "Taken back by", "commission_entries_taking_back"),
            _others(visit, "takes-back-from", "Takes back from", "commission_reversed"),
            _shared(evidence),
        ],
        commission_id=commission_id,
        line=line,
        known=known,
        kind=words.word(known.get("kind") or known.get("entry_kind"), words.ENTRY_KINDS),
        rate=exact_percent(line["rate"]) if line else "",
        unpaid=unpaid_text(line["unpaid_reason"]) if line else "",
        states=words.LINE_STATES,
        terms_title=evidence["terms_title"],
        terms_sentences=evidence["terms_sentences"],
        steps=[
            {
                "entry_id": entry["entry_id"],
                "steps": entry["steps"],
                "check": entry["check_text"],
                "is_fault": entry["recomputed"]["result"] == _FAULTY,
            }
            for entry in entries
        ],
        holds=_holds(visit, known),
        may_hold=may_hold(visit),
        subjects=_subjects(known),
    )


def hold(visit: Visit) -> Response:
    """Hold the line, its lead or its partner."""
    known = _known(visit)
    notice = hold_from_form(visit, {kind: known[name] for kind, name in _named(known)})
    return visit.redirect(addresses.commission(known["commission_id"]) or "/commissions", notice)


def release(visit: Visit) -> Response:
    """Release one of the holds that keep it back."""
    known = _known(visit)
    notice = release_from_form(visit)
    return visit.redirect(addresses.commission(known["commission_id"]) or "/commissions", notice)


def _known(visit: Visit) -> Record:
    """The line, or its first entry where the facts do not give it any more."""
    commission_id = visit.path("commission_id")
    row = visit.row("programme/commission", commission_id=commission_id)
    if row is None:
        raise NotFoundError(f"there is no commission {commission_id!r} in the published snapshot")
    return row


def _named(known: Record) -> list[tuple[str, str]]:
    """What can be held, with the column that names it."""
    columns = [("line", "commission_id"), ("lead", "lead_id"), ("partner", "partner_id")]
    return [(kind, name) for kind, name in columns if known[name]]


def _subjects(known: Record) -> list[tuple[str, str]]:
    labels = {"line": "This line alone", "lead": "Its lead", "partner": "Its partner"}
    return [
        (kind, labels[kind] if kind == "line" else f"{labels[kind]}, {known[name]}")
        for kind, name in _named(known)
    ]


def _holds(visit: Visit, known: Record) -> list[Any]:
    with visit.control() as connection:
        leads = former_lead_ids(connection, known["lead_id"]) if known["lead_id"] else set()
    return open_holds(
        visit,
        {
            "line": {known["commission_id"]},
            # A lead is held under whatever id it had.
            "lead": leads | {known["lead_id"]},
            "partner": {known["partner_id"]},
        },
    )


def _entries(entries: list[Record], claims: dict[str, Record]) -> Table:
    rows = [
        {
            **entry,
            "hold": unpaid_text(entry["hold_reason"]),
            "batch_id": claims.get(entry["entry_id"], {}).get("batch_id"),
            "batch_state": claims.get(entry["entry_id"], {}).get("state"),
        }
        for entry in entries
    ]
    return Table(
        "entries",
        "Entries of the journal",
        [
            Column("effective_date", "Day", "date"),
            Column(
                "entry_kind",
                "Kind",
                words=words.ENTRY_KINDS,
                href=lambda row: addresses.explain(row["entry_id"]),
            ),
            Column("amount_minor", "Amount", "money"),
            Column("payout_amount_minor", "Pays", "money", currency_key="payout_currency_code"),
            Column("posting_period", "Posted in"),
            Column("recorded_at", "Recorded", "instant"),
            Column("segment", "Segment", "number"),
            Column("available_date", "Payable from", "date"),
            Column("hold", "Held because"),
            Column("batch_id", "Batch", "id", href=lambda row: addresses.batch(row["batch_id"])),
            Column("batch_state", "Its state", "badge", words=words.BATCH_STATES),
            Column("entry_id", "Entry", "id", is_csv_only=True),
            Column("reverses_entry_id", "Reverses", "id", is_csv_only=True),
            Column("corrects_entry_id", "Corrects", "id", is_csv_only=True),
        ],
        rows,
        empty="Nothing of it is posted.",
    )


def _others(visit: Visit, name: str, caption: str, query: str) -> Table:
    rows = visit.rows(f"programme/{query}", commission_id=visit.path("commission_id"))
    return _lines(name, caption, rows)


def _shared(evidence: Record) -> Table:
    return _lines("shared", "A share of", evidence["shared_line"])


def _lines(name: str, caption: str, rows: list[Record]) -> Table:
    return Table(
        name,
        caption,
        [
            Column("effective_date", "Day", "date"),
            Column(
                "kind",
                "Kind",
                words=words.ENTRY_KINDS,
                href=lambda row: addresses.commission(row["commission_id"]),
            ),
            Column("source_id", "For", "id"),
            Column("cause_id", "Because of", "id"),
            Column("amount_minor", "Amount", "money"),
            Column("status", "State", "badge", words=words.LINE_STATES),
        ],
        rows,
        empty="None.",
    )


ENTRIES = [
    page("/commissions/{commission_id:path}", commission, STAFF),
    action("/commissions/{commission_id:path}/hold", hold, APPROVERS),
    action("/commissions/{commission_id:path}/release", release, APPROVERS),
]
