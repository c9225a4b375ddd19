"""What was paid to each partner in a calendar year, and which reporting threshold it reached.

What belongs here: totals of settled payouts by the day of payment (I20). What does not: filing a
form, or deciding who has to. Source: payouts reference 6; not tax advice. Decision 0047.

A payout counts while it is settled; one that came back does not, whenever it did. What a network
reports (``tpso``) and what the payer reports are never added up. Thresholds and the class of each
rail are dated rows of the CSV files beside this module.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from payouts.hashing import parse_instant
from payouts.outcomes import SETTLED, all_item_states
from payouts.payee_state import Payee
from payouts.payees import load_payees
from payouts.schema import batches, events, payout_outcomes

PAYER, TPSO = "payer", "tpso"
_FOLDER = Path(__file__).parent
_US_FORM = "w9"


@dataclass(frozen=True)
class Threshold:
    """From ``amount_minor`` on, included, payments of a year are reported on ``form``."""

    country: str
    form: str
    from_year: int | None
    to_year: int | None
    amount_minor: int
    currency_code: str
    reporting: str
    source: str

    def holds_in(self, year: int) -> bool:
        """Whether the row is in force for payments of a year."""
        return (self.from_year or year) <= year <= (self.to_year or year)


@dataclass(frozen=True)
class RailTotal:
    """What one rail paid, in minor units."""

    rail: str
    amount_minor: int
    payments: int


@dataclass(frozen=True)
class YearTotal:
    """What one legal entity paid one partner in a year, in one currency and reporting class.

    ``reporting``: ``payer`` or ``tpso``. ``form`` and ``threshold_minor`` are None where no
    threshold is known to apply. ``is_reached``: at the threshold or above it. ``uncompared_form``:
    the form whose thresholds are all in other currencies, so that nothing says whether this total
    reaches one: amounts of different currencies are never added (M1).
    """

    year: int
    partner_id: str
    legal_entity: str
    currency_code: str
    reporting: str
    amount_minor: int
    payments: int
    rails: tuple[RailTotal, ...]
    form: str | None
    threshold_minor: int | None
    is_reached: bool
    uncompared_form: str | None = None


@dataclass(frozen=True)
class _Payment:
    partner_id: str
    legal_entity: str
    currency_code: str
    rail: str
    amount_minor: int
    paid_on: date


def year_totals(connection: Connection, year: int, timezone: str) -> list[YearTotal]:
    """Totals of a calendar year, by partner, legal entity, currency and reporting class.

    timezone: IANA name; a settled payout without value date counts on the local day on which that
    was read. Raises: SettlementError when recorded outcomes cannot follow each other.
    """
    payees = load_payees(connection)
    groups: dict[tuple[str, str, str, str], list[_Payment]] = {}
    for payment in _payments(connection, timezone):
        if payment.paid_on.year == year:
            key = (payment.partner_id, payment.legal_entity, payment.currency_code,
                   reporting_of(payment.rail))  # fmt: skip
            groups.setdefault(key, []).append(payment)
    return [
        _total(year, key, paid, payees.get(key[0], Payee(key[0])))
        for key, paid in sorted(groups.items())
    ]


@cache
def thresholds() -> tuple[Threshold, ...]:
    """The rows of reporting_thresholds.csv."""
    return tuple(
        Threshold(
            country=row["country"],
            form=row["form"],
            from_year=int(row["from_year"]) if row["from_year"] else None,
            to_year=int(row["to_year"]) if row["to_year"] else None,
            amount_minor=int(row["amount_minor"]),
            currency_code=row["currency_code"],
            reporting=row["reporting"],
            source=row["source"],
        )
        for row in _rows("reporting_thresholds.csv")
    )


def reporting_of(rail: str) -> str:
    """Who reports what a rail paid: ``payer``, or ``tpso`` for a third-party network.

    A rail without a row is reported by the payer, so that nothing is left out.
    """
    return _reporting_rows().get(rail, PAYER)


@cache
def _reporting_rows() -> dict[str, str]:
    return {row["rail"]: row["reporting"] for row in _rows("rail_reporting.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _total(
    year: int, key: tuple[str, str, str, str], paid: list[_Payment], payee: Payee
) -> YearTotal:
    partner_id, legal_entity, currency_code, reporting = key
    amount_minor = sum(payment.amount_minor for payment in paid)
    possible = _possible_thresholds(year, reporting, payee)
    threshold = next((row for row in possible if row.currency_code == currency_code), None)
    return YearTotal(
        year=year,
        partner_id=partner_id,
        legal_entity=legal_entity,
        currency_code=currency_code,
        reporting=reporting,
        amount_minor=amount_minor,
        payments=len(paid),
        rails=_by_rail(paid),
        form=threshold.form if threshold else None,
        threshold_minor=threshold.amount_minor if threshold else None,
        is_reached=threshold is not None and amount_minor >= threshold.amount_minor,
        uncompared_form=possible[0].form if possible and threshold is None else None,
    )


def _by_rail(paid: list[_Payment]) -> tuple[RailTotal, ...]:
    amounts: dict[str, list[int]] = {}
    for payment in paid:
        amounts.setdefault(payment.rail, []).append(payment.amount_minor)
    return tuple(RailTotal(rail, sum(each), len(each)) for rail, each in sorted(amounts.items()))


def _possible_thresholds(year: int, reporting: str, payee: Payee) -> list[Threshold]:
    """A payee whose form says that it is foreign has none; without any form it may have one."""
    if payee.tax_form_type not in (None, "none", _US_FORM):
        return []
    return [row for row in thresholds() if row.holds_in(year) and row.reporting == reporting]


def _payments(connection: Connection, timezone: str) -> list[_Payment]:
    """Payouts that are settled now."""
    batch_rows = select(batches.c.batch_id, batches.c.legal_entity, batches.c.rail)
    known = {row.batch_id: row for row in connection.execute(batch_rows)}
    read = (
        select(payout_outcomes.c.payout_id, events.c.recorded_at)
        .join(events, events.c.seq == payout_outcomes.c.seq)
        .where(payout_outcomes.c.outcome == SETTLED)
        .order_by(payout_outcomes.c.seq, payout_outcomes.c.number)
    )
    read_at = {row.payout_id: row.recorded_at for row in connection.execute(read)}
    return [
        _Payment(
            partner_id=item.partner_id,
            legal_entity=known[item.batch_id].legal_entity,
            currency_code=item.currency_code,
            rail=known[item.batch_id].rail,
            amount_minor=item.amount_minor,
            paid_on=item.settled_date or _local_day(read_at[item.payout_id], timezone),
        )
        for item in all_item_states(connection).values()
        if item.state == SETTLED
    ]


def _local_day(recorded_at: str, timezone: str) -> date:
    instant = parse_instant(recorded_at).replace(tzinfo=UTC)
    return instant.astimezone(ZoneInfo(timezone)).date()
