"""Onboarding: an invitation works once, terms are accepted by hash, steps show what is missing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from payee_world import ANA, BEN, CLOCK, EVE, OTHER_SEPA, RULES, payee_world
from sqlalchemy import select

from payouts import onboarding
from payouts.errors import DecisionRefusedError
from payouts.hashing import sha256_text
from payouts.payee_state import Payee
from payouts.payees import record_payee
from payouts.schema import events as event_table
from payouts.tax_forms import record_tax_form

TOKEN = "Zk3v-a-token-of-many-random-characters"
DAY = date(2026, 3, 2)


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def invite(world, partner_id="p_1", token=TOKEN, **values):
    return onboarding.invite(
        world.store, partner_id, token_sha256=sha256_text(token),
        **{"expires_at": CLOCK + timedelta(days=14), "actor": ANA, "rules": RULES,
           "recorded_at": CLOCK, **values},
    )  # fmt: skip


def use(world, token=TOKEN, at=CLOCK, **values):
    return onboarding.accept_invite(world.store, token, recorded_at=at, **values)


def accept(world, **values):
    return onboarding.accept_terms(
        world.store, "p_1",
        **{"terms_version": "standard 2025-01-01", "terms_hash": "a" * 64, "text_sha256": "b" * 64,
           "actor": "partner:p_1", "recorded_at": CLOCK, **values},
    )  # fmt: skip


def steps(world, as_of=DAY):
    return {each.step: each.is_done for each in onboarding.checklist(world.payee(), as_of)}


def words(world, step, as_of=DAY):
    return {each.step: each.detail for each in onboarding.checklist(world.payee(), as_of)}[step]


def refused_use(world, *arguments, **values):
    before = world.events()
    with pytest.raises(DecisionRefusedError, match="ask for a new one") as caught:
        use(world, *arguments, **values)
    assert world.events() == before
    return str(caught.value)


def test_invitation_is_used_once_and_its_token_is_recorded_nowhere(world):
    invite(world)
    assert use(world, f" {TOKEN}\n") == "p_1"
    refused_use(world)
    with world.store.read() as connection:
        rows = connection.execute(select(event_table)).all()
    assert TOKEN not in repr(rows)
    assert [row.actor for row in rows] == [ANA, "partner:p_1"]


def test_unknown_expired_replaced_and_foreign_tokens_are_refused_alike(world):
    invite(world)
    texts = {
        refused_use(world, "guess"),
        refused_use(world, ""),
        refused_use(world, at=CLOCK + timedelta(days=14)),
        refused_use(world, partner_id="p_2"),
    }
    invite(world, token="a newer token of the same partner")
    texts.add(refused_use(world))
    assert len(texts) == 1
    invite(world, "p_2", "another partner's token")
    assert use(world, "a newer token of the same partner", partner_id="p_1") == "p_1"
    assert use(world, "another partner's token") == "p_2"


def test_last_instant_before_the_end_counts(world):
    invite(world)
    assert use(world, at=CLOCK + timedelta(days=14, microseconds=-1)) == "p_1"


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"actor": EVE}, "may not invite"),
        ({"expires_at": CLOCK}, "ended"),
        ({"token_sha256": "no hash"}, "SHA-256"),
    ],
)
def test_what_does_not_make_an_invitation_is_refused(world, values, part):
    arguments = {
        "token_sha256": sha256_text(TOKEN), "expires_at": CLOCK + timedelta(days=1), "actor": ANA,
        "rules": RULES, "recorded_at": CLOCK, **values,
    }  # fmt: skip
    with pytest.raises(DecisionRefusedError, match=part):
        onboarding.invite(world.store, "p_1", **arguments)
    assert world.events() == 0


def test_acceptance_names_version_and_hashes(world):
    payee = accept(world)
    assert (payee.terms_accepted, payee.terms_version) == (True, "standard 2025-01-01")
    assert (payee.terms_hash, payee.terms_accepted_at) == (
        "a" * 64, "2026-03-02T09:00:00.000000Z",
    )  # fmt: skip
    with world.store.read() as connection:
        payload = connection.execute(select(event_table.c.payload)).scalar_one()
    assert "b" * 64 in payload


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"terms_version": " "}, "version of the terms"),
        ({"terms_hash": "t"}, "SHA-256"),
        ({"text_sha256": ""}, "SHA-256"),
        ({"rules": RULES, "actor": ANA}, "needs a reason"),
        ({"rules": RULES, "actor": EVE, "reason": "contract 7"}, "may not record"),
    ],
)
def test_what_does_not_make_an_acceptance_is_refused(world, values, part):
    with pytest.raises(DecisionRefusedError, match=part):
        accept(world, **values)
    assert world.payee() == Payee("p_1")


def test_staff_record_a_signed_contract(world):
    assert accept(world, rules=RULES, actor=ANA, reason="contract 2026-114").terms_accepted


def test_steps_follow_the_partner_from_nothing_to_paid(world):
    names = ["invitation", "terms", "payout_details", "verification", "tax_form", "screening"]
    assert steps(world) == {**dict.fromkeys(names, False), "cooling_off": True}
    assert words(world, "invitation") == "not sent"
    invite(world)
    assert words(world, "invitation") == "sent on 2026-03-02"
    use(world)
    accept(world)
    assert words(world, "terms") == "accepted: standard 2025-01-01"
    record = world.propose()
    assert "waits for a decision" in words(world, "payout_details")
    world.approve(record)
    assert words(world, "payout_details") == "sepa ending in 3000"
    record_tax_form(
        world.store, "p_1", form_type="w8bene", signed_on=DAY, services_in_us=False, actor=ANA,
        rules=RULES, recorded_at=CLOCK,
    )  # fmt: skip
    record_payee(world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, screening=True)
    assert set(steps(world).values()) == {True}
    assert steps(world, date(2030, 1, 1))["tax_form"] is False
    assert words(world, "tax_form", date(2030, 1, 1)) == "w8bene ended on 2029-12-31"
    change = world.propose(OTHER_SEPA)
    world.confirm(change)
    world.approve(change)
    assert steps(world)["cooling_off"] is False
    assert steps(world, date(2026, 3, 9))["cooling_off"] is True


def test_words_of_what_is_recorded_by_hand(world):
    record_payee(
        world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, terms_accepted=True,
        tax_form=True, screening=True,
    )  # fmt: skip
    assert words(world, "invitation") == "not needed"
    assert words(world, "terms") == "accepted on paper"
    assert words(world, "tax_form") == words(world, "screening") == "recorded by hand"
