"""Proposing batches: which partners are paid on a pay date, and from which entries.

What belongs here: due pay dates (P4), building batches per legal entity, currency and rail (P2,
P3), and recording them. What does not: deciding on a batch (``approvals``).

What changes after a proposal is a later entry and goes into a later batch (P6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, func, select

from payouts import candidates, events
from payouts.batch_writing import (
    Group,
    Surroundings,
    build_groups,
    prove_claims,
    record_groups,
    write_claims,
)
from payouts.checkpoints import reached
from payouts.claims import claimed_amounts_sql, claiming_paths, claims_path
from payouts.disputes import disputing_partners
from payouts.errors import ControlBusyError, ProposalRefusedError
from payouts.export_files import discard_unregistered_exports
from payouts.holds import load_holds, with_former_leads
from payouts.parquet import memory_connection
from payouts.payees import load_payees, load_payers
from payouts.records import BatchSummary, list_batches
from payouts.schema import cutoffs
from payouts.segments import files_lock
from payouts.states import EXPORTED_STATES, LIVE_STATES
from payouts.store import Store
from payouts.terms import PayoutRules, person

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Somebody decides while a proposal is computed: computed again on what is true then.
_ATTEMPTS = 3


class PayDay(Protocol):
    """A pay date and the last day, included, whose available entries it takes."""

    @property
    def pay_date(self) -> date:
        """The day on which partners are paid."""

    @property
    def cutoff_date(self) -> date:
        """The last available date that is paid then, included."""


class _Moved(Exception):
    """The control database moved between computing and recording a proposal."""


def due_pay_dates(store: Store, calendar: Sequence[PayDay], as_of: date) -> list[PayDay]:
    """Pay dates whose batches the night of ``as_of`` proposes, oldest cut-off first (P4).

    Due: the cut-off is over or falls on ``as_of``, and is later than every cut-off proposed so far.
    A fresh home takes the latest one only, which includes everything older.
    """
    reached_days = sorted(
        (day for day in calendar if day.cutoff_date <= as_of),
        key=lambda day: (day.cutoff_date, day.pay_date),
    )
    with store.read() as connection:
        latest = connection.execute(select(func.max(cutoffs.c.cutoff_date))).scalar()
    if latest is None:
        return reached_days[-1:]
    return [day for day in reached_days if day.cutoff_date.isoformat() > latest]


def propose(
    store: Store,
    home: Path,
    connection: DuckDBPyConnection,
    *,
    as_of: date,
    calendar: Sequence[PayDay],
    rules: PayoutRules,
    actor: str,
    proposed_at: datetime,
    pay_date: date | None = None,
    relation: str = candidates.CANDIDATES_RELATION,
    identity_level: str = "os_user",
    rail_calendars: Mapping[str, Sequence[PayDay]] | None = None,
) -> list[BatchSummary]:
    """Propose the batches of one pay date, or of all due ones when ``pay_date`` is None.

    calendar: the pay days without holidays; rail_calendars: those of rails that do not pay on some
    days. A cut-off is the same on every rail, the day of paying may not be.
    connection: DuckDB with ``relation``, working file or snapshot; only temporary tables are made.
    as_of: the night that built the relation. proposed_at: the wall clock, for the record.
    A named pay date is always tried; entries that a live or exported batch claims are not taken
    again, so proposing twice with nothing new proposes nothing. Returns the new batches.
    Raises: ProposalRefusedError, ControlBusyError, StorageError, ChainBrokenError.
    """
    if pay_date is None:
        pay_days = due_pay_dates(store, calendar, as_of)
    else:
        pay_days = [_named_pay_day(calendar, rail_calendars or {}, pay_date, as_of)]
    proposed: list[str] = []
    with files_lock(home):
        discard_unregistered_exports(store, home)
        for pay_day in pay_days:
            proposed += _propose_with_retries(
                store, home, connection, pay_day, rail_calendars or {}, as_of, rules,
                person(actor), proposed_at, relation, identity_level,
            )  # fmt: skip
    with store.read() as reader:
        return [row for row in list_batches(reader) if row.batch_id in proposed]


def latest_pay_date(calendar: Sequence[PayDay], as_of: date) -> date | None:
    """The pay date of the latest cut-off on or before ``as_of``; None when there is none yet."""
    days = [day for day in calendar if day.cutoff_date <= as_of]
    return max(days, key=lambda day: (day.cutoff_date, day.pay_date)).pay_date if days else None


def _named_pay_day(
    calendar: Sequence[PayDay],
    rail_calendars: Mapping[str, Sequence[PayDay]],
    pay_date: date,
    as_of: date,
) -> PayDay:
    """The programme's pay day of a date on which it, or one of its rails, pays."""
    meant = {
        day.cutoff_date
        for days in (calendar, *rail_calendars.values())
        for day in days
        if day.pay_date == pay_date
    }
    for day in calendar:
        if day.pay_date == pay_date or day.cutoff_date in meant:
            if day.cutoff_date > as_of:
                raise ProposalRefusedError(
                    f"pay date {pay_date} has its cut-off on {day.cutoff_date}, but the last night "
                    f"is {as_of}; nothing was proposed. Run the night of {day.cutoff_date} first"
                )
            return day
    near = sorted(calendar, key=lambda day: abs((day.pay_date - pay_date).days))[:2]
    raise ProposalRefusedError(
        f"{pay_date} is not a pay date of payouts.schedule; nothing was proposed. Nearest: "
        f"{', '.join(sorted(str(day.pay_date) for day in near)) or 'none'}"
    )


