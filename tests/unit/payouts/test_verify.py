"""T14, T15: what was changed outside the product is found, and named."""

from __future__ import annotations

import random
from datetime import date

import duckdb
import lead_world as leads
import pytest
from payout_world import (
    ANA,
    APPROVALS,
    BEN,
    CAT,
    CLOCK,
    DAN,
    World,
    entry,
    kept,
    make_payable_world,
)  # fmt: skip

from payouts import events
from payouts.approvals import reject, revoke
from payouts.errors import ChainBrokenError, PayoutsError
from payouts.holds import open_hold
from payouts.verify import verify

PAY_DATE = date(2026, 3, 15)


@pytest.fixture
def exported(tmp_path):
    """One exported USD batch, one proposed JPY batch."""
    return kept(_make_exported).copy(tmp_path / "home")


def _make_exported(home):
    world = make_payable_world(home)
    batches = world.propose()
    world.approve_fully(batches[1])
    world.export(batches[1])
    world.refresh()
    return world


def _broken(world, **options):
    return {f.check: f.detail for f in verify(world.home, store=world.store, **options) if not f.ok}


def _sql(world, *statements):
    with world.store.write() as connection:
        for name, _ in connection.exec_driver_sql(
            "select name, 1 from sqlite_master where type = 'trigger'"
        ).all():  # fmt: skip
            connection.exec_driver_sql(f"drop trigger {name}")
        connection.exec_driver_sql("pragma defer_foreign_keys = on")
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_untouched_home_verifies_with_and_without_a_store(exported):
    assert _broken(exported, warehouse=exported.warehouse) == {}
    assert all(finding.ok for finding in verify(exported.home))


def test_fresh_home_verifies(world):
    assert _broken(world, warehouse=world.warehouse) == {}


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("update events set actor = 'eve' where seq = 3", "event_chain"),
        ("delete from events where seq = 3", "event_chain"),
        ("update segments set sha256 = 'x' where segment = 1", "segment_chain"),
        ("update segments set totals = '[]' where segment = 1", "segment_chain"),
        ("update segments set recorded_at = '2020-01-01T00:00:00.000000Z'", "segment_chain"),
        ("update nights set as_of = '2026-01-01'", "nights"),
        ("update batch_states set state = 'exported' where state = 'proposed'", "batch_states"),
        ("update batches set total_amount_minor = 1 where currency_code = 'JPY'", "batch_contents"),
        ("update batches set rail = 'sepa' where currency_code = 'JPY'", "batch_contents"),
        ("update payout_items set amount_minor = 1 where currency_code = 'JPY'", "batch_contents"),
        ("update payout_items set partner_name = 'Eve'", "exports"),
        ("update exports set manifest = '{}'", "exports"),
        ("delete from export_files; delete from exports", "exports"),
        ("delete from export_files", "exports"),
        ("update export_files set total_amount_minor = 1", "exports"),
        ("update export_files set file_sha256 = 'x'", "exports"),
        ("delete from batch_exceptions", "batch_contents"),
        ("update batch_exceptions set kind = 'one_item_file'", "batch_contents"),
        ("update payout_items set details_id = 'd_1'", "batch_contents"),
        ("update batches set payer_details_id = 'd_1'", "batch_contents"),
        ("update batches set content_version = 1", "batch_contents"),
    ],
)
def test_changed_row_is_found(exported, statement, check):
    _sql(exported, *statement.split("; "))
    assert check in _broken(exported)


@pytest.fixture
def left_out(payable):
    """The same with a partner left out of the USD batch, and one of EUR, where nobody is paid."""
    payable.partner("p_2", "Agency Two")
    payable.desire(
        entry("il_8", 700, partner_id="p_2"),
        entry("il_9", 800, partner_id="p_2", currency_code="EUR"),
    )
    payable.post(term_hashes={("plan", "standard", "2025-01-01"): "h" * 64})
    batches = payable.propose()
    payable.approve_fully(batches[1])
    payable.export(batches[1])
    payable.refresh()
    assert _broken(payable, warehouse=payable.warehouse) == {}
    return payable


