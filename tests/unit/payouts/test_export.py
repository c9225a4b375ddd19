"""Exporting: the approved bytes or nothing, once."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest
from payout_world import (
    ANA,
    APPROVALS,
    BEN,
    CAT,
    CLOCK,
    DAN,
    NIGHT,
    NIGHT_END,
    RULES,
    entry,
    kept,
    make_payable_world,
)

from payouts.errors import (
    BatchStaleError,
    ChainBrokenError,
    DecisionRefusedError,
    ExportDamagedError,
    ExportRefusedError,
    UnsafePathError,
)
from payouts.export_files import export_folder
from payouts.export_preview import preview_export
from payouts.files.csv_file import render
from payouts.files.plain_text import plain_text_fault
from payouts.freshness import refresh_batches
from payouts.holds import open_hold
from payouts.journal import segment_paths
from payouts.payees import record_payee
from payouts.records import BatchContent, BatchItem
from payouts.terms import Tier


@pytest.fixture
def payable(tmp_path, request):
    """With the batch already, for tests that take one."""
    make = _approved if "batch" in request.fixturenames else make_payable_world
    return kept(make).copy(tmp_path / "home")


@pytest.fixture
def batch(payable):
    """The approved USD batch of 150.00."""
    return payable.batch_in()


def _approved(home):
    world = make_payable_world(home)
    world.approve_fully(world.propose()[-1])
    return world


def test_export_writes_private_files_and_posts_one_payout(payable, batch):
    result = payable.export(batch)
    assert result.is_new and result.total_amount_minor == 15000
    assert stat.S_IMODE(result.file_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(result.file_path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(result.manifest_path.stat().st_mode) == 0o600
    (row,) = csv.DictReader(result.file_path.read_text().splitlines())
    assert {key: row[key] for key in ("batch_id", "partner_id", "partner_name", "amount",
            "amount_minor", "currency_code", "pay_date", "entries")} == {
        "batch_id": batch.batch_id, "partner_id": "p_1", "partner_name": "Agency One",
        "amount": "150.00", "amount_minor": "15000", "currency_code": "USD",
        "pay_date": "2026-03-15", "entries": "2",
    }  # fmt: skip
    entries = duckdb.execute(
        "select entry_kind, source_id, cause_id, amount_minor, payout_amount_minor, "
        "effective_date, available_date, posting_period, recorded_at, segment "
        f"from '{segment_paths(payable.store, payable.home)[-1]}'"
    ).fetchall()
    day = date(2026, 3, 15)
    assert entries == [
        ("payout", row["payout_id"], batch.batch_id, -15000, -15000, day, day, "2026-03",
         NIGHT_END, 2)
    ]  # fmt: skip


def test_manifest_carries_hashes_approvals_and_the_chain_head(payable, batch):
    result = payable.export(batch)
    manifest = json.loads(result.manifest_path.read_text())
    assert manifest["content_hash"] == batch.content_hash
    assert manifest["files"][0]["sha256"] == result.file_sha256
    assert [(a["actor"], a["role"]) for a in manifest["approvals"]] == [
        (ANA, "partnerships"),
        (BEN, "finance"),
    ]
    assert manifest["audit_chain_head"]["event"] > 0
    assert "Agency" not in result.manifest_path.read_text()


def test_export_again_is_identical_and_posts_nothing(payable, batch):
    first = payable.export(batch)
    before = [path.read_bytes() for path in (first.file_path, first.manifest_path)]
    payable.partner("p_1", name="Renamed", status="terminated")
    again = payable.export(batch, warehouse=None, exported_at=CLOCK + timedelta(days=90))
    assert not again.is_new
    assert [path.read_bytes() for path in (first.file_path, first.manifest_path)] == before
    assert len(segment_paths(payable.store, payable.home)) == 2


@pytest.mark.parametrize("name", ["payouts.csv", "manifest.json"])
def test_deleted_file_is_written_again_identically(payable, batch, name):
    path = payable.export(batch).file_path.with_name(name)
    before = path.read_bytes()
    path.unlink()
    payable.export(batch)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_changed_file_is_refused(payable, batch):
    result = payable.export(batch)
    result.file_path.write_bytes(result.file_path.read_bytes().replace(b"150.00", b"950.00"))
    with pytest.raises(ExportDamagedError, match="do not upload it"):
        payable.export(batch)


def test_unapproved_batch_is_refused(payable):
    batch = payable.propose()[-1]
    with pytest.raises(DecisionRefusedError, match="it waits for partnerships"):
        payable.export(batch)
    payable.approve(batch, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="it waits for finance"):
        payable.export(batch)
    assert not (payable.home / "exports").exists()


def test_export_without_a_warehouse_is_refused(payable, batch):
    with pytest.raises(ExportRefusedError, match="without a warehouse.*run a night first"):
        payable.export(batch, warehouse=None)
    with pytest.raises(ExportRefusedError, match="cannot tell whether"):
        payable.export(batch, warehouse=duckdb.connect())


def _drop_triggers(world, table):
    with world.store.write() as connection:
        for trigger in connection.exec_driver_sql(
            f"select name from sqlite_master where type = 'trigger' and tbl_name = '{table}'"
        ).scalars().all():  # fmt: skip
            connection.exec_driver_sql(f"drop trigger {trigger}")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("payout_items", "amount_minor = amount_minor + 1"),
        ("payout_items", "partner_id = 'p_9'"),
        ("payout_items", "partner_name = 'Other'"),
        ("payout_items", "entries_hash = 'x'"),
        ("payout_items", "entries = 1"),
        ("batches", "currency_code = 'EUR'"),
        ("batches", "rail = 'sepa'"),
        ("batches", "pay_date = '2026-03-16'"),
        ("batches", "legal_entity = 'Other'"),
        ("batches", "terms_hash = 'x'"),
        ("batches", "claims_sha256 = 'x'"),
    ],
)
def test_content_changed_after_approval_blocks_the_export(payable, batch, table, change):
    """T10."""
    _drop_triggers(payable, table)
    with payable.store.write() as connection:
        connection.exec_driver_sql(f"update {table} set {change} where batch_id = ?",
                                   (batch.batch_id,))  # fmt: skip
    with pytest.raises(DecisionRefusedError, match="its hash has changed"):
        payable.export(batch)
    assert len(segment_paths(payable.store, payable.home)) == 1


def test_claims_that_the_journal_does_not_have_block_the_export(payable, monkeypatch):
    """A batch of before the proposal was held against the journal, made of a changed file."""
    payable.warehouse.execute("create table exports.forged as from exports.exp_payout_candidates")
    payable.warehouse.execute(
        "update exports.forged set entry_id = 'made-up' where entry_amount_minor = 10000"
    )
    with monkeypatch.context() as before:
        before.setattr("payouts.batches.prove_claims", lambda *_: None)
        forged = payable.propose(relation="exports.forged")[1]
    payable.approve_fully(forged)
    with pytest.raises(ExportRefusedError, match="1 claimed entries are not in the journal"):
        payable.export(forged, relation="exports.forged")
    assert payable.state(forged) == "finance_approved"
    assert len(segment_paths(payable.store, payable.home)) == 1


def test_changed_event_blocks_the_export(payable, batch):
    _drop_triggers(payable, "events")
    with payable.store.write() as connection:
        connection.exec_driver_sql(f"update events set actor = '{DAN}' where actor = '{BEN}'")
    with pytest.raises(ChainBrokenError, match="does not match its hash"):
        payable.export(batch)


def _pause(world):
    world.partner("p_1", status="paused")


def _rename(world):
    world.partner("p_1", name="Agency Two")


def _unscreen(world):
    record_payee(world.store, "p_1", actor=DAN, recorded_at=CLOCK, screening=False)


def _forget(world):
    world.warehouse.execute("delete from marts.dim_partners")


def _dispute(world):
    world.warehouse.execute(
        "insert into marts.fct_entry_holds select entry_id, 'dispute' from raw.journal__entries"
    )


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_pause, "fails status"),
        (_rename, "the name of partner p_1 has changed"),
        (_unscreen, "fails screening"),
        (_forget, "not known any more|has changed"),
        (_dispute, "are held now"),
    ],
)
def test_change_after_approval_makes_the_batch_stale(payable, batch, change, reason, rebuilt):
    """T11, whether or not the candidates still show what the batch claims."""
    if rebuilt:
        payable.refresh()
    change(payable)
    with pytest.raises(BatchStaleError, match=reason):
        payable.export(batch)
    assert payable.state(batch) == "stale"
    assert not list((payable.home / "exports").glob("*/*"))
    assert len(segment_paths(payable.store, payable.home)) == 1


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (replace(RULES, minimums_minor={"USD": 15001}), "fails below_minimum"),
        (replace(RULES, rails={"USD": "sepa"}), "payouts.rails now names sepa"),
        (replace(RULES, is_pilot_only=True), "fails pilot"),
        (replace(RULES, legal_entity="Acme Ltd"), "legal_entity has changed"),
    ],
)
def test_terms_that_would_not_pay_it_make_the_batch_stale(payable, batch, rules, reason):
    with pytest.raises(BatchStaleError, match=reason):
        payable.export(batch, rules=rules)


def test_a_clock_that_was_set_back_revives_no_expired_approval(payable, batch):
    later = CLOCK + timedelta(days=8)
    open_hold(
        payable.store, payable.home, subject_type="partner", subject_id="p_9", reason="asked",
        actor=DAN, rules=APPROVALS, recorded_at=later,
    )  # fmt: skip
    with pytest.raises(BatchStaleError, match="expired after 7 days"):
        payable.export(batch, exported_at=CLOCK)


def test_expired_approval_makes_the_batch_stale(payable, batch):
    with pytest.raises(BatchStaleError, match="expired after 7 days"):
        payable.export(batch, exported_at=CLOCK + timedelta(days=7))
    payable.refresh()
    assert len(payable.propose(pay_date=batch.pay_date)) == 1


@pytest.mark.parametrize(
    "rules",
    [
        replace(APPROVALS, tiers=(Tier(finance=2),)),
        replace(APPROVALS, min_identity="oidc"),
        replace(APPROVALS, roles={"partnerships": frozenset({CAT}), "finance": frozenset({BEN})}),
    ],
)
def test_approvals_that_the_terms_no_longer_accept_block_the_export(payable, batch, rules):
    with pytest.raises(DecisionRefusedError, match="revoke and approve it again"):
        payable.export(batch, approval_rules=rules)
    assert payable.state(batch) == "finance_approved"


def test_night_makes_changed_batches_stale_and_keeps_the_others(payable):
    batches = payable.propose()
    payable.approve_fully(batches[0])
    arguments = {"rules": RULES, "approval_rules": APPROVALS, "as_of": batches[0].as_of}
    refresh = lambda clock: refresh_batches(  # noqa: E731
        payable.store, payable.home, payable.warehouse, recorded_at=clock, **arguments
    )
    assert refresh(CLOCK) == []
    assert [found[0] for found in refresh(CLOCK + timedelta(days=8))] == [batches[0].batch_id]
    _pause(payable)
    assert [found[0] for found in refresh(CLOCK)] == [batches[1].batch_id]


def test_file_left_by_a_crash_is_removed_when_the_batch_goes_stale(payable, batch):
    folder = export_folder(payable.home, batch.batch_id)
    folder.mkdir(parents=True)
    (folder / "payouts.csv").write_text("left")
    _pause(payable)
    with pytest.raises(BatchStaleError):
        payable.export(batch)
    assert not folder.exists()


def test_symbolic_link_in_place_of_the_folder_is_refused(payable, batch, tmp_path):
    (payable.home / "exports").mkdir()
    (payable.home / "exports" / batch.batch_id).symlink_to(tmp_path)
    with pytest.raises(UnsafePathError, match="symbolic link"):
        payable.export(batch)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a\x00", "b\n", "x" * 300, "-x"])
def test_path_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(UnsafePathError):
        export_folder(tmp_path, name)


def _content(**item):
    fields = {"payout_id": "y1", "partner_id": "p_1", "partner_name": "One", "amount_minor": 100,
              "entries": 1, "entries_hash": "h", **item}  # fmt: skip
    day = date(2026, 3, 15)
    return BatchContent(
        "b", 1, "Acme", "USD", "csv", day, day, day, "t", "c", (BatchItem(**fields),)
    )


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@a", "\ta", "\ra", "\na", "\x00a", "＝a", "＋a", "－a", "＠a", " a", "",
     "a\nb", "a\u202eb", "a\u200bb", "a\x1fb", "😀", "a" * 141],
)  # fmt: skip
@pytest.mark.parametrize("column", ["partner_name", "partner_id"])
def test_unsafe_cell_is_refused_never_altered(cell, column):
    """T24, T26."""
    with pytest.raises(ExportRefusedError, match=f"{column} of payout y1") as caught:
        render(_content(**{column: cell}))
    if cell.isprintable() and len(cell) > 3:
        assert cell not in str(caught.value)


@pytest.mark.parametrize(
    "cell", ["Acme", "1st Agency", 'O"Neil & Söhne, Ltd.', "मराठी", "株式会社"]
)
def test_ordinary_name_is_written_as_it_is(cell):
    assert plain_text_fault(cell) is None
    (row,) = csv.DictReader(render(_content(partner_name=cell)).decode().splitlines())
    assert row["partner_name"] == cell


@pytest.mark.parametrize("amount", [0, -1])
def test_item_that_is_not_positive_is_refused(amount):
    with pytest.raises(ExportRefusedError, match="I16"):
        render(_content(amount_minor=amount))


@pytest.mark.parametrize(("code", "amount"), [("USD", "1.00"), ("JPY", "100"), ("KWD", "0.100")])
def test_amount_has_the_decimals_of_its_currency(code, amount):
    (row,) = csv.DictReader(
        render(replace(_content(), currency_code=code)).decode().splitlines()
    )  # fmt: skip
    assert (row["amount"], row["amount_minor"]) == (amount, "100")


def test_next_batch_takes_what_changed_after_the_export(payable, batch):
    """P6."""
    payable.export(batch)
    payable.desire(entry("il_1", 9000, ordinal=2, available_date=date(2026, 3, 5)))
    payable.post(as_of=date(2026, 3, 31))
    later = payable.propose(as_of=date(2026, 3, 31))[-1]
    assert (later.total_amount_minor, later.pay_date) == (9000, date(2026, 4, 15))


@pytest.mark.parametrize("days", [8, 200])
def test_snapshot_older_than_a_week_is_refused_and_the_batch_stays_approved(payable, batch, days):
    today = NIGHT + timedelta(days=days)
    with pytest.raises(ExportRefusedError, match=f"of 2026-02-28, {days} days before {today}") as e:
        payable.export(batch, today=today)
    assert "partnerledger run" in str(e.value) and not isinstance(e.value, BatchStaleError)
    assert payable.state(batch) == "finance_approved"
    assert not (payable.home / "exports").exists()
    assert payable.export(batch, as_of=today - timedelta(days=7), today=today).is_new


def test_snapshot_of_a_week_ago_is_young_enough(payable, batch):
    assert payable.export(batch, today=NIGHT + timedelta(days=7)).is_new


def test_expired_approval_is_said_before_the_age_of_the_snapshot(payable, batch):
    late = CLOCK + timedelta(days=30)
    with pytest.raises(BatchStaleError, match="expired after 7 days"):
        payable.export(batch, exported_at=late, today=late.date())


def test_exported_batch_is_exported_again_whatever_is_published(payable, batch):
    payable.export(batch)
    assert not payable.export(batch, today=NIGHT + timedelta(days=90)).is_new


def _preview(world, batch, **options):
    arguments = {"rules": RULES, "approval_rules": APPROVALS, "exported_at": CLOCK, **options}
    return preview_export(
        world.store, world.home, batch.batch_id, warehouse=world.warehouse, as_of=NIGHT,
        **arguments,
    )  # fmt: skip


def test_preview_of_what_one_more_approval_completes_is_what_is_exported(payable):
    batch = payable.propose()[-1]
    payable.approve(batch, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="it waits for finance"):
        _preview(payable, batch)
    shown = _preview(payable, batch, coming_role="finance")
    assert payable.state(batch) == "partnerships_approved"
    assert not (payable.home / "exports").exists()
    payable.approve(batch, BEN, "finance")
    with pytest.raises(DecisionRefusedError, match="is finance_approved, so approve as finance"):
        _preview(payable, batch, coming_role="finance")
    assert payable.export(batch).file_sha256 == shown.files[0][2]


def test_preview_counts_one_coming_approval_and_no_more(payable):
    batch = payable.propose()[-1]
    payable.approve(batch, ANA, "partnerships")
    rules = replace(APPROVALS, tiers=(Tier(finance=2),))
    with pytest.raises(DecisionRefusedError, match="has 1 valid approvals as finance.*ask for 2"):
        _preview(payable, batch, coming_role="finance", approval_rules=rules)
