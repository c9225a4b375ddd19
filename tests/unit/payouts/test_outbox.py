"""The outbox: one message per news and reader, taken by one sender, never sent twice by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from payouts import outbox, told
from payouts.errors import OutboxError
from payouts.hashing import parse_instant
from payouts.outbox import (
    DROPPED,
    FAILED,
    RETRY_MINUTES,
    SENDING,
    SENT,
    WAITING,
    claim_next,
    drop_by_person,
    enqueue,
    find,
    list_messages,
    mark_dropped,
    mark_failed,
    mark_sent,
    put_back,
    send_again,
    undelivered,
)
from payouts.payout_findings import finding_rows

NOW = datetime(2026, 3, 2, 8, 0)
ANN = "ann@partner.example"


def keep(world, subject="payout:1:settled", kind="payout_sent", recipient=ANN, **options):
    return enqueue(
        world.store, kind, subject, "mail", recipient, {"n": 1}, options.pop("at", NOW), **options
    )


def take(world, now=NOW, who="host:1", **options):
    return claim_next(world.store, ("mail", "webhook"), now, who, **options)


def state_of(world, identity):
    with world.store.read() as connection:
        return find(connection, identity)


def test_the_same_news_to_the_same_reader_is_one_message(world):
    first = keep(world)
    again = enqueue(world.store, "payout_sent", "payout:1:settled", "mail", ANN, {"n": 2}, NOW)
    assert again == first
    others = {
        keep(world, subject="payout:2:settled"),
        keep(world, recipient="bob@partner.example"),
        keep(world, kind="payout_failed"),
        enqueue(world.store, "payout_sent", "payout:1:settled", "webhook", ANN, {}, NOW),
    }
    assert len(others | {first}) == 5
    with world.store.read() as connection:
        assert len(list_messages(connection)) == 5
        assert find(connection, first[:8]).payload == {"n": 1}


def test_a_message_that_was_sent_or_dropped_is_not_kept_again(world):
    keep(world)
    mark_sent(world.store, take(world), NOW)
    assert state_of(world, keep(world)).state == SENT
    assert take(world) is None


@pytest.mark.parametrize("recipient", ["", "  ", "ann@partner.example\r\nBcc: eve@evil.example"])
def test_a_recipient_that_is_none_is_refused_and_not_repeated(world, recipient):
    with pytest.raises(OutboxError) as refused:
        keep(world, recipient=recipient)
    assert "evil" not in str(refused.value)
    with pytest.raises(OutboxError, match="no channel"):
        enqueue(world.store, "payout_sent", "x", "fax", ANN, {}, NOW)


def test_oldest_first_and_each_is_taken_once(world):
    late = keep(world, subject="b", at=NOW + timedelta(seconds=1))
    early = keep(world, subject="a")
    later = NOW + timedelta(minutes=1)
    assert [take(world, later).message_id, take(world, later, "host:2").message_id] == [early, late]
    assert take(world, later) is None
    assert state_of(world, early).claimed_by == "host:1"


def test_only_the_channels_and_kinds_asked_for_are_taken(world):
    keep(world)
    assert claim_next(world.store, ("webhook",), NOW, "me") is None
    assert take(world, kinds=("sign_in_link",)) is None
    with world.store.read() as connection:
        assert not outbox.has_due(connection, "webhook", NOW)
        assert outbox.has_due(connection, "mail", NOW)
        assert not outbox.has_due(connection, "mail", NOW, ("sign_in_link",))


def test_waits_grow_and_then_a_person_has_to_look(world):
    identity, now, waits = keep(world), NOW, []
    for _ in RETRY_MINUTES:
        assert put_back(world.store, take(world, now), now, "the server is busy")
        message = state_of(world, identity)
        assert message.state == WAITING and take(world, now) is None
        again = parse_instant(message.next_attempt_at)
        waits.append((again - now) // timedelta(minutes=1))
        now = again
    assert tuple(waits) == RETRY_MINUTES and list(waits) == sorted(waits)
    put_back(world.store, take(world, now), now, "the server is busy")
    message = state_of(world, identity)
    assert (message.state, message.attempts, message.needs_person) == (FAILED, 7, True)
    assert message.last_error == "tried 7 times: the server is busy"


def test_a_wait_that_was_asked_for_is_kept_at_most_a_day(world):
    identity = keep(world)
    put_back(world.store, take(world), NOW, "slow down", timedelta(seconds=90))
    assert state_of(world, identity).next_attempt_at == "2026-03-02T08:01:30.000000Z"
    later = NOW + timedelta(seconds=90)
    put_back(world.store, take(world, later), later, "slow down", timedelta(days=9))
    assert state_of(world, identity).next_attempt_at == "2026-03-03T08:01:30.000000Z"


def test_refused_for_good_is_dropped_and_shown_to_staff_until_somebody_has_looked(world):
    identity = keep(world)
    mark_dropped(world.store, take(world), NOW, "the mail server refuses the recipient (550)")
    with world.store.read() as connection:
        (shown,) = undelivered(connection)
        (row,) = finding_rows(connection)
    assert (shown.message_id, shown.state, shown.needs_person) == (identity, DROPPED, True)
    assert take(world, NOW + timedelta(days=2)) is None
    assert row == {
        "kind": "notice_not_delivered",
        "subject": f"message:{identity[:12]}",
        "detail": "payout_sent: the mail server refuses the recipient (550)",
        "opened_at": NOW,
    }
    drop_by_person(world.store, identity[:8], "ana@acme.example", NOW)
    with world.store.read() as connection:
        assert undelivered(connection) == finding_rows(connection) == []
    assert state_of(world, identity).last_error.startswith("dropped by ana@acme.example; before:")


def test_a_sender_that_died_leaves_its_message_to_staff(world):
    identity = keep(world)
    take(world)
    much_later = NOW + timedelta(days=1)
    assert take(world, much_later) is None
    message = state_of(world, identity)
    assert message.state == SENDING
    assert not message.is_abandoned(NOW + timedelta(minutes=5))
    assert message.is_abandoned(much_later)
    with world.store.read() as connection:
        assert [each.message_id for each in undelivered(connection)] == [identity]
    with pytest.raises(OutboxError, match="is sending"):
        send_again(world.store, identity, "ana@acme.example", NOW)
    send_again(world.store, identity, "ana@acme.example", much_later)
    assert take(world, much_later).message_id == identity


def test_who_took_a_message_alone_may_say_what_became_of_it(world):
    keep(world)
    first = take(world)
    drop_by_person(world.store, first.message_id, "ana@acme.example", NOW)
    send_again(world.store, first.message_id, "ana@acme.example", NOW)
    later = NOW + timedelta(minutes=1)
    second = take(world, later, "host:2")
    assert not mark_sent(world.store, first, later)
    assert not put_back(world.store, first, later, "late")
    assert not mark_failed(world.store, first, later, "late")
    assert mark_sent(world.store, second, later)
    with pytest.raises(OutboxError, match="was sent"):
        drop_by_person(world.store, first.message_id, "ana@acme.example", later)
    with pytest.raises(OutboxError, match="is sent"):
        send_again(world.store, first.message_id, "ana@acme.example", later)


@pytest.mark.parametrize("end", [mark_sent, mark_failed, mark_dropped, drop_by_person])
@pytest.mark.parametrize("kind", ["sign_in_link", "invitation"])
def test_a_link_is_wiped_as_soon_as_nobody_needs_it(world, kind, end):
    identity = keep(world, kind=kind)
    message = take(world)
    assert message.payload == {"n": 1}
    if end is drop_by_person:
        end(world.store, identity, "ana@acme.example", NOW)
    else:
        end(world.store, message, *((NOW,) if end is mark_sent else (NOW, "why")))
    assert state_of(world, identity).payload == {}
    if end is not mark_sent:
        with pytest.raises(OutboxError, match="never sent again"):
            send_again(world.store, identity, "ana@acme.example", NOW)


def test_what_is_too_old_is_dropped_instead_of_sent_and_bothers_nobody(world):
    link = keep(world, kind="sign_in_link", expires_at=NOW + timedelta(minutes=15))
    news = keep(world, expires_at=NOW + timedelta(days=14))
    later = NOW + timedelta(minutes=15)
    assert take(world, later).message_id == news
    message = state_of(world, link)
    assert (message.state, message.payload, message.needs_person) == (DROPPED, {}, False)
    assert message.last_error == "too old to be sent"


def test_a_prefix_must_name_one_message(world):
    identity = keep(world)
    with pytest.raises(OutboxError, match="too short"):
        state_of(world, identity[:5])
    with pytest.raises(OutboxError, match="no message"):
        state_of(world, "%" * 8)


def test_what_was_told_is_known_by_its_key(world):
    with world.store.write() as connection:
        told.remember(connection, (key for key in ["a|1", "a|2"]), "m1", NOW)
        told.remember(connection, ["a|2", "weekly|p_1|2026-W09"], None, NOW, segment=4)
        told.remember(connection, ["weekly|p_1|2026-W10", "weekly|p_2|2026-W09"], None, NOW, 7)
    keys = [f"a|{number}" for number in range(1, 1200)]
    with world.store.read() as connection:
        assert told.told_among(connection, keys) == {"a|1", "a|2"}
        assert told.last_segments(connection, "weekly") == {"p_1": 7, "p_2": 7}
        assert told.last_segments(connection, "a") == {}


def test_switching_on_and_off_are_events(world):
    with world.store.write() as connection:
        assert told.switched_on(connection) is None
        told.record_switch(connection, told.NOTICES_ENABLED, NOW, "2026-03-01", 4)
        assert told.switched_on(connection).payload == {"as_of": "2026-03-01", "segment": 4}
        told.record_switch(connection, told.NOTICES_DISABLED, NOW)
        assert told.switched_on(connection) is None
