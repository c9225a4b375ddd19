"""What people decide in a story between its nights, recorded through the calls that people use.

A `decisions.yml` lists calls: `call` names the function, `with` its arguments, `named` a name for
what comes back. An argument `=name` is that registration's key or that ruling's id; `=lead of LINE`
is the lead under which the journal has earned on an invoice line. Instants are naive UTC.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from orchestration.warehouse import open_working_file
from payouts.registrations import Registration, decide_registration, submit_registration
from payouts.rulings import Ruling, decide_ruling, propose_ruling
from payouts.store import open_store
from payouts.terms import approval_rules
from program.load import load_workspace

CALLS = {
    call.__name__: call
    for call in (submit_registration, decide_registration, propose_ruling, decide_ruling)
}
_LEAD_OF = "lead of "


def record_decisions(path: Path, workspace: Path, home: Path, names: dict[str, str]) -> None:
    """Record the decisions of one file. names: what earlier files have named; it is added to."""
    home.mkdir(parents=True, exist_ok=True)
    rules = approval_rules(load_workspace(workspace))
    store = open_store(home)
    try:
        for decision in yaml.safe_load(path.read_text(encoding="utf-8")):
            arguments = {key: _meant(value, home, names) for key, value in decision["with"].items()}
            if decision["call"].startswith("decide_"):
                arguments["rules"] = rules
            recorded = CALLS[decision["call"]](store, **arguments)
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


def _reference(recorded: Registration | Ruling) -> str:
    return recorded.key if isinstance(recorded, Registration) else recorded.ruling_id
