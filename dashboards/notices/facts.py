"""What notices are derived from, as one value: rows of the published night and of decisions.

What belongs here: reading them. What does not: deciding whom to tell (``due``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dashboards import queries
from dashboards.notices.kinds import WEEKLY_STATEMENT

if TYPE_CHECKING:
    import duckdb
    from program.load import Workspace
    from sqlalchemy import Connection

Record = dict[str, Any]
# A fact that is older than that is not news any more, even if it arrives only now.
NEWS_DAYS = 30
# Payouts older than that are not asked about.
_PAYOUT_DAYS = 400


@dataclass(frozen=True)
class Published:
    """What the snapshot says. Records: the columns of ``queries/notices``.

    audience: partner ids per lead, with the masked name of the customer. segment: last segment of
    the journal in it. published_at: naive UTC.
    """

    run_id: str
    as_of: date
    published_at: datetime
    segment: int
    partners: Mapping[str, str]
    audience: Mapping[str, Sequence[tuple[str, str]]]
    lead_stages: Sequence[Record]
    update_requests: Sequence[Record]
    held: Sequence[Record]
    taken_back: Sequence[Record]
    statement_sums: Sequence[Record] = ()


@dataclass(frozen=True)
class Decided:
    """What the control database says now.

    payouts: payout_id, partner_id, currency_code, amount_minor, state, pay_date, settled_date.
    waiting: live batches with the role that has to approve next. addresses: per partner. asked: the
    partner that a request for an update names, by request. wanting_less: partners that are told
    only what they cannot do without.
    """

    payouts: Sequence[Record] = ()
    waiting: Sequence[Record] = ()
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    wanting_less: frozenset[str] = frozenset()


def read_published(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, opening_segment: int,
    told_segments: Mapping[str, int], published_at: datetime,
) -> Published:  # fmt: skip
    """Read the snapshot.

    told_segments: last segment of each partner's newest statement; opening_segment: of the others.
    """
    from program.instants import day_start_utc

    (metadata,) = queries.run(connection, "metadata")
    since = day_start_utc(
        metadata["as_of"] - timedelta(days=NEWS_DAYS), workspace.program.program.timezone
    )
    openings = [{"partner_id": name, "segment": number} for name, number in told_segments.items()]
    audience: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in queries.run(connection, "notices/audience"):
        audience[row["lead_id"]].append((row["partner_id"], row["customer"]))
    return Published(
        run_id=metadata["run_id"],
        as_of=metadata["as_of"],
        published_at=published_at,
        segment=metadata["journal_segment"] or 0,
        partners=_told_partners(connection, workspace),
        audience=audience,
        lead_stages=queries.run(connection, "notices/lead_stages", {"since": since}),
        update_requests=queries.run(connection, "notices/update_requests"),
        held=queries.run(connection, "notices/held"),
        taken_back=queries.run(connection, "notices/taken_back", {"since": since}),
        statement_sums=queries.run(
            connection,
            "notices/statement_sums",
            {"openings": json.dumps(openings), "opening": opening_segment},
        ),
    )


def _told_partners(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> dict[str, str]:
    """Names by id; in shadow mode those of the pilot alone, whom this programme pays (B4)."""
    pilot = workspace.program.pilot
    return {
        row["partner_id"]: row["name"] or row["partner_id"]
        for row in queries.run(connection, "notices/partners")
        if not pilot.enabled or row["is_pilot"] or row["partner_id"] in pilot.partners
    }


def read_decided(connection: Connection, as_of: date) -> Decided:
    """Read the control database. as_of: of the published night."""
    from payouts.lead_update_records import load_requests
    from payouts.notice_choices import partners_wanting_less
    from payouts.portal_addresses import list_addresses
    from payouts.records import list_batches
    from payouts.states import EXPORTED_STATES, PARTNERSHIPS_APPROVED, PROPOSED

    next_role = {PROPOSED: "partnerships", PARTNERSHIPS_APPROVED: "finance"}
    addresses: dict[str, list[str]] = defaultdict(list)
    for address in list_addresses(connection):
        addresses[address.partner_id].append(address.email)
    batches = list_batches(connection, (*EXPORTED_STATES, *next_role))
    recent = {
        batch.batch_id: batch
        for batch in batches
        if batch.state in EXPORTED_STATES and batch.pay_date >= as_of - timedelta(days=_PAYOUT_DAYS)
    }
    return Decided(
        payouts=_payouts(connection, recent),
        waiting=[
            {
                "role": next_role[batch.state],
                "batch_id": batch.batch_id,
                "currency_code": batch.currency_code,
                "total_minor": batch.total_amount_minor,
                "items": batch.items,
                "pay_date": batch.pay_date,
            }
            for batch in batches
            if batch.state in next_role
        ],
        addresses=addresses,
        asked={
            request.request_id: request.partner_id
            for request in load_requests(connection)
            if request.partner_id is not None
        },
        wanting_less=partners_wanting_less(connection),
    )


def _payouts(connection: Connection, batches: Mapping[str, Any]) -> list[Record]:
    from payouts.outcomes import all_item_states

    if not batches:
        return []
    return [
        {
            "payout_id": item.payout_id,
            "partner_id": item.partner_id,
            "currency_code": item.currency_code,
            "amount_minor": item.amount_minor,
            "state": item.state,
            "pay_date": batches[item.batch_id].pay_date,
            "settled_date": item.settled_date,
        }
        for item in all_item_states(connection, batches).values()
    ]


def told_segments(connection: Connection) -> dict[str, int]:
    """The last journal segment of each partner's newest statement."""
    from payouts.told import last_segments

    return last_segments(connection, WEEKLY_STATEMENT)
