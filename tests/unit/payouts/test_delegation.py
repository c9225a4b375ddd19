"""Delegation: a lent role is dated, limited and revocable, and never a second pair of eyes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, kept, make_payable_world

from payouts import events
from payouts.delegation import delegate_role, load_delegations, revoke_delegation
from payouts.errors import DecisionRefusedError
from payouts.terms import Tier
from payouts.verify import verify

EVE, FAY = "eve@acme.example", "fay@acme.example"
UNTIL = CLOCK + timedelta(days=7)
SIMPLE = replace(
    APPROVALS,
    roles={"partnerships": frozenset({ANA}), "finance": frozenset({BEN, DAN}),
           "admin": frozenset({CAT})},
)  # fmt: skip


def _delegate(world, **options):
    arguments = {
        "delegate": EVE, "role": "finance", "limit_amount_minor": 15_000, "currency_code": "USD",
        "from_at": CLOCK, "to_at": UNTIL, "reason": "leave", "actor": BEN, "rules": SIMPLE,
        "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return delegate_role(world.store, **arguments)


def _revoke(world, delegation, **options):
    arguments = {"reason": "back", "actor": BEN, "rules": SIMPLE, "recorded_at": CLOCK, **options}
    return revoke_delegation(world.store, delegation.delegation_id, **arguments)


@pytest.fixture
def payable(tmp_path, request):
    """With the batch already, for tests that take one."""
    make = _approved_once if "batch" in request.fixturenames else make_payable_world
    return kept(make).copy(tmp_path / "home")


@pytest.fixture
def batch(payable):
    """150.00 USD, approved by partnerships."""
    return payable.batch_in()


def _approved_once(home):
    world = make_payable_world(home)
    world.propose()
    world.approve(world.batch_in(), ANA, "partnerships", rules=SIMPLE)
    return world


def _approve(world, batch, actor=EVE, role="finance", **options):
    return world.approve(batch, actor, role, **{"rules": SIMPLE, **options})


def test_delegate_approves_and_the_event_names_the_delegation(payable, batch):
    delegation = _delegate(payable)
    state = _approve(payable, batch, "EVE@acme.example")
    assert state.state == "finance_approved"
    approval = state.approvals[-1]
    assert approval.people == (EVE, BEN)
    assert approval.delegation_id == delegation.delegation_id
    assert payable.export(batch, approval_rules=SIMPLE).is_new
    assert all(finding.ok for finding in verify(payable.home, store=payable.store))


@pytest.mark.parametrize(
    ("options", "at", "message"),
    [
        ({"limit_amount_minor": 14_999}, CLOCK, "d-.* is for smaller batches"),
        ({"currency_code": "EUR"}, CLOCK, "is for batches in EUR"),
        ({"role": "partnerships", "actor": ANA}, CLOCK, "is for partnerships"),
        ({"from_at": CLOCK + timedelta(microseconds=1)}, CLOCK, "begins at"),
        ({}, UNTIL, "ended at"),
        ({"actor": ANA, "role": "partnerships", "delegate": BEN}, CLOCK, None),
    ],
)
def test_scope_of_a_delegation_is_exact(payable, batch, options, at, message):
    _delegate(payable, **options)
    if message is None:
        assert _approve(payable, batch, BEN).state == "finance_approved"
        return
    with pytest.raises(DecisionRefusedError, match=message):
        _approve(payable, batch, recorded_at=at)
    assert payable.state(batch) == "partnerships_approved"


def test_limit_itself_and_the_last_moment_are_covered(payable, batch):
    _delegate(payable, limit_amount_minor=batch.total_amount_minor)
    last = UNTIL - timedelta(microseconds=1)
    assert _approve(payable, batch, recorded_at=last).state == "finance_approved"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actor": EVE, "delegate": FAY}, "a delegate cannot delegate on"),
        ({"actor": ANA}, "may not delegate finance"),
        ({"role": "admin", "actor": CAT}, "not a role that approves"),
        ({"delegate": " BEN@acme.example "}, "to another person"),
        ({"delegate": DAN}, "is in roles.finance already"),
        ({"delegate": " "}, "the delegate is missing"),
        ({"limit_amount_minor": 0}, "must be more than 0"),
        ({"currency_code": "usd"}, "is not a currency"),
        ({"to_at": CLOCK}, "not after it begins"),
        ({"from_at": datetime(2026, 1, 1), "to_at": CLOCK}, "would have ended"),
        ({"reason": " "}, "the reason is missing"),
        ({"delegate": "partner:p_1"}, "no person of the programme"),
        ({"delegate": "system:night"}, "no person of the programme"),
        ({"limit_amount_minor": 10**18}, "which is no limit"),
        ({"reason": "to DE89 3704 0044 0532 0130 00"}, "the reason holds"),
    ],
)
def test_delegation_that_breaks_a_rule_is_refused(payable, options, message):
    with payable.store.read() as connection:
        before = events.head(connection)
    if options.get("actor") == EVE:
        _delegate(payable)
        with payable.store.read() as connection:
            before = events.head(connection)
    with pytest.raises(DecisionRefusedError, match=message):
        _delegate(payable, **options)
    with payable.store.read() as connection:
        assert events.head(connection) == before


def test_delegator_cannot_also_approve_in_either_order(payable, batch):
    rules = replace(SIMPLE, tiers=(replace(SIMPLE.tiers[0], finance=2),))
    _delegate(payable)
    _approve(payable, batch, rules=rules)
    with pytest.raises(DecisionRefusedError, match="for ben@.*another person must give"):
        _approve(payable, batch, BEN, rules=rules)
    assert _approve(payable, batch, DAN, rules=rules).state == "finance_approved"


def test_delegate_of_somebody_who_has_approved_is_refused(payable, batch):
    rules = replace(SIMPLE, tiers=(replace(SIMPLE.tiers[0], finance=2),))
    _delegate(payable)
    _approve(payable, batch, BEN, rules=rules)
    with pytest.raises(DecisionRefusedError, match="who has acted on the batch .four eyes."):
        _approve(payable, batch, rules=rules)


def test_two_delegates_of_one_person_are_one_approval(payable, batch):
    rules = replace(SIMPLE, tiers=(replace(SIMPLE.tiers[0], finance=2),))
    _delegate(payable)
    _delegate(payable, delegate=FAY)
    _approve(payable, batch, EVE, rules=rules)
    with pytest.raises(DecisionRefusedError, match="who has acted on the batch"):
        _approve(payable, batch, FAY, rules=rules)


def test_delegate_of_two_people_may_act_for_the_one_who_has_not(payable, batch):
    rules = replace(SIMPLE, tiers=(replace(SIMPLE.tiers[0], finance=2),))
    _delegate(payable)
    for_dan = _delegate(payable, actor=DAN)
    _approve(payable, batch, BEN, rules=rules)
    state = _approve(payable, batch, EVE, rules=rules)
    assert state.approvals[-1].delegation_id == for_dan.delegation_id


@pytest.mark.parametrize("maker", [EVE, BEN])
def test_maker_is_neither_delegate_nor_delegator(payable, maker):
    batch = next(each for each in payable.propose(actor=maker) if each.currency_code == "USD")
    payable.approve(batch, ANA, "partnerships", rules=SIMPLE)
    _delegate(payable)
    with pytest.raises(DecisionRefusedError, match="four eyes"):
        _approve(payable, batch)
    assert payable.state(batch) == "partnerships_approved"


def test_delegate_with_a_role_of_their_own_gives_one_approval(payable, batch):
    """Ana has approved for partnerships; as Ben's delegate she may not approve for finance."""
    _delegate(payable, delegate=ANA)
    with pytest.raises(DecisionRefusedError, match="has approved .* as partnerships already"):
        _approve(payable, batch, ANA)


