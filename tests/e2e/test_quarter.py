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
    PAYERS,
    PILOT_OFF,
    PILOT_ON,
    PROGRAM,
    Account,
    addresses,
    canaries,
    deliver,
    write_quarter_workspace,
)
from quarter_office import ANA, BEN, CLEO, VAULT_KEY, Office, minor, payout_of, tables

from dashboards.snapshot import open_snapshot
from orchestration.defs.export import payout_batch_export
from orchestration.defs.resources import HomeResource
from orchestration.in_process import home_instance
from tests.compiled import run_compiled_night

from bank_files import Move, batch_entry, camt, end_to_end, pain002, statement, status_csv  # isort: skip

pytestmark = pytest.mark.e2e

BY_HAND = tables(Path(__file__).with_name("quarter.md"))
PAYOUT_FILE = r"exports/[^/]+/(nacha|sepa)[^/]*"
# Landed, and in the private working file before anything is computed for readers.
FACTS = r"landing/.*|warehouse/[^ ]+( (raw|staging|intermediate)\..*)?"
CUTOFFS = ("2026-01-31", "2026-02-28", "2026-03-31")


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    """The quarter after its last night. `before_payouts` is its home as of 31 January."""
    root = tmp_path_factory.mktemp("quarter")
    office = Office(write_quarter_workspace(root / "workspace"), root / "var")
    with office.clock():
        _january(office)
        shutil.copytree(office.home, root / "before_payouts")
        failed = _first_payout(office)
        _february(office, failed)
        _march(office)
        _april(office)
        yield office


def _january(office: Office) -> None:
    """Everybody is onboarded after the first night; the end of the month is the first cut-off."""
    deliver(office.workspace, "2026-01")
    assert office.night("2026-01-20")[1] == []
    office.on("2026-01-21")
    for rail, account in PAYERS.items():
        file = office.file("payer.json", account.text())
        proposed = office.records("payee", "payer", "set", "--rail", rail, "--file", file, who=ANA)
        (found,) = proposed
        office.run(
            "payee", "payer", "approve", rail, "--details", found["details_id"],
            "--reason", "bank letter", who=BEN,
        )  # fmt: skip
    for partner_id, account in ACCOUNTS.items():
        details_id = _propose_details(office, partner_id, account)
        office.run(
            "payee", "details", "approve", partner_id, "--details", details_id,
            "--reason", "compared with the contract", who=BEN,
        )  # fmt: skip
        office.run("payee", "record", partner_id, "--terms-accepted", "--tax-form", "--screening",
                   "--reason", "contract", who=ANA)  # fmt: skip
    posted, batches = office.night("2026-01-31")
    assert posted.rows == 1  # i13 alone; all else was there on the 20th
    assert {batch.currency_code: batch.total_amount_minor for batch in batches} == {
        "USD": 3000,
        "EUR": 20000,
    }


def _change_account(office: Office, partner_id: str, approved_on: str) -> None:
    """Three people: proposed, confirmed by a call, approved."""
    details_id = _propose_details(office, partner_id, NEW_ACCOUNTS[partner_id])
    about = (partner_id, "--details", details_id, "--reason", "called the number of 2025")
    office.run("payee", "details", "confirm", *about, who=BEN)
    office.on(approved_on)
    office.run("payee", "details", "approve", *about, who=CLEO)


def _propose_details(office: Office, partner_id: str, account: Account) -> str:
    file = office.file("details.json", account.text())
    (proposed,) = office.records(
        "payee", "details", "set", partner_id, "--rail", account.rail, "--file", file, who=ANA
    )
    return proposed["details_id"]


