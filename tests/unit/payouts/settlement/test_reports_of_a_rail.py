"""Which batch a provider's file may be about, and what a report on a whole file must agree with."""

from __future__ import annotations

import pytest
from bank_files import (
    Move,
    batch_entry,
    camt,
    end_to_end,
    nacha,
    nacha_notice,
    nacha_return,
    pain002,
    paypal,
    statement,
    status_csv,
)
from payout_world import CAT
from settled_world import READ

from payouts.errors import SettlementFileError
from payouts.settlement.open_lines import open_lines
from payouts.settlement.outcome import clean_code, clean_reference, iso_day, minor_units


def _kinds(result) -> list[str]:
    return [each.kind for each in result.discrepancies]


# Another rail -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        lambda key: pain002([(key, "RJCT", "AC01")]),
        lambda key: pain002([(key, "ACSC", "")]),
        lambda key: nacha([nacha_return(key, 7000, "R03")]),
        lambda key: nacha([nacha_notice(key)]),
        lambda key: paypal((key, "FAILED", "70.00", "USD", "2026-03-17", "")),
    ],
)
def test_report_of_another_rail_changes_nothing(exported, build):
    result = exported.read(build(end_to_end(exported.payouts["p_2"])))
    assert (_kinds(result), result.outcomes) == (["other_rail"], {})
    assert f"batch {exported.batch.batch_id} goes out by csv" in result.discrepancies[0].detail
    assert exported.state() == "exported"
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    with exported.store.read() as connection:
        assert [line.kind for line in open_lines(connection)] == ["other_rail"]
    assert exported.broken() == []


def test_status_of_a_whole_file_of_another_rail_gives_nothing_back(exported):
    result = exported.read(pain002(group="RJCT", message_id=exported.batch.batch_id))
    assert (_kinds(result), result.outcomes) == (["other_rail"], {})
    assert result.discrepancies[0].batch_id == exported.batch.batch_id
    assert not exported.match().is_matched


@pytest.mark.parametrize("rail", ["csv", "sepa", "nacha", "paypal", "wise"])
def test_statements_and_status_csvs_tell_of_any_rail(exported, rail):
    exported.goes_out_by(rail).sent(actor=CAT)
    key = exported.payouts["p_2"]
    assert exported.read(camt([Move(end_to_end(key), "70.00")])).outcomes == {"settled": 1}
    row = (exported.payouts["p_3"], "failed", 6000, "USD", "2026-03-17", "", "")
    assert exported.read(status_csv(row), "status.csv").outcomes == {"failed": 1}


# An item that nobody recognises ------------------------------------------------------------------


@pytest.mark.parametrize("key", ["0000", "9" * 12])
@pytest.mark.parametrize("status", ["ACSC", "ACSP", "RJCT"])
def test_item_that_is_not_recognised_is_not_overruled_by_its_payment(exported, key, status):
    exported.goes_out_by("sepa")
    batch_id = exported.batch.batch_id
    content = pain002(
        [(key, "RJCT", "AC04")], group="PART", payment=status, message_id=batch_id,
        payment_id=batch_id,
    )  # fmt: skip
    result = exported.read(content)
    assert (_kinds(result), result.outcomes) == (["unknown_payout", "total_differs"], {})
    assert {each.batch_id for each in result.discrepancies} == {batch_id}
    assert exported.states() == dict.fromkeys(("p_1", "p_2", "p_3"), "exported")
    # A statement books all three: the rejected one is still unexplained.
    exported.read(statement(batch_entry(batch_id, "280.00")))
    match = exported.match()
    assert (match.open_amount_minor, match.is_matched) == (0, False)
    assert any("unknown_payout" in reason for reason in match.reasons)
    assert exported.broken() == []


def test_unknown_item_of_another_file_blocks_no_batch(exported):
    exported.goes_out_by("sepa").read(pain002([("0000", "RJCT", "AC04")], message_id="FOREIGN"))
    exported.read(statement(batch_entry(exported.batch.batch_id, "280.00")))
    assert exported.match().is_matched


# What the report counts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "control_sum"), [("1", ""), ("", "1.00"), ("3", "280.01"), ("2", "280.00")]
)
def test_report_on_another_sum_or_count_gives_nothing_back(exported, counted, control_sum):
    exported.goes_out_by("sepa")
    content = pain002(
        group="RJCT", message_id=exported.batch.batch_id, counted=counted, control_sum=control_sum
    )
    result = exported.read(content)
    assert (_kinds(result), result.outcomes) == (["total_differs"], {})
    assert exported.state() == "exported"


