"""Changes of payout details: two people, the old contact, a cooling-off; nothing leaks."""

from __future__ import annotations

import dataclasses
import traceback
from datetime import date, datetime

import pytest
from payee_world import (
    ACCOUNT_NUMBER,
    ANA,
    BEN,
    CAT,
    CLOCK,
    DAN,
    EVE,
    HOLDER,
    IBAN,
    NACHA,
    OTHER_IBAN,
    OTHER_SEPA,
    PARTNER,
    PAYER,
    RULES,
    SEPA,
    payee_world,
)
from sqlalchemy import select

from payouts import events
from payouts.errors import DecisionRefusedError, DetailsMissingError
from payouts.payee_details import erase_details, payer_owner
from payouts.payee_details_records import load_details, load_duplicate_accounts
from payouts.payees import failed_gate, load_payers, record_payee
from payouts.schema import events as event_table
from payouts.terms import GATES

ERASURE = {"reason": "asked for it", "rules": RULES, "recorded_at": CLOCK}


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def refused(world, attempt, *parts):
    before = world.events()
    with pytest.raises(DecisionRefusedError) as caught:
        attempt()
    for part in parts:
        assert part in str(caught.value)
    assert world.events() == before
    return str(caught.value)


def test_first_details_are_in_force_once_another_person_of_finance_approves(world):
    record = world.propose()
    waiting = world.payee()
    assert (waiting.details_id, waiting.pending_details_id) == (None, record.details_id)
    assert (waiting.payee_verified, record.confirmation_needed) == (False, False)
    approved = world.approve(record)
    payee = world.payee()
    assert (payee.details_id, payee.pending_details_id) == (record.details_id, None)
    assert (payee.rail, payee.last_four, payee.payee_verified) == ("sepa", "3000", True)
    assert payee.payee_fingerprint == record.fingerprint
    assert (payee.cooling_off_until, approved.cooling_off_until) == (None, None)
    assert world.vault.get(payee.details_id) == SEPA


@pytest.mark.parametrize(
    ("proposer", "approver", "parts"),
    [
        (BEN, BEN, ("four eyes",)),
        (BEN, " BEN@Acme.Example ", ("four eyes",)),
        (ANA, ANA, ("may not approve", "finance")),
        (ANA, DAN, ("may not approve", "finance")),
        (ANA, EVE, ("may not approve", "finance")),
    ],
)
def test_nobody_else_approves(world, proposer, approver, parts):
    record = world.propose(actor=proposer)
    refused(world, lambda: world.approve(record, approver), *parts)
    assert world.payee().details_id is None


def test_approval_needs_a_reason_and_the_identity_that_the_terms_ask_for(world):
    record = world.propose()
    refused(world, lambda: world.approve(record, reason=" "), "reason")
    strict = dataclasses.replace(RULES, min_identity="ssh_signed")
    refused(world, lambda: world.approve(record, rules=strict), "min_identity")
    refused(
        world,
        lambda: world.approve(record, rules=strict, identity_level="ssh_signed"),
        "with a signature only",
    )


def test_who_has_no_role_proposes_only_its_own_details(world):
    refused(world, lambda: world.propose(actor=EVE), "may not propose")
    own = world.propose(actor="partner:p_1", is_own_proposal=True)
    assert world.approve(own).state == "approved"
    owner = payer_owner("sepa")
    refused(
        world,
        lambda: world.propose(PAYER, owner, actor="partner:p_1", is_own_proposal=True),
        "may not propose",
    )


def test_nobody_proposes_in_the_name_of_another_partner(world):
    other = "partner:p_2"
    refused(world, lambda: world.propose(actor=other, is_own_proposal=True), "may not propose")


def test_change_that_the_partner_proposed_is_looked_at_by_two_people(world):
    """A stolen login proposes; Ben alone may not confirm and approve it."""
    world.set_details()
    own = world.propose(OTHER_SEPA, actor="partner:p_1", is_own_proposal=True)
    world.confirm(own, BEN)
    refused(world, lambda: world.approve(own, BEN), "confirmed", "four eyes")
    assert world.approve(own, CAT).state == "approved"
    # A colleague proposed the next one, so two have looked at it already.
    change = world.propose(SEPA)
    world.confirm(change, BEN)
    assert world.approve(change, BEN).state == "approved"


def test_change_waits_for_the_old_contact_and_then_cools_off(world):
    first = world.set_details()
    change = world.propose(OTHER_SEPA)
    assert (change.replaces, change.confirmation_needed) == (first.details_id, True)
    assert world.payee().details_id == first.details_id
    refused(world, lambda: world.approve(change), "contact that was known before")
    refused(world, lambda: world.confirm(change, ANA), "four eyes")
    refused(world, lambda: world.confirm(change, reason=""), "how it was confirmed")
    refused(world, lambda: world.confirm(change, EVE), "may not confirm")
    assert world.confirm(change).confirmed_by == BEN
    refused(world, lambda: world.confirm(change, CAT), "needs no confirmation any more")
    approved = world.approve(change, CAT)
    payee = world.payee()
    assert (payee.details_id, payee.cooling_off_until) == (change.details_id, date(2026, 3, 9))
    assert approved.cooling_off_until == date(2026, 3, 9)
    ready = dataclasses.replace(payee, terms_accepted=True, tax_form=True, screening=True)
    assert failed_gate(GATES, "active", ready, date(2026, 3, 8)) == "cooling_off"
    assert failed_gate(GATES, "active", ready, date(2026, 3, 9)) is None
    assert world.vault.get(first.details_id) == SEPA


