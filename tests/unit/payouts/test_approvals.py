"""Four eyes on one hash: who may decide what, and every refusal."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, entry, kept, make_payable_world

from payouts import states
from payouts.approval_checks import may_approve, required_approvals
from payouts.approvals import expire, reject, revoke
from payouts.errors import (
    BatchNotFoundError,
    BatchStaleError,
    ChainBrokenError,
    DecisionRefusedError,
)
from payouts.events import Event
from payouts.holds import load_holds, open_hold, release_hold
from payouts.payees import load_payees, record_payee
from payouts.records import load_content, load_state
from payouts.terms import ApprovalRules, Tier, person


@pytest.fixture
def payable(tmp_path, request):
    """With the batch already, for tests that take one."""
    make = _proposed if "batch" in request.fixturenames else make_payable_world
    return kept(make).copy(tmp_path / "home")


@pytest.fixture
def batch(payable):
    """The proposed USD batch of 150.00."""
    return payable.batch_in()


def _proposed(home):
    world = make_payable_world(home)
    world.propose()
    return world


def _reject(world, batch, **options):
    arguments = {"reason": "wrong", "actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK}
    return reject(world.store, world.home, batch.batch_id, **{**arguments, **options})


def _revoke(world, batch, actor):
    return revoke(world.store, batch.batch_id, actor=actor, recorded_at=CLOCK)


def test_two_people_of_two_roles_approve(payable, batch):
    assert payable.approve(batch, ANA, "partnerships").state == "partnerships_approved"
    assert payable.approve(batch, BEN, "finance").state == "finance_approved"
    assert payable.state(batch) == "finance_approved"


def test_finance_before_partnerships_is_refused(payable, batch):
    with pytest.raises(DecisionRefusedError, match="it waits for partnerships"):
        payable.approve(batch, BEN, "finance")


@pytest.mark.parametrize("spelling", [CAT, "CAT@Acme.Example", "  cat@acme.example "])
def test_one_person_with_both_roles_cannot_give_both_approvals(payable, batch, spelling):
    payable.approve(batch, CAT, "partnerships")
    with pytest.raises(DecisionRefusedError, match="has approved.*another person"):
        payable.approve(batch, spelling, "finance")


@pytest.mark.parametrize("maker", [ANA, "ANA@ACME.EXAMPLE"])
def test_maker_cannot_approve(payable, maker):
    batch = payable.propose(actor=maker)[0]
    with pytest.raises(DecisionRefusedError, match="may not approve it .four eyes."):
        payable.approve(batch, ANA, "partnerships")


@pytest.mark.parametrize(
    ("maker", "first", "second"), list(product((ANA, BEN, CAT, DAN), (ANA, CAT), (BEN, CAT, DAN)))
)
def test_maker_and_approvers_every_combination(payable, maker, first, second):
    """T9: approved exactly when maker and both approvers are three different people."""
    batch = payable.propose(actor=maker)[0]
    is_allowed = len({maker, first, second}) == 3
    try:
        payable.approve(batch, first, "partnerships")
        payable.approve(batch, second, "finance")
    except DecisionRefusedError:
        assert not is_allowed
    assert (payable.state(batch) == "finance_approved") is is_allowed


@pytest.mark.parametrize(
    ("actor", "role", "message"),
    [
        (BEN, "partnerships", "add the person to roles.partnerships"),
        ("eve@acme.example", "partnerships", "may not approve as partnerships"),
        ("", "partnerships", "may not approve"),
        (ANA, "admin", "not a role that approves"),
    ],
)
def test_approval_without_the_role_is_refused(payable, batch, actor, role, message):
    with pytest.raises(DecisionRefusedError, match=message):
        payable.approve(batch, actor, role)


@pytest.mark.parametrize("wrong", ["", "0" * 64, "prefix"])
def test_approval_of_another_hash_is_refused(payable, batch, wrong):
    given = batch.content_hash[:20] if wrong == "prefix" else wrong
    with pytest.raises(DecisionRefusedError, match="the hash given is not the one"):
        payable.approve(batch, ANA, "partnerships", approved_hash=given)


def test_second_approval_of_the_same_kind_is_refused(payable, batch):
    payable.approve(batch, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="has approved .* already"):
        payable.approve(batch, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="it waits for finance"):
        payable.approve(batch, CAT, "partnerships")


def test_identity_below_the_minimum_is_refused(payable, batch):
    rules = replace(APPROVALS, min_identity="ssh_signed")
    with pytest.raises(DecisionRefusedError, match="min_identity asks for ssh_signed"):
        payable.approve(batch, ANA, "partnerships", rules=rules)
    payable.approve(batch, ANA, "partnerships", rules=rules, identity_level="oidc")
    with pytest.raises(DecisionRefusedError, match="not an identity level"):
        payable.approve(batch, BEN, "finance", identity_level="shouted")


def test_unknown_batch_is_named(payable, batch):
    with pytest.raises(BatchNotFoundError, match="batches list"):
        payable.approve(replace(batch, batch_id="b-none"), ANA, "partnerships")


@pytest.mark.parametrize(("total", "finance"), [(2_499_999, 1), (2_500_000, 1), (2_500_001, 2)])
def test_tier_counts_at_the_boundary(world, total, finance):
    """25,000.00 included needs one finance approval, one cent more needs two."""
    world.partner("p_1")
    world.ready_payee("p_1")
    world.desire(entry("il_1", total))
    world.post()
    batch = world.propose()[0]
    world.approve(batch, ANA, "partnerships")
    after = world.approve(batch, BEN, "finance")
    assert after.state == ("finance_approved" if finance == 1 else "partnerships_approved")
    if finance == 2:
        with pytest.raises(DecisionRefusedError, match="already"):
            world.approve(batch, BEN, "finance")
        assert world.approve(batch, DAN, "finance").state == "finance_approved"


@pytest.mark.parametrize(
    ("currency_code", "boundary_minor"),
    [("JPY", 25_000), ("USD", 2_500_000), ("KWD", 25_000_000)],
)
def test_tier_at_one_minor_unit_around_its_end(currency_code, boundary_minor):
    """T12: 25,000 in major units, in currencies with 0, 2 and 3 decimals."""
    rules = ApprovalRules(
        roles={}, tiers=(Tier(Decimal("25000.00")), Tier(None, 2, 3, "oidc")),
        with_exceptions={"partnerships": 1, "finance": 2},
    )  # fmt: skip
    for total, counts, identity in (
        (1, (1, 1), "os_user"),
        (boundary_minor - 1, (1, 1), "os_user"),
        (boundary_minor, (1, 1), "os_user"),
        (boundary_minor + 1, (2, 3), "oidc"),
    ):
        assert tuple(rules.required(total, currency_code).values()) == counts
        assert rules.identity_for(total, currency_code) == identity
        with_exceptions = tuple(map(max, counts, (1, 2)))
        assert tuple(rules.required(total, currency_code, True).values()) == with_exceptions


def test_tiers_without_an_open_end_or_with_zero_never_lower_the_bar():
    rules = ApprovalRules(
        roles={}, tiers=(Tier(Decimal(1), 0, 0, "ssh_signed"), Tier(Decimal(2), 1, 3)),
        with_exceptions={"partnerships": 0, "finance": 0},
    )  # fmt: skip
    for has_exceptions in (False, True):
        assert rules.required(1, "USD", has_exceptions) == {"partnerships": 1, "finance": 1}
        assert rules.required(100_000, "USD", has_exceptions) == {"partnerships": 1, "finance": 3}
    assert rules.identity_for(100_000, "USD") == "ssh_signed"
    stronger = replace(rules, min_identity="oidc")
    assert stronger.identity_for(1, "USD") == "oidc"


def test_first_payment_asks_for_more_people_than_the_tier(payable, batch):
    """Every payout of a new home is a first payment."""
    rules = replace(APPROVALS, with_exceptions={"partnerships": 1, "finance": 2})
    payable.approve(batch, ANA, "partnerships", rules=rules)
    assert payable.approve(batch, BEN, "finance", rules=rules).state == "partnerships_approved"
    assert payable.approve(batch, DAN, "finance", rules=rules).state == "finance_approved"


def test_terms_that_ask_for_more_later_count_at_the_export(payable, batch):
    payable.approve_fully(batch)
    rules = replace(APPROVALS, with_exceptions={"partnerships": 1, "finance": 2})
    with pytest.raises(DecisionRefusedError, match="1 valid approvals as finance.*ask for 2"):
        payable.export(batch, approval_rules=rules)


ROLE_SETS = (set(), {"partnerships"}, {"finance"}, {"partnerships", "finance"})


def test_maker_and_approvers_of_all_role_sets(payable, batch):
    """T9: of three people with any roles, exactly three different ones with theirs approve."""
    people = (ANA, BEN, CAT)
    approved = 0
    with payable.store.read() as connection:
        content = load_content(connection, batch.batch_id)
        proposed = load_state(connection, batch.batch_id)
        for role_sets in product(ROLE_SETS, repeat=3):
            rules = ApprovalRules(
                roles={
                    role: frozenset(
                        one for one, has in zip(people, role_sets, strict=True) if role in has
                    )
                    for role in ("partnerships", "finance")
                }
            )
            for maker, first, second in product(people, repeat=3):
                given = ((first, "partnerships"), (second, "finance"))
                state = replace(proposed, maker=maker)
                is_allowed = len({maker, first, second}) == 3 and all(
                    rules.has_role(*one) for one in given
                )
                assert _is_approved(connection, content, state, given, rules) is is_allowed
                approved += is_allowed
    assert approved > 0


def _is_approved(connection, content, state, given, rules):
    for actor, role in given:
        try:
            may_approve(connection, content, state, actor, role, rules, CLOCK)
        except DecisionRefusedError:
            return False
        event = Event(
            0, "batch_approved", "batch:b", actor, "os_user",
            {"role": role, "content_hash": state.content_hash,
             "required": required_approvals(content, rules)}, "", "t", "", "",
        )  # fmt: skip
        state = states.apply(state, event)
    return state.state == "finance_approved"


HASHED = [
    *[("payout_items", column, value) for column, value in (
        ("amount_minor", "amount_minor + 1"), ("partner_id", "'p_2'"),
        ("partner_name", "'Agency Two'"), ("entries", "entries + 1"),
        ("entries_hash", "'e'"), ("details_id", "'d_other'"), ("payee_fingerprint", "'f'"),
        ("carried_amount_minor", "-1"),
    )],
    *[("batches", column, value) for column, value in (
        ("currency_code", "'EUR'"), ("rail", "'sepa'"), ("legal_entity", "'Other Inc'"),
        ("pay_date", "'2026-03-16'"), ("cutoff_date", "'2026-02-27'"), ("terms_hash", "'t'"),
        ("claims_sha256", "'c'"), ("payer_details_id", "'d_payer'"), ("payer_fingerprint", "'f'"),
        ("version", "9"),
    )],
    ("batch_exceptions", "detail", "'nothing to see'"),
    ("batch_exceptions", "kind", "'one_item_file'"),
]  # fmt: skip


@pytest.mark.parametrize("is_approved", [False, True])
def test_any_changed_field_changes_the_hash_and_blocks(payable, batch, is_approved):
    """T10: every hashed field, changed behind the product's back."""
    if is_approved:
        payable.approve_fully(batch)
    raw = sqlite3.connect(payable.home / "control.sqlite", isolation_level=None)
    for (name,) in raw.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        raw.execute(f"drop trigger {name}")
    for table, column, value in HASHED:
        where = f"where batch_id = '{batch.batch_id}'"
        (before,) = raw.execute(f"select {column} from {table} {where}").fetchone()
        raw.execute(f"update {table} set {column} = {value} {where}")
        with pytest.raises((DecisionRefusedError, ChainBrokenError)):
            if is_approved:
                payable.export(batch)
            else:
                payable.approve(batch, ANA, "partnerships")
        raw.execute(f"update {table} set {column} = ? {where}", [before])
    raw.close()
    if is_approved:
        assert payable.export(batch).is_new
    else:
        assert payable.approve(batch, ANA, "partnerships").approvals


