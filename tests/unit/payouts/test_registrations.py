"""Deal registrations and entered leads: what may be entered, who may decide, in which order."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lead_world import EVE, LATER, LATEST, SUBMITTED, decide, extend, raw, recorded, submit
from payout_world import ANA, BEN, CAT, CLOCK, World, new_warehouse

from payouts.errors import DecisionRefusedError
from payouts.registrations import DeliveredRegistration, load_decisions, load_registrations
from payouts.store import open_store

FILED = "drop:deal_registrations:R1"


@pytest.fixture
def key(world):
    return submit(world).key


def test_registration_is_read_back_as_it_was_entered(world):
    entered = submit(
        world, email=" Jo@Globex.Example ", company_domain="GLOBEX.example.", deal_id=" d_7 ",
        expected_amount_minor=120_000, currency_code="usd", entity="lead_entries",
        submitted_at=SUBMITTED.replace(tzinfo=UTC),
    )  # fmt: skip
    assert (entered.email, entered.company_domain, entered.deal_id, entered.currency_code) == (
        "jo@globex.example", "globex.example", "d_7", "USD",
    )  # fmt: skip
    assert entered.submitted_at == "2026-02-01T08:00:00.000000Z"
    assert entered.key == f"control:lead_entries:{entered.registration_id}"
    assert len(entered.registration_id) == len("reg_") + 12
    with world.store.read() as connection:
        assert load_registrations(connection) == [entered]


def test_raw_tables_are_typed_and_show_no_names(world, key):
    extend(world, decide(world, key, expires_at=LATER).registration_key, LATEST)
    assert raw(world, "control__registrations") == [
        (key.rpartition(":")[2], "deal_registrations", "p_1", SUBMITTED, "jo@globex.example", None,
         None, None, None, 1)
    ]  # fmt: skip
    assert raw(world, "control__registration_decisions") == [
        (2, key, "approved", CLOCK, LATER, "ana", "checked", None),
        (3, key, "extended", CLOCK, LATEST, "ana", "checked", "call"),
    ]


def test_raw_tables_of_an_empty_home_are_typed(world):
    assert raw(world, "control__registrations") == []
    kinds = world.warehouse.execute(
        "select column_name, data_type from information_schema.columns "
        "where table_name = 'control__registration_decisions' order by ordinal_position"
    ).fetchall()
    assert kinds[:5] == [
        ("seq", "BIGINT"), ("registration_key", "VARCHAR"), ("decision", "VARCHAR"),
        ("decided_at", "TIMESTAMP"), ("expires_at", "TIMESTAMP"),
    ]  # fmt: skip


def test_prospect_is_in_no_event(world):
    submit(world, company_domain="globex.example", deal_id="d_7")
    with world.store.read() as connection:
        rows = connection.exec_driver_sql("select * from events").all()
    assert "globex" not in json.dumps([list(row) for row in rows])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"email": None}, "at least one"),
        ({"email": "  "}, "at least one"),
        ({"email": "jo"}, "exactly one @"),
        ({"email": "jo@x@globex.example"}, "exactly one @"),
        ({"email": "@globex.example"}, "exactly one @"),
        ({"email": "jo smith@globex.example"}, "exactly one @"),
        ({"email": "jo\u200b@globex.example"}, "exactly one @"),
        ({"email": "j" * 320 + "@globex.example"}, "exactly one @"),
        ({"company_domain": "https://globex.example/x"}, "not a domain"),
        ({"company_domain": "jo@globex.example"}, "not a domain"),
        ({"company_domain": "globex"}, "not a domain"),
        ({"partner_id": " "}, "partner is missing"),
        ({"partner_id": "p\x00"}, "control character"),
        ({"partner_id": "p" * 201}, "more than 200"),
        ({"deal_id": "d\n7"}, "control character"),
        ({"actor": ""}, "person who enters .* is missing"),
        ({"entity": "invoices"}, "cannot be entered here"),
        ({"expected_amount_minor": 5}, "needs its currency"),
        ({"currency_code": "USD"}, "needs its currency"),
        ({"expected_amount_minor": 5, "currency_code": "XXQ"}, "not a currency"),
        (
            {"expected_amount_minor": -1, "currency_code": "USD"},
            "from 0 to 92,233,720,368,547,758.07",
        ),
        (
            {"expected_amount_minor": 2**63, "currency_code": "USD"},
            "from 0 to 92,233,720,368,547,758.07",
        ),
        ({"submitted_at": datetime(202, 1, 1)}, "year 202"),
    ],
)
def test_malformed_registration_is_refused(world, options, message):
    with pytest.raises(DecisionRefusedError, match=message) as refusal:
        submit(world, **options)
    assert "globex" not in str(refusal.value) or "company_domain" in options
    assert recorded(world) == 0


def test_repetition_is_refused_while_undecided(world, key):
    same = {"email": "JO@globex.example", "submitted_at": LATER, "actor": EVE.upper()}
    with pytest.raises(DecisionRefusedError, match=key.rpartition(":")[2]):
        submit(world, **same)
    submit(world, actor=ANA)
    submit(world, partner_id="p_2")
    submit(world, deal_id="d_1")
    decide(world, key, "declined")
    submit(world, **same)


def test_approval_with_an_end(world, key):
    with pytest.raises(DecisionRefusedError, match="not later than the submission"):
        decide(world, key, expires_at=SUBMITTED)
    decision = decide(world, key, expires_at=SUBMITTED + timedelta(microseconds=1))
    assert decision.expires_at == "2026-02-01T08:00:00.000001Z"


@pytest.mark.parametrize(
    ("before", "decision", "message"),
    [
        ((), "extended", "is pending: only an approved"),
        (("declined",), "extended", "is declined: only an approved"),
        (("approved",), "approved", "approved already; extend it"),
        (("declined",), "declined", "declined already"),
        (("withdrawn",), "approved", "final"),
        (("withdrawn",), "withdrawn", "final"),
        (("approved", "withdrawn"), "extended", "final"),
        (("declined", "approved"), "declined", None),
        (("approved", "declined"), "approved", None),
        (("approved", "extended"), "declined", None),
        (("approved", "extended"), "withdrawn", None),
        ((), "withdrawn", None),
    ],
)
def test_order_of_decisions(world, key, before, decision, message):
    end = {"expires_at": LATER, "evidence": "call"}
    for earlier in before:
        decide(world, key, earlier, **(end if earlier == "extended" else {}))
    arguments = {"expires_at": LATEST, "evidence": "call"} if decision == "extended" else {}
    if message is None:
        assert decide(world, key, decision, **arguments).decision == decision
        return
    events = recorded(world)
    with pytest.raises(DecisionRefusedError, match=message):
        decide(world, key, decision, **arguments)
    assert recorded(world) == events


def test_extension_ends_later_than_before(world, key):
    decide(world, key)
    with pytest.raises(DecisionRefusedError, match="not later than the submission"):
        extend(world, key, SUBMITTED)
    extend(world, key, LATER)
    with pytest.raises(DecisionRefusedError, match="must end later"):
        extend(world, key, LATER)
    extend(world, key, LATEST)
    decide(world, key, "declined")
    decide(world, key, "approved")
    with pytest.raises(DecisionRefusedError, match="must end later"):
        extend(world, key, LATER)


@pytest.mark.parametrize(
    ("decision", "options", "message"),
    [
        ("extended", {"expires_at": LATER}, "evidence"),
        ("extended", {"expires_at": LATER, "evidence": " "}, "evidence"),
        ("extended", {"evidence": "call"}, "new end"),
        ("declined", {"expires_at": LATER}, "has no end"),
        ("withdrawn", {"expires_at": LATER}, "has no end"),
        ("approved", {"reason": " \x07 "}, "reason is missing"),
        ("approved", {"reason": "x" * 1_001}, "more than 1000"),
        ("approved", {"evidence": "x" * 1_001}, "more than 1000"),
        ("approved", {"actor": "sam@acme.example"}, "may not approve a registration"),
        ("approved", {"actor": " "}, "person who decides is missing"),
        ("declined", {"actor": "system:night"}, "may not decline"),
        ("withdrawn", {"actor": "sam@acme.example"}, "may not withdraw"),
        ("postponed", {}, "is no decision"),
    ],
)
def test_decision_that_breaks_a_rule_is_refused(world, key, decision, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        decide(world, key, decision, **options)
    assert recorded(world) == 1


@pytest.mark.parametrize("spelling", [CAT, CAT.upper(), f" {CAT} "])
def test_who_entered_it_may_not_approve_it(world, spelling):
    key = submit(world, actor=CAT).key
    with pytest.raises(DecisionRefusedError, match="four eyes"):
        decide(world, key, actor=spelling)
    decide(world, key, actor=BEN)


def test_who_entered_it_may_withdraw_it_without_a_role(world, key):
    with pytest.raises(DecisionRefusedError, match="reason"):
        decide(world, key, "withdrawn", actor=EVE, reason="")
    with pytest.raises(DecisionRefusedError, match="may not decline"):
        decide(world, key, "declined", actor=EVE)
    assert decide(world, key, "withdrawn", actor=EVE).decided_by == "eve"


@pytest.mark.parametrize(
    ("unknown", "message"),
    [
        ("control:deal_registrations:reg_000000000000", "no registration"),
        ("control:lead_entries:{id}", "no registration"),
        ("{id}", "not the key"),
        ("drop:invoices:R1", "not the key"),
        ("drop:deal_registrations:", "not the key"),
        (":deal_registrations:R1", "not the key"),
        ("", "missing"),
    ],
)
def test_unknown_key_is_refused(world, key, unknown, message):
    with pytest.raises(DecisionRefusedError, match=message):
        decide(world, unknown.format(id=key.rpartition(":")[2]))


def test_delivered_registration_can_be_decided(world):
    decide(world, FILED)
    decide(world, "drop:deal_registrations:a:b", "declined")
    with world.store.read() as connection:
        assert [found.registration_key for found in load_decisions(connection)] == [
            FILED, "drop:deal_registrations:a:b",
        ]  # fmt: skip
    with pytest.raises(DecisionRefusedError, match="approved already"):
        decide(world, FILED, actor=BEN)


def test_facts_of_a_delivered_registration_count(world):
    filed = DeliveredRegistration("approved", SUBMITTED, SUBMITTED, LATER)
    with pytest.raises(DecisionRefusedError, match="is pending"):
        extend(world, FILED, LATEST)
    with pytest.raises(DecisionRefusedError, match="must end later"):
        extend(world, FILED, LATER, delivered=filed)
    with pytest.raises(DecisionRefusedError, match="approved already"):
        decide(world, FILED, delivered=filed)
    with pytest.raises(DecisionRefusedError, match="final"):
        decide(world, FILED, delivered=replace(filed, status="withdrawn"))
    extend(world, FILED, LATEST, delivered=filed)
    decide(world, FILED, "declined", delivered=filed)
    with pytest.raises(DecisionRefusedError, match="declined already"):
        decide(world, FILED, "declined", delivered=filed)
    newer = replace(filed, decided_at=CLOCK + timedelta(seconds=1))
    with pytest.raises(DecisionRefusedError, match="approved already"):
        decide(world, FILED, delivered=newer)


def test_two_processes_cannot_enter_or_decide_the_same_twice(world):
    key = submit(world, partner_id="p_2").key

    def attempt(number):
        store = open_store(world.home, synchronous="OFF")
        other = World(world.home, store, new_warehouse())
        outcomes = []
        for call in (lambda: submit(other), lambda: decide(other, key, actor=[ANA, BEN][number])):
            try:
                call()
                outcomes.append(True)
            except DecisionRefusedError:
                outcomes.append(False)
        store.close()
        return outcomes

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, range(2)))
    assert [sum(outcome) for outcome in zip(*results, strict=True)] == [1, 1]
    assert recorded(world) == 3