@pytest.mark.parametrize(("counted", "control_sum"), [("3", "280.00"), ("3", "280"), ("", "")])
def test_report_on_the_file_that_was_sent_counts(exported, counted, control_sum):
    exported.goes_out_by("sepa")
    content = pain002(
        group="RJCT", message_id=exported.batch.batch_id, counted=counted, control_sum=control_sum
    )
    assert exported.read(content).outcomes == {"failed": 3}


@pytest.mark.parametrize(
    ("counted", "control_sum", "match"),
    [("3.0", "", "OrgnlNbOfTxs"), ("٣", "", "OrgnlNbOfTxs"), ("", "1e2", "OrgnlCtrlSum")],
)
def test_count_or_sum_that_is_no_number_is_refused(exported, counted, control_sum, match):
    content = pain002(group="RJCT", counted=counted, control_sum=control_sum)
    with pytest.raises(SettlementFileError, match=match):
        exported.read(content)


def test_report_that_names_another_account_is_refused(exported, monkeypatch):
    from payouts.settlement import applying

    batch_id, key = exported.batch.batch_id, end_to_end(exported.payouts["p_2"])
    monkeypatch.setattr(applying, "payer_last_fours", lambda _: {batch_id: "3000"})
    exported.goes_out_by("sepa")
    other = pain002([(key, "RJCT", "AC04")], amount="70.00", account="FR1420041010050500013M02606")
    assert _kinds(exported.read(other)) == ["other_account"]
    own = pain002([(key, "RJCT", "AC04")], amount="70.00", account="DE89370400440532013000")
    assert exported.read(own).outcomes == {"failed": 1}


# Forms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["1_256.11", "１２.50", "1e-9", "NaN", "-1.00", "+1.00", ".5", "1.", "9" * 31]
)
def test_amount_that_is_no_plain_number_is_refused(text):
    with pytest.raises(ValueError, match="the amount"):
        minor_units(text, "EUR")


@pytest.mark.parametrize(
    "text",
    ["2026-03-17garbage", "2026-03-17T25:99", "2026-W12-2", "2026-02-30", "20260317", "17.03.2026"],
)
def test_text_that_only_begins_as_a_date_is_none(text):
    with pytest.raises(ValueError, match="as in 2026-03-17"):
        iso_day(text)


@pytest.mark.parametrize(
    "text", ["2026-03-17", "2026-03-17Z", "2026-03-17+01:00", "2026-03-17T23:59:59.123Z"]
)
def test_dates_and_instants_of_iso_20022_are_read(text):
    assert iso_day(text).isoformat() == "2026-03-17"


def _row(world, **changes) -> tuple[object, ...]:
    values = {"amount": 7000, "day": "2026-03-17", "reason": "", "reference": "", **changes}
    return (
        world.payouts["p_2"], "settled", values["amount"], "USD", values["day"], values["reason"],
        values["reference"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda content: content.replace(b",", b";"), "by semicolons, not by commas"),
        (lambda content: content.replace(b",", b"\t"), "by tabs, not by commas"),
        (lambda content: content.splitlines(keepends=True)[0], "a header and no row"),
        (lambda content: content.replace(b"7000", b"9" * 5000), "more than 15 digits"),
    ],
)
def test_status_csv_in_another_form_says_which(exported, change, match):
    with pytest.raises(SettlementFileError, match=match):
        exported.read(change(status_csv(_row(exported))), "status.csv")


def test_nacha_file_with_a_byte_order_mark_says_so(exported):
    key = end_to_end(exported.payouts["p_2"])
    content = b"\xef\xbb\xbf" + nacha([nacha_return(key, 7000, "R03")])
    with pytest.raises(SettlementFileError, match="byte-order mark"):
        exported.goes_out_by("nacha").read(content, "returns.ach", read_at=READ)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("AC04", "AC04"), ("RECEIVER_UNREGISTERED", "RECEIVER_UNREGISTERED"), ("", None),
        ("DE89370400440532013000", "other"), ("de89-3704-0044-0532-0130-00", "other"),
        ("123456789", "other"), ("A-123456789", "other"), ("Erika Mustermann", "other"),
    ],
)  # fmt: skip
def test_code_that_holds_an_account_is_not_kept(text, kept):
    assert clean_code(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("BANKREF1", "BANKREF1"), ("STMT 2026-03-17", "STMT 2026-03-17"),
        ("9A123456BC789012D", "9A123456BC789012D"), ("12345678901", "12345678901"),
        ("4111 1111 1111 1111", "…1111"), ("4111-1111-1111-1111", "…1111"),
        ("REF 123456789012", "…9012"), ("DE89 3704 0044 0532 0130 00", None),
        ("PAID DE89370400440532013000 X", None),
    ],
)  # fmt: skip
def test_reference_that_holds_an_account_or_a_card_is_not_kept(text, kept):
    assert clean_reference(text) == kept
