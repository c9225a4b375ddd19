"""What people type: names without characters that nobody sees, texts that lose them."""

from __future__ import annotations

import pytest
from payout_world import APPROVALS, BEN, CLOCK, DAN

from payouts import events
from payouts.approvals import reject, revoke
from payouts.errors import DecisionRefusedError
from payouts.holds import load_holds, open_hold, release_hold
from payouts.payees import record_payee
from payouts.texts import actor, written

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