@pytest.mark.parametrize(
    ("statement", "check", "named"),
    [
        ("update terms_used set sha256 = 'x'", "terms_used", "plan standard 2025-01-01"),
        ("update terms_used set first_as_of = '2026-01-01'", "terms_used", "plan standard"),
        ("delete from terms_used", "terms_used", "plan standard 2025-01-01"),
        ("update cutoffs set as_of = '2026-01-01'", "cutoffs", "2026-02-28"),
        ("update cutoffs set actor = 'eve'", "cutoffs", "2026-02-28"),
        ("delete from cutoffs", "cutoffs", "2026-02-28"),
        ("update proposals set as_of = '2026-01-01' where batch_id is null", "proposals",
         "is not what was recorded"),
        ("update proposals set rail = 'sepa' where batch_id is null", "proposals", "proposal "),
        ("update proposals set left_out_hash = 'x' where currency_code = 'USD'", "proposals",
         "is not what was recorded"),
        ("update proposals set proposed_at = '2020-01-01T00:00:00.000000Z'", "proposals",
         "is not what was recorded"),
        ("delete from payout_items where currency_code = 'EUR'; "
         "delete from proposals where currency_code = 'EUR'", "proposals", "were removed"),
        ("delete from payout_items where left_out_reason is not null and currency_code = 'EUR'",
         "proposals", "is not what was recorded"),
        ("update payout_items set amount_minor = 1 where partner_id = 'p_2'", "proposals",
         "is not what was recorded"),
        ("update payout_items set entries = 9 where partner_id = 'p_2'", "proposals",
         "is not what was recorded"),
        ("update payout_items set left_out_reason = 'minimum_' where partner_id = 'p_2'",
         "proposals", "is not what was recorded"),
        ("update payout_items set partner_id = 'p_3' where partner_id = 'p_2'", "proposals",
         "of partner p_3"),
        ("update payout_items set details_id = 'd' where partner_id = 'p_2'", "proposals",
         "of partner p_2"),
        ("update payout_items set currency_code = 'EUR' where currency_code = 'USD'",
         "batch_contents", "are in another currency"),
        ("update nights set run_id = 'run_9' where night = 2", "nights", "events: 2"),
        ("update nights set recorded_at = '2020-01-01T00:00:00.000000Z' where night = 2",
         "nights", "events: 2"),
        ("update nights set registered_at = '2020-01-01T00:00:00.000000Z' where night = 1",
         "nights", "events: 1"),
        ("update exports set segment = 1", "exports", "not what its event says"),
        ("update exports set exported_at = '2020-01-01T00:00:00.000000Z'", "exports",
         "not what its event says"),
        ("update exports set file_bytes = 1", "exports", "not those of its manifest"),
        ("update export_files set file_bytes = 1", "exports", "not those of its manifest"),
        ("update export_files set part = 2", "exports", "not those of its manifest"),
        ("update batches set claims_rows = 9 where currency_code = 'JPY'", "batch_contents",
         "names other claims than its own"),
        ("update batches set claims_path = 'x' where currency_code = 'JPY'", "batch_contents",
         "names other claims than its own"),
        ("update batches set proposed_at = '2020-01-01T00:00:00.000000Z' where currency_code = "
         "'JPY'", "batch_states", "not what its first event says"),
        ("update batch_exceptions set number = number + 1", "batch_contents", "are numbered"),
    ],
)  # fmt: skip
def test_changed_row_that_an_event_proves_is_found_and_named(left_out, statement, check, named):
    _sql(left_out, *statement.split("; "))
    assert named in _broken(left_out)[check]


@pytest.mark.parametrize("content", [b"[]", b"{}", b"not json", None])
def test_changed_manifest_of_a_batch_is_found(exported, content):
    path = next(exported.home.glob("batches/*USD*/manifest.json"))
    path.write_bytes(path.read_bytes().replace(b"100", b"900") + b" ") if content is None else (
        path.write_bytes(content)
    )
    assert path.parent.name in _broken(exported)["batch_manifests"]


@pytest.mark.parametrize(
    ("statement", "check", "named"),
    [
        ("update segments set totals = 'x' where segment = 2", "segment_chain", "segment 2"),
        ("update events set payload = '[]' where kind = 'batch_proposed'", "batch_states",
         "holds no payload"),
        ("update events set payload = '[]' where kind = 'batch_proposed'", "event_chain", "event"),
        ("update exports set manifest = '[]'", "exports", "the registered manifest of b-"),
        ("update exports set manifest = 'x'", "exports", "the register of export b-"),
    ],
)  # fmt: skip
def test_row_that_cannot_be_read_is_named_and_stops_no_check(exported, statement, check, named):
    before = {finding.check for finding in verify(exported.home, store=exported.store)}
    _sql(exported, statement)
    found = verify(exported.home, store=exported.store)
    assert {finding.check for finding in found} == before
    assert any(named in finding.detail for finding in found if finding.check == check)


def test_register_that_cannot_be_read_posts_nothing(exported):
    _sql(exported, "update segments set totals = 'x' where segment = 2")
    with pytest.raises(ChainBrokenError, match="at segment 2"):
        exported.post()


def test_manifest_of_an_export_that_is_none_is_found(exported):
    (path,) = exported.home.glob("exports/*/manifest.json")
    path.write_text("[]")
    assert path.parent.name in _broken(exported)["anchors"]