def test_revoked_delegation_covers_nothing_more_and_leaves_what_was_given(payable, batch):
    delegation = _delegate(payable)
    _approve(payable, batch)
    revoked = _revoke(payable, delegation)
    assert revoked.revoked_at is not None
    assert payable.export(batch, approval_rules=SIMPLE).is_new
    other = next(each for each in payable.propose() + [batch])
    with pytest.raises(DecisionRefusedError, match="was revoked|is exported"):
        _approve(payable, other)
    with pytest.raises(DecisionRefusedError, match="no delegation .* to revoke"):
        _revoke(payable, delegation)


def test_revoked_delegation_is_refused(payable, batch):
    _revoke(payable, _delegate(payable))
    with pytest.raises(DecisionRefusedError, match="was revoked"):
        _approve(payable, batch)


@pytest.mark.parametrize(("actor", "is_allowed"), [(DAN, True), (CAT, True), (ANA, False)])
def test_revoked_by_its_role_or_by_admin(payable, actor, is_allowed):
    delegation = _delegate(payable)
    if is_allowed:
        assert _revoke(payable, delegation, actor=actor).revoked_seq is not None
        return
    with pytest.raises(DecisionRefusedError, match="may not revoke"):
        _revoke(payable, delegation, actor=actor)
    with pytest.raises(DecisionRefusedError, match="no delegation 'd-0'"):
        _revoke(payable, replace(delegation, delegation_id="d-0"), actor=CAT)


def test_delegator_who_left_the_role_takes_the_approval_with_them(payable, batch):
    _delegate(payable)
    _approve(payable, batch)
    left = replace(SIMPLE, roles={**SIMPLE.roles, "finance": frozenset({DAN})})
    with pytest.raises(DecisionRefusedError, match="0 valid approvals as finance"):
        payable.export(batch, approval_rules=left)


def test_delegator_without_the_role_lends_nothing(payable, batch):
    _delegate(payable)
    left = replace(SIMPLE, roles={**SIMPLE.roles, "finance": frozenset({DAN})})
    with pytest.raises(DecisionRefusedError, match="who is not in roles.finance any more"):
        _approve(payable, batch, rules=left)


def test_delegations_are_listed_with_their_end(payable):
    first, second = _delegate(payable), _delegate(payable, delegate=FAY)
    _revoke(payable, first)
    with payable.store.read() as connection:
        found = load_delegations(connection)
    assert [each.delegation_id for each in found] == [first.delegation_id, second.delegation_id]
    assert [each.revoked_at is not None for each in found] == [True, False]
    assert found[1] == second


def test_role_for_a_large_batch_is_not_lent_below_its_identity(payable, batch):
    """The tier from 150.01 on asks for a signature, so lending for it does too."""
    tiers = (Tier(up_to=Decimal("150.00")), Tier(min_identity="ssh_signed"))
    tiered = replace(SIMPLE, tiers=tiers)
    with pytest.raises(DecisionRefusedError, match="min_identity asks for ssh_signed"):
        _delegate(payable, rules=tiered, limit_amount_minor=15_001)
    _delegate(payable, rules=tiered)
    assert _approve(payable, batch, rules=tiered).state == "finance_approved"


def test_delegation_of_a_weaker_identity_covers_nothing_once_the_terms_ask_for_more(payable, batch):
    _delegate(payable)
    strict = replace(SIMPLE, min_identity="ssh_signed")
    with pytest.raises(DecisionRefusedError, match="was given as os_user, and the terms ask"):
        _approve(payable, batch, rules=strict, identity_level="oidc")