def test_cooling_off_begins_on_the_local_day_and_is_never_shortened(world):
    world.set_details()
    record_payee(
        world.store, "p_1", actor=BEN, recorded_at=CLOCK, cooling_off_until=date(2026, 5, 1)
    )
    change = world.propose(OTHER_SEPA)
    world.confirm(change)
    approved = world.approve(
        change, recorded_at=datetime(2026, 3, 2, 23), timezone="Asia/Tokyo", cooling_off_days=1
    )
    assert approved.cooling_off_until == date(2026, 5, 1)
    for values in ({"clear_cooling_off": True}, {"cooling_off_until": date(2026, 4, 30)}):
        refused(
            world,
            lambda values=values: record_payee(
                world.store, "p_1", actor=BEN, recorded_at=CLOCK, **values
            ),
            "not shortened",
        )
    later = record_payee(
        world.store, "p_1", actor=BEN, recorded_at=CLOCK, cooling_off_until=date(2026, 5, 2)
    )
    assert later.cooling_off_until == date(2026, 5, 2)


def test_local_day_counts(world):
    world.set_details()
    change = world.propose(OTHER_SEPA)
    world.confirm(change)
    at_night = datetime(2026, 3, 2, 23)
    approved = world.approve(change, recorded_at=at_night, timezone="Asia/Tokyo")
    assert approved.cooling_off_until == date(2026, 3, 10)


def test_one_proposal_at_a_time_and_none_of_what_is_in_force(world):
    record = world.propose()
    refused(world, lambda: world.propose(OTHER_SEPA), record.details_id, "waits for a decision")
    refused(world, world.propose, "waits for a decision")
    world.approve(record)
    refused(world, world.propose, "in force already")
    refused(world, lambda: world.approve(record), "approved already")
    refused(
        world, lambda: world.approve(dataclasses.replace(record, details_id="d_0")), "no details"
    )


def test_rejected_details_are_shredded_and_those_in_force_stay(world):
    first = world.set_details()
    change = world.propose(OTHER_SEPA)
    assert world.reject(change, ANA).state == "rejected"
    assert (world.payee().details_id, world.payee().pending_details_id) == (first.details_id, None)
    with pytest.raises(DetailsMissingError):
        world.vault.get(change.details_id)
    refused(world, lambda: world.approve(change), "rejected already")
    again = world.propose(OTHER_SEPA)
    assert again.details_id != change.details_id
    assert world.vault.get(again.details_id) == OTHER_SEPA


def test_faulty_details_are_refused_without_repeating_a_value(world):
    broken = dataclasses.replace(SEPA, iban="DE89370400440532013001")
    text = refused(world, lambda: world.propose(broken), "iban")
    assert "3704" not in text and HOLDER not in text
    assert world.vault.ids_of(PARTNER) == []


def test_details_of_a_proposal_that_cannot_be_recorded_do_not_stay_in_the_vault(world, monkeypatch):
    def fail(*arguments, **values):
        raise OSError("disk")

    with monkeypatch.context() as patched:
        patched.setattr(events, "append", fail)
        with pytest.raises(OSError):
            world.propose()
    assert world.vault.ids_of(PARTNER) == []
    assert world.propose().state == "proposed"


def test_account_of_two_partners_is_recorded_whatever_the_holder_is_called(world):
    world.set_details()
    renamed = dataclasses.replace(SEPA, holder_name="Somebody Else")
    record = world.propose(renamed, "partner:p_2")
    assert record.same_account_as == ("p_1",)
    with world.store.read() as connection:
        (shared,) = load_duplicate_accounts(connection)
    assert shared.partner_ids == ("p_1", "p_2")
    world.reject(record)
    with world.store.read() as connection:
        assert load_duplicate_accounts(connection) == []
        assert load_details(connection, "partner:p_2")[0].same_account_as == ("p_1",)


def test_fingerprint_by_hand_counts_for_shared_accounts_and_gives_way_to_the_vault(world):
    for partner_id in ("p_2", "p_3"):
        record_payee(
            world.store, partner_id, actor=BEN, recorded_at=CLOCK, rules=RULES,
            payee_fingerprint="ab" * 16,
        )  # fmt: skip
    with world.store.read() as connection:
        assert [each.partner_ids for each in load_duplicate_accounts(connection)] == [
            ("p_2", "p_3")
        ]
    world.set_details()
    refused(
        world,
        lambda: record_payee(
            world.store, "p_1", actor=BEN, recorded_at=CLOCK, payee_fingerprint="ab" * 16
        ),
        "in the vault",
    )


