"""What waits for somebody: decisions of the control database, and findings of the night.

Each task says how many, what, and leads to where it is done. What does not belong here: doing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payouts.dispute_records import load_disputes, overdue
from payouts.records import list_batches

from dashboards import words
from dashboards.templating import money, plural
from dashboards.users import DECIDERS

if TYPE_CHECKING:
    from dashboards.payable import Payable
    from dashboards.visit import Visit

_WAITING_BATCHES = {
    "proposed": "for the first approval",
    "partnerships_approved": "for finance",
    "finance_approved": "for the export",
}


@dataclass(frozen=True)
class Task:
    """count: how many. text: of what, after the number. detail: more, may be empty."""

    count: int
    text: str
    address: str
    detail: str = ""


def tasks_of(visit: Visit, payable: Payable) -> list[Task]:
    """What waits now, the money first; nothing with a count of 0."""
    payees = "/payees" if visit.user.roles & DECIDERS else "/partners"
    found = [*_decisions(visit), *_payees(payable, payees), *_findings(visit)]
    age = visit.age
    if age is not None and (age.level != "fresh" or age.failure):
        detail = age.failure or f"numbers {age.text}"
        found.insert(0, Task(1, "night to look at", "/health", detail))
    return [task for task in found if task.count]


def _decisions(visit: Visit) -> list[Task]:
    with visit.control() as connection:
        batches = list_batches(connection)
        disputes = [each for each in load_disputes(connection) if each.is_open]
    found = []
    for state, waits in _WAITING_BATCHES.items():
        waiting = [batch for batch in batches if batch.state == state]
        found.append(
            Task(
                len(waiting),
                f"{_noun(len(waiting), 'batch', 'batches')} {_waits(len(waiting))} {waits}",
                "/approvals",
                ", ".join(
                    money(batch.total_amount_minor, batch.currency_code) for batch in waiting
                ),
            )
        )
    late = len(overdue(disputes, visit.now))
    found.append(
        Task(
            len(disputes),
            f"{_noun(len(disputes), 'dispute')} open",
            "/disputes",
            f"{late} past the day of the answer" if late else "",
        )
    )
    return found


def _payees(payable: Payable, address: str) -> list[Task]:
    missing = payable.without_details
    found = [
        Task(missing, f"{_noun(missing, 'partner')} with a balance, without payout details",
             address)
    ]  # fmt: skip
    for gate, count in sorted(payable.shut_out.items()):
        found.append(
            Task(
                count,
                f"{_noun(count, 'partner')} with a balance, shut out",
                address,
                words.LEFT_OUT.get(gate, words.word(gate)),
            )
        )
    return found


def _findings(visit: Visit) -> list[Task]:
    counts = visit.row("programme/task_counts") or {}
    requests = counts.get("overdue_requests", 0)
    customers = counts.get("unmatched_customers", 0)
    amounts = visit.rows("programme/unmatched_amounts") if customers else []
    return [
        Task(
            requests,
            f"{_noun(requests, 'request')} for an update overdue",
            "/follow-ups",
        ),
        Task(
            customers,
            f"paying {_noun(customers, 'customer')} with a partner's trace, credited to nobody",
            "/attribution?view=missed",
            ", ".join(money(row["amount_minor"], row["currency_code"]) for row in amounts),
        ),
    ]


def _noun(count: int, one: str, many: str | None = None) -> str:
    """The noun alone; the number stands before it."""
    return plural(count, one, many).split(" ", 1)[1]


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"
