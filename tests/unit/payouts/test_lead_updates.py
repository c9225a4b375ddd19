"""Messages, requests for an update, answers: what is kept, who sees it, what is refused (L5)."""

from __future__ import annotations

import json

import pytest
from lead_world import LATER, answer, post, raw, recorded, request, submit
from payout_world import ANA, BEN, CLOCK

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.lead_update_records import load_answers, load_messages, load_requests


def _messages(world, *subject):
    with world.store.read() as connection:
        return load_messages(connection, *subject)


def test_message_is_read_back_and_its_text_is_in_no_event(world):
    posted = post(world, " call Jo\r\nat 5\x07\u202e ", is_partner_visible=True)
    assert posted.text == "call Jo\nat 5"
    assert (posted.author, posted.is_partner_visible) == ("ana", True)
    other = post(world, subject_id="lead_2")
    assert _messages(world) == [posted, other]
    assert _messages(world, "lead", "lead_2") == [other]
    with world.store.read() as connection:
        rows = connection.exec_driver_sql("select * from events").all()
    assert "call Jo" not in json.dumps([list(row) for row in rows])


def test_raw_messages_have_no_text(world):
    posted = post(world)
    assert raw(world, "control__lead_messages") == [
        (posted.message_id, "lead", "lead_1", "staff", False, CLOCK)
    ]


def test_what_a_partner_writes_the_partner_sees(world):
    assert post(world, author_role="partner").is_partner_visible is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": " "}, "message is missing"),
        ({"text": "x" * 10_001}, "more than 10000"),
        ({"subject_type": "invoice"}, "cannot be talked about"),
        ({"subject_id": ""}, "lead is missing"),
        ({"author_role": "robot"}, "does not write here"),
        ({"actor": ""}, "person who writes is missing"),
        ({"subject_type": "registration", "subject_id": "R1"}, "not the key"),
        (
            {"subject_type": "registration", "subject_id": "control:deal_registrations:reg_0"},
            "no registration",
        ),
    ],
)
def test_malformed_message_is_refused(world, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        post(world, **options)
    assert recorded(world) == 0


def test_same_message_twice_in_a_row_is_refused(world):
    first = post(world)
    with pytest.raises(DecisionRefusedError, match=first.message_id):
        post(world, " any news? ")
    post(world, actor=BEN)
    post(world)
    post(world, "x" * 10_000)


def test_registrations_entered_and_delivered_can_be_talked_about(world):
    for key in (submit(world).key, "drop:deal_registrations:R1"):
        assert post(world, subject_type="registration", subject_id=key).subject_id == key


def test_request_and_answer_are_read_back(world):
    asked = request(world, reason="stands still")
    answered = answer(world, asked.request_id)
    with world.store.read() as connection:
        assert load_requests(connection) == [asked]
        assert load_answers(connection) == [answered]
    (message,) = _messages(world)
    assert (message.message_id, message.text) == (answered.message_id, "they sign in May")
    assert message.is_partner_visible is True
    assert raw(world, "control__update_requests") == [
        (asked.request_id, "lead", "lead_1", "partner", CLOCK, LATER)
    ]
    assert raw(world, "control__update_answers") == [
        (asked.request_id, "lead", "lead_1", CLOCK, "partner")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"asked_of": "finance"}, "owner or the partner"),
        ({"due_at": CLOCK}, "which is over"),
        ({"subject_type": "customer"}, "cannot be talked about"),
        ({"reason": "x" * 1_001}, "more than 1000"),
        ({"actor": " "}, "person who asks is missing"),
    ],
)
def test_malformed_request_is_refused(world, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        request(world, **options)


def test_same_request_is_refused_until_it_is_answered(world):
    asked = request(world)
    with pytest.raises(DecisionRefusedError, match=asked.request_id):
        request(world, actor=BEN)
    request(world, asked_of="owner")
    request(world, subject_id="lead_2")
    answer(world, asked.request_id)
    assert request(world).request_id != asked.request_id


def test_answer_to_a_computed_request_names_its_lead(world):
    with pytest.raises(DecisionRefusedError, match="name the lead"):
        answer(world, "stale_1")
    answered = answer(world, "stale_1", subject_type="lead", subject_id="lead_1")
    assert (answered.subject_type, answered.subject_id) == ("lead", "lead_1")


def test_answer_twice_or_about_something_else_is_refused(world):
    asked = request(world)
    with pytest.raises(DecisionRefusedError, match="is about lead lead_1, not about lead lead_2"):
        answer(world, asked.request_id, subject_type="lead", subject_id="lead_2")
    answer(world, asked.request_id, subject_type="lead", subject_id="lead_1", actor=ANA)
    events = recorded(world)
    with pytest.raises(DecisionRefusedError, match="was answered at .* already"):
        answer(world, asked.request_id)
    assert recorded(world) == events


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": ""}, "answer is missing"),
        ({"author_role": "robot"}, "does not write here"),
        ({"actor": ""}, "person who answers is missing"),
    ],
)
def test_malformed_answer_is_refused_whole(world, options, message):
    asked = request(world)
    with pytest.raises(DecisionRefusedError, match=message):
        answer(world, asked.request_id, **options)
    assert recorded(world) == 1
    assert _messages(world) == []


def test_message_for_one_partner_is_visible_and_names_it(world):
    posted = post(world, partner_id=" p_1 ")
    assert (posted.partner_id, posted.is_partner_visible) == ("p_1", True)
    assert _messages(world) == [posted]
    with pytest.raises(DecisionRefusedError, match=posted.message_id):
        post(world, partner_id="p_1")
    assert post(world, partner_id="p_2").partner_id == "p_2"
    assert post(world).is_partner_visible is False
    with pytest.raises(DecisionRefusedError, match="partner"):
        post(world, partner_id="p\x00")


def test_event_that_names_no_partner_is_as_it_was_before_any_could_be_named(world):
    """What was recorded then is read and proved in the same way."""
    post(world)
    request(world)
    with world.store.read() as connection:
        message, asked = events.of_subject(connection, "lead:lead_1")
        assert message.payload.keys() == {"author_role", "row_sha256"}
        assert asked.payload.keys() == {"subject_type", "subject_id", "asked_of", "due_at"}
        assert events.check_chain(connection).hash == asked.hash
        assert [each.partner_id for each in load_messages(connection)] == [None]
        assert [each.partner_id for each in load_requests(connection)] == [None]


def test_each_partner_of_a_lead_is_asked_once_at_a_time(world):
    first = request(world, partner_id="p_1")
    assert first.partner_id == "p_1"
    second, general = request(world, partner_id="p_2"), request(world)
    with world.store.read() as connection:
        assert load_requests(connection) == [first, second, general]
    with pytest.raises(DecisionRefusedError, match=f"{first.request_id} asks p_1"):
        request(world, partner_id="p_1")
    answered = answer(world, first.request_id, partner_id="p_1")
    (message,) = _messages(world)
    assert (message.message_id, message.partner_id) == (answered.message_id, "p_1")
    request(world, partner_id="p_1")


def test_owner_is_not_asked_in_the_name_of_a_partner(world):
    with pytest.raises(DecisionRefusedError, match="p_1 was named"):
        request(world, asked_of="owner", partner_id="p_1")
    assert recorded(world) == 0
