"""`partnerledger access …`: who is signed in, and which addresses partners sign in with."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cli_world import run_cli, write_home

from payouts.hashing import sha256_text
from payouts.login_links import find_link, issue_link
from payouts.portal_addresses import take_over_directory
from payouts.store import open_store
from payouts.web_sessions import live_sessions, open_session

ANA, MIA = "ana@acme.example", "mia@northpeak.example"
# Commands read the clock: these sessions have been open for a minute.


def _now():
    """Not once for the module: a suite runs for longer than a link lasts."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=1)


@pytest.fixture
def home(tmp_path):
    made = write_home(tmp_path / "var")
    store = open_store(made)
    with store.write() as connection:
        take_over_directory(connection, [("p1", MIA)], _now())
        issue_link(connection, "link", email=MIA, partner_id="p1", now=_now())
        for token, subject, kind, partner_id in (
            ("a", ANA, "staff", None),
            ("b", "partner:p1", "partner", "p1"),
            ("c", "partner:p1", "partner", "p1"),
        ):
            open_session(
                connection, token, subject=subject, kind=kind, identity_level="oidc",
                partner_id=partner_id, now=_now(),
            )  # fmt: skip
    store.close()
    return made


def _left(home):
    store = open_store(home)
    with store.read() as connection:
        left = [each.subject for each in live_sessions(connection, _now())]
        has_link = find_link(connection, "link", _now()) is not None
    store.close()
    return sorted(left), has_link


def test_list_shows_sessions_and_addresses_and_no_token(home):
    shown = json.loads(run_cli("access", "list", "--json", home=home).out)
    assert sorted(each["subject"] for each in shown["sessions"]) == [
        ANA, "partner:p1", "partner:p1",
    ]  # fmt: skip
    assert [(each["partner_id"], each["email"]) for each in shown["addresses"]] == [("p1", MIA)]
    text = run_cli("access", "list", home=home).out
    assert sha256_text("a")[:12] in text and MIA in text


@pytest.mark.parametrize(
    ("who", "sessions", "addresses"),
    [(ANA, 1, 0), ("partner:p1", 2, 1), (MIA.upper(), 0, 1), ("partner:p2", 0, 0)],
)
def test_list_of_one(home, who, sessions, addresses):
    shown = json.loads(run_cli("access", "list", "--who", who, "--json", home=home).out)
    assert (len(shown["sessions"]), len(shown["addresses"])) == (sessions, addresses)


@pytest.mark.parametrize(
    ("arguments", "left", "has_link"),
    [
        ((sha256_text("b")[:12],), [ANA, "partner:p1"], True),
        ((" ANA@acme.example",), ["partner:p1", "partner:p1"], True),
        (("partner:p1",), [ANA], False),
        (("--all",), [], False),
        (("partner:p2",), [ANA, "partner:p1", "partner:p1"], True),
    ],
)
def test_revoke_signs_out_at_once(home, arguments, left, has_link):
    outcome = run_cli("access", "revoke", *arguments, "--json", home=home)
    assert json.loads(outcome.out) == {"revoked": 3 - len(left)}
    assert _left(home) == (left, has_link)


@pytest.mark.parametrize(("session", "said"), [("ffffffffffff", "no session"), ("a", "6 digits")])
def test_revoke_of_what_is_no_session_is_refused(home, session, said):
    outcome = run_cli("access", "revoke", session, home=home)
    assert outcome.code == 1 and said in outcome.err and outcome.err.count("\n") == 1
    assert len(_left(home)[0]) == 3


def test_revoke_needs_somebody_or_all(home):
    assert run_cli("access", "revoke", home=home).code == 2
    assert run_cli("access", "revoke", ANA, "--all", home=home).code == 2
    assert len(_left(home)[0]) == 3


def test_address_is_allowed_and_forbidden(home):
    allowed = run_cli(
        "access", "allow", "p1", "Max@Northpeak.example", "--as", ANA, "--json", home=home
    )
    assert json.loads(allowed.out)["email"] == "max@northpeak.example"
    assert _left(home)[0] == [ANA, "partner:p1", "partner:p1"]
    forbidden = run_cli("access", "forbid", "p1", "max@northpeak.example", "--as", ANA, home=home)
    assert forbidden.code == 0 and _left(home) == ([ANA], False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("allow", "p1", "max@x.example", "--as", "eve@acme.example"), "eve@acme.example may not"),
        (("allow", "p404", "max@x.example", "--as", ANA), "no partner 'p404'"),
        (("allow", "p1", "max", "--as", ANA), "not an address"),
        (("forbid", "p1", MIA, "--as", ANA), "correct it there"),
        (("forbid", "p1", "max@x.example", "--as", ANA), "no such address"),
    ],
)
def test_what_is_not_allowed_is_refused_with_one_line(home, arguments, said):
    outcome = run_cli("access", *arguments, home=home)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1) and said in outcome.err
