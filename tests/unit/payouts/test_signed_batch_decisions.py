"""Decisions on batches other than approvals that are signed: rejecting, aborting, releasing."""

from __future__ import annotations

import dataclasses
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from payout_world import APPROVALS, BEN, CAT, CLOCK, DAN
from signing import make_key, needs_ssh_keygen, signer_line

sys.path.insert(0, str(Path(__file__).with_name("settlement")))

from settled_world import READ, SettledWorld  # noqa: E402

from payouts import events  # noqa: E402
from payouts.aborting import abort_message  # noqa: E402
from payouts.approvals import reject, rejection_message  # noqa: E402
from payouts.errors import DecisionRefusedError  # noqa: E402
from payouts.holds import open_hold, release_hold, release_message  # noqa: E402
from payouts.records import load_state  # noqa: E402
from payouts.signatures import sign  # noqa: E402
from payouts.signed_decisions import decision_faults  # noqa: E402
from payouts.terms import Tier  # noqa: E402
from payouts.verify import verify  # noqa: E402

pytestmark = needs_ssh_keygen
SAID = "bank portal shows no upload"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name.partition("@")[0]) for name in (BEN, CAT, DAN)}


@pytest.fixture
def strict(tmp_path, keys):
    """Terms under which nobody decides without a signature."""
    signers = tmp_path / "allowed_signers"
    signers.write_text("".join(signer_line(name, key) for name, key in keys.items()))
    return dataclasses.replace(APPROVALS, allowed_signers=signers, min_identity="ssh_signed")


@pytest.fixture
def exported(tmp_path):
    world = SettledWorld.create(tmp_path / "home")
    yield world
    world.store.close()


def refused(attempt, match):
    with pytest.raises(DecisionRefusedError, match=match):
        attempt()


def abort_signature(world, actor, evidence, key):
    with world.store.read() as connection:
        state = load_state(connection, world.batch.batch_id)
    return sign(abort_message(state, evidence=evidence, actor=actor), key)


def faults(world):
    with world.store.read() as connection:
        return decision_faults(connection)


def test_abort_is_asked_for_and_agreed_to_with_signatures(exported, strict, keys):
    """Under ssh_signed anybody could have typed both names."""
    refused(lambda: exported.request_abort(BEN, rules=strict), "min_identity asks for ssh_signed")
    asked = abort_signature(exported, BEN, SAID, keys[BEN])
    for more in ({"evidence": "called the bank"}, {"actor": CAT}):
        refused(
            lambda more=more: exported.request_abort(
                **{"actor": BEN, "rules": strict, "signature": asked, **more}
            ),
            "not one of this decision, by this person",
        )
    exported.request_abort(BEN, rules=strict, signature=asked)
    refused(lambda: exported.abort(CAT, rules=strict), "min_identity asks for ssh_signed")
    refused(lambda: exported.abort(CAT, rules=strict, signature=asked), "not one of this decision")
    agreed = abort_signature(exported, CAT, "ticket 12", keys[CAT])
    before = exported.balances()
    refused(
        lambda: exported.abort(CAT, rules=strict, evidence="ticket 13", signature=agreed),
        "not one of this decision",
    )
    assert (exported.state(), exported.balances()) == ("exported", before)
    # Signed on one day and brought on another: value dates follow from the moment.
    done = exported.abort(
        CAT, rules=strict, evidence="ticket 12", signature=agreed,
        recorded_at=READ.replace(day=23),
    )  # fmt: skip
    assert (done.state, done.returned_amount_minor) == ("aborted", 28000)
    assert faults(exported) == (2, [])
    assert exported.broken() == []


def test_agreement_is_to_the_request_of_one_person(exported, strict, keys):
    exported.request_abort(BEN, signature=None)
    agreed = abort_signature(exported, CAT, SAID, keys[CAT])
    exported.request_abort(DAN)
    refused(
        lambda: exported.abort(CAT, rules=strict, evidence=SAID, signature=agreed),
        "not one of this decision",
    )


def test_abort_asks_for_what_the_tier_of_the_batch_asks_for(exported):
    rules = dataclasses.replace(
        APPROVALS, tiers=(Tier(up_to=Decimal(100)), Tier(min_identity="ssh_signed"))
    )
    refused(lambda: exported.request_abort(BEN, rules=rules), "asks for ssh_signed")


@pytest.mark.parametrize(
    ("kind", "found"),
    [("batch_abort_requested", {"evidence": "another"}), ("batch_aborted", {"requested_by": DAN})],
)
def test_abort_that_does_not_fit_its_signature_is_found_by_verify(
    exported, strict, keys, kind, found
):
    exported.request_abort(
        BEN, rules=strict, signature=abort_signature(exported, BEN, SAID, keys[BEN])
    )
    signature = abort_signature(exported, CAT, SAID, keys[CAT])
    exported.abort(CAT, rules=strict, evidence=SAID, signature=signature)
    with exported.store.write() as connection:
        (event,) = events.of_kinds(connection, (kind,))
        events.append(
            connection, kind=kind, subject=event.subject, actor=event.actor, recorded_at=READ,
            payload={**event.payload, **found}, identity_level="ssh_signed",
        )  # fmt: skip
    (finding,) = [
        each
        for each in verify(exported.home, store=exported.store)
        if each.check == "signed_decisions"
    ]
    assert not finding.ok and kind in finding.detail


def test_rejection_is_signed(payable, strict, keys):
    batch, other = payable.propose()

    def attempt(target, signature=None):
        return reject(
            payable.store, payable.home, target.batch_id, reason="wrong", actor=BEN, rules=strict,
            recorded_at=CLOCK, signature=signature,
        )  # fmt: skip

    refused(lambda: attempt(batch), "min_identity asks for ssh_signed")
    signature = sign(rejection_message(batch.batch_id, BEN), keys[BEN])
    refused(lambda: attempt(other, signature), "not one of this decision")
    assert attempt(batch, signature).state == "rejected"
    assert faults(payable) == (1, [])


def test_hold_is_opened_without_a_signature_and_released_with_one(payable, strict, keys):
    """Who stops money needs a role; who lets it go again is proved to be who it is."""
    decision = {"actor": BEN, "rules": strict, "recorded_at": CLOCK, "reason": "asked"}
    opened = [
        open_hold(
            payable.store, payable.home, subject_type="partner", subject_id=partner, **decision
        )[0].hold_id
        for partner in ("p_1", "p_2")
    ]
    first, second = opened
    refused(lambda: release_hold(payable.store, first, **decision), "min_identity asks for")
    signature = sign(release_message(first, BEN), keys[BEN])
    refused(
        lambda: release_hold(payable.store, second, signature=signature, **decision),
        "not one of this decision",
    )
    assert not release_hold(payable.store, first, signature=signature, **decision).is_open
    assert faults(payable) == (1, [])
