"""Disputes with sensible defaults, for tests of what is opened and decided about them.

What belongs here: calls with everything filled in. What does not: expectations.
"""

from __future__ import annotations

from datetime import date

from payout_world import ANA, APPROVALS, BEN, CLOCK, RULES

from payouts.dispute_checks import Remedy
from payouts.dispute_owners import Governing
from payouts.dispute_records import load_disputes
from payouts.disputes import decide_dispute, open_dispute, review_dispute, withdraw_dispute
from payouts.holds import load_holds

TEXT = "the June invoice is missing, ask jo@agency.example"
EVIDENCE = '{"reference": "x", "maker": "ana@acme.example", "amount_minor": 1000}'
AT_SOURCE = Remedy(is_at_source=True)
ADJUSTED = Remedy(amount_minor=2500, currency_code="USD", payout_currency_code="USD")


def open_one(world, subject_id="k_1", **options):
    """A dispute of p_1 on a line, entered by Ana for the partner; the dispute alone."""
    return opened_with_batches(world, subject_id, **options)[0]


def opened_with_batches(world, subject_id="k_1", **options):
    """The same with the batches that went stale."""
    arguments = {
        "subject_type": "line", "partner_id": "p_1", "happened_on": date(2026, 2, 1), "text": TEXT,
        "evidence": EVIDENCE, "opened_by_role": "partner", "actor": ANA, "rules": APPROVALS,
        "payout_rules": RULES, "timezone": "America/New_York", "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return open_dispute(world.store, world.home, subject_id=subject_id, **arguments)


def review(world, dispute, **options):
    """Ben takes it up."""
    arguments = {
        "reason": "looking at the invoices", "actor": BEN, "rules": APPROVALS,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return review_dispute(world.store, dispute_id=dispute.dispute_id, **arguments)


def decide(world, dispute, outcome="rejected", **options):
    """A decision by Ben."""
    arguments = {
        "governing": Governing(), "reason": "the invoice was void", "actor": BEN,
        "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return decide_dispute(
        world.store, world.home, dispute_id=dispute.dispute_id, outcome=outcome, **arguments
    )


def withdraw(world, dispute, **options):
    """Ana takes it back."""
    arguments = {"reason": "it was found", "actor": ANA, "recorded_at": CLOCK, **options}
    return withdraw_dispute(world.store, dispute_id=dispute.dispute_id, **arguments)


def reviewed(world, subject_id="k_1", **options):
    """A dispute under review."""
    return review(world, open_one(world, subject_id, **options))


def disputes(world):
    """All disputes as they stand."""
    with world.store.read() as connection:
        return load_disputes(connection)


def holds(world):
    """Hold id → whether it is open."""
    with world.store.read() as connection:
        return {hold.hold_id: hold.is_open for hold in load_holds(connection)}
