"""What people type: names without characters that nobody sees, texts that lose them."""

from __future__ import annotations

import pytest
from payout_world import APPROVALS, BEN, CLOCK, DAN

from payouts import events
from payouts.approvals import reject, revoke
from payouts.errors import DecisionRefusedError
from payouts.holds import load_holds, open_hold, release_hold
from payouts.payees import record_payee
from payouts.texts import actor, refuse_secrets, written

# C0, DEL, C1, no-break space, soft hyphen, zero width, bidi control and isolate, byte order mark,
# tag, line separator, private use, Hangul filler, variant, half of a pair.
UNSEEN = [
    "\x1b", "\x7f", "\x9b", "\u00a0", "\u00ad", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff",
    "\U000e0041", "\u2028", "\ue000", "\u3164", "\ufe0f", "\udc80",
]  # fmt: skip
ODD = "wrong \u202eknab\u202c \x1b[2Jaccount\u200b"
PLAIN = "wrong knab [2Jaccount"


@pytest.mark.parametrize("unseen", UNSEEN)
def test_name_with_what_nobody_sees_is_refused_by_its_number(unseen):
    with pytest.raises(DecisionRefusedError, match=f"U\\+{ord(unseen):04X}") as refusal:
        actor(f"ben{unseen}@acme.example", "--as")
    assert unseen not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["ben@acme.example", "Zoë O'Hara", "ben@例え.jp", "domain\\ben", ""]
)
def test_name_that_is_read_as_it_is_typed_is_taken(name):
    assert actor(f" {name} ", "--as") == name


def test_text_loses_what_nobody_sees_and_keeps_what_words_are_written_with():
    assert written(ODD, "the reason") == PLAIN
    assert written("a\tb\r\nc\x85\u061c", "the reason") == "a\tb\nc"
    # A word of Persian with its joiner, and one that stands from right to left by itself.
    for text in ("می\u200cخواهم", "שלום", "café 10 €"):
        assert written(text, "the reason") == text
    for empty in ("\u202e\u200b", "\u200d", " \x00 "):
        with pytest.raises(DecisionRefusedError, match="the reason is missing"):
            written(empty, "the reason")


def test_reasons_of_decisions_on_batches_holds_and_payees_are_cleaned(payable):
    batch, other = payable.propose()
    payable.approve(batch, "ana@acme.example", "partnerships")
    said = {"actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK, "reason": ODD}
    revoke(payable.store, batch.batch_id, actor="ana@acme.example", recorded_at=CLOCK, reason=ODD)
    reject(payable.store, payable.home, batch.batch_id, **said)
    hold, _ = open_hold(
        payable.store, payable.home, subject_type="partner", subject_id="p_1", **said
    )
    with payable.store.read() as connection:
        assert [each.reason for each in load_holds(connection)] == [PLAIN]
    release_hold(payable.store, hold.hold_id, **said)
    record_payee(payable.store, "p_1", screening=False, **{**said, "actor": DAN})
    kinds = ("batch_revoked", "batch_rejected", "hold_opened", "hold_released", "payee_recorded")
    with payable.store.read() as connection:
        last = {event.kind: event.reason for event in events.of_kinds(connection, kinds)}
    assert last == dict.fromkeys(kinds, PLAIN)


def test_reason_of_a_payee_and_of_a_revocation_holds_no_account(payable):
    batch, _ = payable.propose()
    payable.approve(batch, "ana@acme.example", "partnerships")
    for attempt in (
        lambda reason: record_payee(
            payable.store, "p_1", actor=DAN, recorded_at=CLOCK, screening=False, reason=reason
        ),
        lambda reason: revoke(
            payable.store, batch.batch_id, actor="ana@acme.example", recorded_at=CLOCK,
            reason=reason,
        ),
    ):  # fmt: skip
        with pytest.raises(DecisionRefusedError, match="account"):
            attempt("paid to DE89370400440532013000")
    assert payable.state(batch) == "partnerships_approved"


@pytest.mark.parametrize(
    "secret",
    [
        "DE89370400440532013000", "de89370400440532013000", "DE89 3704 0044 0532 0130 00",
        "DE89-3704-0044-0532-0130-00", "ＤＥ８９３７０４００４４０５３２０１３０００",
        "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111",
        "4111\u20131111\u20131111\u20131111", "021000021/12345678", "jane@partner.example",
    ],
)  # fmt: skip
def test_account_is_found_however_it_is_spelled(secret):
    for text in (secret, f"paid to {secret} since 2026-02-28", f"({secret})"):
        with pytest.raises(DecisionRefusedError, match="the reason holds") as refusal:
            refuse_secrets(text, "the reason")
        assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-28", "wrong since 2026-02-28 12:00", "from 2026-02-28 - 2026-03-31",
        "months 2026-02 2026-03 2026-04", "2026-02-28 2026-03-31 2026-04-30",
        "ticket 12345678", "ticket OPS-2026-0412", "INV-2026-03-0001",
        "b-20260228-USD-csv-1-18befd65 is the wrong account",
        "0f0bd1a2-6c4e-5f1a-9b3c-123456789012", "adj_3f2a9c0112345678",
        "150.00 given back, STMT 7", "lines 12 13 14 15 16", "OK12 because this was not right",
    ],
)  # fmt: skip
def test_dates_tickets_and_own_ids_are_no_accounts(text):
    refuse_secrets(text, "the reason")
