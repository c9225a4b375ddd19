"""Batches on rails whose files name accounts: from approved details to the file, and what stops it.

The accounts are the published examples of their registries; nobody holds them.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from payouts.details import SepaDetails, SepaPayer
from payouts.errors import (
    BatchStaleError,
    DecisionRefusedError,
    DetailsMissingError,
    ExportRefusedError,
    VaultError,
)
from payouts.export_preview import preview_export
from payouts.payee_details import (
    approve_details,
    confirm_details,
    erase_details,
    partner_owner,
    payer_owner,
)
from payouts.payee_details import propose_details as propose_record
from payouts.payees import load_payees
from payouts.records import load_content
from payouts.selection import RAILS_WITH_DETAILS
from payouts.settlement.applying import confirm_sent, settle
from payouts.terms import Caps
from payouts.vault import open_vault
from tests.unit.payouts.payout_world import (
    APPROVALS,
    BEN,
    CALENDAR,
    CLOCK,
    DAN,
    NIGHT,
    RULES,
    PayDay,
    World,
    entry,
    kept,
)
from tests.unit.payouts.settlement.bank_files import Move, camt

KEY = base64.b64encode(hashlib.sha256(b"a test's key").digest()).decode()
GERMAN = "DE89370400440532013000"
DUTCH = "NL91ABNA0417164300"
BELGIAN = "BE68539007547034"
SEPA_RULES = replace(RULES, rails={"EUR": "sepa", "default": "csv"}, minimums_minor={})
MONDAY = date(2026, 3, 16)
PAYER = SepaPayer(name="Acme Inc", iban=BELGIAN, bic="", country="BE", town="Brussels")


def _approved(world: World, vault, owner: str, details, recorded_at: datetime = CLOCK):
    record = propose_record(
        world.store, vault, owner, details, actor=BEN, rules=APPROVALS, recorded_at=recorded_at
    )
    if record.confirmation_needed:
        confirm_details(
            world.store, owner, record.details_id, reason="called the number on file", actor=DAN,
            rules=APPROVALS, recorded_at=recorded_at,
        )  # fmt: skip
    return approve_details(
        world.store, owner, record.details_id, reason="checked", actor=DAN, rules=APPROVALS,
        cooling_off_days=SEPA_RULES.cooling_off_days, timezone="UTC", recorded_at=recorded_at,
    )  # fmt: skip


@pytest.fixture
def vault(tmp_path):
    return open_vault(tmp_path / "home", KEY)


@pytest.fixture
def world(tmp_path):
    """Two partners with 150.00 and 80.00 EUR available; p_1 has details, p_2 has none."""
    return kept(_two_partners).copy(tmp_path / "home")


def _two_partners(home):
    world, vault = World.create(home, "OFF"), open_vault(home, KEY)
    for partner_id in ("p_1", "p_2"):
        world.partner(partner_id, f"Agency {partner_id[-1]}")
        world.ready_payee(partner_id)
    _approved(world, vault, payer_owner("sepa"), PAYER)
    _approved(world, vault, partner_owner("p_1"), SepaDetails("Agentur Eins GmbH", GERMAN))
    world.desire(
        entry("il_1", 15000, currency_code="EUR"),
        entry("il_2", 8000, currency_code="EUR", partner_id="p_2"),
    )
    world.post()
    return world


def _left_out(world: World, batch_id: str) -> dict[str, str]:
    from payouts.records import show

    with world.store.read() as connection:
        return {left.partner_id: left.reason for left in show(connection, batch_id).left_out}


def _export(world: World, batch, vault, **options):
    # The pay date is a Sunday: the bank is asked to pay on the Monday after.
    arguments = {"rules": SEPA_RULES, "execution_date": MONDAY, **options}
    return world.export(batch, vault=vault, **arguments)


def test_rails_with_details_are_those_that_have_a_writer():
    from payouts.files.rails import RAILS, needs_details

    assert set(RAILS_WITH_DETAILS) == {rail for rail in RAILS if needs_details(rail)}


def test_partner_without_details_of_the_rail_is_left_out_with_that_reason(world):
    (batch,) = world.propose(rules=SEPA_RULES)
    assert (batch.rail, batch.items, batch.total_amount_minor) == ("sepa", 1, 15000)
    assert _left_out(world, batch.batch_id) == {"p_2": "payout_details"}


def test_sepa_batch_is_written_checked_and_exported_once(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    first = _export(world, batch, vault)
    content = first.file_path.read_bytes()
    assert GERMAN.encode() in content and b'<InstdAmt Ccy="EUR">150.00</InstdAmt>' in content
    assert oct(first.file_path.stat().st_mode & 0o777) == "0o600"
    first.file_path.unlink()
    again = _export(world, batch, vault)
    assert (again.is_new, again.file_path.read_bytes()) == (False, content)


def test_no_account_is_in_the_control_database_or_beside_the_file(world, vault, tmp_path):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    exported = _export(world, batch, vault)
    world.store.close()
    secrets = [text.encode() for text in (GERMAN, BELGIAN, GERMAN[4:], BELGIAN[4:])]
    for path in sorted((tmp_path / "home").rglob("*")):
        if path.is_file() and path != exported.file_path:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path.name


def test_export_without_the_vault_key_is_refused_and_leaves_nothing(world, tmp_path):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    with pytest.raises(ExportRefusedError, match="PARTNERLEDGER_VAULT_KEY"):
        _export(world, batch, None)
    wrong = base64.b64encode(hashlib.sha256(b"another key").digest()).decode()
    with pytest.raises(VaultError):
        _export(world, batch, open_vault(tmp_path / "home", wrong))
    assert world.state(batch) == "finance_approved"
    assert not list((tmp_path / "home" / "exports").rglob("*.xml"))


def test_changed_account_makes_an_approved_batch_stale(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    _approved(world, vault, partner_owner("p_1"), SepaDetails("Agentur Eins GmbH", DUTCH))
    with pytest.raises(BatchStaleError, match="payout details of partner p_1 have changed"):
        _export(world, batch, vault)
    assert world.state(batch) == "stale"


def test_changed_payer_account_makes_an_approved_batch_stale(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    _approved(world, vault, payer_owner("sepa"), replace(PAYER, iban=DUTCH))
    with pytest.raises(BatchStaleError, match="account to pay from by sepa has changed"):
        _export(world, batch, vault)


def test_new_account_cools_off_and_is_then_the_first_exception(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    with world.store.read() as connection:
        kinds = [each.kind for each in load_content(connection, batch.batch_id).exceptions]
    assert kinds == ["first_payment", "one_item_file"]
    world.approve_fully(batch)
    _export(world, batch, vault)
    _approved(world, vault, partner_owner("p_1"), SepaDetails("Agentur Eins GmbH", DUTCH))
    world.desire(entry("il_3", 9000, currency_code="EUR", available_date=date(2026, 3, 20)))
    night = date(2026, 3, 31)
    world.post(night)
    with world.store.read() as connection:
        until = load_payees(connection)["p_1"].cooling_off_until
    assert until == CLOCK.date() + timedelta(days=SEPA_RULES.cooling_off_days)
    (second,) = world.propose(as_of=night, rules=SEPA_RULES)
    with world.store.read() as connection:
        kinds = [each.kind for each in load_content(connection, second.batch_id).exceptions]
    assert kinds == ["new_details", "one_item_file"]


def test_export_after_erasing_says_whose_details_are_gone(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    exported = _export(world, batch, vault)
    erase_details(
        world.store, vault, "p_1", reason="left", actor=BEN, rules=APPROVALS, recorded_at=CLOCK
    )
    # What lies there is the same file still; without it nobody can write it again.
    assert not _export(world, batch, vault).is_new
    exported.file_path.unlink()
    with pytest.raises(DetailsMissingError, match="of partner p_1 were erased: .*a new batch"):
        _export(world, batch, vault)
    assert not exported.file_path.exists()


def test_dry_run_renders_checks_and_writes_nothing(world, vault, tmp_path):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*")
              if path.is_file() and "control.sqlite" not in path.name}  # fmt: skip
    preview = preview_export(
        world.store, world.home, batch.batch_id, warehouse=world.warehouse, as_of=NIGHT,
        rules=SEPA_RULES, approval_rules=APPROVALS, exported_at=CLOCK, vault=vault,
        execution_date=MONDAY,
    )  # fmt: skip
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*")
             if path.is_file() and "control.sqlite" not in path.name}  # fmt: skip
    assert (preview.items, preview.total_amount_minor) == (1, 15000)
    assert (after, world.state(batch)) == (before, "finance_approved")
    assert _export(world, batch, vault).file_sha256 == preview.files[0][2]


def test_cap_per_batch_is_an_exception_and_stops_the_export(world, vault):
    rules = replace(SEPA_RULES, caps=Caps(per_batch_minor={"EUR": 14999}))
    (batch,) = world.propose(rules=rules)
    with world.store.read() as connection:
        kinds = [each.kind for each in load_content(connection, batch.batch_id).exceptions]
    assert kinds[-1] == "over_cap"
    world.approve_fully(batch)
    with pytest.raises(ExportRefusedError, match="payouts.caps.per_batch"):
        _export(world, batch, vault, rules=rules)
    exact = replace(SEPA_RULES, caps=Caps(per_batch_minor={"EUR": 15000}))
    assert _export(world, batch, vault, rules=exact).is_new


@pytest.mark.parametrize(("cap_minor", "reason"), [(14999, "over_cap"), (15000, None)])
def test_cap_per_partner_leaves_out_above_it(world, cap_minor, reason):
    rules = replace(RULES, minimums_minor={}, caps=Caps(per_partner_minor={"EUR": cap_minor}))
    (batch,) = world.propose(rules=rules)
    assert _left_out(world, batch.batch_id).get("p_1") == reason


def test_rail_pays_on_its_own_business_day(world):
    # The programme pays on Sunday 2026-03-15; the bank does so on the Monday after.
    days = [PayDay(date(2026, 3, 16), date(2026, 2, 28))]
    (batch,) = world.propose(rules=SEPA_RULES, rail_calendars={"sepa": days})
    assert (batch.pay_date, batch.cutoff_date) == (date(2026, 3, 16), date(2026, 2, 28))


def test_pay_date_of_a_rail_can_be_named(world):
    days = [PayDay(date(2026, 3, 16), date(2026, 2, 28))]
    (batch,) = world.propose(
        rules=SEPA_RULES, rail_calendars={"sepa": days}, pay_date=date(2026, 3, 16)
    )
    assert batch.pay_date == date(2026, 3, 16)


def test_offset_share_nets_in_part_carries_and_takes_the_rest_later(world, vault):
    """150.00 are paid first; 120.00 of it is refunded, 100.00 earned: half of it is netted.

    Paid 50.00, carried 70.00. With 200.00 more earned, 70.00 are netted: 130.00.
    """
    rules = replace(RULES, minimums_minor={}, offset_share=Decimal("0.5"))
    first = entry("il_1", 15000, currency_code="EUR")
    (batch,) = world.propose(rules=rules)
    world.approve_fully(batch)
    world.export(batch, rules=rules)
    refund = entry(
        "il_1", -12000, entry_kind="refund", cause_id="re_1", currency_code="EUR",
        available_date=date(2026, 3, 5), reverses_entry_id=first["entry_id"],
    )  # fmt: skip
    world.desire(refund, entry("il_5", 10000, currency_code="EUR", available_date=date(2026, 3, 6)))
    march = date(2026, 3, 31)
    world.post(march)
    (second,) = world.propose(as_of=march, rules=rules)
    with world.store.read() as connection:
        (item,) = load_content(connection, second.batch_id).items
    assert (item.amount_minor, item.carried_amount_minor, item.entries) == (5000, -7000, 2)
    world.approve_fully(second)
    world.export(second, rules=rules, as_of=march)
    world.desire(entry("il_6", 20000, currency_code="EUR", available_date=date(2026, 4, 6)))
    april = date(2026, 4, 30)
    world.post(april)
    calendar = [*CALENDAR, PayDay(date(2026, 5, 15), april)]
    (third,) = world.propose(as_of=april, rules=rules, calendar=calendar)
    with world.store.read() as connection:
        (item,) = load_content(connection, third.batch_id).items
    assert (item.amount_minor, item.carried_amount_minor) == (13000, 0)
    from payouts.verify import verify

    assert [each for each in verify(world.home, store=world.store) if not each.ok] == []


def _statement_of(iban: str, world: World, batch) -> bytes:
    with world.store.read() as connection:
        (item,) = load_content(connection, batch.batch_id).items
    move = Move(item.payout_id.replace("-", ""), "150.00", day="2026-03-16", currency="EUR")
    account = f"<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>".encode()
    return camt([move]).replace(b"<Stmt><Id>1</Id>", b"<Stmt><Id>1</Id>" + account)


def _settled(world: World, content: bytes):
    return settle(
        world.store, world.home, content, "statement.xml", actor=BEN, rules=APPROVALS,
        timezone="UTC", read_at=datetime(2026, 3, 17, 8),
    )  # fmt: skip


def test_statement_of_another_account_settles_nothing(world, vault):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    _export(world, batch, vault)
    foreign = _settled(world, _statement_of(DUTCH, world, batch))
    assert [each.kind for each in foreign.discrepancies] == ["other_account"]
    assert DUTCH not in foreign.discrepancies[0].detail
    assert world.state(batch) == "exported"
    assert _settled(world, _statement_of(BELGIAN, world, batch)).discrepancies == ()
    assert world.state(batch) == "closed"


@pytest.mark.parametrize("reference", [f"UPLOAD {GERMAN}", f"{GERMAN[:4]} {GERMAN[4:]}", GERMAN])
def test_reference_of_an_upload_holds_no_account(world, vault, reference):
    (batch,) = world.propose(rules=SEPA_RULES)
    world.approve_fully(batch)
    _export(world, batch, vault)
    with pytest.raises(DecisionRefusedError, match="account number"):
        confirm_sent(
            world.store, batch.batch_id, reference=reference, actor=BEN, rules=APPROVALS,
            recorded_at=CLOCK,
        )  # fmt: skip
