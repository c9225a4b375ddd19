"""Payout files that nobody needs any more: gone, and still provable."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.export_files import MANIFEST_NAME
from payouts.purging import KIND, purge_payout_files
from payouts.settlement.applying import confirm_sent
from payouts.verify import verify

LATER = CLOCK + timedelta(days=91)
WITH_ADMIN = replace(APPROVALS, roles={**APPROVALS.roles, "admin": frozenset({"eve@acme.example"})})


@pytest.fixture
def exported(payable):
    """A batch whose file is at the bank, and one whose file may not be."""
    batches = payable.propose()
    results = []
    for batch in batches:
        payable.approve_fully(batch)
        results.append(payable.export(batch))
    confirm_sent(
        payable.store, batches[0].batch_id, reference="UPLOAD 7", actor=BEN, rules=APPROVALS,
        recorded_at=CLOCK,
    )  # fmt: skip
    return results


def purge(world, at: datetime = LATER, **options):
    arguments = {
        "older_than_days": 90, "reason": "retention", "actor": BEN, "rules": WITH_ADMIN,
        "recorded_at": at, **options,
    }  # fmt: skip
    return purge_payout_files(world.store, world.home, **arguments)


def purges(world):
    with world.store.read() as connection:
        return events.of_kinds(connection, (KIND,))


@pytest.mark.parametrize("actor", [BEN, "eve@acme.example"])
def test_file_goes_with_an_event_and_its_hash_stays(payable, exported, actor):
    sent, unconfirmed = exported
    (gone,) = purge(payable, actor=actor)
    assert (gone.batch_id, gone.sha256) == (sent.batch_id, sent.file_sha256)
    assert not sent.file_path.exists() and (sent.file_path.parent / MANIFEST_NAME).exists()
    assert unconfirmed.file_path.exists()
    (event,) = purges(payable)
    assert event.payload["files"] == [{"name": gone.name, "sha256": gone.sha256}]
    assert all(finding.ok for finding in verify(payable.home, store=payable.store))
    assert purge(payable) == [] and len(purges(payable)) == 1


def test_day_itself_is_not_older(payable, exported):
    assert purge(payable, CLOCK + timedelta(days=90)) == []
    assert len(purge(payable, CLOCK + timedelta(days=90, microseconds=1))) == 1


def test_file_that_was_changed_is_kept_to_be_looked_at(payable, exported):
    exported[0].file_path.write_text("changed")
    assert purge(payable) == [] and exported[0].file_path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actor": ANA}, "finance or admin"),
        ({"actor": CAT, "reason": " "}, "the reason is missing"),
        ({"older_than_days": 0}, "at least one day"),
        ({"older_than_days": 1_000_000}, "at most 36500"),
        ({"actor": CAT, "reason": "paid DE89370400440532013000"}, "the reason holds"),
    ],
)
def test_purge_that_breaks_a_rule_removes_nothing(payable, exported, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        purge(payable, **options)
    assert exported[0].file_path.exists() and purges(payable) == []
