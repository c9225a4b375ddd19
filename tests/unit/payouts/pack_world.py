"""Evidence packs of a small home, for tests of what is in them and of tampering.

What belongs here: building packs. What does not: expectations.
"""

from __future__ import annotations

from payout_world import RULES

from payouts.evidence_pack import TermsAtHand, evidence_pack
from payouts.verify import verify

PROGRAM = b"program: {id: acme}\n"
TERMS = TermsAtHand(
    terms_hash=RULES.terms_hash,
    content=PROGRAM,
    roles={"finance": ("ben@acme.example",), "partnerships": ("ana@acme.example",)},
    gates=RULES.gates,
)


def packed(world, batch, terms=TERMS, findings=None):
    """The pack of a batch with what verify finds."""
    found = verify(world.home, store=world.store) if findings is None else findings
    return evidence_pack(world.store, world.home, batch.batch_id, terms=terms, findings=found)


def usd_batch(world):
    """The proposed batch in USD."""
    return next(batch for batch in world.propose() if batch.currency_code == "USD")


def exported(world):
    """A batch that was approved and exported."""
    batch = usd_batch(world)
    world.approve_fully(batch)
    world.export(batch)
    return batch
