"""Adjustments and periods with sensible defaults, for tests of what people decide about the ledger.

What belongs here: calls with everything filled in. What does not: expectations.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from payout_world import ANA, APPROVALS, BEN, CLOCK, DAN, entry

from payouts import ids
from payouts.adjustments import (
    approve_adjustment,
    decline_adjustment,
    propose_adjustment,
    revoke_adjustment,
)
from payouts.closing import close_period, reopen_period
from payouts.periods import first_open_period, last_closed

EVE = "eve@acme.example"  # has no role
NEW_YORK = "America/New_York"


def propose(world, amount_minor=2500, **options):
    """25.00 USD for p_1, by Ana of partnerships."""
    arguments = {
        "partner_id": "p_1", "currency_code": "USD", "payout_currency_code": "USD",
        "reason": "a bonus was promised", "evidence": "mail of May 2", "actor": ANA,
        "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return propose_adjustment(world.store, world.home, amount_minor=amount_minor, **arguments)


def approve(world, adjustment, **options):
    """An approval by Ben of finance."""
    arguments = {
        "reason": "checked", "actor": BEN, "rules": APPROVALS, "timezone": NEW_YORK,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return approve_adjustment(world.store, adjustment_id=adjustment.adjustment_id, **arguments)


def decline(world, adjustment, **options):
    """A refusal by Ben."""
    return _turn(decline_adjustment, world, adjustment, options)


def revoke(world, adjustment, **options):
    """A revocation by Ben."""
    return _turn(revoke_adjustment, world, adjustment, options)


def approved(world, amount_minor=2500, **options):
    """A proposed and approved adjustment."""
    return approve(world, propose(world, amount_minor, **options))


def close(world, period, **options):
    """A closing by Dan of finance."""
    arguments = {"actor": DAN, "rules": APPROVALS, "recorded_at": CLOCK, **options}
    return close_period(world.store, world.home, period=period, **arguments)


def reopen(world, period, **options):
    """A reopening by Dan."""
    arguments = {
        "reason": "an invoice was booked twice", "actor": DAN, "rules": APPROVALS,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return reopen_period(world.store, period=period, **arguments)


def in_period(row, period):
    """An entry that is effective in the middle of a month, posted there."""
    year, month = int(period[:4]), int(period[5:])
    return {**row, "effective_date": date(year, month, 15), "posting_period": period}


def as_posted(world, row):
    """An entry in the posting period of now, as the models compute it."""
    with world.store.read() as connection:
        last = last_closed(connection)
    return {**row, "posting_period": first_open_period(row["effective_date"], last)}


def adjustment_entry(world, adjustment, **changes):
    """The entry that the models build for an approved adjustment."""
    key = ids.natural_key(
        "adjustment", "", "adjustment", adjustment.adjustment_id, adjustment.partner_id, "", ""
    )
    return as_posted(
        world,
        {
            **entry("unused", adjustment.amount_minor),
            "entry_id": ids.entry_id(key, 1),
            "commission_id": ids.commission_id(key),
            "entry_kind": "adjustment",
            "partner_id": adjustment.partner_id,
            "customer_id": None,
            "lead_id": adjustment.lead_id,
            "plan_id": None,
            "plan_version": None,
            "component_id": "",
            "source_type": "adjustment",
            "source_id": adjustment.adjustment_id,
            "currency_code": adjustment.currency_code,
            "payout_currency_code": adjustment.currency_code,
            "effective_date": date.fromisoformat(adjustment.effective_date),
            "available_date": date.fromisoformat(adjustment.available_date),
            "corrects_entry_id": adjustment.corrects_entry_id,
            "explanation": None,
            **changes,
        },
    )


def _turn(turn, world, adjustment, options):
    arguments = {
        "reason": "not agreed", "actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return turn(world.store, adjustment_id=adjustment.adjustment_id, **arguments)


_RACER = """
import sys, time
from pathlib import Path
sys.path[:0] = [{root!r}, {here!r}]
from adjustment_world import approve, close, decline, reopen
from payout_world import World, new_warehouse
from payouts.adjustments import load_adjustments
from payouts.errors import PayoutsError
from payouts.store import open_store
world = World(Path({home!r}), open_store(Path({home!r})), new_warehouse())
with world.store.read() as connection:
    adjustment = next(iter(load_adjustments(connection)), None)
Path({ready!r}).touch()
while not Path({start!r}).exists():
    time.sleep(0.001)
try:
    print({call})
except PayoutsError as error:
    print(type(error).__name__)
"""


def race(home, folder, *calls):
    """Evaluate calls in processes of their own, all at once; what each returned or raised.

    calls: expressions over ``world`` and ``adjustment``, the first one of the home.
    """
    here = Path(__file__).parent
    running = []
    for number, call in enumerate(calls):
        script = _RACER.format(
            root=str(here.parents[2]), here=str(here), home=str(home), call=call,
            ready=str(folder / f"ready.{number}"), start=str(folder / "start"),
        )  # fmt: skip
        running.append(
            subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        )
    while len(list(folder.glob("ready.*"))) < len(calls):
        assert not any(process.poll() for process in running)
        time.sleep(0.002)
    (folder / "start").touch()
    return [process.communicate(timeout=60)[0].strip() for process in running]
