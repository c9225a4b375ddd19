"""Aborting an exported batch: two people, evidence, everything back once, no payable file left."""

from __future__ import annotations

from datetime import date

import pytest
from bank_files import Move, camt, end_to_end
from payout_world import ANA, BEN, CAT, payable_world
from settled_world import AMOUNTS, SettledWorld

from payouts import events
from payouts.errors import DecisionRefusedError


def test_two_people_abort_and_every_payout_goes_back_once(exported):
    state = exported.request_abort(BEN)
    assert (state.state, state.abort_requested_by) == ("exported", BEN)
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    result = exported.abort(CAT)
    assert (result.state, result.items, result.returned_amount_minor) == ("aborted", 3, 28000)
    assert set(exported.states().values()) == {"aborted"}
    assert exported.balances() == AMOUNTS
    assert exported.broken() == []
    match = exported.match()
    assert match.is_matched
    assert (match.aborted_amount_minor, match.bank_total_minor) == (28000, 0)
    assert "never sent" in match.reasons[0]


def test_file_is_removed_and_its_manifest_stays(exported):
    folder = exported.home / "exports" / exported.batch.batch_id
    exported.request_abort(BEN)
    assert exported.abort(CAT).removed_files == (f"exports/{folder.name}/payouts.csv",)
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    assert exported.broken() == []


def test_aborted_batch_is_not_exported_again(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    with pytest.raises(DecisionRefusedError, match="is aborted, so export is not possible"):
        exported.world.export(exported.batch)
    assert list(exported.home.glob("exports/*/payouts.csv")) == []


def test_abort_again_finishes_and_posts_nothing(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    again = exported.abort(BEN)
    assert (again.state, again.returned_amount_minor, again.segment) == ("aborted", 0, None)
    assert exported.balances() == AMOUNTS


def test_partners_of_an_aborted_batch_are_paid_by_the_next(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    world = exported.world
    world.post(as_of=date(2026, 3, 31))
    (batch,) = world.propose(as_of=date(2026, 3, 31))
    assert (batch.total_amount_minor, batch.items) == (28000, 3)
    assert exported.broken() == []


def test_nobody_aborts_alone(exported):
    with pytest.raises(DecisionRefusedError, match="nobody has asked"):
        exported.abort(CAT)
    exported.request_abort(BEN)
    for same in (BEN, " BEN@acme.example"):
        with pytest.raises(DecisionRefusedError, match="four eyes"):
            exported.abort(same)
    assert exported.state() == "exported"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"actor": "eve@acme.example"}, "may not abort"),
        ({"reason": " "}, "needs a reason"),
        ({"evidence": " "}, "the evidence is missing"),
        ({"evidence": "not in DE89370400440532013000"}, "the evidence holds"),
        ({"evidence": "4111-1111-1111-1111"}, "the evidence holds"),
        ({"reason": "de89 3704 0044 0532 0130 00"}, "the reason holds"),
    ],
)
def test_request_and_abort_need_role_reason_and_evidence(exported, options, match):
    with pytest.raises(DecisionRefusedError, match=match):
        exported.request_abort(**{"actor": BEN, **options})
    exported.request_abort(BEN)
    with pytest.raises(DecisionRefusedError, match=match):
        exported.abort(**{"actor": ANA, **options})
    assert exported.state() == "exported"


def test_sent_batch_is_not_aborted(exported):
    exported.request_abort(BEN)
    exported.sent()
    for attempt in (exported.request_abort, exported.abort):
        with pytest.raises(DecisionRefusedError, match="the bank has its file"):
            attempt(CAT)


def test_batch_that_was_not_exported_is_rejected_instead(payable_batch):
    with pytest.raises(DecisionRefusedError, match="use partnerledger batches reject"):
        payable_batch.request_abort(BEN)


@pytest.fixture
def payable_batch(tmp_path):
    """A proposed batch."""
    world = payable_world(tmp_path / "home", synchronous="OFF")
    return SettledWorld(world, world.propose()[0])


def test_bank_that_books_an_aborted_batch_is_a_contradiction(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    key = end_to_end(exported.payouts["p_1"])
    debit = exported.read(camt([Move(key, "150.00")]))
    assert [each.kind for each in debit.discrepancies] == ["contradicts"]
    back = exported.read(camt([Move(key, "150.00", True, "AC04")]), "back.xml")
    assert (back.known, back.returned_amount_minor) == (1, {})
    assert exported.balances() == AMOUNTS
    assert exported.broken() == []


def test_both_people_and_their_evidence_are_recorded(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    with exported.store.read() as connection:
        asked, agreed = events.of_kinds(connection, ("batch_abort_requested", "batch_aborted"))
    assert (asked.actor, asked.payload["evidence"]) == (BEN, "bank portal shows no upload")
    assert (agreed.actor, agreed.payload["requested_by"]) == (CAT, BEN)
    assert agreed.payload["evidence"] == "called the bank, ticket 12"
