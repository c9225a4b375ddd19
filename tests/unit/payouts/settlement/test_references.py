"""Finding payouts by what real payment files hold: message ids, payment ids and traces."""

from __future__ import annotations

import pytest
from bank_files import batch_entry, end_to_end, nacha, nacha_notice, nacha_return, statement
from sqlalchemy import insert

from payouts.hashing import sha256_bytes
from payouts.schema import export_files

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
    return exported


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