def _first_payout(office: Office) -> str:
    """Di's bank rejects the payment; everybody else is paid. Di's payout."""
    office.on("2026-02-12")
    dollars = office.pay(CUTOFFS[0], "USD")
    euros = office.pay(CUTOFFS[0], "EUR")
    assert [(left["partner_id"], left["reason"]) for left in dollars["left_out"]] == [
        ("p2", "below_minimum")
    ]
    office.on("2026-02-18")
    office.settle(
        "status.csv",
        status_csv((dollars["batch_id"], "settled", 3000, "USD", "2026-02-17", "", "STMT 1")),
    )
    paid, failed = payout_of(euros, "p3"), payout_of(euros, "p4")
    report = [(end_to_end(paid), "ACSP", ""), (end_to_end(failed), "RJCT", "AC04")]
    found = office.settle("pain002.xml", pain002(report, group="PART"))
    assert found["returned_amount_minor"] == {"EUR": 8000}
    assert found["asked_partners"] == ["p4"]
    move = Move(end_to_end(paid), "120.00", day="2026-02-16", currency="EUR")
    (batch,) = office.settle("camt053.xml", camt([move]))["batches"]
    assert batch["state"] == "closed"
    return failed


def _february(office: Office, failed: str) -> None:
    """Di gets new details, Ann disputes a line, Cy's customer gets a payment back."""
    _change_account(office, "p4", "2026-02-19")
    deliver(office.workspace, "2026-02")
    assert office.night("2026-02-20")[1] == []
    assert _rows(office, "select state, reason_code, settled_date from marts.fct_payout_items "
                         f"where payout_id = '{failed}'") == [("failed", "AC04", None)]  # fmt: skip

    office.on("2026-02-20")
    opened = office.records(
        "dispute", "open", "line", _line(office, "p1", "i12-1"),
        "--text", "the invoice was larger", who=ANA,
    )  # fmt: skip
    assert opened["stale_batches"] == []
    _, batches = office.night("2026-02-28")
    assert {batch.currency_code: batch.total_amount_minor for batch in batches} == {
        "USD": 4800,
        "EUR": 15000,
    }
    assert _rows(
        office,
        "select partner_id, sum(payout_amount_minor)::bigint from marts.fct_entry_holds join "
        "marts.fct_commission_entries using (entry_id) group by all order by all",
    ) == [("p1", 3000), ("p2", 6000)]


def _march(office: Office) -> None:
    """The second payout; the dispute is decided, and what follows from it approved."""
    office.on("2026-03-03")
    dollars, euros = (office.pay(CUTOFFS[1], code) for code in ("USD", "EUR"))
    office.on("2026-03-09")
    (dispute,) = office.records("dispute", "list")
    office.run("dispute", "review", dispute["dispute_id"], "--reason", "asked billing", who=BEN)
    decided = office.records(
        "dispute", "decide", dispute["dispute_id"], "--outcome", "partly_upheld",
        "--amount", "5.50", "--reason", "one seat was missing", who=BEN,
    )  # fmt: skip
    office.on("2026-03-10")
    office.run(
        "adjust", "approve", decided["adjustment_id"], "--reason", "checked with billing", who=CLEO
    )
    office.on("2026-03-17")
    rows = [
        (payout_of(dollars, partner), "settled", amount, "USD", "2026-03-16", "", "STMT 2")
        for partner, amount in (("p1", 1600), ("p2", 3200))
    ]
    office.settle("status-march.csv", status_csv(*rows))
    moves = [
        Move(end_to_end(payout_of(euros, partner)), amount, day="2026-03-16", currency="EUR")
        for partner, amount in (("p3", "50.00"), ("p4", "100.00"))
    ]
    office.settle("camt054.xml", camt(moves, kind="054"))
    _change_account(office, "p2", "2026-03-18")
    deliver(office.workspace, "2026-03")
    _, batches = office.night(CUTOFFS[2])
    assert {batch.currency_code: batch.total_amount_minor for batch in batches} == {
        "USD": 8350,
        "EUR": 3600,
    }


def _april(office: Office) -> None:
    """The third payout, which the bank books in one sum; the last night, and once more."""
    office.on("2026-04-07")
    dollars, euros = (office.pay(CUTOFFS[2], code) for code in ("USD", "EUR"))
    office.on("2026-04-16")
    office.settle(
        "status-april.csv",
        status_csv((dollars["batch_id"], "settled", 8350, "USD", "2026-04-15", "", "STMT 3")),
    )
    (file,) = (office.home / "exports" / euros["batch_id"]).glob("*.xml")
    message_id = file.read_text().partition("<PmtInfId>")[2].partition("<")[0]
    booked = batch_entry(message_id, "36.00", day="2026-04-15", currency="EUR")
    office.settle("camt053-april.xml", statement(booked))
    posted, batches = office.night("2026-04-17")
    assert (posted.rows, batches) == (0, [])


