"""Decisions that are signed: details, payers, adjustments, delegations, resuming, gates."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from payee_world import (
    ANA,
    BEN,
    CAT,
    CLOCK,
    EVE,
    OTHER_SEPA,
    PARTNER,
    PAYER,
    RULES,
    payee_world,
)
from signing import make_key, needs_ssh_keygen, signer_line

from payouts import events
from payouts.adjustments import approval_message, approve_adjustment, propose_adjustment
from payouts.delegation import delegate_role, delegation_message, revoke_delegation
from payouts.errors import DecisionRefusedError
from payouts.onboarding import accept_terms, acceptance_message
from payouts.pausing import pause, resume, resume_message
from payouts.payee_details import details_message, payer_owner
from payouts.payees import payee_changes, record_message, record_payee
from payouts.signatures import sign
from payouts.signed_decisions import decision_faults, decision_message
from payouts.tax_forms import record_tax_form, tax_form_message
from payouts.verify import verify

pytestmark = needs_ssh_keygen
UNTIL = CLOCK + timedelta(days=7)
LENT = {
    "delegate": EVE, "role": "finance", "limit_amount_minor": 15_000, "currency_code": "USD",
    "from_at": CLOCK, "to_at": UNTIL,
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name.partition("@")[0]) for name in (BEN, CAT, EVE)}


@pytest.fixture
def strict(tmp_path, keys):
    """Terms under which nobody decides without a signature."""
    signers = tmp_path / "allowed_signers"
    signers.write_text("".join(signer_line(name, key) for name, key in keys.items()))
    return dataclasses.replace(RULES, allowed_signers=signers, min_identity="ssh_signed")


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def refused(attempt, match):
    with pytest.raises(DecisionRefusedError, match=match):
        attempt()


def faults(world):
    with world.store.read() as connection:
        return decision_faults(connection)


def line(world, record, actor, is_confirmation=False):
    with world.store.read() as connection:
        return details_message(
            connection, record.owner, record.details_id, is_confirmation=is_confirmation,
            actor=actor,
        )  # fmt: skip


def test_line_names_kind_subject_content_and_person():
    message = decision_message("adjustment_approved", "adjustment:adj_1", {}, "BEN@acme.example")
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert message == (
        f"partnerledger-decision-v1|adjustment_approved|adjustment:adj_1|{empty}|{BEN}\n"
    )


def test_details_are_confirmed_and_approved_with_signatures(world, strict, keys):
    """Under ssh_signed nobody could approve them at all, for there was no way to sign."""
    world.set_details()
    change = world.propose(OTHER_SEPA)
    refused(lambda: world.confirm(change, rules=strict), "min_identity asks for ssh_signed")
    confirmation = sign(line(world, change, BEN, is_confirmation=True), keys[BEN])
    refused(
        lambda: world.confirm(change, CAT, rules=strict, signature=confirmation),
        "not one of this decision, by this person",
    )
    world.confirm(change, rules=strict, signature=confirmation)
    refused(lambda: world.approve(change, CAT, rules=strict), "min_identity asks for ssh_signed")
    approval = sign(line(world, change, CAT), keys[CAT])
    # A line names who signs it: Ben's, signed by Cat, is nobody's.
    of_ben = sign(line(world, change, BEN), keys[CAT])
    refused(lambda: world.approve(change, CAT, rules=strict, signature=of_ben), "not one of this")
    # Signed on one day and brought on another: the day of cooling off is not what was decided.
    late = CLOCK + timedelta(days=2)
    done = world.approve(change, CAT, rules=strict, signature=approval, recorded_at=late)
    assert (done.state, done.cooling_off_until.isoformat()) == ("approved", "2026-03-11")
    assert faults(world) == (2, [])


def test_one_key_does_not_change_an_account_that_somebody_typed(world, strict, keys):
    """Anybody types a proposal as Ana; what Ben signs alone is not two people."""
    world.set_details()
    change = world.propose(OTHER_SEPA)
    confirmation = sign(line(world, change, BEN, is_confirmation=True), keys[BEN])
    world.confirm(change, BEN, rules=strict, signature=confirmation)
    own = sign(line(world, change, BEN), keys[BEN])
    refused(lambda: world.approve(change, BEN, rules=strict, signature=own), "proposed as os_user")
    other = sign(line(world, change, CAT), keys[CAT])
    assert world.approve(change, CAT, rules=strict, signature=other).state == "approved"


def test_account_to_pay_from_is_approved_with_a_signature(world, strict, keys):
    record = world.propose(PAYER, payer_owner("sepa"))
    signed = sign(line(world, record, BEN), keys[BEN])
    assert world.approve(record, rules=strict, signature=signed).state == "approved"
    assert faults(world) == (1, [])


def test_adjustment_is_approved_with_a_signature(world, strict, keys):
    decision = {"rules": strict, "recorded_at": CLOCK, "reason": "agreed"}
    proposed = [
        propose_adjustment(
            world.store, world.home, partner_id="p_1", amount_minor=amount, currency_code="USD",
            payout_currency_code="USD", evidence="mail 7", actor=ANA, **decision,
        ).adjustment_id
        for amount in (2_500, 900_000)
    ]  # fmt: skip
    small, large = proposed

    def approve(adjustment_id, **more):
        return approve_adjustment(
            world.store, adjustment_id=adjustment_id, actor=BEN, timezone="UTC", **decision, **more
        )

    refused(lambda: approve(small), "min_identity asks")
    signature = sign(approval_message(small, BEN), keys[BEN])
    refused(lambda: approve(large, signature=signature), "not one of this decision")
    assert approve(small, signature=signature).state == "approved"
    assert faults(world) == (1, [])


def test_role_is_lent_by_who_is_known_as_surely_as_who_approves(world, strict, keys):
    """Anybody can type --as ben@; a delegation so made let Eve approve for finance."""
    decision = {"actor": BEN, "rules": strict, "recorded_at": CLOCK, "reason": "leave"}
    refused(lambda: delegate_role(world.store, **LENT, **decision), "min_identity asks")
    signature = sign(delegation_message(**LENT, actor=BEN), keys[BEN])
    more = {**LENT, "limit_amount_minor": 15_001}
    refused(
        lambda: delegate_role(world.store, **more, **decision, signature=signature),
        "not one of this decision",
    )
    granted = delegate_role(world.store, **LENT, **decision, signature=signature)
    assert granted.identity_level == "ssh_signed"
    revoke_delegation(world.store, granted.delegation_id, **{**decision, "reason": "back"})
    refused(
        lambda: delegate_role(world.store, **LENT, **decision, signature=signature),
        f"was granted before, as {granted.delegation_id}",
    )
    assert faults(world) == (1, [])


def test_resumption_is_signed_for_one_pause(world, strict, keys):
    decision = {"rules": strict, "recorded_at": CLOCK, "reason": "odd file"}
    pause(world.store, actor=CAT, **decision)
    refused(lambda: resume(world.store, actor=BEN, **decision), "min_identity asks")
    with world.store.read() as connection:
        signature = sign(resume_message(connection, BEN), keys[BEN])
    resume(world.store, actor=BEN, signature=signature, **decision)
    pause(world.store, actor=CAT, **decision)
    refused(
        lambda: resume(world.store, actor=BEN, signature=signature, **decision),
        "not one of this decision",
    )
    assert faults(world) == (1, [])


@pytest.mark.parametrize(
    ("found", "written"),
    [("last_four", "0000"), ("signature", "x"), ("key_fingerprint", "SHA256:other")],
)
def test_decision_that_does_not_fit_its_signature_is_found_by_verify(
    world, strict, keys, found, written
):
    """An event as somebody would write it who can re-hash the whole chain."""
    record = world.propose()
    signature = sign(line(world, record, BEN), keys[BEN])
    world.approve(record, rules=strict, signature=signature)
    with world.store.write() as connection:
        event = events.of_subject(connection, PARTNER)[-1]
        events.append(
            connection, kind=event.kind, subject=PARTNER, actor=BEN, recorded_at=CLOCK,
            payload={**event.payload, found: written}, identity_level="ssh_signed",
        )  # fmt: skip
    checked, broken = faults(world)
    assert (checked, len(broken)) == (2, 1)
    (finding,) = [
        each for each in verify(world.home, store=world.store) if each.check == "signed_decisions"
    ]
    assert not finding.ok and "payee_details_approved" in finding.detail


def test_gate_is_opened_with_a_signature_that_a_later_event_ends(world, strict, keys):
    """Shutting is anybody's; the old signature does not open what was shut since."""

    def record(actor=BEN, signature=None, **changes):
        return record_payee(
            world.store, "p_1", actor=actor, recorded_at=CLOCK, rules=strict, signature=signature,
            **changes,
        )  # fmt: skip

    def signed(actor=BEN, **changes):
        with world.store.read() as connection:
            return sign(
                record_message(connection, "p_1", payee_changes(**changes), actor), keys[actor]
            )

    refused(lambda: record(payee_verified=True), "min_identity asks for ssh_signed")
    signature = signed(payee_verified=True)
    for more in ({"screening": True}, {"clear_cooling_off": True}):
        refused(
            lambda more=more: record(signature=signature, payee_verified=True, **more),
            "not one of this decision",
        )
    assert record(signature=signature, payee_verified=True).payee_verified
    assert not record(EVE, payee_verified=False).payee_verified
    refused(lambda: record(signature=signature, payee_verified=True), "not one of this decision")
    again = record(signature=signed(payee_verified=True), payee_verified=True)
    assert again.payee_verified and world.payee() == again
    assert faults(world) == (2, [])


