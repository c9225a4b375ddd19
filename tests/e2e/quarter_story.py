"""What people do in the quarter, month by month, and what each night must propose.

What does not belong here: where it must end (`test_quarter`), and the machinery (`quarter_office`).
"""

from __future__ import annotations

from quarter import ACCOUNTS, NEW_ACCOUNTS, PAYERS, Account, deliver
from quarter_office import ANA, BEN, CLEO, Office, payout_of

from bank_files import Move, batch_entry, camt, end_to_end, pain002, statement, status_csv  # isort: skip

CUTOFFS = ("2026-01-31", "2026-02-28", "2026-03-31")


def january(office: Office) -> None:
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


def first_payout(office: Office) -> str:
    """Di's bank rejects the payment; everybody else is paid. Di's payout."""
    office.on("2026-02-06")
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


def february(office: Office, failed: str) -> None:
    """Di gets new details, Ann disputes a line, Cy's customer gets a payment back."""
    _change_account(office, "p4", "2026-02-19")
    office.on("2026-02-20")
    opened = office.records(
        "dispute", "open", "line", _line(office, "p1", "i12-1"),
        "--text", "the invoice was larger", who=ANA,
    )  # fmt: skip
    assert opened["stale_batches"] == []
    deliver(office.workspace, "2026-02")
    _, batches = office.night(CUTOFFS[1])
    assert {batch.currency_code: batch.total_amount_minor for batch in batches} == {
        "USD": 4800,
        "EUR": 15000,
    }
    states = office.rows(
        "select state, reason_code, settled_date from marts.fct_payout_items "
        f"where payout_id = '{failed}'",
    )
    assert states == [("failed", "AC04", None)]
    assert office.rows(
        "select partner_id, sum(payout_amount_minor)::bigint from marts.fct_entry_holds join "
        "marts.fct_commission_entries using (entry_id) group by all order by all",
    ) == [("p1", 3000), ("p2", 6000)]


def march(office: Office) -> None:
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


def april(office: Office) -> None:
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
