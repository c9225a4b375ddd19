"""Every address with every role: nobody opens what is not theirs, and no form without its token."""

from __future__ import annotations

import re

import pytest

from dashboards.entries import ENTRIES
from dashboards.users import PARTNER, PARTNER_ROLE, PUBLIC, STAFF, User

ROLES = (*sorted(STAFF), PARTNER_ROLE, None)
GUARDED = [entry for entry in ENTRIES if entry.roles != PUBLIC]


def somebody(role: str | None) -> User | None:
    if role is None:
        return None
    if role == PARTNER_ROLE:
        return User("partner:p_4", "p_4", PARTNER, "p_4", "os_user", "s" * 64)
    return User(f"{role}@acme.example", role, frozenset({role}), None, "os_user", "s" * 64)


def address_of(path: str) -> str:
    """The path with made-up ids."""
    return re.sub(r"{[^}]+}", "x-1", path)


def expected_refusal(entry, role: str | None) -> int | None:
    """The status of a refusal; None where the role opens the address."""
    if role is None:
        return 303 if entry.method == "GET" else 403
    if role in entry.roles:
        return None
    return 404 if role == PARTNER_ROLE or PARTNER_ROLE in entry.roles else 403


@pytest.mark.parametrize("role", ROLES, ids=str)
def test_every_guarded_address_refuses_who_may_not(sample_app, role):
    wrong = []
    for entry in GUARDED:
        refusal = expected_refusal(entry, role)
        if refusal is None:
            continue
        path = address_of(entry.path)
        if entry.method == "GET":
            answer = sample_app.client(somebody(role)).get(path)
        elif role is None:
            answer = sample_app.client(None).post(path)
        else:
            answer = sample_app.post(somebody(role), path)
        if answer.status_code != refusal:
            wrong.append(f"{entry.method} {path}: {answer.status_code}, not {refusal}")
        if refusal == 303 and not answer.headers["location"].startswith("/sign-in?next="):
            wrong.append(f"{entry.method} {path}: goes to {answer.headers['location']}")
    assert wrong == []


@pytest.mark.parametrize("role", [role for role in ROLES if role], ids=str)
def test_pages_without_ids_open_for_whose_they_are(sample_app, role):
    wrong = []
    for entry in GUARDED:
        if entry.method == "GET" and role in entry.roles and "{" not in entry.path:
            answer = sample_app.client(somebody(role)).get(entry.path)
            # A page that needs something in its address says so.
            if answer.status_code not in (200, 303, 400):
                wrong.append(f"{entry.path}: {answer.status_code}")
    assert wrong == []


def test_no_form_is_taken_without_its_token(sample_app):
    wrong = []
    for entry in GUARDED:
        if entry.method != "POST":
            continue
        user = somebody(sorted(entry.roles)[0])
        path = address_of(entry.path)
        for fields in ({}, {"form_token": "made.up"}):
            answer = sample_app.client(user).post(path, data=fields)
            if answer.status_code != 403:
                wrong.append(f"{path} {fields}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}],
    ids=["origin", "fetch metadata"],
)
def test_no_form_of_another_site_is_taken(sample_app, headers):
    from dashboards.csrf import FIELD, form_token

    wrong = []
    for entry in ENTRIES:
        if entry.method != "POST":
            continue
        user = somebody(sorted(entry.roles)[0]) if entry.roles else None
        token = form_token(sample_app.settings.secret, "s" * 64)
        answer = sample_app.client(user).post(
            address_of(entry.path), data={FIELD: token}, headers=headers
        )
        if answer.status_code != 403:
            wrong.append(f"{entry.path}: {answer.status_code}")
    assert wrong == []


def test_token_of_another_session_is_refused(sample_app):
    from dashboards.csrf import FIELD, form_token

    token = form_token(sample_app.settings.secret, "t" * 64)
    answer = sample_app.client(somebody("finance")).post("/approvals/pause", data={FIELD: token})
    assert answer.status_code == 403


def test_every_answer_carries_the_headers(sample_app):
    for path in ("/", "/sign-in", "/static/app.css", "/nowhere", "/alive"):
        answer = sample_app.client(somebody("analyst")).get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


def test_pages_hold_nothing_that_the_policy_forbids(sample_app):
    """No inline script or style, and nothing from elsewhere."""
    seen = 0
    for entry in ENTRIES:
        if entry.method != "GET" or "{" in entry.path:
            continue
        user = somebody(sorted(entry.roles)[0]) if entry.roles else None
        text = sample_app.client(user).get(entry.path).text
        if "<html" not in text:
            continue
        seen += 1
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), entry.path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text), entry.path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//(?!127\.0\.0\.1)", text), (
            entry.path
        )
    assert seen > 5


def test_unknown_host_is_refused(sample_app):
    answer = sample_app.client(None).get("/sign-in", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400


def test_a_form_of_any_size_is_not_read(sample_app):
    answer = sample_app.client(somebody("finance")).post(
        "/approvals/pause", data={"reason": "x" * 300_000}
    )
    assert answer.status_code == 413