def test_removed_last_segment_record_is_found(exported):
    _sql(
        exported,
        "delete from export_files",
        "delete from exports",
        "delete from segments where segment = 2",
    )
    assert "removed from the register" in _broken(exported)["segment_chain"]


def test_cut_tail_is_found_by_the_exported_manifest(exported):
    """T16: nothing inside the database can show it; the anchor outside does."""
    _sql(
        exported,
        "delete from export_files", "delete from exports", "delete from payout_items",
        "delete from proposals", "delete from batch_exceptions", "delete from batch_states",
        "delete from batches", "delete from cutoffs", "delete from segments where segment = 2",
        "delete from events where kind like 'batch%' or kind like 'cutoff%' or seq > 4",
    )  # fmt: skip
    broken = _broken(exported)
    assert "event_chain" not in broken
    assert "no longer holds" in broken["anchors"]


@pytest.mark.parametrize(
    ("pattern", "check"),
    [
        ("journal/segment-00000001.parquet", "segment_files"),
        ("batches/*USD*/claims.parquet", "batch_contents"),
        ("exports/*/payouts.csv", "exports"),
    ],
)
@pytest.mark.parametrize("change", ["append", "truncate"])
def test_changed_file_is_found(exported, pattern, check, change):
    (path,) = exported.home.glob(pattern)
    content = path.read_bytes()
    path.write_bytes(content + b"x" if change == "append" else content[:-1])
    assert path.name in _broken(exported)[check] or path.parent.name in _broken(exported)[check]


@pytest.mark.parametrize(
    "pattern", ["journal/segment-00000002.parquet", "batches/*/claims.parquet"]
)
def test_missing_file_is_found(exported, pattern):
    next(exported.home.glob(pattern)).unlink()
    assert _broken(exported)


def test_purged_payout_file_is_no_fault(exported):
    (path,) = exported.home.glob("exports/*/payouts.csv")
    path.unlink()
    assert _broken(exported) == {}


def test_swapped_segments_are_found(exported):
    first, second = sorted(exported.home.glob("journal/segment-*.parquet"))
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert "SHA-256" in _broken(exported)["segment_files"]


