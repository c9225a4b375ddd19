"""What the partner is paid next, when, and what stands in the way.

What belongs here: putting the batches of the snapshot, what is expected and the gates of now
together. What does not: which entries are expected (portal/expected_payouts.sql).
Rules: P2, P3, P4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from payouts.payee_state import Payee
from payouts.payees import failed_gate

from dashboards.portal.words import gate_step
from dashboards.words import LEFT_OUT

if TYPE_CHECKING:
    from dashboards.visit import Visit

EXPECTED, BELOW, NOTHING = "expected", "below_minimum", "nothing"
PLANNED = "proposed"
IN_FLIGHT = (PLANNED, "exported", "sent")
STATES = {
    "proposed": "Planned, waits for approval",
    "finance_approved": "Approved",
    "exported": "On its way",
    "sent": "On its way",
    EXPECTED: "Expected",
    BELOW: "Below the minimum",
    NOTHING: "Nothing to pay yet",
}


@dataclass(frozen=True)
class NextPayout:
    """The next payout in one currency. state: of STATES; payout_id: once a batch holds it.

    minimum_minor: below which nothing is paid (P2), 0 for none.
    """

    currency_code: str
    amount_minor: int
    pay_date: date | None
    state: str
    minimum_minor: int
    payout_id: str | None = None

    @property
    def is_below(self) -> bool:
        """Whether it waits for more."""
        return self.state == BELOW


@dataclass(frozen=True)
class Obstacle:
    """Something that keeps a payout back. step: of the account page, empty for none."""

    text: str
    detail: str
    step: str


def next_payouts(
    payouts: Iterable[Mapping[str, Any]],
    expected: Iterable[Mapping[str, Any]],
    minimums_minor: Mapping[str, int],
    currencies: Iterable[str],
    today: date,
) -> list[NextPayout]:
    """One per currency. payouts, expected: rows of the queries of those names.

    today: what left before it is on its way or has arrived, and is not the next one.
    """
    by_currency: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in expected:
        by_currency[row["payout_currency_code"]].append(row)
    in_flight: dict[str, Mapping[str, Any]] = {}
    for row in sorted(payouts, key=lambda each: (each["pay_date"], each["payout_id"])):
        is_coming = row["state"] == PLANNED or row["pay_date"] >= today
        if row["state"] in IN_FLIGHT and row["left_out_reason"] is None and is_coming:
            in_flight.setdefault(row["currency_code"], row)
    codes = dict.fromkeys([*currencies, *in_flight, *by_currency])
    return [
        _of_batch(in_flight[code], minimums_minor.get(code, 0))
        if code in in_flight
        else _expected(code, by_currency[code], minimums_minor.get(code, 0))
        for code in codes
    ]


def obstacles(
    visit: Visit,
    payee: Payee,
    status: str | None,
    today: date,
    payouts: Iterable[Mapping[str, Any]],
) -> list[Obstacle]:
    """What keeps payouts back now, the first in the order of the gates first; and the reason of the
    newest batch that the partner was left out of, where it is another one.
    """
    found: dict[str, Obstacle] = {}
    for gate in visit.rules.gates:
        if failed_gate((gate,), status, payee, today) is not None:
            step, sentence = gate_step(gate)
            found[gate] = Obstacle(LEFT_OUT.get(gate, gate), sentence, step)
    newest = next(iter(payouts), None)
    reason = newest["left_out_reason"] if newest else None
    # A gate that has opened since keeps nothing back any more.
    if reason and reason not in visit.rules.gates and reason not in found:
        found[reason] = Obstacle(LEFT_OUT.get(reason, "Left out of the last payout"), "", "")
    return list(found.values())


def _of_batch(row: Mapping[str, Any], minimum_minor: int) -> NextPayout:
    state = row["state"]
    if state == PLANNED and row["batch_state"] == "finance_approved":
        state = "finance_approved"
    return NextPayout(
        row["currency_code"], row["amount_minor"], row["expected_pay_date"] or row["pay_date"],
        state, minimum_minor, row["payout_id"],
    )  # fmt: skip


def _expected(code: str, rows: list[Mapping[str, Any]], minimum_minor: int) -> NextPayout:
    """The first day on which what has come together reaches the minimum; less is carried on."""
    together, day = 0, None
    for row in rows:
        together, day = together + row["amount_minor"], row["pay_date"]
        if together > 0 and together >= minimum_minor:
            return NextPayout(code, together, day, EXPECTED, minimum_minor)
    state = BELOW if together > 0 else NOTHING
    return NextPayout(code, together, day if together > 0 else None, state, minimum_minor)
