"""One partner's ledger as known at a cut, from the home alone: what balance and statement share.

What belongs here: putting entries, batches, holds and disputes together, and the expected pay dates
of a schedule. What does not: each of them (`known_ledger`, `known_batches`, `known_disputes`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import CommandError, open_published, open_workspace, query
from orchestration.evidence import partner_row
from orchestration.known import Known, known_at
from orchestration.known_disputes import Policies, disputed_commissions
from orchestration.known_ledger import (
    balances,
    known_claims,
    known_entries,
    known_holds,
    with_states,
)
from orchestration.recompute import read_explanation
from orchestration.statements import known_record, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from program.schema import Program
    from program.schema_payouts import PayoutTerms

Record = dict[str, Any]

_ENTRY_COLUMNS = (
    "entry_id", "effective_date", "available_date", "entry_kind", "component_id", "source_type",
    "source_id", "cause_type", "cause_id", "payout_amount_minor", "payout_currency_code", "state",
    "hold_reason", "batch_id", "posting_period", "segment",
)  # fmt: skip
_CALENDAR_BEFORE, _CALENDAR_AFTER = timedelta(days=62), timedelta(days=400)


def partner_entries(
    connection: Connection, home: Path, known: Known, partner_id: str, timezone: str
) -> list[Record]:
    """All entries of a partner that were known, with their states (`known_ledger.with_states`)."""
    entries = known_entries(connection, home, known, partner_id)
    for entry in entries:
        entry["explanation"] = read_explanation(entry["explanation"])
    claims = known_claims(connection, home, known, partner_id)
    policies = _dispute_policies(home)
    disputed = disputed_commissions(connection, home, known, entries, policies, timezone)
    return with_states(entries, known, claims, known_holds(connection, known), disputed)


def partner_balance(
    connection: Connection, home: Path, partner_id: str, asked: str, timezone: str
) -> Record:
    """Balances and entries as they were known: the record of `evidence.balance`, and `as_known`.

    Raises: as `known_at`; CommandError for a partner of whom nothing was known.
    """
    known = known_at(connection, asked, timezone)
    entries = partner_entries(connection, home, known, partner_id, timezone)
    require_known_partner(home, partner_id, entries)
    return {
        "partner_id": partner_id,
        "as_known": known_record(known),
        "balances": balances(entries),
        "entries": [
            {name: entry[name] for name in _ENTRY_COLUMNS}
            for entry in sorted(entries, key=_by_effective_date)
        ],
    }


def partner_statement(
    connection: Connection,
    home: Path,
    program: Program,
    partner_id: str,
    period: str | None,
    asked: str | None,
) -> tuple[Record, str]:
    """A statement (`statements.statement`) and the partner's present name, which is no part of it.

    period: None is the month of the last night that is part of it. asked: see `known_at`.
    Raises: as `partner_balance`.
    """
    require_same_programme(home, program)
    timezone = program.program.timezone
    known = known_at(connection, asked, timezone)
    entries = partner_entries(connection, home, known, partner_id, timezone)
    name = require_known_partner(home, partner_id, entries)
    record = statement(
        partner_id,
        period or f"{known.as_of or known.day:%Y-%m}",
        known,
        entries,
        expected_pay_dates(known_schedule(connection, program.payouts, known), known),
        known_last_closed(connection, known),
    )
    return record, name


def _by_effective_date(entry: Record) -> tuple:
    return entry["effective_date"], entry["entry_id"]


def require_known_partner(home: Path, partner_id: str, entries: list[Record]) -> str:
    """The partner's present name, empty where no snapshot has it.

    Raises: CommandError for a partner that has no entries and is in no snapshot.
    """
    from dashboards.errors import DashboardError

    found = None
    with suppress(DashboardError), open_published(home) as published:
        found = partner_row(published, partner_id)
    if found is None and not entries:
        raise CommandError(
            f"nothing was known of a partner {partner_id!r}",
            "`partnerledger partner list` shows all.",
        )
    return found["name"] if found else ""


def home_timezone(home: Path, program: Path | None = None) -> str:
    """The programme's zone as the last night had it, else as program.yml says."""
    zone = _published_facts(home).get("timezone")
    return zone or open_workspace(program).program.program.timezone


def require_same_programme(home: Path, program: Program) -> None:
    """Raises: CommandError where the terms are those of another programme than the home's."""
    programme_id = _published_facts(home).get("programme_id")
    if programme_id not in (None, program.program.id):
        raise CommandError(
            f"{home} holds the programme {programme_id!r}, and program.yml is of "
            f"{program.program.id!r}",
            "Name its folder with --program.",
        )


def _published_facts(home: Path) -> Record:
    """What the last night knew of itself; empty where no snapshot is published."""
    from dashboards.errors import DashboardError

    with suppress(DashboardError), open_published(home) as published:
        rows = query(published, "select * from marts.mart_metadata")
        if rows:
            return rows[0]
    return {}


def known_schedule(connection: Connection, terms: PayoutTerms, known: Known) -> PayoutTerms:
    """The terms with the schedule of the last night of the cut; nights of 0.1.0 kept none."""
    from payouts.events import of_kinds
    from program.schema_payouts import Schedule

    kept = [
        event.payload["schedule"]
        for event in of_kinds(connection, ("night_posted",))
        if event.seq <= known.event and "schedule" in event.payload
    ]
    if not kept:
        return terms
    return terms.model_copy(update={"schedule": Schedule.model_validate(kept[-1])})


def known_last_closed(connection: Connection, known: Known) -> str | None:
    """The last month that was closed; None while all were open."""
    from payouts.periods import load_turns

    # Of several turns of a month the last one counts.
    is_closed = {
        turn.period: turn.is_closed for turn in load_turns(connection) if turn.seq <= known.event
    }
    return max((period for period, closed in is_closed.items() if closed), default=None)


def expected_pay_dates(terms: PayoutTerms, known: Known) -> Callable[[date, str], date | None]:
    """When something is paid that becomes available on a day, in a currency, if nothing stands in
    the way (P4).

    At the first cut-off after the night that includes the day, on the days of the currency's rail;
    None beyond the calendar.
    """
    from program.calendar import rail_calendars

    as_of = known.as_of or known.day
    calendars = rail_calendars(terms, as_of - _CALENDAR_BEFORE, as_of + _CALENDAR_AFTER)
    open_days = {
        rail: sorted((day.cutoff_date, day.pay_date) for day in days if day.cutoff_date > as_of)
        for rail, days in calendars.items()
    }

    def expected(available: date, currency_code: str) -> date | None:
        days = open_days[terms.rail_for(currency_code)]
        first = bisect_left(days, (available, date.min))
        return days[first][1] if first < len(days) else None

    return expected


def _dispute_policies(home: Path) -> Policies:
    """What each plan version does while a dispute is open; a used version never changes (T1)."""
    from dashboards.errors import DashboardError

    policies: dict[tuple[str, str], str] = {}
    with suppress(DashboardError), open_published(home) as published:
        for row in query(published, "select * from marts.dim_terms"):
            policy = row.get("chargeback_on_open")
            if policy is not None:
                policies[row["plan_id"], row["plan_version"]] = policy
    return policies