def test_end_of_a_cooling_off_is_part_of_what_is_signed(world, strict, keys):
    """In an approval of details that day follows from the moment; here it is what is decided."""
    later, earlier = CLOCK.date() + timedelta(days=9), CLOCK.date() + timedelta(days=1)
    shortened = {"actor": BEN, "recorded_at": CLOCK, "rules": strict}
    record_payee(world.store, "p_1", cooling_off_until=later, **shortened)
    with world.store.read() as connection:
        changes = payee_changes(cooling_off_until=earlier)
        signature = sign(record_message(connection, "p_1", changes, BEN), keys[BEN])
    refused(
        lambda: record_payee(
            world.store, "p_1", clear_cooling_off=True, signature=signature, **shortened
        ),
        "not one of this decision",
    )
    done = record_payee(
        world.store, "p_1", cooling_off_until=earlier, signature=signature, **shortened
    )
    assert done.cooling_off_until == earlier
    assert faults(world) == (1, [])


def test_tax_form_is_recorded_with_a_signature_and_taken_back_without(world, strict, keys):
    form = {"form_type": "w8ben", "signed_on": CLOCK.date(), "entity": None,
            "services_in_us": False, "reason": "", "actor": BEN}  # fmt: skip

    def record(**more):
        return record_tax_form(
            world.store, "p_1", **{**form, **more}, rules=strict, recorded_at=CLOCK
        )

    refused(record, "min_identity asks for ssh_signed")
    with world.store.read() as connection:
        signature = sign(tax_form_message(connection, "p_1", at=CLOCK, **form), keys[BEN])
    refused(lambda: record(signature=signature, form_type="w9"), "not one of this decision")
    assert record(signature=signature).tax_form
    assert not record(form_type="none", signed_on=None, reason="expired", actor=BEN).tax_form
    refused(lambda: record(signature=signature), "not one of this decision")
    assert faults(world) == (1, [])


def test_contract_on_paper_is_recorded_with_a_signature_and_a_partner_needs_none(
    world, strict, keys
):
    terms = {"terms_version": "standard 2026-01-01", "terms_hash": "a" * 64,
             "text_sha256": "b" * 64, "actor": BEN}  # fmt: skip
    staff = {"recorded_at": CLOCK, "rules": strict, "reason": "contract 2026-114"}
    refused(lambda: accept_terms(world.store, "p_1", **terms, **staff), "min_identity asks for")
    with world.store.read() as connection:
        signature = sign(acceptance_message(connection, "p_1", **terms), keys[BEN])
    assert accept_terms(world.store, "p_1", **terms, **staff, signature=signature).terms_accepted
    own = accept_terms(world.store, "p_2", **{**terms, "actor": "partner:p_2"}, recorded_at=CLOCK)
    assert own.terms_accepted
    assert faults(world) == (1, [])
