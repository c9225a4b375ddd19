"""A service account's key file exchanged for tokens, against a token endpoint on loopback."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ingest.errors import PermanentSourceError, TransientSourceError
from ingest.google_sign_in import service_account_token
from tests.fakes.google_calendar_server import FakeGoogle, Fault, event

VARIABLE = "TEST_GOOGLE_KEY_FILE"
ACCOUNT = "night@project.iam.gserviceaccount.example"
DELEGATE = "anna.person@own.example"
OFFICE = "office"


@pytest.fixture(scope="module")
def private_key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def fake():
    with FakeGoogle(calendars={OFFICE: [event("a0", "2026-03-01")]}) as running:
        yield running


@pytest.fixture
def key(fake, private_key, tmp_path, monkeypatch):
    """Writes a key file that points to the fake; returns how to change it."""
    path = tmp_path / "key.json"

    def write(**changes: Any) -> None:
        content = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "kid",
            "private_key": private_key,
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": f"{fake.base_url}/token",
            **changes,
        }
        path.write_text(json.dumps(content))

    write()
    monkeypatch.setenv(VARIABLE, str(path))
    return write


@pytest.fixture
def bookings(night, fake, key):
    settings = SimpleNamespace(
        kind="google_calendar",
        base_url=fake.api_url,
        token_env=None,
        service_account_env=VARIABLE,
        delegate=DELEGATE,
        calendars=(OFFICE,),
        streams=("events",),
        timeout_seconds=5,
        overlap_hours=1,
    )
    night.sources = {"bookings": settings}
    return night


def claims(assertion: str) -> dict[str, Any]:
    part = assertion.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_events_are_read_with_the_token_that_the_assertion_bought(bookings, fake) -> None:
    assert bookings.stream("events").rows_landed == 1
    assert fake.paths() == ["/token", f"/calendar/v3/calendars/{OFFICE}/events"]
    assert fake.log[1].headers["Authorization"] == "Bearer issued-1"
    said = claims(fake.assertions[0])
    assert said["iss"] == ACCOUNT
    assert said["sub"] == DELEGATE
    assert said["scope"] == "https://www.googleapis.com/auth/calendar.readonly"
    assert said["aud"] == "https://oauth2.googleapis.com/token"


def test_account_without_delegate_acts_for_itself(bookings, fake) -> None:
    bookings.sources["bookings"].delegate = None
    bookings.run()
    assert "sub" not in claims(fake.assertions[0])


def test_token_is_used_until_it_is_about_to_end(fake, key) -> None:
    token = service_account_token("bookings", VARIABLE, None)
    assert [token(), token()] == ["issued-1", "issued-1"]
    fake.token_answer = (200, {"access_token": "short", "expires_in": 60, "token_type": "Bearer"})
    token = service_account_token("bookings", VARIABLE, None)
    assert [token(), token()] == ["short", "short"]
    assert len(fake.assertions) == 3


def test_refused_account_is_permanent_and_tells_only_the_code(bookings, fake, caplog) -> None:
    caplog.set_level("DEBUG")
    fake.token_answer = (
        400,
        {"error": "invalid_grant", "error_description": f"Invalid email {DELEGATE}"},
    )
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", False)
    assert "does not accept the service account (invalid_grant)" in report.message
    for secret in ("person", ACCOUNT, "PRIVATE KEY", "key.json"):
        assert secret not in caplog.text + str(report)


def test_failing_token_endpoint_is_transient(bookings, fake, monkeypatch) -> None:
    from google.auth import _exponential_backoff

    monkeypatch.setattr(_exponential_backoff.time, "sleep", lambda seconds: None)
    fake.token_answer = (503, {"error": "internal_failure"})
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", True)
    assert "token endpoint fails" in report.message


@pytest.mark.parametrize(
    ("answer", "is_transient"), [(b"<html>", True), (b'{"token_type": "Bearer"}', False)]
)
def test_answer_without_a_token_is_refused(
    bookings, fake, answer: bytes, is_transient: bool
) -> None:
    fake.script["/token"] = [Fault(body=answer)]
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", is_transient)
    assert "Google" in report.message


def test_token_endpoint_out_of_reach_is_transient(key) -> None:
    key(token_uri="http://127.0.0.1:9/token")
    with pytest.raises(TransientSourceError, match="out of reach"):
        service_account_token("bookings", VARIABLE, None)()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"type": "authorized_user"}, "is not the key file of a service account"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nx\n"}, "does not hold a whole private key"),
        ({"private_key": None}, "does not hold a whole private key"),
        ({"token_uri": "http://tokens.example/token"}, "is not https"),
        ({"token_uri": None}, "is not https"),
    ],
)
def test_unusable_key_file_is_refused_before_anything_is_sent(
    fake, key, private_key: str, changes: dict[str, Any], told: str
) -> None:
    key(**changes)
    with pytest.raises(PermanentSourceError, match=told) as caught:
        service_account_token("bookings", VARIABLE, None)
    assert VARIABLE in str(caught.value)
    assert private_key[40:80] not in str(caught.value) + caught.value.what_to_do
    assert fake.log == []


def test_missing_file_and_missing_variable_are_named(bookings, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/key.json")
    assert "cannot be read" in bookings.stream("events").message
    monkeypatch.delenv(VARIABLE)
    report = bookings.stream("events")
    assert f"{VARIABLE} is not set" in report.message
    assert report.is_transient is False
