"""Registrations, rulings and messages with sensible defaults, for tests of decisions on leads.

What belongs here: calls with everything filled in. What does not: expectations.
"""

from __future__ import annotations

from datetime import datetime

from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK

from payouts.lead_updates import answer_update, post_message, request_update
from payouts.registrations import decide_registration, submit_registration
from payouts.rulings import decide_ruling, propose_ruling, revoke_ruling

EVE = "eve@acme.example"  # has no role
SUBMITTED = datetime(2026, 2, 1, 8, 0, 0)
LATER, LATEST = datetime(2026, 6, 1), datetime(2026, 9, 1)
LEAD = {"subject_type": "lead", "subject_id": "lead_1"}


def submit(world, **options):
    """A deal registration by Eve for one partner."""
    arguments = {
        "partner_id": "p_1", "email": "jo@globex.example", "submitted_at": SUBMITTED, "actor": EVE,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return submit_registration(world.store, **arguments)


def decide(world, key, decision="approved", **options):
    """A decision by Ana."""
    arguments = {
        "reason": "checked", "actor": ANA, "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return decide_registration(world.store, registration_key=key, decision=decision, **arguments)


def extend(world, key, expires_at, **options):
    """An extension by Ana with evidence."""
    return decide(world, key, "extended", expires_at=expires_at, **{"evidence": "call", **options})


def propose(world, credits=None, **options):
    """A ruling by Eve that credits one partner."""
    arguments = {
        "lead_id": "lead_1", "reason": "they met first", "evidence": "mail of May 2", "actor": EVE,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    credits = {"p_1": 1_000_000} if credits is None else credits
    return propose_ruling(world.store, credits=credits, **arguments)


def rule(world, ruling, is_approved=True, **options):
    """A decision on a ruling by Ben."""
    arguments = {
        "reason": "checked", "actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return decide_ruling(
        world.store, ruling_id=ruling.ruling_id, is_approved=is_approved, **arguments
    )


def revoke(world, ruling, **options):
    """A revocation by Cat."""
    arguments = {
        "reason": "wrong", "actor": CAT, "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return revoke_ruling(world.store, ruling_id=ruling.ruling_id, **arguments)


def post(world, text="any news?", **options):
    """A message by Ana on a lead."""
    arguments = {
        **LEAD, "author_role": "staff", "actor": ANA, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return post_message(world.store, text=text, **arguments)


def request(world, **options):
    """A request to the partner of a lead."""
    arguments = {
        **LEAD, "asked_of": "partner", "due_at": LATER, "actor": ANA, "recorded_at": CLOCK,
        **options,
    }  # fmt: skip
    return request_update(world.store, **arguments)


def answer(world, request_id, **options):
    """An answer by the partner's Jo."""
    arguments = {
        "text": "they sign in May", "author_role": "partner", "actor": "jo@agency.example",
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return answer_update(world.store, request_id=request_id, **arguments)


def recorded(world):
    """How many events there are: a refusal must not add one."""
    with world.store.read() as connection:
        return connection.exec_driver_sql("select count(*) from events").scalar()


def raw(world, table, columns="*"):
    """Rows of a raw table as the night loads it."""
    world.refresh()
    return world.warehouse.execute(f"select {columns} from raw.{table} order by all").fetchall()
