"""Proposing: due dates (P4), what a batch takes (P2, P3) and who is left out with which reason."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date

import pytest
from payout_world import ANA, APPROVALS, CALENDAR, CLOCK, DAN, NIGHT, RULES, PayDay, entry

from payouts.batches import due_pay_dates, latest_pay_date
from payouts.control import load_control_tables
from payouts.errors import ProposalRefusedError
from payouts.holds import open_hold
from payouts.payees import record_payee
from payouts.records import BatchContent, BatchItem, content_hash, show

MARCH = date(2026, 3, 15)


def _items(world):
    load_control_tables(world.store, world.home, world.warehouse)
    return world.warehouse.execute(
        "select partner_id, currency_code, amount_minor, state, left_out_reason "
        "from raw.control__payout_items order by all"
    ).fetchall()


def _usd(batches):
    (batch,) = [batch for batch in batches if batch.currency_code == "USD"]
    return batch


def test_due_in_a_fresh_home_is_the_latest_cutoff_only(world):
    assert due_pay_dates(world.store, CALENDAR, NIGHT) == [CALENDAR[2]]
    assert due_pay_dates(world.store, CALENDAR, date(2025, 12, 30)) == []


def test_due_after_a_proposal_are_all_later_cutoffs(payable):
    payable.propose(as_of=date(2026, 1, 31))
    assert due_pay_dates(payable.store, CALENDAR, date(2026, 2, 27)) == []
    assert due_pay_dates(payable.store, CALENDAR, date(2026, 3, 31)) == CALENDAR[2:]


def test_latest_pay_date_is_of_the_last_cutoff_reached():
    assert latest_pay_date(CALENDAR, NIGHT) == MARCH
    assert latest_pay_date(CALENDAR, date(2025, 1, 1)) is None


def test_propose_one_batch_per_currency_then_nothing_again(payable):
    batches = payable.propose()
    assert [(b.currency_code, b.total_amount_minor, b.items, b.state) for b in batches] == [
        ("JPY", 12000, 1, "proposed"),
        ("USD", 15000, 1, "proposed"),
    ]
    assert payable.propose() == []
    assert payable.propose(pay_date=MARCH) == []
    payable.refresh()
    assert payable.propose(pay_date=MARCH) == []


def test_claims_and_manifest_lie_in_a_private_folder(payable):
    batch = _usd(payable.propose())
    folder = payable.home / "batches" / batch.batch_id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["claims.parquet", "manifest.json"]
    rows = payable.warehouse.execute(
        f"select count(*), sum(payout_amount_minor) from '{folder / 'claims.parquet'}'"
    ).fetchone()
    assert rows == (2, 15000)


def test_empty_cutoff_is_recorded_and_not_tried_again(world):
    assert world.propose() == []
    assert due_pay_dates(world.store, CALENDAR, NIGHT) == []


def test_named_pay_date_must_exist_and_its_cutoff_must_be_reached(payable):
    with pytest.raises(ProposalRefusedError, match="cut-off on 2026-03-31.*Run the night"):
        payable.propose(pay_date=date(2026, 4, 15))
    with pytest.raises(ProposalRefusedError, match="not a pay date.*Nearest: 2026-02-15, 2026-03"):
        payable.propose(pay_date=date(2026, 3, 1))


def test_entry_available_on_the_cutoff_is_taken_the_day_after_is_not(world):
    world.partner("p_1")
    world.ready_payee("p_1")
    world.desire(
        entry("il_1", 6000, available_date=date(2026, 2, 28)),
        entry("il_2", 9000, available_date=date(2026, 3, 1)),
    )
    world.post()
    assert _usd(world.propose()).total_amount_minor == 6000


@pytest.mark.parametrize(
    ("amount", "reason"), [(5001, None), (5000, None), (4999, "below_minimum")]
)
def test_minimum_pays_at_the_boundary(world, amount, reason):
    world.partner("p_1")
    world.ready_payee("p_1")
    world.desire(entry("il_1", amount))
    world.post()
    assert bool(world.propose()) is (reason is None)
    assert _items(world)[0][2:] == (amount, "proposed" if reason is None else "left_out", reason)


def test_negative_entries_are_netted_and_claimed(world):
    world.partner("p_1")
    world.ready_payee("p_1")
    first = entry("il_1", 9000)
    refund = entry("il_1", -2000, entry_kind="refund", cause_id="re_1",
                   reverses_entry_id=first["entry_id"])  # fmt: skip
    world.desire(first, refund)
    world.post()
    batch = _usd(world.propose())
    with world.store.read() as connection:
        (item,) = show(connection, batch.batch_id).items
    assert (item.amount_minor, item.entries) == (7000, 2)


def test_negative_balance_carries_and_is_never_exported(world):
    world.partner("p_1")
    world.ready_payee("p_1")
    world.desire(entry("il_1", -3000, entry_kind="refund", cause_id="re_1"))
    world.post()
    assert world.propose() == []
    assert _items(world) == [("p_1", "USD", -3000, "left_out", "not_positive")]
    world.desire(entry("il_2", 10000, available_date=date(2026, 3, 20)))
    world.post(as_of=date(2026, 3, 31))
    assert _usd(world.propose(as_of=date(2026, 3, 31))).total_amount_minor == 7000


def _left_out(world, rules=RULES, as_of=NIGHT):
    world.desire(entry("il_1", 6000))
    world.post()
    world.propose(rules=rules, as_of=as_of)
    return _items(world)[0][4]


def test_unready_payee_shows_the_first_failing_gate_in_configured_order(world):
    world.partner("p_1", status="paused")
    assert _left_out(world) == "status"


def test_gate_order_follows_the_terms(world):
    world.partner("p_1", status="paused")
    assert _left_out(world, replace(RULES, gates=("tax_form", "status"))) == "tax_form"


@pytest.mark.parametrize("gate", ["terms_accepted", "payee_verified", "tax_form", "screening"])
def test_single_missing_status_is_the_reason(world, gate):
    world.partner("p_1")
    world.ready_payee("p_1")
    record_payee(world.store, "p_1", actor=DAN, recorded_at=CLOCK, **{gate: False})
    assert _left_out(world) == gate


@pytest.mark.parametrize(
    ("until", "reason"),
    [(date(2026, 3, 1), "cooling_off"), (date(2026, 2, 28), None), (None, None)],
)
def test_cooling_off_fails_until_its_date(world, until, reason):
    world.partner("p_1")
    world.ready_payee("p_1")
    if until:
        record_payee(
            world.store, "p_1", actor=DAN, recorded_at=CLOCK, cooling_off_until=until
        )  # fmt: skip
    assert _left_out(world) == reason


def test_pilot_leaves_out_everybody_else_before_any_other_reason(world):
    world.partner("p_1", status="paused")
    assert _left_out(world, replace(RULES, is_pilot_only=True)) == "pilot"


@pytest.mark.parametrize("by_terms", [True, False])
def test_pilot_partner_is_paid(world, by_terms):
    world.partner("p_1", pilot=not by_terms)
    world.ready_payee("p_1")
    group = frozenset({"p_1"}) if by_terms else frozenset()
    assert _left_out(world, replace(RULES, is_pilot_only=True, pilot_partners=group)) is None


def test_small_amount_and_failing_gate_show_the_amount(world):
    world.partner("p_1", status="paused")
    rules = replace(RULES, minimums_minor={"USD": 6001})
    assert _left_out(world, rules) == "below_minimum"


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-2", "@x", "\tx", "a\nb", "＝x", ""])
def test_unsafe_name_leaves_out_that_partner_only(world, name):
    world.partner("p_1", name=name)
    world.partner("p_2", name="Bäckerei Łódź & Co. (EU), 東京")
    for partner_id in ("p_1", "p_2"):
        world.ready_payee(partner_id)
    world.desire(entry("il_1", 6000), entry("il_2", 7000, partner_id="p_2"))
    world.post()
    assert _usd(world.propose()).total_amount_minor == 7000
    assert ("p_1", "USD", 6000, "left_out", "name_not_allowed") in _items(world)


@pytest.mark.parametrize("kind", ["line", "lead", "partner"])
def test_open_hold_keeps_entries_out_without_changing_them(payable, kind):
    subject = {"line": entry("il_1", 1)["commission_id"], "lead": "lead_1", "partner": "p_1"}[kind]
    open_hold(
        payable.store, payable.home, subject_type=kind, subject_id=subject, reason="asked",
        actor=ANA, rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    totals = {batch.currency_code: batch.total_amount_minor for batch in payable.propose()}
    assert totals == ({"JPY": 12000, "USD": 5000} if kind == "line" else {})


def test_held_by_facts_is_not_taken(payable):
    held = entry("il_1", 1)["entry_id"]
    payable.warehouse.execute("insert into marts.fct_entry_holds values (?, 'dispute')", [held])
    assert _usd(payable.propose()).total_amount_minor == 5000


def test_missing_candidates_relation_is_refused(payable):
    with pytest.raises(ProposalRefusedError, match="nowhere cannot be read.*Run a night"):
        payable.propose(relation="nowhere")


def test_repeated_candidate_is_refused(payable):
    payable.warehouse.execute(
        "create table twice as from exports.exp_payout_candidates union all "
        "from exports.exp_payout_candidates"
    )
    with pytest.raises(ProposalRefusedError, match="repeats 3 entries"):
        payable.propose(relation="twice")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("entry_id = 'made-up' where entry_amount_minor = 10000", "not in the journal"),
        ("payout_amount_minor = 90000, entry_amount_minor = 90000 where entry_amount_minor = 10000",
         "another partner, currency, commission, amount or date"),
        ("partner_id = 'p_2'", "another partner"),
        ("payout_currency_code = 'EUR' where payout_currency_code = 'JPY'", "another partner"),
        ("available_date = date '2026-01-01' where entry_amount_minor = 10000", "amount or date"),
        ("commission_id = 'other', line_id = 'other' where entry_amount_minor = 10000",
         "another partner, currency, commission"),
    ],
)  # fmt: skip
def test_candidates_that_the_journal_does_not_have_pay_nobody(payable, change, said):
    """What the night published was changed: the journal says what was earned."""
    payable.partner("p_2", "Agency Two")
    payable.ready_payee("p_2")
    payable.warehouse.execute("create table exports.forged as from exports.exp_payout_candidates")
    payable.warehouse.execute(f"update exports.forged set {change}")
    with pytest.raises(ProposalRefusedError, match=said):
        payable.propose(relation="exports.forged")
    assert _items(payable) == []


@pytest.mark.parametrize("subject_type", ["line", "lead"])
def test_hold_counts_by_the_ids_of_the_journal(payable, subject_type):
    held = entry("il_1", 10000)
    open_hold(
        payable.store, payable.home, subject_type=subject_type, reason="look", actor=DAN,
        subject_id=held["commission_id" if subject_type == "line" else "lead_id"],
        rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    payable.warehouse.execute("create table exports.forged as from exports.exp_payout_candidates")
    changed = "lead_id = 'other'" if subject_type == "lead" else "commission_id = 'x', line_id = ''"
    payable.warehouse.execute(f"update exports.forged set {changed}")
    with pytest.raises(ProposalRefusedError, match="do not agree with the journal"):
        payable.propose(relation="exports.forged")


def test_proposal_leaves_nothing_in_the_warehouse(payable):
    payable.propose()
    left = payable.warehouse.execute(
        "select table_name from duckdb_tables() where temporary union all "
        "select view_name from duckdb_views() where temporary and not internal"
    ).fetchall()
    assert left == []


def test_equal_facts_in_two_homes_give_equal_hashes(tmp_path):
    from payout_world import make_payable_world

    hashes = [
        [batch.content_hash for batch in make_payable_world(tmp_path / name).propose()]
        for name in ("a", "b")
    ]
    assert hashes[0] == hashes[1]


def test_later_entries_of_the_same_cutoff_make_a_second_version(payable):
    first = _usd(payable.propose())
    payable.desire(entry("il_9", 8000))
    payable.post()
    second = _usd(payable.propose(pay_date=MARCH))
    assert (second.version, second.total_amount_minor) == (2, 8000)
    assert second.batch_id != first.batch_id
    with payable.store.read() as connection:
        assert show(connection, first.batch_id).summary.total_amount_minor == 15000


CONTENT = BatchContent(
    batch_id="b", version=1, legal_entity="Acme", currency_code="USD", rail="csv",
    pay_date=MARCH, cutoff_date=NIGHT, as_of=NIGHT, terms_hash="t", claims_sha256="c",
    items=(
        BatchItem("y1", "p_1", "One", 100, 1, "h1"),
        BatchItem("y2", "p_2", "Two", 200, 2, "h2"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_id": "x"}, {"version": 2}, {"legal_entity": "Other"}, {"currency_code": "EUR"},
        {"rail": "sepa"}, {"pay_date": NIGHT}, {"cutoff_date": MARCH}, {"as_of": MARCH},
        {"terms_hash": "x"}, {"claims_sha256": "x"}, {"items": CONTENT.items[:1]},
    ],
)  # fmt: skip
def test_content_hash_changes_with_every_field(changes):
    assert content_hash(replace(CONTENT, **changes)) != content_hash(CONTENT)


@pytest.mark.parametrize(
    "changes",
    [
        {"payout_id": "x"}, {"partner_id": "p_9"}, {"partner_name": "X"}, {"amount_minor": 101},
        {"entries": 2}, {"entries_hash": "x"},
    ],
)  # fmt: skip
def test_content_hash_changes_with_every_item_field(changes):
    items = (replace(CONTENT.items[0], **changes), CONTENT.items[1])
    assert content_hash(replace(CONTENT, items=items)) != content_hash(CONTENT)


def test_content_hash_ignores_the_order_of_items():
    items = CONTENT.items[::-1]
    assert content_hash(replace(CONTENT, items=items)) == content_hash(CONTENT)


def test_calendar_of_the_terms_fits(payable):
    """The calendar that ``program`` computes has the two dates that this room reads."""
    from program.calendar import PayDate

    days = [PayDate(day.pay_date, day.cutoff_date) for day in CALENDAR]
    assert len(payable.propose(calendar=days)) == 2
    assert PayDay(MARCH, NIGHT).pay_date == days[2].pay_date
