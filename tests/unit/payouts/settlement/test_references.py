"""Finding payouts by what real payment files hold: message ids, payment ids and traces."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from bank_files import (
    batch_entry,
    end_to_end,
    nacha,
    nacha_notice,
    nacha_return,
    statement,
    status_csv,
)
from sqlalchemy import insert

from payouts.files import wise
from payouts.files.references import reference
from payouts.hashing import sha256_bytes
from payouts.outcomes import all_item_states
from payouts.schema import export_files
from payouts.settlement.planning import Situation, plan_outcomes
from payouts.settlement.reading import read_outcomes
from payouts.settlement.references import References

PAIN001 = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
    "<GrpHdr><MsgId>MSG-9</MsgId></GrpHdr>"
    "<PmtInf><PmtInfId>PMT-A</PmtInfId>{first}</PmtInf>"
    "<PmtInf><PmtInfId>PMT-B</PmtInfId>{second}</PmtInf></CstmrCdtTrfInitn></Document>"
)


def _add_file(exported, name: str, content: bytes) -> None:
    """Register a second file of the batch, as a rail with several parts does."""
    path = f"exports/{exported.batch.batch_id}/{name}"
    (exported.home / path).write_bytes(content)
    with exported.store.write() as connection:
        connection.execute(
            insert(export_files).values(
                batch_id=exported.batch.batch_id, part=2, file_path=path,
                file_sha256=sha256_bytes(content), file_bytes=len(content), items=3,
                total_amount_minor=0,
            )
        )  # fmt: skip


def _transfers(*payout_ids: str) -> str:
    return "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{end_to_end(each)}</EndToEndId></PmtId></CdtTrfTxInf>"
        for each in payout_ids
    )


@pytest.fixture
def sepa(exported):
    """The batch with a SEPA file of two payments: p_1 and p_2, and p_3."""
    ids = exported.payouts
    content = PAIN001.format(
        first=_transfers(ids["p_1"], ids["p_2"]), second=_transfers(ids["p_3"])
    )
    _add_file(exported, "sepa.xml", content.encode())
    return exported


@pytest.mark.parametrize(
    ("key", "amount", "settled"),
    [
        ("PMT-A", "220.00", {"p_1", "p_2"}),
        ("PMT-B", "60.00", {"p_3"}),
        ("MSG-9", "280.00", {"p_1", "p_2", "p_3"}),
    ],
)
def test_booking_of_one_payment_settles_its_payouts(sepa, key, amount, settled):
    result = sepa.read(statement(batch_entry(key, amount)))
    assert result.discrepancies == ()
    assert {who for who, state in sepa.states().items() if state == "settled"} == settled


def test_file_that_was_changed_finds_nobody(sepa):
    path = sepa.home / "exports" / sepa.batch.batch_id / "sepa.xml"
    path.write_bytes(path.read_bytes().replace(b"PMT-A", b"PMT-X"))
    result = sepa.read(statement(batch_entry("PMT-X", "220.00")))
    assert (result.unrelated, result.outcomes) == (1, {})


def _nacha_entry(payout_id: str, cents: int, trace: str) -> str:
    individual_id = payout_id.replace("-", "")[:15]
    return f"622091400606{'1':<17}{cents:010}{individual_id:<15}{'JANE':<22}  0{trace}"


@pytest.fixture
def ach(exported):
    """The batch with a NACHA file; its traces are 091000010000001 to …003."""
    lines = ["101 091400606 0910000012603160306A094101".ljust(94)]
    lines += [
        _nacha_entry(exported.payouts[who], cents, f"09100001000000{number}")
        for number, (who, cents) in enumerate(
            (("p_1", 15000), ("p_2", 7000), ("p_3", 6000)), start=1
        )
    ]
    _add_file(exported, "payouts.ach", "\n".join(lines).encode())
    return exported.goes_out_by("nacha")


def test_return_that_lost_our_id_is_found_by_trace(ach):
    content = nacha([nacha_return("", 7000, "R02", "091000010000002")])
    assert ach.read(content).outcomes == {"returned": 1}
    assert ach.states()["p_2"] == "returned"


def test_notice_is_found_by_trace(ach):
    content = nacha([nacha_notice("location #23", "C02", "091000010000003")], "COR")
    assert ach.read(content).asked_partners == ("p_3",)


def test_trace_of_another_file_is_reported(ach):
    content = nacha([nacha_return("", 7000, "R02", "091000019999999")])
    assert [each.kind for each in ach.read(content).discrepancies] == ["unknown_payout"]


def _wise(*references: str) -> bytes:
    """A file as the Wise writer makes it, with these payment references."""
    header = ",".join(wise.COLUMNS)
    rows = [f"148149706,Quill Ltd,,,EUR,USD,target,1.00,{each},PRIVATE" for each in references]
    return "\n".join([header, *rows, ""]).encode()


def _short(payout_id: str) -> str:
    return reference("wise", payout_id)


@pytest.fixture
def by_wise(exported):
    """The batch with a Wise file: each payment is called by the first ten digits of its payout."""
    _add_file(exported, "wise.csv", _wise(*(_short(each) for each in exported.payouts.values())))
    return exported


def _row(key: str, cents: int = 15000):
    return (key, "settled", cents, "USD", "2026-03-17", "", "TRANSFER-1")


def _kinds(result) -> list[str]:
    return [each.kind for each in result.discrepancies]


@pytest.mark.parametrize("change", [str, str.upper, " {} ".format])
def test_short_reference_of_a_wise_file_is_found(by_wise, change):
    content = status_csv(_row(change(_short(by_wise.payouts["p_1"]))))
    result = by_wise.read(content, "wise-report.csv")
    assert (result.outcomes, result.discrepancies) == ({"settled": 1}, ())
    assert by_wise.states()["p_1"] == "settled"
    assert by_wise.read(content, "wise-report.csv").known == 1


def test_reference_and_full_id_in_one_file_are_one_payout(by_wise):
    payout = by_wise.payouts["p_1"]
    content = status_csv(_row(payout), _row(_short(payout)))
    assert _kinds(by_wise.read(content, "wise-report.csv")) == ["booked_twice"]


def test_short_reference_with_another_amount_is_not_applied(by_wise):
    content = status_csv(_row(_short(by_wise.payouts["p_1"]), 14999))
    assert _kinds(by_wise.read(content, "wise-report.csv")) == ["amount_differs"]


@pytest.mark.parametrize("key", ["0123456789", "p_1", "wise 1"])
def test_reference_that_no_exported_file_carried_is_reported(by_wise, key):
    assert _kinds(by_wise.read(status_csv(_row(key)), "wise-report.csv")) == ["unknown_payout"]


def test_beginning_of_an_id_that_no_file_carried_finds_nobody(exported):
    """The export is csv: it carried full ids."""
    content = status_csv(_row(_short(exported.payouts["p_1"])))
    assert _kinds(exported.read(content, "status.csv")) == ["unknown_payout"]


def test_wise_file_that_was_changed_finds_nobody(by_wise):
    path = by_wise.home / "exports" / by_wise.batch.batch_id / "wise.csv"
    path.write_bytes(path.read_bytes().replace(b"1.00", b"2.00"))
    content = status_csv(_row(_short(by_wise.payouts["p_1"])))
    assert _kinds(by_wise.read(content, "wise-report.csv")) == ["unknown_payout"]


def test_reference_of_several_payouts_names_them_and_settles_none(by_wise):
    """Of two payouts with one reference, the one that is open must not take the other's news: a
    file that is read again would settle it."""
    first, second = (by_wise.payouts[who] for who in ("p_1", "p_2"))
    with by_wise.store.read() as connection:
        items = all_item_states(connection)
    items = {
        key: replace(item, amount_minor=15000, state="settled" if key == first else "sent")
        for key, item in items.items()
    }
    (outcome,) = read_outcomes(status_csv(_row("abcdef0123")), "wise-report.csv")[1]
    assert outcome.key_kind == "reference"
    situation = Situation(
        items=items,
        references=References({}, {}, by_reference={"abcdef0123": (first, second)}),
        cutoff_dates={}, last_days={}, file_format="status_csv", read_on=date(2026, 3, 20),
    )  # fmt: skip
    plan = plan_outcomes([outcome], situation)
    (found,) = plan.discrepancies
    assert (found.kind, plan.applied) == ("several_payouts", [])
    assert f"does not tell which: {first}, {second}" in found.detail