@pytest.mark.parametrize("change", ["screening", "payee_verified", "tax_form", "hold", "status"])
def test_change_between_approval_and_export_makes_the_batch_stale(payable, batch, change):
    """T11: a sanctions hit, a doubt about the account, a hold, a partner who is paused."""
    payable.approve_fully(batch)
    if change == "hold":
        assert batch.batch_id in _hold(payable)[1]
    elif change == "status":
        payable.partner("p_1", status="paused")
    else:
        record_payee(payable.store, "p_1", actor=DAN, recorded_at=CLOCK, **{change: False})
    with pytest.raises((BatchStaleError, DecisionRefusedError), match="stale"):
        payable.export(batch)
    assert payable.state(batch) == "stale"


def test_revoked_approval_sends_the_batch_back_and_may_be_given_again(payable, batch):
    payable.approve_fully(batch)
    state = _revoke(payable, batch, BEN)
    assert (state.state, state.approvals) == ("proposed", ())
    with pytest.raises(DecisionRefusedError, match="no approval of batch"):
        _revoke(payable, batch, ANA)
    payable.approve_fully(batch)
    assert payable.state(batch) == "finance_approved"


def test_revoking_what_one_did_not_approve_is_refused(payable, batch):
    payable.approve(batch, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="an approver can reject it"):
        _revoke(payable, batch, BEN)


