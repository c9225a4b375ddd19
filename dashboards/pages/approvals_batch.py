"""One batch: exceptions first, the total that adds up before the eyes, partners, decisions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from payouts.claims_summary import claimed_lines
from payouts.outcomes import item_states
from payouts.texts import shown_actor

from dashboards import words
from dashboards.batches import BatchView, view_batch
from dashboards.errors import NotFoundError
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from payouts.events import Event
    from starlette.responses import Response

    from dashboards.visit import Visit


def batch(visit: Visit) -> Response:
    """The page of a batch."""
    batch_id = visit.path("batch_id")
    with visit.control() as connection:
        view = view_batch(
            connection, visit.settings.home, batch_id, visit.approval_rules, visit.user.subject,
            visit.now,
        )  # fmt: skip
        outcomes = item_states(connection, batch_id)
    tables = [
        _exceptions(view),
        _items(view, {payout_id: vars(state) for payout_id, state in outcomes.items()}),
        _left_out(view),
        _comparison(view),
        _history(view.detail.events),
    ]
    return visit.render(
        "approvals/batch.html",
        tables=tables,
        view=view,
        summary=view.detail.summary,
        state=view.detail.state,
        can_sign=view.min_identity == "ssh_signed",
    )


def payout(visit: Visit) -> Response:
    """One partner's payout in a batch, line by line."""
    batch_id, payout_id = visit.path("batch_id"), visit.path("payout_id")
    with visit.control() as connection:
        view = view_batch(
            connection, visit.settings.home, batch_id, visit.approval_rules, visit.user.subject,
            visit.now,
        )  # fmt: skip
    item = next((each for each in view.detail.items if each.payout_id == payout_id), None)
    if item is None:
        raise NotFoundError(f"batch {batch_id} has no payout {payout_id}")
    lines = [asdict(line) for line in claimed_lines(visit.settings.home, batch_id, payout_id)]
    table = Table(
        "lines",
        "Lines",
        [
            Column("commission_id", "Commission", "id",
                   href=lambda row: f"/commissions/{row['commission_id']}"),
            Column("entry_kind", "What", words=words.ENTRY_KINDS),
            Column("customer_id", "Customer"),
            Column("lead_id", "Lead", "id",
                   href=lambda row: f"/leads/{row['lead_id']}" if row["lead_id"] else None),
            Column("amount_minor", "Amount", "money"),
            Column("entry_id", "Entry", "id",
                   href=lambda row: f"/explain?ref={row['entry_id']}"),
        ],
        lines,
        total=len(lines),
    )  # fmt: skip
    return visit.render(
        "approvals/payout.html",
        tables=[table],
        item=item,
        sums=view.of_payout(payout_id),
        summary=view.detail.summary,
        lines_minor=sum(line["amount_minor"] for line in lines),
    )


def evidence(visit: Visit) -> Response:
    """The evidence pack as a file."""
    batch_id = visit.path("batch_id")
    content = visit.services.evidence_pack(visit.store, batch_id)
    return visit.download(content, f"evidence-{batch_id}.zip", "application/zip")


def _partner(row: Any) -> str | None:
    return f"/partners/{row['partner_id']}" if row["partner_id"] else None


def _exceptions(view: BatchView) -> Table:
    code = view.detail.summary.currency_code
    return Table(
        "exceptions",
        "Look at these first",
        [
            Column("kind", "What", words=words.EXCEPTIONS),
            Column("partner_id", "Partner", "id", href=_partner),
            Column("amount_minor", "Amount", "money"),
            Column("detail", "What was found"),
        ],
        [asdict(each) | {"currency_code": code} for each in view.detail.exceptions],
        empty="Nothing unusual was found when the batch was proposed.",
    )


def _items(view: BatchView, outcomes: dict[str, dict[str, Any]]) -> Table:
    summary = view.detail.summary
    rows = [
        asdict(item)
        | view.of_payout(item.payout_id)
        | {"currency_code": summary.currency_code, "batch_id": summary.batch_id}
        | {"state": outcomes.get(item.payout_id, {}).get("state")}
        for item in view.detail.items
    ]
    return Table(
        "items",
        "Partners in this batch",
        [
            Column("partner_id", "Partner", "id", href=_partner),
            Column("partner_name", "Name"),
            Column("earned_minor", "Earned", "money"),
            Column("taken_back_minor", "Taken back and adjusted", "money"),
            Column("amount_minor", "Paid", "money"),
            Column("carried_amount_minor", "Carried on", "money"),
            Column("entries", "Lines", "number",
                   href=lambda row: f"/approvals/{row['batch_id']}/payouts/{row['payout_id']}"),
            Column("state", "State", "badge", words=words.PAYOUT_STATES),
        ],
        rows,
        total=len(rows),
    )  # fmt: skip


def _left_out(view: BatchView) -> Table:
    return Table(
        "left-out",
        "Left out, and why",
        [
            Column("partner_id", "Partner", "id", href=_partner),
            Column("amount_minor", "Net", "money"),
            Column("reason", "Reason", words=words.LEFT_OUT),
        ],
        [vars(each) for each in view.detail.left_out],
        empty="Nobody was left out.",
    )


def _comparison(view: BatchView) -> Table:
    code = view.detail.summary.currency_code
    moved = [each for each in view.comparison.partners if each.difference_minor]
    return Table(
        "comparison",
        "Beside the last batch of its kind",
        [
            Column("partner_id", "Partner", "id", href=_partner),
            Column("change", "Change"),
            Column("last_amount_minor", "Then", "money"),
            Column("amount_minor", "Now", "money"),
            Column("difference_minor", "Difference", "money"),
        ],
        [
            vars(each) | {"difference_minor": each.difference_minor, "currency_code": code}
            for each in moved
        ],
        empty="Nothing was paid this way before."
        if view.comparison.last_batch_id is None
        else "Every partner gets what it got then.",
    )


def _history(events: tuple[Event, ...]) -> Table:
    rows = [
        {
            "recorded_at": event.recorded_at,
            "what": words.word(event.kind.removeprefix("batch_"), words.DECISIONS),
            "role": event.payload.get("role", ""),
            "actor": shown_actor(event.actor),
            "identity_level": event.identity_level,
            "reason": event.reason,
        }
        for event in events
    ]
    return Table(
        "decisions",
        "What was decided",
        [
            Column("recorded_at", "When", "instant"),
            Column("what", "What"),
            Column("role", "As"),
            Column("actor", "Who"),
            Column("identity_level", "Known by"),
            Column("reason", "Reason"),
        ],
        rows,
    )


ENTRIES = [
    page("/approvals/{batch_id}", batch, STAFF),
    page("/approvals/{batch_id}/payouts/{payout_id}", payout, STAFF),
    page("/approvals/{batch_id}/evidence", evidence, STAFF),
]