@pytest.mark.parametrize("eraser", [BEN, DAN])
def test_erased_details_are_gone_and_the_partner_is_not_paid(world, eraser):
    first = world.set_details()
    change = world.propose(OTHER_SEPA)
    ids = erase_details(world.store, world.vault, "p_1", actor=eraser, **ERASURE)
    assert ids == [first.details_id, change.details_id]
    payee = world.payee()
    assert (payee.details_id, payee.pending_details_id, payee.payee_verified) == (None, None, False)
    assert payee.payee_fingerprint is payee.account_fingerprint is payee.last_four is None
    for details_id in ids:
        with pytest.raises(DetailsMissingError):
            world.vault.get(details_id)
    with world.store.read() as connection:
        assert {each.state for each in load_details(connection, PARTNER)} == {"erased"}
        events.check_chain(connection)
    refused(
        world,
        lambda: erase_details(world.store, world.vault, "p_1", actor=eraser, **ERASURE),
        "holds no payout details",
    )


def test_erasing_needs_finance_or_admin(world):
    world.set_details()
    refused(
        world,
        lambda: erase_details(world.store, world.vault, "p_1", actor=ANA, **ERASURE),
        "finance or admin",
    )


def test_erasing_is_no_way_round_the_old_contact_and_the_cooling_off(world):
    first = world.set_details()
    erase_details(world.store, world.vault, "p_1", actor=BEN, **ERASURE)
    again = world.propose(OTHER_SEPA)
    assert (again.replaces, again.confirmation_needed) == (first.details_id, True)
    refused(world, lambda: world.approve(again), "contact that was known before")
    world.confirm(again)
    assert world.approve(again).cooling_off_until == date(2026, 3, 9)


def test_account_to_pay_from_needs_the_same_four_eyes(world):
    owner = payer_owner("sepa")
    record = world.propose(PAYER, owner, actor=BEN)
    with world.store.read() as connection:
        assert load_payers(connection) == {}
    refused(world, lambda: world.approve(record, BEN), "four eyes")
    world.approve(record, CAT)
    with world.store.read() as connection:
        payer = load_payers(connection)["sepa"]
    assert (payer.details_id, payer.fingerprint) == (record.details_id, record.fingerprint)
    other = world.propose(dataclasses.replace(PAYER, iban=IBAN), owner)
    assert (other.confirmation_needed, world.approve(other).cooling_off_until) == (False, None)
    rejected = world.reject(world.propose(PAYER, owner))
    assert rejected.state == "rejected"
    with world.store.read() as connection:
        assert load_payers(connection)["sepa"].details_id == other.details_id
    refused(world, lambda: payer_owner("csv"), "no account is kept")


def test_no_detail_stands_anywhere_but_sealed_in_the_vault(world):
    """Canaries: whatever happens to details, no file of the home and no error holds one."""
    told = []
    world.set_details()
    world.set_details(NACHA, "partner:p_2")
    world.set_details(PAYER, payer_owner("sepa"))
    change = world.propose(OTHER_SEPA)
    world.confirm(change)
    for attempt in (
        lambda: world.approve(change, ANA), lambda: world.propose(SEPA),
        lambda: world.propose(dataclasses.replace(SEPA, iban="XX00" + IBAN), "partner:p_3"),
        lambda: world.vault.put("payer:sepa", "sepa", SEPA, CLOCK),
    ):  # fmt: skip
        with pytest.raises(Exception) as caught:  # noqa: B017  (whatever it is, it may not leak)
            attempt()
        told += traceback.format_exception(caught.value)
    told += [repr(change), repr(world.payee()), repr(world.approve(change))]
    erase_details(world.store, world.vault, "p_2", actor=BEN, **ERASURE)
    with world.store.read() as connection:
        rows = connection.execute(select(event_table)).all()
        told += [repr(row) for row in rows]
        told += [repr(each) for each in load_details(connection, PARTNER)]
    world.store.close()
    content = b"".join(
        path.read_bytes() for path in sorted(world.home.rglob("*")) if path.is_file()
    )
    secrets = (IBAN, OTHER_IBAN, PAYER.iban, HOLDER, ACCOUNT_NUMBER, "021000021", "Orla Finch")
    for secret in secrets:
        assert secret.encode() not in content
        assert secret not in "\n".join(told)


def test_old_events_of_payees_fold_as_before(world):
    record_payee(
        world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, terms_accepted=True,
        payee_verified=True, tax_form=True, screening=True, payee_fingerprint="ab" * 16,
    )  # fmt: skip
    payee = world.payee()
    assert failed_gate(GATES, "active", payee, date(2030, 1, 1)) is None
    assert payee.payee_fingerprint == "ab" * 16
