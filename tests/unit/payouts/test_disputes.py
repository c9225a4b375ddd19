"""Disputes: what may be opened, who decides, what follows, and that its hold lasts as long."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import adjustment_world
import lead_world
import pytest
from dispute_world import (
    ADJUSTED,
    AT_SOURCE,
    TEXT,
    decide,
    disputes,
    holds,
    open_one,
    opened_with_batches,
    review,
    reviewed,
    withdraw,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from lead_world import EVE, recorded
from payout_world import ANA, BEN, CAT, CLOCK, DAN, payable_world

from payouts.adjustments import load_adjustment
from payouts.dispute_checks import Remedy
from payouts.dispute_evidence import masked_evidence
from payouts.dispute_owners import Governing, owners
from payouts.dispute_records import (
    OPEN_STATES,
    OUTCOMES,
    POSSIBLE_IN,
    STATES,
    dispute_events,
    load_dispute,
    load_texts,
    overdue,
)
from payouts.dispute_tables import DISPUTE_COLUMNS, dispute_rows
from payouts.disputes import disputing_partners
from payouts.errors import ChainBrokenError, DecisionRefusedError
from payouts.hashing import sha256_text
from payouts.holds import release_hold
from payouts.lead_joins import record_lead_joins
from payouts.records import list_batches, show
from payouts.terms import PayoutRules
from payouts.verify import verify


def _refused(world, message, call, *arguments, **options):
    before = recorded(world)
    with pytest.raises(DecisionRefusedError, match=message):
        call(world, *arguments, **options)
    assert recorded(world) == before


def _broken(world):
    return {f.check: f.detail for f in verify(world.home, store=world.store) if not f.ok}


def _payout(world):
    """A proposed batch and its one payout in USD."""
    world.propose()
    with world.store.read() as connection:
        batch = next(b for b in list_batches(connection) if b.currency_code == "USD")
        return batch, show(connection, batch.batch_id).items[0].payout_id


def test_a_dispute_is_read_back_through_its_life(world):
    opened = open_one(world)
    assert opened.dispute_id.startswith("dsp_") and len(opened.dispute_id) == 16
    assert (opened.state, opened.subject_type, opened.subject_id) == ("opened", "line", "k_1")
    assert (opened.opened_by_role, opened.opened_by) == ("partner", "ana")
    assert opened.due_at == "2026-03-16T09:00:00.000000Z"  # 14 × 24 h
    taken = review(world, opened)
    assert (taken.state, taken.reviewed_by, taken.decided_by) == ("under_review", "ben", None)
    ended = decide(world, opened, recorded_at=CLOCK + timedelta(days=1))
    assert (ended.state, ended.outcome, ended.remedy) == ("rejected", "rejected", None)
    assert (ended.decided_by, ended.decided_at) == ("ben", "2026-03-03T09:00:00.000000Z")
    assert disputes(world) == [ended]
    with world.store.read() as connection:
        told = [event.kind for event in dispute_events(connection, ended)]
    assert told == ["dispute_opened", "dispute_reviewed", "dispute_decided"]
    assert _broken(world) == {}


def test_text_and_evidence_stand_in_the_table_alone_and_are_proved(world):
    dispute = open_one(world)
    with world.store.read() as connection:
        texts = load_texts(connection, dispute)
        chain = connection.exec_driver_sql("select group_concat(payload || reason) from events")
        chain = chain.scalar()
    assert texts.text == TEXT
    assert json.loads(texts.evidence)["maker"] == "a***@acme.example"
    assert dispute.evidence_sha256 == sha256_text(texts.evidence)
    for private in ("June", "jo@", "maker"):
        assert private not in chain


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"a": "ana.b+c@acme.example, bo@x.io"}', '{"a":"a***@acme.example, b***@x.io"}'),
        ('{"b": [1.50, "x"], "a": null}', '{"a":null,"b":["1.50","x"]}'),
        ('{"a@b.example": {"q": "o\'hara@ü.example"}}',
         '{"a***@b.example":{"q":"o***@ü.example"}}'),
        ('{"a": NaN}', '{"a":"NaN"}'),
    ],
)  # fmt: skip
def test_evidence_keeps_no_address(given, kept):
    assert masked_evidence(given) == kept
    assert masked_evidence(kept) == kept


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{}", "null", '"x"'])
def test_evidence_must_be_a_record(world, text):
    _refused(world, "not a record", open_one, evidence=text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subject_type": "batch"}, "not on 'batch'"),
        ({"subject_id": " "}, "what is disputed is missing"),
        ({"partner_id": ""}, "the partner is missing"),
        ({"text": " \u200b"}, "text of the dispute is missing"),
        ({"text": "x" * 10_001}, "10001 characters"),
        ({"opened_by_role": "admin"}, "opens no dispute"),
        ({"actor": EVE}, "may not open a dispute"),
        ({"actor": "partner:p_2"}, "may not open a dispute"),
        ({"opened_by_role": "finance"}, "for finance"),
        ({"opened_by_role": "partnerships", "actor": "partner:p_1"}, "may not open"),
        ({"happened_on": date(2025, 12, 31)}, "was earned on 2025-12-31.*until 2026-03-01"),
    ],
)
def test_what_cannot_be_opened_is_refused(world, options, message):
    arguments = dict(options)
    _refused(world, message, open_one, arguments.pop("subject_id", "k_1"), **arguments)
    assert disputes(world) == []


def test_the_last_day_of_the_window_counts_in_local_time(world):
    # 2026-03-03 03:00 UTC is still March 2 in New York: 60 days after January 1.
    late = datetime(2026, 3, 3, 3)
    assert open_one(world, happened_on=date(2026, 1, 1), recorded_at=late).is_open
    _refused(
        world,
        "was earned on 2026-01-01 and could be disputed for 60 days, until 2026-03-02", open_one,
        "k_2", happened_on=date(2026, 1, 1), recorded_at=datetime(2026, 3, 3, 6),
    )  # fmt: skip
    rules = PayoutRules("Acme Inc", "t" * 64, dispute_window_days=1, dispute_answer_days=2)
    short = open_one(world, "k_3", happened_on=date(2026, 3, 1), payout_rules=rules)
    assert short.due_at == "2026-03-04T09:00:00.000000Z"
    late_by_one = {"happened_on": date(2026, 2, 28), "payout_rules": rules}
    _refused(world, "for one day", open_one, "k_4", **late_by_one)
    # When others earned on a lead is not told.
    _refused(
        world, "lead_9 could be disputed for one day after something was earned on it. Nothing",
        open_one, "lead_9", subject_type="lead", **late_by_one,
    )  # fmt: skip


def test_the_partner_itself_and_staff_open_in_their_own_role(world):
    own = open_one(world, actor="partner:p_1")
    assert (own.opened_by_role, own.opened_by) == ("partner", "partner:p_1")
    assert open_one(world, "k_2", opened_by_role="finance", actor=BEN).opened_by_role == "finance"


def test_a_second_open_dispute_on_one_subject_is_refused(world):
    first = open_one(world)
    _refused(world, f"commission k_1 is disputed already: {first.dispute_id} is open", open_one)
    _refused(world, "already", open_one, opened_by_role="finance", actor=BEN)
    assert open_one(world, partner_id="p_2").is_open  # another partner's
    assert open_one(world, "k_2").is_open
    withdraw(world, first)
    assert open_one(world).dispute_id != first.dispute_id


def test_a_lead_is_one_subject_under_all_its_ids(world):
    first = open_one(world, "lead_old", subject_type="lead", happened_on=None)
    record_lead_joins(world.store, [("lead_old", "lead_1")], CLOCK)
    _refused(world, first.dispute_id, open_one, "lead_1", subject_type="lead", happened_on=None)


def test_the_hold_is_on_the_disputed_line_only_and_ends_with_the_dispute(payable):
    batches = payable.propose()
    usd = next(b for b in batches if b.currency_code == "USD")
    commission_id = _commission_ids(payable)[0]
    dispute, stale = opened_with_batches(payable, commission_id)
    assert stale == [usd.batch_id]
    assert {payable.state(batch) for batch in batches} == {"stale", "proposed"}
    (again,) = payable.propose(pay_date=usd.pay_date)
    assert again.total_amount_minor in (10000, 5000)
    assert again.total_amount_minor < usd.total_amount_minor
    assert list(holds(payable).values()) == [True]
    review(payable, dispute)
    decide(payable, dispute)
    assert list(holds(payable).values()) == [False]
    assert _broken(payable) == {}


def _commission_ids(world):
    rows = world.warehouse.execute(
        "select commission_id from raw.journal__entries where payout_currency_code = 'USD' "
        "order by source_id"
    )
    return [row[0] for row in rows.fetchall()]


def test_a_disputed_lead_is_held_and_other_holds_stay(world):
    lead = open_one(world, "lead_1", subject_type="lead", happened_on=None)
    line = open_one(world)
    assert lead.hold_id != line.hold_id
    withdraw(world, lead)
    assert holds(world) == {lead.hold_id: False, line.hold_id: True}


def test_the_hold_of_a_dispute_is_not_released_by_itself(world):
    dispute = open_one(world)
    with pytest.raises(DecisionRefusedError, match=f"as long as dispute {dispute.dispute_id}"):
        release_hold(
            world.store, dispute.hold_id, reason="no", actor=BEN, recorded_at=CLOCK,
            rules=adjustment_world.APPROVALS,
        )  # fmt: skip
    assert holds(world) == {dispute.hold_id: True}


def test_a_payout_is_disputed_without_a_hold(payable):
    batch, payout_id = _payout(payable)
    dispute, stale = opened_with_batches(payable, payout_id, subject_type="payout")
    assert (dispute.hold_id, stale, holds(payable)) == (None, [], {})
    assert payable.state(batch) == "proposed"
    with payable.store.read() as connection:
        assert disputing_partners(connection) == {"p_1"}
    _refused(payable, "already", open_one, payout_id, subject_type="payout")
    _refused(payable, "not of p_2", open_one, payout_id, subject_type="payout", partner_id="p_2")
    _refused(payable, "no batch has a payout", open_one, "po_9", subject_type="payout")
    assert _broken(payable) == {}


def test_the_window_of_a_payout_runs_from_its_pay_date_once_it_is_out(payable):
    batch, payout_id = _payout(payable)
    payable.approve_fully(batch)
    payable.export(batch)
    late = datetime.combine(batch.pay_date, datetime.min.time()) + timedelta(days=60, hours=12)
    _refused(
        payable, f"was paid on {batch.pay_date}", open_one, payout_id, subject_type="payout",
        recorded_at=late + timedelta(days=1),
    )  # fmt: skip
    assert open_one(payable, payout_id, subject_type="payout", recorded_at=late).is_open


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", POSSIBLE_IN)
def test_every_turn_in_every_state(world, state, kind):
    dispute = open_one(world)
    if state != "opened":
        review(world, dispute)
    if state in OUTCOMES:
        decide(world, dispute, state, remedy=None if state == "rejected" else AT_SOURCE)
    if state == "withdrawn":
        withdraw(world, dispute)
    turn = {"dispute_reviewed": review, "dispute_decided": decide, "dispute_withdrawn": withdraw}
    if state in POSSIBLE_IN[kind]:
        assert turn[kind](world, dispute).state != state
    else:
        _refused(world, f"is {state.replace('_', ' ')} and cannot", turn[kind], dispute)
    assert _broken(world) == {}


def test_who_opened_it_never_decides_it(world):
    dispute = reviewed(world, opened_by_role="finance", actor=BEN)
    _refused(world, "opened dispute", decide, dispute)
    _refused(world, "opened dispute", decide, dispute, actor=" BEN@acme.example ")
    assert decide(world, dispute, actor=DAN).state == "rejected"


def test_a_name_without_a_role_neither_reviews_nor_decides(world):
    dispute = open_one(world)
    _refused(world, "may not review", review, dispute, actor=EVE)
    review(world, dispute)
    _refused(world, "may not decide", decide, dispute, actor=EVE)
    _refused(world, "may not decide", decide, dispute, actor="partner:p_1")
    _refused(world, "reason is missing", decide, dispute, reason=" ")


def test_who_ruled_on_the_lead_does_not_decide(world):
    ruling = lead_world.propose(world)
    lead_world.rule(world, ruling, is_approved=False, actor=BEN)
    dispute = reviewed(world, "lead_1", subject_type="lead", happened_on=None)
    governing = Governing(lead_id="lead_1")
    _refused(world, f"declined ruling {ruling.ruling_id}", decide, dispute, governing=governing)
    # The newest decision counts: Cat approved it after all.
    lead_world.rule(world, ruling, actor=CAT)
    _refused(world, "approved ruling", decide, dispute, governing=governing, actor=CAT)
    assert decide(world, dispute, governing=governing).state == "rejected"


def test_a_ruling_under_a_former_id_of_the_lead_counts(world):
    lead_world.rule(world, lead_world.propose(world, lead_id="lead_old"))
    record_lead_joins(world.store, [("lead_old", "lead_1")], CLOCK)
    with world.store.read() as connection:
        assert list(owners(connection, Governing(lead_id="lead_1"))) == [BEN]
        assert owners(connection, Governing(lead_id="lead_2")) == {}


def test_who_decided_on_the_registration_the_adjustment_or_the_batch_does_not_decide(payable):
    registration = lead_world.submit(payable)
    lead_world.decide(payable, registration.key)  # Ana
    adjusted = adjustment_world.approved(payable)  # Ben
    batch, payout_id = _payout(payable)
    payable.approve(batch, CAT, "partnerships")
    line = reviewed(payable, opened_by_role="finance", actor=DAN)
    governing = Governing(
        registration_keys=(registration.key,), adjustment_id=adjusted.adjustment_id
    )
    _refused(
        payable, "approved registration control:deal", decide, line, governing=governing, actor=ANA
    )
    _refused(payable, "approved adjustment", decide, line, governing=governing)
    assert decide(payable, line, governing=governing, actor=CAT).state == "rejected"
    payout = reviewed(payable, payout_id, subject_type="payout")
    # The batch of a payout is known without being told.
    _refused(payable, "approved batch", decide, payout, actor=CAT)
    assert decide(payable, payout).state == "rejected"


def test_only_the_opener_or_the_partner_withdraws(world):
    dispute = open_one(world)
    _refused(world, "did not open", withdraw, dispute, actor=BEN)
    _refused(world, "did not open", withdraw, dispute, actor="partner:p_2")
    _refused(world, "reason is missing", withdraw, dispute, reason="")
    ended = withdraw(world, dispute, actor="partner:p_1")
    assert (ended.state, ended.outcome, ended.reason) == ("withdrawn", None, "it was found")
    assert withdraw(world, open_one(world)).decided_by == "ana"


def test_an_upheld_dispute_proposes_a_linked_adjustment(world):
    dispute = reviewed(world)
    governing = Governing(lead_id="lead_1")
    ended = decide(world, dispute, "partly_upheld", remedy=ADJUSTED, governing=governing)
    assert (ended.outcome, ended.remedy) == ("partly_upheld", "adjustment")
    with world.store.read() as connection:
        adjustment = load_adjustment(connection, ended.adjustment_id)
    assert (adjustment.state, adjustment.partner_id, adjustment.amount_minor) == (
        "proposed", "p_1", 2500,
    )  # fmt: skip
    assert (adjustment.evidence, adjustment.lead_id) == (f"dispute {dispute.dispute_id}", "lead_1")
    with pytest.raises(DecisionRefusedError, match="four eyes"):
        adjustment_world.approve(world, adjustment, actor=BEN)
    assert adjustment_world.approve(world, adjustment, actor=DAN).state == "approved"
    assert _broken(world) == {}


def test_a_refused_decision_proposes_nothing(world):
    dispute = reviewed(world, opened_by_role="finance", actor=BEN)
    _refused(world, "opened dispute", decide, dispute, "upheld", remedy=ADJUSTED)
    euros = Remedy(amount_minor=1, currency_code="EUR", payout_currency_code="USD")
    _refused(world, "paid in USD", decide, dispute, "upheld", remedy=euros, actor=DAN)
    unknown = Remedy(1, "USD", "USD", corrects_entry_id="e_9")
    _refused(world, "no entry 'e_9'", decide, dispute, "upheld", remedy=unknown, actor=DAN)
    assert holds(world) == {dispute.hold_id: True}


@pytest.mark.parametrize(
    ("outcome", "remedy", "message"),
    [
        ("upheld", None, "exactly one"),
        ("upheld", Remedy(), "0 were named"),
        ("partly_upheld", Remedy(ruling_id="rul_1", is_at_source=True), "2 were named"),
        ("rejected", AT_SOURCE, "leads to nothing, and source"),
        ("withdrawn", None, "no outcome"),
        ("", None, "no outcome"),
    ],
)
def test_an_outcome_has_its_remedy(world, outcome, remedy, message):
    _refused(world, message, decide, reviewed(world), outcome, remedy=remedy)


def test_a_missing_lead_is_answered_by_a_ruling(world):
    dispute = reviewed(world, "lead_1", subject_type="lead", happened_on=None)
    governing = Governing(lead_id="lead_1")
    other = lead_world.propose(world, lead_id="lead_2")
    ruling = lead_world.propose(world)
    call = {"governing": governing}
    _refused(world, "unknown", decide, dispute, "upheld", remedy=Remedy(ruling_id="r"), **call)
    wrong = Remedy(ruling_id=other.ruling_id)
    _refused(world, "about lead lead_2", decide, dispute, "upheld", remedy=wrong, **call)
    ended = decide(world, dispute, "upheld", remedy=Remedy(ruling_id=ruling.ruling_id), **call)
    assert (ended.remedy, ended.ruling_id, ended.adjustment_id) == (
        "ruling", ruling.ruling_id, None,
    )  # fmt: skip
    assert _broken(world) == {}


def test_a_ended_ruling_corrects_nothing(world):
    ruling = lead_world.propose(world)
    lead_world.rule(world, ruling, is_approved=False, actor=CAT)
    dispute = reviewed(world, "lead_1", subject_type="lead", happened_on=None)
    _refused(
        world, "is declined", decide, dispute, "upheld",
        remedy=Remedy(ruling_id=ruling.ruling_id), governing=Governing(lead_id="lead_1"),
    )  # fmt: skip


def test_ages_and_deadlines(world):
    first = open_one(world)
    second = reviewed(world, "k_2", recorded_at=CLOCK - timedelta(days=1))
    withdraw(world, open_one(world, "k_3"))
    due = CLOCK + timedelta(days=14)
    assert overdue(disputes(world), due - timedelta(days=1)) == []
    assert [d.dispute_id for d in overdue(disputes(world), due)] == [second.dispute_id]
    late = overdue(disputes(world), due + timedelta(microseconds=1))
    assert [d.dispute_id for d in late] == [second.dispute_id, first.dispute_id]


def test_partners_with_an_open_dispute(world):
    first = open_one(world)
    open_one(world, "k_2", partner_id="p_2")
    withdraw(world, first)
    with world.store.read() as connection:
        assert disputing_partners(connection) == {"p_2"}


def test_the_relation_of_the_warehouse_has_no_text(world):
    dispute = reviewed(world)
    decide(world, dispute, "upheld", remedy=ADJUSTED)
    open_one(world, "k_2")
    with world.store.read() as connection:
        rows = dispute_rows(connection)
    assert [tuple(row) for row in rows] == [tuple(name for name, _ in DISPUTE_COLUMNS)] * 2
    assert rows[0]["decided_at"] == CLOCK and rows[0]["adjustment_id"].startswith("adj_")
    assert (rows[1]["state"], rows[1]["decided_at"], rows[1]["outcome"]) == ("opened", None, None)
    assert "acme" not in str(rows) and "ben" not in str(rows) and "June" not in str(rows)


def test_an_unknown_dispute_is_refused(world):
    with world.store.read() as connection, pytest.raises(DecisionRefusedError, match="dsp_9"):
        load_dispute(connection, "dsp_9")


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("update commission_disputes set text = 'other'", "commission_disputes"),
        ("update commission_disputes set evidence = '{}'", "commission_disputes"),
        ("update commission_disputes set due_at = '2099'", "commission_disputes"),
        ("delete from commission_disputes", "commission_disputes"),
    ],
)
def test_tampering_with_a_row_is_found(world, statement, check):
    dispute = open_one(world)
    _force(world, "commission_disputes", statement)
    assert check in _broken(world)
    with world.store.read() as connection, pytest.raises(ChainBrokenError, match="changed by hand"):
        load_texts(connection, dispute)


def _force(world, table, statement):
    with world.store.write() as connection:
        triggers = connection.exec_driver_sql(
            f"select name from sqlite_master where type = 'trigger' and tbl_name = '{table}'"
        ).scalars()
        for name in triggers.all():
            connection.exec_driver_sql(f'drop trigger "{name}"')
        connection.exec_driver_sql(statement)


def test_what_was_written_past_the_rules_is_found(world):
    from payouts import events
    from payouts.holds import append_release

    dispute = open_one(world)
    payload = {"outcome": "upheld", "remedy": "adjustment", "adjustment_id": "adj_9",
               "ruling_id": None}  # fmt: skip
    with world.store.write() as connection:
        append_release(connection, dispute.hold_id, reason="quietly", actor=ANA, recorded_at=CLOCK)
    assert "is opened and its hold is released" in _broken(world)["dispute_holds"]
    with world.store.write() as connection:
        events.append(
            connection, kind="dispute_decided", subject=f"dispute:{dispute.dispute_id}", actor=ANA,
            recorded_at=CLOCK, payload=payload, reason="mine",
        )  # fmt: skip
    found = _broken(world)["dispute_decisions"]
    for part in ("was opened at dispute_decided", "decided by who opened it", "no adjustment"):
        assert part in found
    assert "dispute_holds" not in _broken(world)


class Disputes(RuleBasedStateMachine):
    """Any order of openings, turns and releases by hand, half of them by people who may not."""

    opened = Bundle("opened")
    people = st.sampled_from([ANA, BEN, CAT, DAN, EVE, "partner:p_1"])

    @initialize()
    def start(self):
        self.folder = TemporaryDirectory()
        self.world = payable_world(Path(self.folder.name) / "home", synchronous="OFF")

    def teardown(self):
        if hasattr(self, "world"):
            self.world.store.close()
            self.folder.cleanup()

    @rule(target=opened, kind=st.sampled_from(["line", "lead"]), number=st.integers(1, 2),
          actor=people)  # fmt: skip
    def open(self, kind, number, actor):
        subject = {"subject_type": kind, "happened_on": None, "actor": actor}
        return self._try(open_one, f"{kind}_{number}", **subject)

    @rule(dispute=opened, actor=people)
    def review(self, dispute, actor):
        self._try(review, dispute, actor=actor)

    @rule(dispute=consumes(opened), actor=people, outcome=st.sampled_from([*OUTCOMES, "maybe"]),
          remedy=st.sampled_from([None, ADJUSTED, AT_SOURCE]))  # fmt: skip
    def decide(self, dispute, actor, outcome, remedy):
        self._try(decide, dispute, outcome, actor=actor, remedy=remedy)

    @rule(dispute=opened, actor=people)
    def withdraw(self, dispute, actor):
        self._try(withdraw, dispute, actor=actor)

    @rule(dispute=opened, actor=people)
    def release_by_hand(self, dispute, actor):
        if dispute is not None:
            with pytest.raises(DecisionRefusedError):
                release_hold(
                    self.world.store, dispute.hold_id, reason="r", actor=actor, recorded_at=CLOCK,
                    rules=adjustment_world.APPROVALS,
                )  # fmt: skip

    @invariant()
    def is_held_while_open(self):
        if hasattr(self, "world"):
            known = holds(self.world)
            assert len(known) == len(disputes(self.world))
            for dispute in disputes(self.world):
                assert known[dispute.hold_id] == (dispute.state in OPEN_STATES)

    def _try(self, call, *arguments, **options):
        if arguments[0] is None:
            return None
        before = recorded(self.world)
        try:
            return call(self.world, *arguments, **options)
        except DecisionRefusedError:
            assert recorded(self.world) == before
            return None


def test_a_hold_is_open_exactly_while_its_dispute_is():
    run_state_machine_as_test(
        Disputes,
        settings=settings(
            max_examples=15, stateful_step_count=20, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