def _line(office: Office, partner_id: str, source_id: str) -> str:
    """The commission id of a line, as people find it."""
    (entry,) = [
        each
        for each in office.records("balance", partner_id)["entries"]
        if (each["entry_kind"], each["source_id"]) == ("earning", source_id)
    ]
    return office.records("explain", entry["entry_id"])["entry"]["commission_id"]


def _rows(office: Office, sql: str) -> list[tuple]:
    with open_snapshot(office.home) as snapshot:
        return snapshot.execute(sql).fetchall()


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
    balances = _rows(office, f"select partner_id, {columns} from marts.fct_partner_balances")
    assert {row[0]: row[1:] for row in balances} == by_hand
    for partner_id in by_hand:
        (told,) = office.records("balance", partner_id)["balances"]
        assert told["balance_amount_minor"] == by_hand[partner_id][3]

    accounts = _rows(
        office,
        "select account, currency_code, sum(signed_amount_minor)::bigint "
        "from marts.fct_journal_lines group by all",
    )
    assert {row[:2]: row[2] for row in accounts} == {
        (row["account"], currency): minor(row[currency])
        for row in BY_HAND["account USD EUR"]
        for currency in ("USD", "EUR")
    }

    items = _rows(
        office,
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
    states = _rows(office, "select distinct state from marts.fct_payout_batches")
    assert states == [("closed",)]
    found = _rows(
        office,
        "select cutoff_date::varchar, currency_code, kind, partner_id "
        "from marts.fct_batch_exceptions join marts.fct_payout_batches using (batch_id)",
    )
    assert sorted(found) == sorted(tuple(row.values()) for row in BY_HAND["cut-off currency what"])
    for batch in office.records("batches", "list"):
        match = office.records("batches", "match", batch["batch_id"])
        assert match["is_matched"], match["reasons"]


def test_dispute_ended_with_its_adjustment(office):
    (dispute,) = _rows(
        office,
        "select partner_id, subject_type, state, opened_by_role, adjustment_id is not null, "
        "is_overdue from marts.fct_commission_disputes",
    )
    assert dispute == ("p1", "line", "partly_upheld", "partner", True, False)
    (line,) = _rows(
        office,
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
    before = _rows(office, "from marts.fct_commission_entries order by all")
    again = run_compiled_night(
        office.workspace, office.home, date(2026, 4, 17), clock=lambda: office.now
    )
    assert (again.posted_rows, again.batches) == (0, ())
    assert _rows(office, "from marts.fct_commission_entries order by all") == before
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
    """T35. A partner's address stands among the facts that its source delivered, and nowhere else."""
    texts = dict(texts_of_home(home))
    of_accounts, of_addresses = canaries(), addresses()
    found = {
        canary: {where for where, text in texts.items() if canary.lower() in text.lower()}
        for canary in (*of_accounts, *of_addresses)
    }
    for canary in of_accounts:
        assert all(re.fullmatch(PAYOUT_FILE, where) for where in found[canary]), found[canary]
    # The search works: what was paid is in the files, and nothing else of a home was missed.
    paid = [account.secrets for account in (*ACCOUNTS.values(), *NEW_ACCOUNTS.values())]
    assert all(found[secret] for secrets in paid for secret in secrets)
    assert {"control.sqlite events", "vault.sqlite", "logs/dagster.log"} <= texts.keys()
    for kind in ("warehouse/", "serving/", "journal/", "batches/", "dagster/", "landing/"):
        assert any(where.startswith(kind) for where in texts), kind
    for address in of_addresses:
        assert all(re.fullmatch(FACTS, where) for where in found[address]), found[address]