def test_rejected_batch_frees_its_entries_for_a_new_version(payable, batch):
    payable.approve(batch, ANA, "partnerships")
    assert _reject(payable, batch).state == "rejected"
    with pytest.raises(DecisionRefusedError, match="is rejected"):
        payable.approve(batch, BEN, "finance")
    payable.refresh()
    again = payable.propose(pay_date=batch.pay_date)
    assert [(b.version, b.total_amount_minor) for b in again] == [(2, batch.total_amount_minor)]
    assert again[0].content_hash != batch.content_hash


@pytest.mark.parametrize(
    ("options", "message"),
    [({"reason": " "}, "needs a reason"), ({"actor": "eve@acme.example"}, "may not reject")],
)
def test_rejection_without_reason_or_role_is_refused(payable, batch, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        _reject(payable, batch, **options)
    assert payable.state(batch) == "proposed"


@pytest.mark.parametrize(("hours", "state"), [(167, "finance_approved"), (168, "stale")])
def test_approval_expires_after_seven_days(payable, batch, hours, state):
    payable.approve_fully(batch)
    later = CLOCK + timedelta(hours=hours)
    expire(payable.store, payable.home, rules=APPROVALS, recorded_at=later)
    assert payable.state(batch) == state


def test_clock_that_was_set_back_does_not_renew_an_approval(payable, batch):
    payable.approve_fully(batch)
    _hold(payable, subject_id="p_9", recorded_at=CLOCK + timedelta(days=8))
    set_back = CLOCK + timedelta(days=1)
    expired = expire(payable.store, payable.home, rules=APPROVALS, recorded_at=set_back)
    assert expired == [batch.batch_id]
    assert payable.state(batch) == "stale"


def test_approval_of_an_impossible_time_is_refused_or_ends(payable, batch):
    with pytest.raises(DecisionRefusedError, match="the time of the approval lies in the year"):
        payable.approve(batch, ANA, "partnerships", recorded_at=datetime(1969, 12, 31))
    far = datetime(9999, 12, 31, 23)
    payable.approve(batch, ANA, "partnerships", recorded_at=far)
    payable.approve(batch, BEN, "finance", recorded_at=far)
    expired = expire(payable.store, payable.home, rules=APPROVALS, recorded_at=CLOCK)
    assert expired == [batch.batch_id]


def test_expiry_leaves_unapproved_batches_alone(payable, batch):
    later = CLOCK + timedelta(days=400)
    assert expire(payable.store, payable.home, rules=APPROVALS, recorded_at=later) == []


def test_changed_claims_file_cannot_be_approved(payable, batch):
    path = payable.home / "batches" / batch.batch_id / "claims.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ChainBrokenError, match="was changed after batch"):
        payable.approve(batch, ANA, "partnerships")


def _hold(world, **options):
    arguments = {
        "subject_type": "partner", "subject_id": "p_1", "reason": "asked", "actor": ANA,
        "rules": APPROVALS, "recorded_at": CLOCK, **options,
    }  # fmt: skip
    return open_hold(world.store, world.home, **arguments)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("partner", "p_1"), ("lead", "lead_1"), ("line", entry("il_1", 1)["commission_id"])],
)
def test_hold_makes_the_batches_that_pay_it_stale(payable, kind, subject):
    batches = payable.propose()
    _, stale = _hold(payable, subject_type=kind, subject_id=subject)
    expected = {b.batch_id for b in batches if kind != "line" or b.currency_code == "USD"}
    assert set(stale) == expected
    assert {payable.state(b) for b in batches if b.batch_id in expected} == {"stale"}