def _propose_with_retries(store: Store, home: Path, *arguments) -> list[str]:
    for _ in range(_ATTEMPTS):
        try:
            return _propose_pay_day(store, home, *arguments)
        except _Moved:
            continue
    raise ControlBusyError(
        "decisions keep being recorded while the batch is computed; nothing was proposed. Run again"
    )


def _propose_pay_day(
    store: Store,
    home: Path,
    connection: DuckDBPyConnection,
    pay_day: PayDay,
    rail_calendars: Mapping[str, Sequence[PayDay]],
    as_of: date,
    rules: PayoutRules,
    actor: str,
    proposed_at: datetime,
    relation: str,
    identity_level: str,
) -> list[str]:
    def pay_day_of(rail: str) -> PayDay | None:
        if rail not in rail_calendars:
            return pay_day
        days = [day for day in rail_calendars[rail] if day.cutoff_date == pay_day.cutoff_date]
        return days[0] if days else None

    try:
        with store.read() as reader:
            seen = events.head(reader)
            candidates.load_entries(
                connection,
                relation,
                cutoff_date=pay_day.cutoff_date,
                exported=claiming_paths(reader, home, EXPORTED_STATES),
                live=claiming_paths(reader, home, LIVE_STATES),
                open_holds=with_former_leads(
                    reader, [hold for hold in load_holds(reader) if hold.is_open]
                ),
                offset_share=rules.offset_share,
            )
            known = Surroundings(
                load_payees(reader), load_payers(reader), disputing_partners(reader)
            )
            groups = build_groups(
                reader, candidates.partner_nets(connection), known, pay_day_of, as_of, rules
            )
        groups = [write_claims(connection, home, group) for group in groups]
        with store.read() as reader:
            prove_claims(reader, home, groups)
    finally:
        candidates.drop_entries(connection)
    reached("claims_published")
    with store.write() as writer:
        if events.head(writer) != seen:
            raise _Moved
        _check_claimed_once(writer, home, groups)
        record_groups(
            writer, groups, pay_day, as_of, actor=actor, proposed_at=proposed_at,
            identity_level=identity_level,
        )  # fmt: skip
        reached("proposal_before_commit")
    reached("proposal_after_commit")
    return [group.content.batch_id for group in groups if group.content]


def _check_claimed_once(connection: Connection, home: Path, groups: Sequence[Group]) -> None:
    """I4, in the write transaction: no entry of a new batch is claimed by another live one, and
    with what exported batches claimed of it never more than the entry is claimed.

    Raises: ProposalRefusedError.
    """
    new = [claims_path(home, group.content.batch_id) for group in groups if group.content]
    if not new:
        return
    live = claimed_amounts_sql(claiming_paths(connection, home, LIVE_STATES))
    exported = claimed_amounts_sql(claiming_paths(connection, home, EXPORTED_STATES))
    reader = memory_connection()
    try:
        twice, excessive = reader.execute(
            f"with added as ({claimed_amounts_sql(new)}), live as ({live}), "
            f"exported as ({exported}) "
            "select (select count(*) from added semi join live using (entry_id)), "
            "(select count(*) from added left join exported using (entry_id) where "
            "(added.claimed_amount_minor + coalesce(exported.claimed_amount_minor, 0)) "
            "* sign(added.entry_amount_minor) > abs(added.entry_amount_minor) or "
            "sign(added.claimed_amount_minor) <> sign(added.entry_amount_minor))"
        ).fetchone()
    finally:
        reader.close()
    if twice or excessive:
        raise ProposalRefusedError(
            f"{twice + excessive} entries would be claimed twice (I4); nothing was proposed. Run "
            "partnerledger verify"
        )
