"""The same histories told in other ways that must not matter.

Belongs here: another order of rows, touches that no rule lets count. Does not belong here: what
the warehouse or the oracle makes of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.oracle import Attribution, Result
from tests.oracle.facts import Facts
from tests.oracle.identity import ID_COLUMN, record_key
from tests.oracle.terms import DEFAULT_PRIORITY
from tests.properties.histories import SHARED_MAILBOX

BYSTANDER = "p_bystander"
MICROSECOND = timedelta(microseconds=1)


def reordered(facts: Facts, seed: int) -> Facts:
    """Every entity's rows in another order; each object has one version, so none is newer."""
    chance = random.Random(seed)
    return {entity: chance.sample(rows, len(rows)) for entity, rows in facts.items()}


def with_irrelevant_touches(facts: Facts, result: Result, window_days: int) -> Facts:
    """Each valid lead with touches of a partner without submissions that no rule lets count.

    A microsecond before the window and one after the valid event, of the highest type; at the
    valid event, of a type below the one that competes; and of somebody else, in the window.
    result: what the oracle says of these facts. The new touches are named `zz_<history>_...`.
    """
    told = {entity: list(rows) for entity, rows in facts.items()}
    highest, lowest = DEFAULT_PRIORITY[0], DEFAULT_PRIORITY[-1]
    for number, (lead, email) in enumerate(_named_leads(facts, result)):
        valid_at = lead.valid_at
        touches = [
            (valid_at - timedelta(days=window_days) - MICROSECOND, highest, email),
            (valid_at + MICROSECOND, highest, email),
            (valid_at, highest, f"somebody.else{number}@gmail.com"),
        ]
        if lead.touch_type not in (None, lowest):
            below = DEFAULT_PRIORITY[DEFAULT_PRIORITY.index(lead.touch_type) + 1]
            touches.append((valid_at, below, email))
        history = min(lead.members).split("_")[-2]
        told["touchpoints"] += [
            _touch(f"zz_{history}_{number}{place}", *touch) for place, touch in enumerate(touches)
        ]
    return told


def _touch(touch_id: str, at: datetime, touch_type: str, email: str) -> dict[str, str]:
    return {
        "touchpoint_id": touch_id,
        "occurred_at": f"{at.isoformat()}Z",
        "touch_type": touch_type,
        "partner_id": BYSTANDER,
        "email": email,
    }


def _named_leads(facts: Facts, result: Result) -> Iterator[tuple[Attribution, str]]:
    """The valid leads with an address of their own."""
    emails = {
        record_key(entity, row): row["email"]
        for entity in ID_COLUMN
        for row in facts.get(entity, ())
        if row.get("email") not in (None, SHARED_MAILBOX)
    }
    for members, lead in result.attributions.items():
        known = [emails[key] for key in sorted(members) if key in emails]
        if lead.valid_at is not None and known:
            yield lead, known[0]
