"""What people decide in a story between its nights, recorded through the calls that people use.

A `decisions.yml` lists calls: `call` names the function, `with` its arguments, `named` a name for
what comes back. An argument `=name` is that registration's key or that ruling's or adjustment's id;
`=lead of LINE` is the lead under which the journal has earned on an invoice line. Instants are
naive UTC.
"""

from __future__ import annotations

import inspect
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from orchestration.warehouse import open_working_file
from payouts.adjustments import (
    Adjustment,
    approve_adjustment,
    propose_adjustment,
    revoke_adjustment,
)
from payouts.closing import close_period, posted_entries, reopen_period
from payouts.periods import next_period
from payouts.registrations import Registration, decide_registration, submit_registration
from payouts.rulings import Ruling, decide_ruling, propose_ruling
from payouts.store import Store, open_store
from payouts.terms import ApprovalRules, approval_rules
from program.load import load_workspace

_LEAD_OF = "lead of "


def close_periods_until(
    store: Store,
    home: Path,
    *,
    period: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
) -> None:
    """Close the months from the first with entries to this one, in order, as finance has to.

    For the first closing only: the stories share one home, and some of them begin years before.
    """
    with store.read() as connection:
        closing = min(posted_entries(connection, home))
    while closing <= period:
        close_period(store, home, period=closing, actor=actor, rules=rules, recorded_at=recorded_at)
        closing = next_period(closing)


CALLS = {
    call.__name__: call
    for call in (
        submit_registration,
        decide_registration,
        propose_ruling,
        decide_ruling,
        propose_adjustment,
        approve_adjustment,
        revoke_adjustment,
        close_periods_until,
        close_period,
        reopen_period,
    )
}


def record_decisions(path: Path, workspace: Path, home: Path, names: dict[str, str]) -> None:
    """Record the decisions of one file. names: what earlier files have named; it is added to."""
    home.mkdir(parents=True, exist_ok=True)
    terms = load_workspace(workspace)
    known = {
        "home": home,
        "rules": approval_rules(terms),
        "timezone": terms.program.program.timezone,
    }
    store = open_store(home)
    try:
        for decision in yaml.safe_load(path.read_text(encoding="utf-8")):
            call = CALLS[decision["call"]]
            asked = inspect.signature(call).parameters
            arguments = {key: _meant(value, home, names) for key, value in decision["with"].items()}
            arguments |= {key: value for key, value in known.items() if key in asked}
            recorded = call(store, **arguments)
            if "named" in decision:
                names[decision["named"]] = _reference(recorded)
    finally:
        store.close()


def _meant(value: Any, home: Path, names: dict[str, str]) -> Any:
    if not isinstance(value, str) or not value.startswith("="):
        return value
    name = value.removeprefix("=")
    if not name.startswith(_LEAD_OF):
        return names[name]
    with open_working_file(home) as connection:
        (lead_id,) = connection.execute(
            "SELECT DISTINCT lead_id FROM raw.journal__entries WHERE source_id = $1",
            [name.removeprefix(_LEAD_OF)],
        ).fetchone()
    return lead_id


def _reference(recorded: Registration | Ruling | Adjustment) -> str:
    if isinstance(recorded, Registration):
        return recorded.key
    return recorded.ruling_id if isinstance(recorded, Ruling) else recorded.adjustment_id
