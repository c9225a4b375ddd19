"""What people record between nights, by the real commands' functions, and how the oracle is told.

Belongs here: entered leads, decisions on registrations, rulings. Does not belong here: any expected
value; the oracle takes a decision as the newest version of the fact.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from payouts.registrations import (
    DeliveredRegistration,
    decide_registration,
    submit_registration,
)
from payouts.rulings import decide_ruling, propose_ruling
from payouts.store import Store, open_store
from payouts.terms import ApprovalRules, approval_rules
from program.load import load_workspace
from tests.oracle.facts import Row, Zone
from tests.oracle.rulings import Ruling

ROLES = "roles: {partnerships: [ana@t.test], finance: [ben@t.test]}\n"
PROPOSER, DECIDER = "ana@t.test", "ben@t.test"
# From what a registration is to what people may make of it.
NEXT = {
    "pending": ("approved", "approved", "declined", "withdrawn"),
    "approved": ("extended", "extended", "declined", "withdrawn"),
    "declined": ("approved",),
}


def enter_leads(home: Path, entries: Iterable[Row], recorded_at: datetime) -> None:
    """Records the entries; each is given its `entry_id`."""
    home.mkdir(parents=True, exist_ok=True)
    store = open_store(home)
    try:
        for entry in entries:
            submitted_at = datetime.fromisoformat(entry["submitted_at"].removesuffix("Z"))
            entered = submit_registration(
                store,
                partner_id=entry["partner_id"],
                submitted_at=submitted_at,
                actor=PROPOSER,
                recorded_at=recorded_at,
                entity="lead_entries",
                email=entry["email"],
            )
            entry["entry_id"] = entered.registration_id
    finally:
        store.close()


def decide_registrations(
    workspace: Path,
    home: Path,
    rows: Iterable[Row],
    chance: random.Random,
    zone: Zone,
    recorded_at: datetime,
    protection_days: int,
) -> list[Row]:
    """Decides on about half of the delivered registrations; returns all of them as decided."""
    rules = approval_rules(load_workspace(workspace))
    store = open_store(home)
    try:
        return [
            _decide(store, rules, row, chance, zone, recorded_at, protection_days)
            if row["status"] in NEXT and chance.random() < 0.5
            else row
            for row in rows
        ]
    finally:
        store.close()


def _decide(
    store: Store,
    rules: ApprovalRules,
    row: Row,
    chance: random.Random,
    zone: Zone,
    recorded_at: datetime,
    protection_days: int,
) -> Row:
    decision = chance.choice(NEXT[row["status"]])
    submitted_at = zone.instant(row["submitted_at"])
    present_end = zone.instant(row["expires_at"]) if row.get("expires_at") else None
    end = None
    if decision == "extended" or (decision == "approved" and chance.random() < 0.5):
        by_terms = submitted_at + timedelta(days=protection_days)
        end = max(present_end or by_terms, by_terms) + timedelta(days=chance.randrange(1, 90))
    decide_registration(
        store,
        registration_key=f"drop:deal_registrations:{row['registration_id']}",
        decision=decision,
        reason="asked them",
        actor=DECIDER,
        rules=rules,
        recorded_at=recorded_at,
        expires_at=end,
        evidence="ticket 8",
        delivered=DeliveredRegistration(row["status"], submitted_at, None, present_end),
        protection_days=protection_days,
    )
    decided = row | ({"expires_at": f"{end.isoformat()}Z"} if end else {})
    return decided if decision == "extended" else decided | {"status": decision}


def rule_on(
    workspace: Path,
    home: Path,
    lead_ids: Mapping[str, str],
    rulings: Iterable[Ruling],
    recorded_at: datetime,
) -> None:
    """Proposes and approves the rulings; lead_ids: by the record that names the lead."""
    rules = approval_rules(load_workspace(workspace))
    store = open_store(home)
    try:
        for ruling in rulings:
            proposed = propose_ruling(
                store,
                lead_id=lead_ids[ruling.record],
                credits=ruling.credits_ppm,
                reason="asked both",
                evidence="ticket 7",
                actor=PROPOSER,
                recorded_at=recorded_at,
            )
            decide_ruling(
                store,
                ruling_id=proposed.ruling_id,
                is_approved=True,
                reason="agreed",
                actor=DECIDER,
                rules=rules,
                recorded_at=recorded_at,
            )
    finally:
        store.close()