def test_rewritten_segment_with_its_new_hash_is_still_found(exported):
    """Amounts changed in the file and the hash changed in the register: the chain breaks."""
    import hashlib

    path = exported.home / "journal/segment-00000001.parquet"
    duckdb.execute(
        f"copy (select * replace (amount_minor * 2 as amount_minor) from '{path}') "
        f"to '{path}.new' (format parquet)"
    )
    path.with_name(path.name + ".new").replace(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _sql(exported, f"update segments set sha256 = '{digest}' where segment = 1")
    broken = _broken(exported)
    assert "segment_chain" in broken and "segment_files" in broken


def test_unregistered_segment_is_ignored(exported):
    source = exported.home / "journal/segment-00000001.parquet"
    (exported.home / "journal/segment-00000009.parquet").write_bytes(source.read_bytes())
    assert _broken(exported) == {}


def test_desired_state_that_differs_is_found(exported):
    exported.desire(entry("il_7", 100))
    broken = _broken(exported, warehouse=exported.warehouse)
    assert "1 of 4 keys" in broken["desired_state"]


def test_missing_desired_relation_is_a_finding(exported):
    broken = _broken(exported, warehouse=duckdb.connect())
    assert "fct_commission_lines" in broken["desired_state"]


@pytest.fixture
def led(tmp_path):
    """Two registrations, two messages, a ruling, and decisions on all of them."""
    return kept(_make_led).copy(tmp_path / "home")


def _make_led(home):
    world = World.create(home, "OFF")
    key = leads.submit(world).key
    leads.decide(world, key)
    leads.extend(world, key, leads.LATEST)
    leads.submit(world, partner_id="p_2", expected_amount_minor=500, currency_code="USD")
    leads.post(world)
    leads.answer(world, leads.request(world).request_id)
    ruling = leads.propose(world)
    leads.rule(world, ruling)
    leads.revoke(world, ruling)
    return world


def test_decisions_on_leads_verify(led):
    assert _broken(led, warehouse=led.warehouse) == {}
    proved = {f.check: f.detail for f in verify(led.home, store=led.store)}
    assert proved["lead_registrations"] == proved["lead_messages"] == "2 rows, each with its event"
    assert proved["lead_decisions"] == "2 approvals with four eyes, 1 rulings that add up"


@pytest.mark.parametrize(
    ("statement", "check", "message"),
    [
        ("update lead_registrations set email = 'x@y.z' where seq = 1", "lead_registrations",
         "1 rows changed, such as that of event 1"),
        ("update lead_registrations set partner_id = 'p_9'", "lead_registrations", "2 rows chang"),
        ("update lead_registrations set submitted_at = '2020-01-01T00:00:00.000000Z'",
         "lead_registrations", "changed"),
        ("update lead_registrations set registration_id = 'reg_0' where seq = 1",
         "lead_registrations", "changed"),
        ("update lead_registrations set expected_amount_minor = 501 where seq = 4",
         "lead_registrations", "changed, such as that of event 4"),
        ("delete from lead_registrations where seq = 4", "lead_registrations", "1 rows removed"),
        ("insert into lead_registrations (seq, registration_id, entity, partner_id, submitted_at, "
         "deal_id) values (2, 'reg_9', 'deal_registrations', 'p_1', "
         "'2026-01-01T00:00:00.000000Z', 'd_1')", "lead_registrations", "added without its event"),
        ("update lead_registrations set seq = 2 where seq = 1", "lead_registrations", "removed"),
        ("update lead_messages set text = 'no' where seq = 5", "lead_messages", "1 rows changed"),
        ("update lead_messages set is_partner_visible = 1", "lead_messages", "1 rows changed"),
        ("delete from lead_messages", "lead_messages", "2 rows removed, such as that of event 5"),
        ("insert into lead_messages select 2, 'msg_9', subject_type, subject_id, author_role, "
         "is_partner_visible, posted_at, text from lead_messages where seq = 5", "lead_messages",
         "1 rows added without its event, such as that of event 2"),
    ],
)  # fmt: skip
def test_changed_row_about_leads_is_found(led, statement, check, message):
    _sql(led, statement)
    broken = _broken(led)
    assert message in broken[check]
    assert set(broken) == {check}


def test_approval_by_its_maker_and_broken_credits_are_found(world):
    """Written past the product: the chain is whole, but nobody could have decided so."""
    key = leads.submit(world, actor=CAT).key
    ruling = leads.propose(world, actor=CAT)
    with world.store.write() as connection:
        for kind, subject, payload in (
            (
                "registration_approved",
                f"registration:{key}",
                {"expires_at": None, "evidence": None},
            ),
            ("ruling_approved", f"ruling:{ruling.ruling_id}", {}),
            ("ruling_proposed", "lead:l_2", {"credits": {"p_1": 7}, "evidence": "none"}),
        ):
            events.append(
                connection, kind=kind, subject=subject, actor=CAT, recorded_at=CLOCK,
                payload=payload,
            )  # fmt: skip
    broken = _broken(world)
    assert set(broken) == {"lead_decisions"}
    detail = broken["lead_decisions"]
    assert detail.count("was approved by its maker") == 2 and "do not add up" in detail


def _step(world: World, choose: random.Random, number: int) -> None:
    """One random action of one random person on one random batch."""
    from payouts.records import list_batches

    with world.store.read() as connection:
        batches = list_batches(connection)
    action = choose.choice(
        ["earn", "propose", "approve", "approve", "approve", "export", "revoke", "reject", "hold"]
    )
    actor = choose.choice([ANA, BEN, CAT, DAN])
    if action == "earn":
        world.desire(entry(f"walk_{number}", choose.randint(-4000, 9000) or 1))
        world.post()
    elif action == "propose":
        world.propose(pay_date=PAY_DATE, actor=choose.choice(["system:night", ANA]))
    elif action == "hold" and choose.random() < 0.3:
        open_hold(
            world.store, world.home, subject_type="line", reason=f"walk {number}", actor=actor,
            subject_id=entry(f"walk_{choose.randint(0, number)}", 1)["commission_id"],
            rules=APPROVALS, recorded_at=CLOCK,
        )  # fmt: skip
    elif batches:
        batch = choose.choice(batches)
        if action == "approve":
            world.approve(batch, actor, choose.choice(["partnerships", "finance"]))
        elif action == "export":
            world.refresh()
            world.export(batch)
        elif action == "revoke":
            revoke(world.store, batch.batch_id, actor=actor, recorded_at=CLOCK)
        elif action == "reject" and choose.random() < 0.3:
            reject(
                world.store, world.home, batch.batch_id, reason="walk", actor=actor,
                rules=APPROVALS, recorded_at=CLOCK,
            )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_random_decisions_keep_every_invariant(payable, seed):
    """T1 in small: whatever people do in whatever order, verify holds after every few steps."""
    choose = random.Random(seed)
    for number in range(40):
        try:
            _step(payable, choose, number)
        except PayoutsError:
            pass
        if number % 8 == 7:
            payable.refresh()
            assert _broken(payable, warehouse=payable.warehouse) == {}
    claimed_twice = payable.warehouse.execute(
        "select count(*) - count(distinct entry_id) from raw.control__claims "
        "where is_live or batch_state = 'exported'"
    ).fetchone()
    assert claimed_twice == (0,)
