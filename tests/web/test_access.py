"""Signing in and out of the web app: links, sessions, the demo, invitations; who gets nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from access_world import ANA, BEN, DIRECTORY, MIA, NOW, PARTNERS, AccessWorld

from dashboards.access import next_page, set_cookie
from payouts import outbox, web_sessions
from payouts.hashing import sha256_text
from payouts.onboarding import invite, open_invitations
from payouts.portal_addresses import take_over_directory
from payouts.schema import events, outbox_messages
from payouts.terms import approval_rules


@pytest.fixture
def world(tmp_path):
    made = AccessWorld(tmp_path)
    yield made
    made.close()


@pytest.fixture
def demo(tmp_path):
    made = AccessWorld(tmp_path, is_demo=True)
    yield made
    made.close()


def _staff(world, subject=ANA):
    """A browser in which somebody of the company is signed in, as after their work account."""
    client = world.client()
    with world.store.write() as connection:
        web_sessions.open_session(
            connection, f"token of {subject}", subject=subject, kind="staff",
            identity_level="oidc", now=world.now,
        )  # fmt: skip
    from starlette.responses import Response

    answer = Response()
    set_cookie(answer, world.settings, f"token of {subject}", "staff")
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    client.cookies.set(name, value)
    return client


# ── links ───────────────────────────────────────────────────────────────────────────────────────


def test_link_signs_a_partner_in_for_seven_days(world):
    client = world.client()
    answer = client.post(world.link())
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    assert client.get("/portal/who").json() == {
        "subject": "partner:p_4", "name": "Northpeak Media", "roles": ["partner"],
        "partner_id": "p_4", "identity_level": "os_user",
    }  # fmt: skip
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"):
        assert part in cookie
    world.later(days=7, seconds=-1)
    assert client.get("/portal/who").status_code == 200
    world.later(seconds=1)
    assert client.get("/portal/who").headers["location"].startswith("/sign-in?next=")


def test_partner_and_staff_do_not_see_each_others_pages(world):
    assert world.signed_in_partner().get("/who").status_code == 404
    assert _staff(world).get("/portal/who").status_code == 404
    assert world.client().post("/act").status_code == 403


def test_opening_a_link_shows_a_button_and_uses_nothing(world):
    path, scanner, client = world.link(), world.client(), world.client()
    for _ in range(3):
        page = scanner.get(path)
        assert page.status_code == 200 and "Sign in as Northpeak Media" in page.text
        assert scanner.head(path).status_code == 200
    assert world.sessions() == [] and "set-cookie" not in page.headers
    assert client.post(path).status_code == 303


def test_link_works_once(world):
    path, other = world.link(), world.client()
    assert world.client().post(path).status_code == 303
    for again in (other.post(path), other.get(path)):
        assert again.status_code == 410 and "has been used, or has ended" in again.text
    assert len(world.sessions()) == 1 and "set-cookie" not in again.headers


def test_link_that_two_browsers_use_at_once_signs_in_one(world):
    path, barrier, answers = world.link(), threading.Barrier(4), []

    def use():
        client = world.client()
        barrier.wait()
        answers.append(client.post(path).status_code)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 410, 410, 410] and len(world.sessions()) == 1


def test_link_ends_after_fifteen_minutes(world):
    path = world.link()
    world.later(minutes=15)
    assert world.client().get(path).status_code == 410
    assert world.client().post(path).status_code == 410
    assert world.sessions() == []


@pytest.mark.parametrize("token", ["x", "x" * 5000, "..%2f..", "%00", "ä"])
def test_made_up_link_is_no_link(world, token):
    world.link()
    assert world.client().post(f"/sign-in/link/{token}").status_code in (404, 410)
    assert world.sessions() == []


def test_known_and_unknown_addresses_get_the_same_answer(world):
    addresses = [MIA, "nobody@northpeak.example", "gone@x.example", "Mia@NORTHPEAK.example"]
    answers = [world.request_link(world.client(), each) for each in addresses]
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert "sign-in/link/" not in answers[0].text
    assert [recipient for recipient, _ in world.mailed()] == [MIA, MIA]


def test_answer_leaves_before_anybody_is_looked_up(world, monkeypatch):
    """How long the answer takes tells nothing either: the work is in a task after it."""
    monkeypatch.setattr("dashboards.pages.access_pages.send_links_quietly", lambda *_: None)
    known = world.request_link(world.client(), MIA)
    assert known.status_code == 200 and world.mailed() == [] and world.links() == []


def test_failure_of_sending_is_not_shown_and_logs_no_address(world, monkeypatch, caplog):
    from payouts.errors import StorageError

    def fail(*_arguments, **_options):
        raise StorageError("the disk is full")

    monkeypatch.setattr("dashboards.sign_in_links.issue_link", fail)
    assert world.request_link(world.client(), MIA).status_code == 200
    assert "the disk is full" in caplog.text and "northpeak" not in caplog.text


def test_link_goes_to_the_address_as_it_is_known(world):
    """A spelling that only looks like the address must not receive its link."""
    world.request_link(world.client(), "ｍｉａ@northpeak.example")
    assert [recipient for recipient, _ in world.mailed()] == [MIA]


def test_address_of_two_partners_gets_a_link_for_each(world):
    world.request_link(world.client(), "both@x.example")
    paths = [path for _, path in world.mailed()]
    found = []
    for path in paths:
        client = world.client()
        client.post(path)
        found.append(client.get("/portal/who").json()["partner_id"])
    assert sorted(found) == ["p_5", "p_8"]


def test_fourth_request_for_an_address_sends_nothing_and_says_the_same(world):
    answers = []
    for number in range(4):
        client = world.client(client=(f"192.0.2.{number + 1}", 1))
        answers.append(world.request_link(client, MIA))
        world.later(seconds=1)
    assert len({answer.content for answer in answers}) == 1
    assert len(world.mailed()) == 3
    world.later(minutes=15)
    world.request_link(world.client(), MIA)
    assert len(world.mailed()) == 4


def test_client_that_asks_too_often_is_told_so_for_any_address(world):
    client = world.client()
    for number in range(20):
        assert world.request_link(client, f"a{number}@x.example").status_code == 200
    for email in (MIA, "nobody@x.example"):
        assert world.request_link(client, email).status_code == 429
    assert world.mailed() == []
    # Another office is not concerned; the same one is, wherever in its network it asks from.
    assert world.request_link(world.client(client=("192.0.2.9", 1)), MIA).status_code == 200
    world.later(minutes=15)
    assert world.request_link(client, MIA).status_code == 200


def test_client_of_one_network_counts_once(world):
    for number in range(20):
        client = world.client(client=(f"2001:db8:1:2::{number + 1:x}", 1))
        assert world.request_link(client, f"a{number}@x.example").status_code == 200
    last = world.client(client=("2001:db8:1:2:ffff::1", 1))
    assert world.request_link(last, MIA).status_code == 429


@pytest.mark.parametrize("email", ["", "no address", "a@b@c", f"{'a' * 400}@x.example"])
def test_what_is_no_address_is_refused(world, email):
    assert world.request_link(world.client(), email).status_code == 400


def test_token_is_nowhere_but_in_the_mail_and_there_until_it_is_sent(world):
    token = world.link().rpartition("/")[2]
    with world.store.read() as connection:
        everything = " ".join(
            str(connection.exec_driver_sql(f"select * from {table}").all())
            for table in ("login_links", "web_sessions", "events", "portal_addresses")
        )
    assert token not in everything and sha256_text(token) in everything
    message = outbox.claim_next(world.store, ["mail"], world.now, "a test")
    assert token in str(message.payload) and message.expires_at is not None
    assert outbox.mark_sent(world.store, message, world.now)
    assert token not in str(world.rows(outbox_messages))


def test_terminated_partner_gets_no_link_and_no_session(world):
    world.request_link(world.client(), "gone@x.example")
    assert world.mailed() == [] and world.links() == []
    client = world.signed_in_partner()
    assert client.get("/portal/who").status_code == 200
    world.publish([(key, name, "terminated") for key, name, _ in PARTNERS])
    assert client.get("/portal/who").status_code == 303


def test_terminated_partner_may_not_use_a_link_that_was_sent_before(world):
    path = world.link()
    world.publish([(key, name, "terminated") for key, name, _ in PARTNERS])
    refused = world.client().post(path)
    assert refused.status_code == 403 and "closed" in refused.text
    assert world.sessions() == []


def test_paused_partner_and_one_that_no_night_knows_may_enter(world):
    with world.store.write() as connection:
        take_over_directory(connection, [*DIRECTORY, ("p_99", "new@x.example")], NOW)
    world.request_link(world.client(), "new@x.example")
    client = world.client()
    assert client.post(world.mailed()[-1][1]).status_code == 303
    assert client.get("/portal/who").json()["name"] == "p_99"


# ── where to go on ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example",
     "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "evil.example", "",
     "/portal\\..", "/portal@evil.example", "/portal/ x", "http:///evil.example",
     "/leads", "/sign-out", "///evil.example"],
)  # fmt: skip
def test_next_leads_nowhere_else(world, wanted):
    client = world.client()
    answer = client.post(world.link(), data={"next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")


def test_next_goes_with_the_link_and_to_its_page(world):
    client = world.client()
    world.request_link(client, MIA, "/portal/who?period=2026-02&x=%2F%2Fy")
    ((_, path),) = world.mailed()
    page = client.get(path)
    assert 'value="/portal/who?period=2026-02&amp;x=%2F%2Fy"' in page.text
    answer = client.post(path, data={"next": "/portal/who?period=2026-02"})
    assert answer.headers["location"] == "/portal/who?period=2026-02"
    world.request_link(world.client(), "both@x.example", "//evil.example")
    assert "evil" not in world.mailed()[-1][1]


@pytest.mark.parametrize(
    ("wanted", "partner_id", "leads_to"),
    [("/leads?x=1", None, "/leads?x=1"), ("/portal/leads", None, "/"),
     ("/portals", "p_4", "/portal"),
     ("/portals", None, "/portals"), ("/portal", "p_4", "/portal"), ("/sign-in", None, "/"),
     ("/invitation/x", None, "/")],
)  # fmt: skip
def test_next_stays_in_the_own_area(wanted, partner_id, leads_to):
    assert next_page(wanted, partner_id) == leads_to


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


def test_staff_session_ends_after_twelve_hours(world):
    client = _staff(world)
    assert client.get("/who").json()["roles"] == ["partnerships"]
    world.later(hours=12)
    assert client.get("/who").status_code == 303


@pytest.mark.parametrize("change", [lambda v: v[:-1], lambda v: "x" + v, lambda v: v.split(".")[0],
                                    lambda v: "", lambda v: "ä" + v])  # fmt: skip
def test_cookie_that_was_changed_signs_nobody_in(world, change):
    client = world.signed_in_partner()
    value = client.cookies["pl_session"]
    answer = world.client().get(
        "/portal/who", headers={"cookie": f"pl_session={change(value)}".encode("latin-1")}
    )
    assert answer.status_code == 303


def test_token_of_the_database_and_cookie_of_another_secret_sign_nobody_in(world, tmp_path):
    client = world.signed_in_partner()
    (session,) = world.sessions()
    other = AccessWorld(tmp_path, secret=b"another secret, as long as it has to be")
    again = other.client(cookies={"pl_session": client.cookies["pl_session"]})
    assert again.get("/portal/who").status_code == 303
    from itsdangerous import Signer

    forged = Signer(b"guessed" * 8, salt="partnerledger session").sign(session.session_sha256)
    assert (
        world.client(cookies={"pl_session": forged.decode()}).get("/portal/who").status_code == 303
    )
    other.close()


def test_revoked_session_ends_at_once_and_others_stay(world):
    first, second = world.signed_in_partner(), world.signed_in_partner()
    with world.store.write() as connection:
        web_sessions.revoke_session(connection, world.sessions()[0].session_sha256, world.now)
    assert sorted(each.get("/portal/who").status_code for each in (first, second)) == [200, 303]
    with world.store.write() as connection:
        web_sessions.revoke_subject(connection, "partner:p_4", world.now)
    assert {each.get("/portal/who").status_code for each in (first, second)} == {303}


def test_role_that_is_taken_away_ends_with_the_next_request(world):
    client = _staff(world, BEN)
    assert client.get("/can-approve").json() == {"partnerships": False, "finance": True}
    world.change_program("analyst: []", f"analyst: [{BEN}]")
    assert client.get("/who").json()["roles"] == ["analyst", "finance"]
    world.change_program(f"finance: [{BEN}, cleo@acme.example]", "finance: [cleo@acme.example]")
    assert client.get("/who").json()["roles"] == ["analyst"]
    # What payouts asks the terms of this request is as new.
    assert client.get("/can-approve").json() == {"partnerships": False, "finance": False}
    world.change_program(f"analyst: [{BEN}]", "analyst: []")
    assert client.get("/who").status_code == 303


def test_terms_with_a_fault_leave_the_roles_as_they_were(world):
    client = _staff(world)
    text = (world.program / "program.yml").read_text()
    (world.program / "program.yml").write_text("roles: [")
    assert client.get("/who").status_code == 200
    (world.program / "program.yml").unlink()
    assert client.get("/who").status_code == 200
    (world.program / "program.yml").write_text(text.replace(f"partnerships: [{ANA}]",
                                                            f"partnerships: [{BEN}]"))  # fmt: skip
    assert client.get("/who").status_code == 303


def test_signing_out_ends_the_session_and_forgets_the_cookie(world):
    first, second = world.signed_in_partner(), world.signed_in_partner()
    value = first.cookies["pl_session"]
    answer = world.post(first, "/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "pl_session" not in first.cookies
    assert world.client(cookies={"pl_session": value}).get("/portal/who").status_code == 303
    assert second.get("/portal/who").status_code == 200
    world.post(second, "/sign-out", everywhere="yes")
    assert [each.revoked_at is not None for each in world.sessions()] == [True, True]


def test_signing_out_needs_the_form_of_our_own_page(world):
    client = world.signed_in_partner()
    assert client.post("/sign-out").status_code == 403
    stranger = {"origin": "https://evil.example"}
    assert client.post("/sign-out", headers=stranger).status_code == 403
    assert client.get("/portal/who").status_code == 200


def test_link_of_another_site_signs_nobody_in(world):
    """Nobody is made to act in an account that a stranger has chosen."""
    path, client = world.link(), world.client()
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post(path, headers=headers).status_code == 403
    assert world.sessions() == [] and client.post(path).status_code == 303


def test_signing_in_again_ends_the_session_before(world):
    client = world.signed_in_partner()
    world.later(minutes=1)
    answer = world.post(client, world.link())
    assert answer.status_code == 303
    assert sorted(each.revoked_at is None for each in world.sessions()) == [False, True]


def test_cookies_are_bound_to_the_host_where_the_app_is_secure(tmp_path):
    world = AccessWorld(
        tmp_path, is_secure=True, base_url="https://partners.acme.example",
        allowed_hosts=("partners.acme.example",),
    )  # fmt: skip
    client = world.client()
    answer = client.post(world.link())
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-pl_session=") and "Secure" in cookie
    assert "Path=/;" in f"{cookie};" and "Domain" not in cookie
    assert client.get("/portal/who").status_code == 200
    # The name without the prefix, which another host of the domain could set, says nothing.
    value = client.cookies["__Host-pl_session"]
    assert world.client(cookies={"pl_session": value}).get("/portal/who").status_code == 303
    world.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil"])
def test_other_host_names_are_refused(world, host):
    client = world.client()
    assert client.get("/sign-in", headers={"host": host}).status_code == 400
    assert (
        client.post("/sign-in/link", data={"email": MIA}, headers={"host": host}).status_code == 400
    )
    assert world.mailed() == []


def test_links_name_the_address_of_the_settings_and_never_the_host_that_asked(world):
    world.client().post("/sign-in/link", data={"email": MIA}, headers={"host": "localhost"})
    message = outbox.claim_next(world.store, ["mail"], world.now, "a test")
    assert message.payload["link"].startswith("http://127.0.0.1:8321/sign-in/link/")


# ── the demo ────────────────────────────────────────────────────────────────────────────────────


def test_demo_signs_in_whom_you_choose(demo):
    client = demo.client()
    page = client.get("/sign-in").text
    assert "ana@acme.example (partnerships)" in page and "Northpeak Media (p_4" in page
    assert "Gone" not in page
    answer = client.post("/sign-in/demo", data={"subject": "ANA@acme.example", "next": "/who"})
    assert answer.headers["location"] == "/who"
    assert client.get("/who").json()["identity_level"] == "os_user"
    demo.post(client, "/sign-in/demo", subject="partner:p_5")
    assert client.get("/portal/who").json()["partner_id"] == "p_5"


@pytest.mark.parametrize("subject", ["eve@acme.example", "partner:p_6", "partner:p_77", "partner:"])
def test_demo_signs_in_nobody_else(demo, subject):
    answer = demo.client().post("/sign-in/demo", data={"subject": subject})
    assert answer.status_code == 403 and demo.sessions() == []


def test_demo_shows_the_link_and_sends_none(demo):
    client = demo.client()
    page = demo.request_link(client, MIA).text
    path = page.partition('href="http://127.0.0.1:8321')[2].partition('"')[0]
    assert path.startswith("/sign-in/link/") and demo.mailed() == []
    assert client.post(path).headers["location"] == "/portal"


def test_without_demo_there_is_none(world):
    client = world.client()
    assert client.post("/sign-in/demo", data={"subject": ANA}).status_code == 404
    assert "Demo" not in client.get("/sign-in").text and world.sessions() == []


def test_session_of_a_demo_is_none_elsewhere(demo, tmp_path):
    client = demo.client()
    client.post("/sign-in/demo", data={"subject": ANA})
    real = AccessWorld(tmp_path)
    cookie = {"pl_session": client.cookies["pl_session"]}
    assert real.client(cookies=cookie).get("/who").status_code == 303
    assert demo.client(cookies=cookie).get("/who").status_code == 200
    real.close()


def test_demo_without_a_published_night_shows_staff(demo):
    (demo.home / "serving" / "current.json").unlink()
    client = demo.client()
    assert "ana@acme.example" in client.get("/sign-in").text
    assert client.post("/sign-in/demo", data={"subject": ANA}).status_code == 303


# ── invitations ─────────────────────────────────────────────────────────────────────────────────


def _invited(world, partner_id="p_4", token="an invitation token"):
    invite(
        world.store, partner_id, token_sha256=sha256_text(token), actor=ANA,
        expires_at=world.now + timedelta(days=14),
        rules=approval_rules(world.settings.workspace), recorded_at=world.now,
    )  # fmt: skip
    return f"/invitation/{token.replace(' ', '%20')}"


def test_invitation_is_accepted_once_and_signs_the_partner_in(world):
    path, client = _invited(world), world.client()
    for _ in range(2):
        page = client.get(path)
        assert page.status_code == 200 and "Accept the invitation" in page.text
    with world.store.read() as connection:
        assert open_invitations(connection, world.now)
    answer = client.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    assert client.get("/portal/who").json()["partner_id"] == "p_4"
    assert [row.kind for row in world.rows(events)] == [
        "partner_invited",
        "partner_invitation_used",
    ]
    for again in (world.client().get(path), world.client().post(path)):
        assert again.status_code == 410
    assert len(world.sessions()) == 1


def test_invitation_that_ended_or_of_a_terminated_partner_signs_nobody_in(world):
    path = _invited(world, "p_6")
    refused = world.client().post(path)
    assert refused.status_code == 403 and "closed" in refused.text
    world.later(days=14)
    assert world.client().get(path).status_code == 410
    assert world.client().post(path).status_code == 410
    assert world.sessions() == []


def test_guessing_is_slowed_down(world):
    client = world.client()
    answers = [client.post(f"/invitation/guess-{number}").status_code for number in range(61)]
    assert answers[:60] == [410] * 60 and answers[60] == 429
    assert client.post(world.link()).status_code == 429
