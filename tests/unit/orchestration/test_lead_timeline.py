"""The timeline of a lead: every record told once, in the order of time."""

from datetime import date, datetime

import pytest

from orchestration.lead_timeline import credits_text, percent, timeline

VALID_AT = datetime(2026, 1, 8, 10)


def lead(**changes):
    return {"lead_id": "lead_1", "valid_at": VALID_AT, "rule": "L2:demo_booked", **changes}


def touch(key, at, partner="p1", touch_type="referral_link"):
    return {
        "touchpoint_id": key, "partner_id": partner, "touch_type": touch_type, "occurred_at": at,
    }  # fmt: skip


def candidate(key, at, partner="p2", **changes):
    return {
        **touch(key, at, partner), "is_winner": False, "rule": "A3:not_last_touch",
        "lost_to": "t9", **changes,
    }  # fmt: skip


def credit(partner="p1", ppm=1_000_000, **changes):
    return {
        "partner_id": partner, "model": "last_touch", "is_paying": True, "credit_ppm": ppm,
        "decided_at": VALID_AT, "touchpoint_id": "t1", "decided_by": "computed", **changes,
    }  # fmt: skip


def stage(name, at, is_first=True, owner="sam"):
    return {
        "stage": name, "reached_at": at, "is_first": is_first, "owner": owner, "source": "drop",
        "source_type": "meeting", "source_id": "m1",
    }  # fmt: skip


def line(key, at, amount_minor=2000, kind="earning", **changes):
    return {
        "commission_id": key, "kind": kind, "partner_id": "p1", "earned_at": at,
        "effective_date": at.date(), "amount_minor": amount_minor, "currency_code": "USD",
        "source_type": "invoice_line", "source_id": "l1", "component_id": "recurring", **changes,
    }  # fmt: skip


def told(**sections):
    return timeline({"lead": lead(), **sections})


def kinds(events):
    return [event["kind"] for event in events]


def test_a_lead_of_which_nothing_is_known_has_no_events():
    assert timeline({"lead": lead(valid_at=None), "touches": None}) == []


def test_every_event_has_the_five_keys_and_an_instant():
    events = told(touches=[touch("t1", datetime(2026, 1, 1))], lines=[line("k1", VALID_AT)])
    for event in events:
        assert set(event) == {"at", "kind", "partner_id", "record", "text"}
        assert isinstance(event["at"], datetime)


def test_events_stand_in_the_order_of_time_whatever_section_they_come_from():
    events = told(
        lines=[line("k1", datetime(2026, 1, 15))],
        messages=[
            {"posted_at": datetime(2026, 1, 10), "author_role": "staff", "text": "called",
             "is_partner_visible": False, "message_id": "msg_1"}
        ],
        touches=[touch("t1", datetime(2026, 1, 5))],
        attributions=[credit()],
    )  # fmt: skip
    assert kinds(events) == ["touch", "valid", "attribution", "message", "earning"]


def test_at_one_instant_causes_stand_before_what_follows_from_them():
    events = told(
        touches=[touch("t1", VALID_AT)],
        stages=[stage("demo_booked", VALID_AT)],
        attributions=[credit()],
        candidates=[candidate("t2", VALID_AT)],
        lines=[line("k1", VALID_AT)],
    )
    assert kinds(events) == ["touch", "stage", "valid", "attribution", "lost", "earning"]


def test_ties_are_broken_by_the_record_so_that_the_order_never_changes():
    touches = [touch(key, VALID_AT) for key in ("t3", "t1", "t2")]
    events = told(touches=touches)
    assert [event["record"] for event in events[:3]] == ["t1", "t2", "t3"]
    assert events == told(touches=touches[::-1])


def test_a_form_is_told_once_with_its_verdict():
    submission = {
        "submission_key": "drop:form_submissions:f1", "partner_id": "p1", "verdict": "valid",
        "submission_type": "form_submission", "submitted_at": datetime(2026, 1, 5), "rule": "L2",
        "rival_key": None, "protected_until_at": datetime(2026, 4, 5),
    }  # fmt: skip
    events = told(
        submissions=[submission],
        touches=[touch("drop:form_submissions:f1", datetime(2026, 1, 5), "p1", "form_field")],
    )
    assert kinds(events) == ["submission", "valid"]
    assert events[0]["text"] == ("form submission: valid (L2); protected until 2026-04-05 00:00")


def test_a_refused_submission_names_its_rival_and_protects_nothing():
    submission = {
        "submission_key": "s2", "partner_id": "p2", "verdict": "duplicate_other_partner",
        "submitted_at": datetime(2026, 1, 6), "rule": "L3", "rival_key": "s1",
        "protected_until_at": datetime(2026, 4, 6),
    }  # fmt: skip
    text = told(submissions=[submission])[0]["text"]
    assert text == "submission: duplicate other partner (L3), because of s1"


def test_a_touch_of_nobody_says_so():
    event = told(touches=[touch("t1", datetime(2026, 1, 1), None)])[0]
    assert event["partner_id"] is None
    assert "of nobody that the programme knows" in event["text"]


def test_later_payments_are_not_told_but_a_second_demo_is():
    events = told(
        stages=[
            stage("demo_held", datetime(2026, 1, 9)),
            stage("demo_held", datetime(2026, 1, 12), is_first=False, owner=None),
            stage("first_payment", datetime(2026, 1, 15)),
            stage("first_payment", datetime(2026, 2, 15), is_first=False),
        ]
    )
    assert [event["text"] for event in events if event["kind"] == "stage"] == [
        "demo held, owner sam",
        "demo held again",
        "first payment, owner sam",
    ]