def test_hold_on_somebody_else_leaves_batches_alone(payable, batch):
    assert _hold(payable, subject_id="p_2")[1] == []
    assert payable.state(batch) == "proposed"


def test_released_hold_lets_the_entries_be_proposed_again(payable, batch):
    hold, _ = _hold(payable)
    payable.refresh()
    assert payable.propose(pay_date=batch.pay_date) == []
    release_hold(
        payable.store, hold.hold_id, reason="solved", actor=BEN, rules=APPROVALS, recorded_at=CLOCK
    )
    assert len(payable.propose(pay_date=batch.pay_date)) == 2
    with payable.store.read() as connection:
        assert [found.is_open for found in load_holds(connection)] == [False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subject_type": "invoice"}, "a hold is on a line, lead, partner"),
        ({"subject_id": ""}, "with its id"),
        ({"reason": ""}, "needs a reason"),
        ({"actor": "eve@acme.example"}, "may not hold"),
    ],
)
def test_hold_that_breaks_a_rule_is_refused(payable, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        _hold(payable, **options)


def test_same_hold_twice_and_release_twice_are_refused(payable):
    hold, _ = _hold(payable)
    with pytest.raises(DecisionRefusedError, match="held for that reason already"):
        _hold(payable)
    release = {"reason": "ok", "actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK}
    release_hold(payable.store, hold.hold_id, **release)
    with pytest.raises(DecisionRefusedError, match="no open hold"):
        release_hold(payable.store, hold.hold_id, **release)


def test_payee_records_fold_and_repeat_adds_no_event(world):
    for _ in range(2):
        record_payee(
            world.store, "p_1", actor=DAN, recorded_at=CLOCK, rules=APPROVALS, tax_form=True
        )
    with world.store.read() as connection:
        assert load_payees(connection)["p_1"].tax_form is True
        assert connection.exec_driver_sql("select count(*) from events").scalar() == 1
    with pytest.raises(DecisionRefusedError, match="at least one status"):
        record_payee(world.store, "p_1", actor=DAN, recorded_at=CLOCK)


def test_payee_fingerprint_is_kept_in_lower_case_and_loaded(world):
    record_payee(
        world.store, "p_1", actor=DAN, recorded_at=CLOCK, rules=APPROVALS,
        payee_fingerprint=" 3F2A9C01B7D4E6A8 ",
    )  # fmt: skip
    record_payee(world.store, "p_1", actor=DAN, recorded_at=CLOCK, rules=APPROVALS, tax_form=True)
    record_payee(world.store, "p_2", actor=DAN, recorded_at=CLOCK, rules=APPROVALS, tax_form=True)
    world.refresh()
    assert world.warehouse.execute(
        "select partner_id, payee_fingerprint from raw.control__payees order by 1"
    ).fetchall() == [("p_1", "3f2a9c01b7d4e6a8"), ("p_2", None)]


@pytest.mark.parametrize(
    "given",
    [
        "", "3f2a9c01b7d4e6a", "a" * 65, "3f2a9c01b7d4e6ag", "3f2a 9c01 b7d4 e6a8",
        "DE89370400440532013000", "BE71096123456769", "12345678901234567890",
    ],
)  # fmt: skip
def test_payee_fingerprint_that_is_no_hash_is_refused_without_repeating_it(world, given):
    with pytest.raises(DecisionRefusedError, match="not a keyed hash") as refusal:
        record_payee(world.store, "p_1", actor=DAN, recorded_at=CLOCK, payee_fingerprint=given)
    assert not given or given not in str(refusal.value)
    with world.store.read() as connection:
        assert load_payees(connection) == {}


def test_person_is_one_for_all_spellings():
    assert person(" Ana@ACME.example") == person("ana@acme.example") == person("ａna@acme.example")
