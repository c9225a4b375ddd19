"""T36, T38 and T35: a quarter of nights, worked out by hand in `quarter.md`, to the cent.

People decide by the command line; refunds before and after a payout, a lost chargeback, a payment
that failed, a dispute that is upheld in part. At the end every statement, balance, item and account
is the one of the page, and no account number or legal name stands anywhere but in payout files.
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from canary_scan import texts_of_home
from quarter import (
    ACCOUNTS,
    NEW_ACCOUNTS,
    PILOT_OFF,
    PILOT_ON,
    PROGRAM,
    addresses,
    canaries,
    write_quarter_workspace,
)
from quarter_office import ANA, BEN, VAULT_KEY, Office, minor, tables
from quarter_story import CUTOFFS, april, february, first_payout, january, march

from orchestration import phases
from orchestration.defs.export import payout_batch_export
from orchestration.defs.resources import HomeResource
from orchestration.in_process import home_instance
from tests.compiled import run_compiled_night

pytestmark = pytest.mark.e2e

BY_HAND = tables(Path(__file__).with_name("quarter.md"))
PAYOUT_FILE = r"exports/[^/]+/(nacha|sepa)[^/]*"
# Landed, and in the private working file before anything is computed for readers.
FACTS = r"landing/.*|warehouse/[^ ]+( (raw|staging|intermediate)\..*)?"
# Who may sign in: one table of the control database, and its file, read as bytes.
DIRECTORY = r"control\.sqlite(-wal)?( portal_addresses)?"


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    """The quarter after its last night. `before_payouts` is its home as of 31 January."""
    root = tmp_path_factory.mktemp("quarter")
    office = Office(write_quarter_workspace(root / "workspace"), root / "var")
    with office.clock():
        january(office)
        shutil.copytree(office.home, root / "before_payouts")
        failed = first_payout(office)
        february(office, failed)
        march(office)
        april(office)
        yield office


def _minor(row: dict[str, str], *names: str) -> tuple[int, ...]:
    return tuple(minor(row[name]) for name in names)


def test_every_statement_is_the_one_worked_out_by_hand(office):
    found, expected = {}, {}
    names = ("opening", "earned", "taken back", "adjusted", "paid", "returned", "closing")
    keys = ("opening", "earned", "taken_back", "adjustments", "paid", "returned", "closing")
    for row in BY_HAND["partner month opening"]:
        key = row["partner"], row["month"]
        expected[key] = _minor(row, *names)
        said = office.records("statement", row["partner"], "--period", row["month"])
        (currency,) = said["currencies"]
        found[key] = tuple(currency[f"{each}_amount_minor"] for each in keys)
        assert sum(expected[key][:-1]) == expected[key][-1]
    assert found == expected


def test_balances_accounts_and_items_are_those_worked_out_by_hand(office):
    names = ("earned", "reversed", "paid", "balance", "on hold", "available", "in batch")
    columns = ", ".join(f"{name.replace(' ', '_')}_amount_minor" for name in names)
    by_hand = {row["partner"]: _minor(row, *names) for row in BY_HAND["partner earned reversed"]}
    balances = office.rows(f"select partner_id, {columns} from marts.fct_partner_balances")
    assert {row[0]: row[1:] for row in balances} == by_hand
    for partner_id in by_hand:
        (told,) = office.records("balance", partner_id)["balances"]
        assert told["balance_amount_minor"] == by_hand[partner_id][3]

    accounts = office.rows(
        "select account, currency_code, sum(signed_amount_minor)::bigint "
        "from marts.fct_journal_lines group by all",
    )
    assert {row[:2]: row[2] for row in accounts} == {
        (row["account"], currency): minor(row[currency])
        for row in BY_HAND["account USD EUR"]
        for currency in ("USD", "EUR")
    }

    items = office.rows(
        "select cutoff_date::varchar, items.currency_code, items.rail, pay_date::varchar, "
        "partner_id, amount_minor, carried_amount_minor, "
        "trim(items.state || ' ' || coalesce(settled_date::varchar, '')) "
        "from marts.fct_payout_items as items join marts.fct_payout_batches using (batch_id) "
        "where left_out_reason is null",
    )
    by_hand = [
        (row["cut-off"], row["currency"], row["rail"], row["pay date"], row["partner"],
         minor(row["amount"]), minor(row["carried"]), row["outcome"])
        for row in BY_HAND["cut-off currency rail"]
    ]  # fmt: skip
    assert sorted(items) == sorted(by_hand)


def test_batches_are_closed_and_their_exceptions_are_those_of_the_page(office):
    states = office.rows("select distinct state from marts.fct_payout_batches")
    assert states == [("closed",)]
    found = office.rows(
        "select cutoff_date::varchar, currency_code, kind, partner_id "
        "from marts.fct_batch_exceptions join marts.fct_payout_batches using (batch_id)",
    )
    assert sorted(found) == sorted(tuple(row.values()) for row in BY_HAND["cut-off currency what"])
    for batch in office.records("batches", "list"):
        match = office.records("batches", "match", batch["batch_id"])
        assert match["is_matched"], match["reasons"]


def test_dispute_ended_with_its_adjustment(office):
    (dispute,) = office.rows(
        "select partner_id, subject_type, state, opened_by_role, adjustment_id is not null, "
        "is_overdue from marts.fct_commission_disputes",
    )
    assert dispute == ("p1", "line", "partly_upheld", "partner", True, False)
    (line,) = office.rows(
        "select status, payout_amount_minor from marts.fct_commission_lines "
        "where source_id = 'i12-1' and kind = 'earning'",
    )
    assert line == ("paid", 3000)


def test_pilot_pays_its_partners_alone(office, tmp_path):
    before = office.home.with_name("before_payouts")
    pilot = Office(office.workspace, shutil.copytree(before, tmp_path / "var"))
    program = tmp_path / "pilot"
    program.mkdir()
    (program / "program.yml").write_text(PROGRAM.replace(PILOT_OFF, PILOT_ON), encoding="utf-8")
    shutil.copy(office.workspace / "sources.yml", program)
    for batch in pilot.records("batches", "list"):
        pilot.run("batches", "reject", batch["batch_id"], "--reason", "pilot first", who=BEN)
    proposed = pilot.records(
        "batches", "propose", "--pay-date", "2026-02-16", who=ANA, program=program
    )
    assert {batch["currency_code"]: batch["total_amount_minor"] for batch in proposed} == {
        "USD": 3000,
        "EUR": 12000,
    }
    for currency, left_out in (("USD", "p2"), ("EUR", "p4")):
        batch = pilot.batch(CUTOFFS[0], currency)
        assert [(left["partner_id"], left["reason"]) for left in batch["left_out"]] == [
            (left_out, "pilot")
        ]


def test_repeated_night_posts_nothing_and_leaves_no_account_anywhere(office, monkeypatch):
    """By Dagster, which exports a batch once more as well: what it stores is searched too."""
    before = office.rows("from marts.fct_commission_entries order by all")
    again = run_compiled_night(
        office.workspace, office.home, date(2026, 4, 17), lambda: office.now, phases.PHASES
    )
    assert (again.posted_rows, again.batches) == (0, ())
    assert office.rows("from marts.fct_commission_entries order by all") == before
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", VAULT_KEY)
    assert _export_through_dagster(office, office.batch(CUTOFFS[2], "EUR")["batch_id"]) is False
    office.run("verify")
    _assert_no_account_outside_of_payout_files(office.home)


def _export_through_dagster(office: Office, batch_id: str) -> bool:
    """Whether the export was a new one."""
    instance = home_instance(office.home)
    home = HomeResource(workspace_path=str(office.workspace), home=str(office.home))
    try:
        result = dg.materialize(
            [payout_batch_export],
            resources={"home": home},
            run_config={"ops": {"payout_batch_export": {"config": {"batch_id": batch_id}}}},
            instance=instance,
        )
    finally:
        instance.dispose()
    (event,) = result.asset_materializations_for_node("payout_batch_export")
    return event.metadata["is_new"].value


def _assert_no_account_outside_of_payout_files(home: Path) -> None:
    """T35. A partner's address stands among the facts of its source and where it signs in by."""
    of_accounts, of_addresses = canaries(), addresses()
    found: dict[str, set[str]] = {canary: set() for canary in (*of_accounts, *of_addresses)}
    searched = set()
    for where, text in texts_of_home(home):
        searched.add(where)
        lowered = text.lower()
        for canary, places in found.items():
            if canary.lower() in lowered:
                places.add(where)
    for canary in of_accounts:
        assert all(re.fullmatch(PAYOUT_FILE, where) for where in found[canary]), found[canary]
    # The search works: what was paid is in the files, and nothing else of a home was missed.
    paid = [account.secrets for account in (*ACCOUNTS.values(), *NEW_ACCOUNTS.values())]
    assert all(found[secret] for secrets in paid for secret in secrets)
    assert {"control.sqlite events", "vault.sqlite", "logs/dagster.log"} <= searched
    for kind in ("warehouse/", "serving/", "journal/", "batches/", "dagster/", "landing/"):
        assert any(where.startswith(kind) for where in searched), kind
    for address in of_addresses:
        allowed = f"{FACTS}|{DIRECTORY}"
        assert all(re.fullmatch(allowed, where) for where in found[address]), found[address]
