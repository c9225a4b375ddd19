"""Sessions, links and addresses of the web app, each with an instant of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from payout_world import ANA, APPROVALS
from sqlalchemy import select

from payouts import events, schema
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text, sha256_text
from payouts.login_links import (
    LIFETIME,
    end_links,
    find_link,
    issue_link,
    may_request,
    use_link,
)
from payouts.login_links import remove_old as remove_old_links
from payouts.portal_addresses import (
    add_address,
    allow_address,
    forbid_address,
    list_addresses,
    partners_of,
    take_over_directory,
)
from payouts.store import open_store
from payouts.verify import verify
from payouts.web_sessions import (
    find_session,
    live_sessions,
    open_session,
    partner_subject,
    remove_old,
    revoke_everybody,
    revoke_session,
    revoke_subject,
)

NOW = datetime(2026, 3, 1, 9, 0)
MIA = "mia@northpeak.example"


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "home", synchronous="OFF")
    yield opened
    opened.close()


def _staff(connection, token, subject="ana@acme.example", now=NOW):
    return open_session(
        connection, token, subject=subject, kind="staff", identity_level="oidc", now=now
    )


def _partner(connection, token, partner_id="p_4", now=NOW):
    return open_session(
        connection, token, subject=partner_subject(partner_id), kind="partner",
        identity_level="os_user", partner_id=partner_id, now=now,
    )  # fmt: skip


def _stored_texts(store):
    with store.read() as connection:
        return " ".join(
            str(value)
            for table in (schema.web_sessions, schema.login_links, schema.portal_addresses)
            for row in connection.execute(select(table))
            for value in row
        )


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


def test_session_is_found_by_its_token_alone(store):
    with store.write() as connection:
        opened = _staff(connection, "first-token", subject=" Ana@ACME.example ")
        found = find_session(connection, "first-token", NOW)
        assert found == opened and found.subject == "ana@acme.example"
        assert find_session(connection, opened.session_sha256, NOW) is None
        assert find_session(connection, "first-toke", NOW) is None
        assert find_session(connection, "", NOW) is None


@pytest.mark.parametrize(
    ("open_one", "lifetime"), [(_staff, timedelta(hours=12)), (_partner, timedelta(days=7))]
)
def test_session_ends_by_itself_at_its_last_instant(store, open_one, lifetime):
    with store.write() as connection:
        open_one(connection, "token")
        last = NOW + lifetime - timedelta(microseconds=1)
        assert find_session(connection, "token", last) is not None
        assert find_session(connection, "token", NOW + lifetime) is None


def test_unknown_kind_of_session_is_refused(store):
    with pytest.raises(DecisionRefusedError, match="kind of session"), store.write() as connection:
        open_session(
            connection, "t", subject="a@b.example", kind="root", identity_level="oidc", now=NOW
        )


def test_one_session_or_all_of_a_subject_are_ended_at_once(store):
    with store.write() as connection:
        first, _, other = (
            _partner(connection, "a"), _partner(connection, "b"), _partner(connection, "c", "p_5")
        )  # fmt: skip
        assert revoke_session(connection, first.session_sha256, NOW) == 1
        assert revoke_session(connection, first.session_sha256, NOW) == 0
        assert find_session(connection, "a", NOW) is None
        assert find_session(connection, "b", NOW) is not None
        assert revoke_subject(connection, "partner:p_4", NOW) == 1
        assert live_sessions(connection, NOW) == [other]
        _staff(connection, "d")
        assert revoke_subject(connection, " ANA@acme.example", NOW) == 1
        assert [each.subject for each in live_sessions(connection, NOW, "partner:p_5")] == [
            "partner:p_5"
        ]
        assert revoke_everybody(connection, NOW) == 1
        assert live_sessions(connection, NOW) == []


def test_ids_of_partners_keep_their_case(store):
    with store.write() as connection:
        _partner(connection, "a", "P_4")
        _partner(connection, "b", "p_4")
        assert revoke_subject(connection, "partner:P_4", NOW) == 1
        assert find_session(connection, "b", NOW) is not None


def test_old_sessions_are_removed_when_somebody_signs_in(store):
    with store.write() as connection:
        _partner(connection, "old")
        revoked = _partner(connection, "revoked")
        revoke_session(connection, revoked.session_sha256, NOW)
        just_kept = NOW + timedelta(days=30) - timedelta(microseconds=1)
        assert remove_old(connection, just_kept) == 0
        assert remove_old(connection, NOW + timedelta(days=30)) == 1
        _staff(connection, "new", now=NOW + timedelta(days=37))
        rows = connection.execute(select(schema.web_sessions.c.session_sha256)).scalars().all()
    assert rows == [sha256_text("new")]


# ── links ───────────────────────────────────────────────────────────────────────────────────────


def _link(connection, token, email=MIA, partner_id="p_4", now=NOW):
    return issue_link(connection, token, email=email, partner_id=partner_id, now=now)


def test_link_works_once_and_looking_does_not_use_it(store):
    with store.write() as connection:
        _link(connection, "token")
        for _ in range(3):
            assert find_link(connection, "token", NOW).partner_id == "p_4"
        assert use_link(connection, "token", NOW).partner_id == "p_4"
        assert use_link(connection, "token", NOW) is None
        assert find_link(connection, "token", NOW) is None


def test_link_ends_after_fifteen_minutes(store):
    with store.write() as connection:
        link = _link(connection, "token")
        assert link.expires_at == instant_text(NOW + timedelta(minutes=15))
        assert find_link(connection, "token", NOW + LIFETIME - timedelta(microseconds=1))
        assert use_link(connection, "token", NOW + LIFETIME) is None


def test_using_a_link_ends_the_others_of_the_same_address_and_partner(store):
    with store.write() as connection:
        for token, email, partner_id in (
            ("used", MIA, "p_4"),
            ("same", "MIA@northpeak.example ", "p_4"),
            ("other partner", MIA, "p_5"),
            ("other address", "max@northpeak.example", "p_4"),
        ):
            _link(connection, token, email, partner_id)
        assert use_link(connection, "used", NOW)
        assert find_link(connection, "same", NOW) is None
        assert find_link(connection, "other partner", NOW)
        assert find_link(connection, "other address", NOW)
        assert end_links(connection, "p_4", NOW) == 1
        assert find_link(connection, "other address", NOW) is None


def test_third_request_within_a_quarter_of_an_hour_is_the_last(store):
    with store.write() as connection:
        for minute in (0, 1, 2):
            at = NOW + timedelta(minutes=minute)
            assert may_request(connection, MIA, at)
            # A mailbox of two partners: one request, two links.
            _link(connection, f"a{minute}", now=at)
            _link(connection, f"b{minute}", partner_id="p_5", now=at)
        assert not may_request(connection, "Mia@Northpeak.example", NOW + timedelta(minutes=3))
        assert may_request(connection, "max@northpeak.example", NOW + timedelta(minutes=3))
        assert not may_request(connection, MIA, NOW + timedelta(minutes=14))
        assert may_request(connection, MIA, NOW + timedelta(minutes=15))
        # What was sent goes on working: a stranger who asks shuts nobody out.
        assert find_link(connection, "a0", NOW + timedelta(minutes=14))


def test_old_links_are_removed(store):
    with store.write() as connection:
        _link(connection, "token")
        assert remove_old_links(connection, NOW + LIFETIME + timedelta(hours=23)) == 0
        assert remove_old_links(connection, NOW + LIFETIME + timedelta(days=1)) == 1


def test_no_token_and_no_address_of_a_link_is_stored(store):
    with store.write() as connection:
        _link(connection, "secret-of-a-link")
        _partner(connection, "secret-of-a-session")
    stored = _stored_texts(store)
    assert "secret" not in stored and MIA not in stored
    assert sha256_text("secret-of-a-link") in stored


# ── addresses ───────────────────────────────────────────────────────────────────────────────────


def _addresses(connection):
    return [(each.partner_id, each.email, each.source) for each in list_addresses(connection)]


def test_directory_is_taken_over_and_people_keep_what_they_added(store):
    with store.write() as connection:
        add_address(connection, "p_4", "Extra@Northpeak.example", source="person", now=NOW)
        changes = take_over_directory(
            connection,
            [("p_4", " MIA@northpeak.example"), ("p_4", MIA), ("p_5", MIA), ("p_6", "no address"),
             ("p_7", ""), ("p_4", "extra@northpeak.example")],
            NOW,
        )  # fmt: skip
        assert (changes.added, changes.removed) == (2, 0)
        assert _addresses(connection) == [
            ("p_4", "extra@northpeak.example", "person"),
            ("p_4", MIA, "directory"),
            ("p_5", MIA, "directory"),
        ]
        assert partners_of(connection, "Mia@NORTHPEAK.example") == ["p_4", "p_5"]
        changes = take_over_directory(connection, [("p_5", MIA)], NOW)
        assert changes.partners_who_lost_one == ("p_4",)
        assert _addresses(connection) == [
            ("p_4", "extra@northpeak.example", "person"),
            ("p_5", MIA, "directory"),
        ]


def test_partner_that_lost_an_address_is_signed_out(store):
    with store.write() as connection:
        take_over_directory(connection, [("p_4", MIA), ("p_5", "max@x.example")], NOW)
        _partner(connection, "four")
        _partner(connection, "five", "p_5")
        _link(connection, "link")
        take_over_directory(
            connection, [("p_4", "new@northpeak.example"), ("p_5", "max@x.example")], NOW
        )
        assert find_session(connection, "four", NOW) is None
        assert find_link(connection, "link", NOW) is None
        assert find_session(connection, "five", NOW) is not None


def test_empty_directory_shuts_nobody_out(store):
    with store.write() as connection:
        take_over_directory(connection, [("p_4", MIA)], NOW)
        changes = take_over_directory(connection, [("p_5", "broken")], NOW)
        assert (changes.added, changes.removed) == (0, 0)
        assert partners_of(connection, MIA) == ["p_4"]


def test_person_with_a_role_allows_and_forbids_an_address(store):
    allow_address(
        store, "p_4", "Extra@Northpeak.example", actor="Ana@acme.example ", rules=APPROVALS, now=NOW
    )
    with store.write() as connection:
        _partner(connection, "token")
        _link(connection, "link")
    forbid_address(store, "p_4", "extra@northpeak.EXAMPLE", actor=ANA, rules=APPROVALS, now=NOW)
    with store.read() as connection:
        assert list_addresses(connection) == []
        assert find_session(connection, "token", NOW) is None
        assert find_link(connection, "link", NOW) is None
        recorded = events.of_kinds(connection, ("portal_address_added", "portal_address_removed"))
    assert [(each.kind, each.subject, each.actor) for each in recorded] == [
        ("portal_address_added", "partner:p_4", "ana@acme.example"),
        ("portal_address_removed", "partner:p_4", "ana@acme.example"),
    ]
    assert not any("northpeak" in str(vars(each)) for each in recorded)
    assert [each for each in verify(store.home, store=store) if not each.ok] == []


@pytest.mark.parametrize(
    ("email", "actor", "said"),
    [("extra@x.example", "eve", "eve may not"), ("no address", ANA, "not an address"),
     ("", ANA, "address")],
)  # fmt: skip
def test_address_is_allowed_by_people_with_a_role_only(store, email, actor, said):
    with pytest.raises(DecisionRefusedError, match=said):
        allow_address(store, "p_4", email, actor=actor, rules=APPROVALS, now=NOW)
    with store.read() as connection:
        assert events.head(connection).seq == 0 and list_addresses(connection) == []


def test_address_of_the_directory_is_corrected_there(store):
    with store.write() as connection:
        take_over_directory(connection, [("p_4", MIA)], NOW)
    with pytest.raises(DecisionRefusedError, match="correct it there"):
        forbid_address(store, "p_4", MIA, actor=ANA, rules=APPROVALS, now=NOW)
    with pytest.raises(DecisionRefusedError, match="no such address"):
        forbid_address(store, "p_5", MIA, actor=ANA, rules=APPROVALS, now=NOW)