def test_a_candidate_loses_with_the_sentence_of_the_snapshot_else_with_rule_and_rival():
    events = told(
        attributions=[credit()],
        candidates=[
            candidate("t2", datetime(2026, 1, 1), why="The touch before it was later."),
            candidate("t3", datetime(2026, 1, 2)),
            candidate("t4", datetime(2026, 1, 3), lost_to=None),
            candidate("t1", datetime(2026, 1, 4), "p1", is_winner=True),
        ],
    )
    lost = {event["record"]: event["text"] for event in events if event["kind"] == "lost"}
    assert lost == {
        "t2": "not credited for its referral link: The touch before it was later.",
        "t3": "not credited for its referral link: A3:not_last_touch, lost to t9",
        "t4": "not credited for its referral link: A3:not_last_touch",
    }


def test_nobody_loses_before_the_touch_exists():
    later = datetime(2026, 1, 20)
    events = told(
        attributions=[credit()],
        candidates=[
            candidate("t2", datetime(2026, 1, 1)),
            candidate("t3", later, rule="A1:after_valid_event"),
        ],
    )
    at = {event["record"]: event["at"] for event in events if event["kind"] == "lost"}
    assert at == {"t2": VALID_AT, "t3": later}


def test_only_the_paying_model_is_told_with_each_share_and_who_decided():
    events = told(
        attributions=[
            credit("p1", 600_000, decided_by="ruling:rul_1"),
            credit("p2", 400_000, decided_by="ruling:rul_1", touchpoint_id=None),
            credit("p3", model="first_touch", is_paying=False),
        ]
    )
    assert [
        (event["partner_id"], event["text"]) for event in events if event["kind"] == "attribution"
    ] == [
        ("p2", "credited with 40 % by last touch, ruling:rul_1"),
        ("p1", "credited with 60 % by last touch, ruling:rul_1"),
    ]


def test_credits_of_an_older_snapshot_do_not_say_who_decided():
    row = credit()
    del row["decided_by"]
    assert told(attributions=[row])[1]["text"] == "credited with 100 % by last touch"


def test_decisions_say_who_until_when_and_why():
    decision = {
        "kind": "registration", "decision": "extended", "subject_key": "drop:deal_registrations:R1",
        "partner_id": "p2", "decided_at": datetime(2026, 2, 1), "decided_by": "ben",
        "expires_at": datetime(2026, 6, 1), "reason": "long sale", "evidence": "mail 7",
    }  # fmt: skip
    event = told(decisions=[decision])[-1]
    assert event["kind"] == "registration_extended"
    assert event["text"] == (
        "registration extended by ben, until 2026-06-01 00:00: long sale (evidence: mail 7)"
    )


def test_a_ruling_says_whom_it_credits():
    decision = {
        "kind": "ruling", "decision": "approved", "subject_key": "control:rulings:rul_1",
        "partner_id": None, "decided_at": datetime(2026, 2, 1), "decided_by": "ben",
        "expires_at": None, "reason": "both", "evidence": "mail 7",
        "credits": {"p1": 600_000, "p2": 400_000},
    }  # fmt: skip
    assert told(decisions=[decision])[-1]["text"] == (
        "ruling approved by ben, p1 60 %, p2 40 %: both (evidence: mail 7)"
    )


def test_a_request_and_its_answer_are_two_events():
    request = {
        "request_id": "req_1", "asked_of": "partner", "reason": "asked", "text": "any news?",
        "asked_at": datetime(2026, 2, 1), "due_at": datetime(2026, 2, 8), "state": "answered",
        "answered_at": datetime(2026, 2, 3),
    }  # fmt: skip
    asked, answered = told(requests=[request])[-2:]
    assert asked["text"] == ("an update was asked of the partner, due 2026-02-08 00:00: any news?")
    assert (answered["kind"], answered["at"]) == ("answer", datetime(2026, 2, 3))


def test_a_request_that_waits_says_its_state_and_why_it_was_raised():
    request = {
        "request_id": "req_1", "asked_of": "owner", "reason": "stale", "state": "overdue",
        "asked_at": datetime(2026, 2, 1), "due_at": datetime(2026, 2, 8), "answered_at": None,
    }  # fmt: skip
    assert told(requests=[request])[-1]["text"] == (
        "an update was asked of the owner because nothing had moved, due 2026-02-08 00:00 (overdue)"
    )


def test_the_first_earning_is_the_earliest_one_and_no_take_back():
    events = told(
        lines=[
            line("k2", datetime(2026, 1, 15), 500),
            line("k0", datetime(2026, 1, 9), -500, kind="refund"),
            line("k1", datetime(2026, 1, 15), 2000),
        ]
    )
    (earning,) = [event for event in events if event["kind"] == "earning"]
    assert (earning["record"], earning["partner_id"]) == ("k1", "p1")
    assert earning["text"] == "first earning: 20.00 USD for invoice line l1 (recurring)"


def test_a_day_stands_for_its_midnight():
    row = line("k1", VALID_AT, earned_at=None, effective_date=date(2026, 1, 15))
    assert told(lines=[row])[-1]["at"] == datetime(2026, 1, 15)


@pytest.mark.parametrize(
    ("credit_ppm", "text"),
    [(1_000_000, "100 %"), (0, "0 %"), (333_333, "33.3333 %"), (625_000, "62.5 %"), (1, "0.0001 %"),
     (100, "0.01 %"), (500_000, "50 %")],
)  # fmt: skip
def test_shares_are_shown_exactly(credit_ppm, text):
    assert percent(credit_ppm) == text


def test_nobody_is_a_ruling_too():
    assert credits_text({}) == "nobody"
