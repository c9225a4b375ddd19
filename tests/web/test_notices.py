"""Whom to tell what: keys, digests, statements, cut-off, and what never leaves the house."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from notice_world import (
    AS_OF,
    BEFORE,
    NOW,
    TODAY,
    decided,
    entry,
    payout,
    programme,
    published,
    stage,
    sums,
)

from dashboards import queries
from dashboards.notices.due import due_notices, news, week_end
from dashboards.notices.kinds import DIGEST
from dashboards.notices.preparing import prepare
from dashboards.notices.staff import staff_notices
from dashboards.snapshot import open_snapshot, read_pointer
from payouts import told
from payouts.notice_choices import choose_notices
from payouts.outbox import list_messages
from payouts.portal_addresses import add_address, list_addresses
from payouts.store import open_store


def due(night, decisions=None, known=(), weekly="off", since=BEFORE):
    return due_notices(
        set(known), night, decisions or decided(), now=NOW, weekly_statement=weekly, since=since
    )


# ── news of partners ────────────────────────────────────────────────────────────────────────────


def test_one_fact_is_one_mail_of_its_kind():
    (notice,) = due(published(lead_stages=[stage()])).notices
    assert (notice.kind, notice.channel, notice.recipient) == (
        "lead_stage_changed", "mail", "ann@partner.example",
    )  # fmt: skip
    assert notice.told == ("lead_stage_changed|p_1|lead_1|demo_held",)
    assert notice.payload["sections"][0]["items"] == [
        {"customer": "k***@kind.example", "lead_id": "lead_1", "stage": "demo_held",
         "reached_at": "2026-03-01T15:00:00"}
    ]  # fmt: skip
    assert notice.expires_at == NOW + timedelta(days=14)


def test_what_was_told_is_never_told_again():
    night = published(lead_stages=[stage(), stage("lead_2")], held=[entry()])
    first = due(night, decided(payouts=[payout()]))
    known = {key for notice in first.notices for key in notice.told}
    assert len(first.notices) == 2 and len(known) == 4
    assert due(night, decided(payouts=[payout()]), known).notices == ()


def test_several_facts_are_one_mail_per_partner_and_address():
    night = published(
        lead_stages=[stage(), stage("lead_3", "signup"), stage("lead_2")],
        taken_back=[entry("e1"), entry("e2", amount_minor=300, code="EUR")],
    )
    found = due(
        night,
        decided(
            payouts=[payout()],
            addresses={"p_1": ["ann@partner.example", "books@partner.example"], "p_2": ["b@c.d"]},
        ),
    ).notices
    assert [(each.kind, each.recipient) for each in found] == [
        (DIGEST, "ann@partner.example"),
        (DIGEST, "books@partner.example"),
        ("lead_stage_changed", "b@c.d"),
    ]
    sections = found[0].payload["sections"]
    assert [each["kind"] for each in sections] == [
        "payout_scheduled", "commission_taken_back", "lead_stage_changed",
    ]  # fmt: skip
    assert sections[1]["totals"] == [
        {"currency_code": "EUR", "amount_minor": 300},
        {"currency_code": "USD", "amount_minor": 500},
    ]
    assert found[0].subject_ref == found[1].subject_ref


def test_a_lead_that_went_through_several_stages_is_told_as_it_stands():
    night = published(
        lead_stages=[
            stage(name="demo_held", at=datetime(2026, 3, 1, 15)),
            stage(name="demo_booked", at=datetime(2026, 2, 27)),
        ]
    )
    (notice,) = due(night).notices
    assert [item["stage"] for item in notice.payload["sections"][0]["items"]] == ["demo_held"]
    assert len(notice.told) == 2


def test_a_long_section_is_cut_and_says_how_much():
    rows = [entry(f"e{number:03}", amount_minor=1) for number in range(50)]
    (notice,) = due(published(taken_back=rows)).notices
    (section,) = notice.payload["sections"]
    assert (section["count"], len(section["items"])) == (50, 20)
    assert section["totals"] == [{"currency_code": "USD", "amount_minor": 50}]
    assert len(notice.told) == 50


@pytest.mark.parametrize(
    ("state", "kind"),
    [("exported", "payout_scheduled"), ("sent", "payout_sent"), ("settled", "payout_sent"),
     ("unclaimed", "payout_sent"), ("failed", "payout_failed"), ("returned", "payout_failed"),
     ("aborted", "payout_failed")],
)  # fmt: skip
def test_each_state_of_a_payout_has_its_notice(state, kind):
    (notice,) = due(published(), decided(payouts=[payout(state=state)])).notices
    assert notice.kind == kind
    assert notice.told == (f"{kind}|p_1|pay1",)


def test_a_payout_is_told_once_per_kind_on_its_way():
    known: set[str] = set()
    kinds = []
    for state in ("exported", "sent", "sent", "settled", "returned", "returned"):
        found = due(published(), decided(payouts=[payout(state=state)]), known).notices
        kinds += [each.kind for each in found]
        known.update(key for each in found for key in each.told)
    assert kinds == ["payout_scheduled", "payout_sent", "payout_failed"]


def test_a_request_and_each_reminder_are_told_once():
    row = {"request_id": "req1", "lead_id": "lead_1", "asked_at": NOW, "due_at": NOW,
           "state": "open", "reminders": 0}  # fmt: skip
    (first,) = due(published(update_requests=[row])).notices
    assert due(published(update_requests=[row]), known=first.told).notices == ()
    reminded = {**row, "state": "overdue", "reminders": 1}
    (second,) = due(published(update_requests=[reminded]), known=first.told).notices
    assert second.payload["sections"][0]["items"][0]["is_overdue"] is True


def test_a_request_that_names_a_partner_is_told_to_that_one_alone():
    row = {"request_id": "req1", "lead_id": "lead_1", "asked_at": NOW, "due_at": NOW,
           "state": "open", "reminders": 0, "customer": "k***@kind.example"}  # fmt: skip
    other = {**row, "request_id": "req2"}
    night = published(update_requests=[row, other])
    found = due(night, decided(asked={"req1": "p_2"})).notices
    assert [(each.recipient, each.told) for each in found] == [
        ("ann@partner.example", ("update_requested|p_1|req2|0",)),
        ("bob@partner.example", ("update_requested|p_2|req1|0",)),
    ]
    assert found[1].payload["sections"][0]["items"][0]["customer"] == "k***@kind.example"


def test_who_wants_less_is_told_of_payouts_and_requests_alone():
    row = {"request_id": "req1", "lead_id": "lead_1", "asked_at": NOW, "due_at": NOW,
           "state": "open", "reminders": 0}  # fmt: skip
    night = published(
        lead_stages=[stage(), stage("lead_2")], held=[entry()], taken_back=[entry("e2")],
        update_requests=[row], statement_sums=[sums(), sums("p_2")],
    )  # fmt: skip
    facts = decided(payouts=[payout()], wanting_less=frozenset({"p_1"}))
    found = due(night, facts, weekly="monday")
    mine = [each for each in found.notices if each.recipient == "ann@partner.example"]
    assert [[part["kind"] for part in each.payload["sections"]] for each in mine] == [
        ["payout_scheduled", "update_requested"]
    ]
    assert {each.kind for each in found.notices if each.recipient == "bob@partner.example"} == {
        "lead_stage_changed", "weekly_statement",
    }  # fmt: skip
    # Whoever wants everything again is not told what was old by then.
    assert sorted(key.split("|")[0] for key in found.unwanted) == [
        "commission_held", "commission_taken_back", "lead_stage_changed",
    ]  # fmt: skip
    known = {*found.unwanted, *(key for each in found.notices for key in each.told)}
    assert due(night, decided(payouts=[payout()]), known).notices == ()


def test_a_partner_without_an_address_is_named_and_told_later():
    night = published(lead_stages=[stage()])
    found = due(night, decided(addresses={}))
    assert (found.notices, found.without_address) == ((), ("p_1",))
    assert len(due(night).notices) == 1


def test_a_partner_whom_the_programme_does_not_tell_is_told_nothing():
    night = published(lead_stages=[stage(), stage("lead_2")], partners={"p_2": "Bob & Sons"})
    assert {each.partner_id for each in news(night, decided(payouts=[payout()]))} == {"p_2"}


# ── statements ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("as_of", "day", "end"),
    [
        (date(2026, 3, 1), "monday", date(2026, 3, 1)),
        (date(2026, 3, 2), "monday", date(2026, 3, 1)),
        (date(2026, 2, 28), "monday", date(2026, 2, 22)),
        (date(2026, 3, 1), "sunday", date(2026, 2, 28)),
        (date(2026, 3, 5), "friday", date(2026, 3, 5)),
        (date(2026, 3, 1), "off", None),
    ],
)
def test_the_week_of_a_statement_ends_the_day_before_it_is_sent(as_of, day, end):
    assert week_end(as_of, day) == end


def test_a_statement_is_made_in_the_first_night_after_the_week_and_once():
    night = published(statement_sums=[sums(), sums(code="EUR", earned=0, paid=1_000)])
    found = due(night, weekly="monday")
    (notice,) = found.notices
    assert (notice.kind, notice.segment) == ("weekly_statement", 7)
    assert notice.told == ("weekly_statement|p_1|2026-W09",)
    assert [row["currency_code"] for row in notice.payload["currencies"]] == ["USD", "EUR"]
    assert found.week == "weekly_statements_made|2026-W09"
    # On Monday night more has moved: that is for the next statement.
    monday = published(as_of=date(2026, 3, 2), statement_sums=[sums(), sums("p_2")])
    assert due(monday, known=[found.week], weekly="monday").notices == ()
    # The night of Sunday failed: the next one makes them.
    assert len(due(monday, weekly="monday").notices) == 2


def test_no_statement_covers_a_week_that_was_over_when_notices_began():
    night = published(statement_sums=[sums()])
    assert due(night, weekly="monday", since=AS_OF).notices == ()
    assert due(night, weekly="off").notices == ()


# ── staff ───────────────────────────────────────────────────────────────────────────────────────

ROLES = {"partnerships": ["ana@acme.example"], "finance": ["ben@acme.example", "cleo"], "admin": []}
BATCH = {"role": "finance", "batch_id": "b-1", "currency_code": "EUR", "total_minor": 807_342,
         "items": 5, "pay_date": date(2026, 3, 16)}  # fmt: skip


def staff(night=None, decisions=None, known=(), now=NOW, today=TODAY, last_night=None, **options):
    return staff_notices(
        set(known), night, decisions or decided(), roles=options.get("roles", ROLES), now=now,
        today=today, last_night=last_night, with_webhook=options.get("with_webhook", True),
    )  # fmt: skip


def test_a_role_hears_once_a_day_of_what_waits_for_it():
    waiting = decided(waiting=[BATCH, {**BATCH, "batch_id": "b-0", "total_minor": 1}])
    found = staff(published(), waiting)
    assert [(each.kind, each.channel, each.recipient) for each in found] == [
        ("approval_waiting", "mail", "ben@acme.example"),
        ("approval_waiting", "webhook", "staff"),
    ]
    assert [row["batch_id"] for row in found[0].payload["batches"]] == ["b-0", "b-1"]
    assert found[0].payload["totals"] == [{"currency_code": "EUR", "amount_minor": 807_343}]
    known = found[0].told
    assert staff(published(), waiting, known) == []
    assert len(staff(published(), waiting, known, today=TODAY + timedelta(days=1))) == 2
    assert len(staff(published(), waiting, with_webhook=False)) == 1


def test_old_numbers_are_told_when_they_turn_old_and_when_they_turn_stale():
    published_at = published().published_at
    known: set[str] = set()
    levels = []
    for hours in (1, 25, 27, 30, 49, 51, 90):
        found = staff(published(), known=known, now=published_at + timedelta(hours=hours))
        levels += [each.payload["level"] for each in found if each.channel == "webhook"]
        known.update(key for each in found for key in each.told)
    assert levels == ["old", "stale"]
    people = {each.recipient for each in staff(published(), now=published_at + timedelta(days=9))}
    assert people == {"ana@acme.example", "ben@acme.example", "staff"}


def test_a_failed_night_is_told_once_to_who_looks_after_nights_without_addresses():
    night = {"state": "failed", "as_of": "2026-03-02", "at": "2026-03-03T07:00:00",
             "message": "Check x failed for ann@partner.example of marts.y"}  # fmt: skip
    options = {"roles": {**ROLES, "admin": ["root@acme.example"]}}
    found = staff(published(), last_night=night, now=NOW, **options)
    assert {each.recipient for each in found} == {"root@acme.example", "staff"}
    assert "@" not in found[0].payload["message"]
    assert staff(published(), last_night=night, known=found[0].told, **options) == []
    assert staff(published(), last_night={**night, "at": "2026-03-02T06:59:59"}) == []
    assert staff(published(), last_night={**night, "state": "succeeded"}) == []
    assert len(staff(None, last_night=night, **options)) == 2


# ── over a published night ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def store(own_home):
    opened = open_store(own_home)
    with opened.write() as connection:
        if not list_addresses(connection):
            for number in range(1, 25):
                add_address(
                    connection, f"p_{number}", f"p{number}@partner.example", source="person",
                    now=NOW,
                )  # fmt: skip
    yield opened
    opened.close()


def run(home, store, workspace=None, now=NOW, last_night=None):
    published_at = datetime.fromisoformat(read_pointer(home).published_at)
    with open_snapshot(home) as connection:
        return prepare(
            store, workspace or programme(), (connection, max(published_at, NOW)), now=now,
            today=TODAY, last_night=last_night,
        )  # fmt: skip


def kept(store):
    with store.read() as connection:
        return list_messages(connection)


def forget(store, *patterns):
    """As if these facts had come after notices were switched on."""
    with store.write() as connection:
        for pattern in patterns:
            connection.exec_driver_sql(
                f"delete from notices_told where told_key like '{pattern}' and message_id is null"
            )


def test_an_old_home_is_not_flooded_and_a_second_run_tells_nothing(own_home, store):
    first = run(own_home, store)
    assert first.state == "switched_on"
    assert set(first.kept) == {"approval_waiting"}
    with store.read() as connection:
        assert told.switched_on(connection).payload == {"as_of": "2026-02-28", "segment": 1}
        assert told.count_told(connection) > 50
    again = run(own_home, store)
    assert (again.state, again.messages) == ("prepared", 0)


def test_new_facts_are_told_once_by_runs_that_repeat(own_home, store):
    run(own_home, store)
    forget(store, "commission_taken_back|p_4|%", "lead_stage_changed|p_4|%")
    second = run(own_home, store)
    assert second.kept == {"digest": 1}
    assert run(own_home, store).messages == 0
    (message,) = [each for each in kept(store) if each.kind == "digest"]
    with store.read() as connection:
        assert message.recipient in {each.email for each in list_addresses(connection, "p_4")}


def test_who_wants_everything_again_is_not_told_what_is_old_by_then(own_home, store):
    def choose(choice):
        choose_notices(store, "p_4", choice, actor="partner:p_4", recorded_at=NOW)

    run(own_home, store)
    choose("needed")
    forget(store, "commission_taken_back|p_4|%", "lead_stage_changed|p_4|%")
    assert run(own_home, store).messages == 0
    choose("all")
    assert run(own_home, store).messages == 0
    # What comes from now on is told.
    forget(store, "lead_stage_changed|p_4|%")
    assert run(own_home, store).kept == {"lead_stage_changed": 1}


def test_switched_off_nothing_is_kept_and_switching_on_again_begins_anew(own_home, store):
    run(own_home, store)
    off = run(own_home, store, programme(enabled=False))
    assert off.state == "off"
    forget(store, "lead_stage_changed|%")
    assert run(own_home, store).state == "switched_on"
    assert run(own_home, store).messages == 0


def test_statements_add_up_to_the_published_balance(own_home, store):
    with store.write() as connection:
        told.record_switch(connection, told.NOTICES_ENABLED, NOW, "2026-02-21", 0)
    # 2026-02-28 is a Saturday: the week of sunday's statement ends there.
    found = run(own_home, store, programme(weekly_statement="sunday"))
    assert found.kept["weekly_statement"] > 10
    with open_snapshot(own_home) as connection:
        balances = {
            (partner, code): balance
            for partner, code, balance in connection.execute(
                "select partner_id, payout_currency_code, balance_amount_minor "
                "from marts.fct_partner_balances"
            ).fetchall()
        }
        openings = {"openings": json.dumps([{"partner_id": "p_4", "segment": 1}]), "opening": 0}
        later = queries.run(connection, "notices/statement_sums", openings)
    seen = set()
    for message in kept(store):
        if message.kind != "weekly_statement":
            continue
        for row in message.payload["currencies"]:
            seen.add((message.payload["partner_id"], row["currency_code"]))
            assert (
                row["opening_minor"] + row["earned_minor"] + row["released_minor"]
                - row["taken_back_minor"] - row["paid_minor"] + row["other_minor"]
                == row["closing_minor"]
                == balances[message.payload["partner_id"], row["currency_code"]]
            )  # fmt: skip
            assert row["opening_minor"] == 0 and row["taken_back_minor"] >= 0
    # A partner that has left is told nothing: the directory gives no address of it any more.
    with store.read() as connection:
        told_partners = {each.partner_id for each in list_addresses(connection)}
    assert seen == {pair for pair in balances if pair[0] in told_partners}
    assert len(balances) - len(seen) <= 1
    # The next one begins where this one ended, and of p_4 nothing has moved since.
    assert "p_4" not in {row["partner_id"] for row in later}
    with store.read() as connection:
        assert set(told.last_segments(connection, "weekly_statement").values()) == {1}
    assert run(own_home, store, programme(weekly_statement="sunday")).messages == 0


def test_nothing_leaves_that_is_not_the_partners_business(own_home, store):
    run(own_home, store)
    forget(store, "%")
    assert run(own_home, store).messages > 10
    with open_snapshot(own_home) as connection:
        names = dict(
            connection.execute("select partner_id, name from marts.dim_partners").fetchall()
        )
    for message in kept(store):
        if message.channel == "webhook":
            assert "@" not in json.dumps(dict(message.payload))
            continue
        if "partner_id" not in message.payload:
            continue
        text = json.dumps(dict(message.payload), ensure_ascii=False)
        partner_id = message.payload["partner_id"]
        others = {name for other, name in names.items() if other != partner_id}
        assert not [name for name in others if f'"{name}"' in text]
        for word in text.replace('"', " ").split():
            assert "@" not in word or "***@" in word


def test_what_people_wrote_about_a_hold_stays_inside(own_home):
    with open_snapshot(own_home) as connection:
        rows = queries.run(connection, "notices/held")
    assert rows and all(":" not in row["reason"] for row in rows)


def test_in_shadow_mode_the_pilot_alone_is_told(own_home, store):
    workspace = programme()
    pilot = workspace.program.pilot.model_copy(update={"enabled": True, "partners": ("p_4",)})
    workspace = replace(workspace, program=workspace.program.model_copy(update={"pilot": pilot}))
    run(own_home, store, workspace)
    forget(store, "%")
    run(own_home, store, workspace)
    told_partners = {each.payload.get("partner_id") for each in kept(store)} - {None}
    assert "p_4" in told_partners and len(told_partners) <= 3


def test_a_night_that_fails_before_anything_was_published_is_told(own_home, store):
    night = {"state": "failed", "as_of": "2026-03-01", "at": "2026-03-02T07:00:00", "message": "x"}
    found = prepare(store, programme(), None, now=NOW, today=TODAY, last_night=night)
    assert found.state == "prepared" and found.kept["night_failed"] == 4
