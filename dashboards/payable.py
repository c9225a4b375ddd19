"""What could be paid today, and why not more: balances of the night, gates of the moment.

Who is paid is decided by `payouts.selection` alone, when a batch is proposed; this asks it the same
question about the balances of the published night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from payouts.payees import failed_gate, load_payees
from payouts.selection import (
    PAYOUT_DETAILS,
    RAILS_WITH_DETAILS,
    has_details,
    left_out_reason,
)

from dashboards.dates import local_day
from dashboards.performance import picked

if TYPE_CHECKING:
    from datetime import date

    from payouts.payee_state import Payee
    from payouts.terms import PayoutRules

    from dashboards.filters import Filters
    from dashboards.visit import Visit

_ACTIVE, PAYEE_VERIFIED = "active", "payee_verified"


@dataclass(frozen=True)
class Payable:
    """amounts_minor: what could be paid now, by currency. partners: who, by currency.

    without_details: active partners with a balance whose payout details are missing or not
    verified. shut_out: active partners with a balance whom another gate shuts out, by gate.
    """

    amounts_minor: Mapping[str, int]
    partners: Mapping[str, int]
    without_details: int
    shut_out: Mapping[str, int]


def read_payable(visit: Visit, filters: Filters) -> Payable:
    """For the partners of the filters."""
    rows = visit.rows(
        "programme/balances", **picked(filters, "group_name", "only_pilot", "partner_id")
    )
    with visit.control() as connection:
        payees = load_payees(connection)
    return payable_of(rows, payees, visit.rules, local_day(visit))


def payable_of(
    balances: list[dict[str, Any]],
    payees: Mapping[str, Payee],
    rules: PayoutRules,
    today: date,
) -> Payable:
    """balances: rows of balances.sql. today: local day on which gates are asked. Pure."""
    amounts: dict[str, int] = {}
    partners: dict[str, int] = {}
    gates: dict[str, str | None] = {}
    for row in balances:
        currency = row["currency_code"]
        reason = left_out_reason(
            partner_id=row["partner_id"],
            partner_name=row["name"],
            partner_status=row["status"],
            is_pilot=row["is_pilot"],
            amount_minor=row["available_amount_minor"],
            currency_code=currency,
            payees=payees,
            rules=rules,
            as_of=today,
        )
        if reason is None:
            amounts[currency] = amounts.get(currency, 0) + row["available_amount_minor"]
            partners[currency] = partners.get(currency, 0) + 1
        if row["balance_amount_minor"] > 0 and row["status"] == _ACTIVE:
            found = _shut_gate(row["partner_id"], currency, payees, rules, today)
            gates[row["partner_id"]] = gates.get(row["partner_id"]) or found
    shut: dict[str, int] = {}
    for gate in gates.values():
        if gate is not None:
            shut[gate] = shut.get(gate, 0) + 1
    without = sum(shut.pop(gate, 0) for gate in (PAYEE_VERIFIED, PAYOUT_DETAILS))
    return Payable(amounts, partners, without, shut)


def _shut_gate(
    partner_id: str,
    currency_code: str,
    payees: Mapping[str, Payee],
    rules: PayoutRules,
    today: date,
) -> str | None:
    payee = payees.get(partner_id)
    gate = failed_gate(rules.gates, _ACTIVE, payee, today)
    if gate is not None:
        return gate
    rail = rules.rail_for(currency_code)
    if rail in RAILS_WITH_DETAILS and not has_details(payee, rail):
        return PAYOUT_DETAILS
    return None
