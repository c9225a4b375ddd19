"""Signing in with a work account, against a provider on loopback that signs with real keys."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from access_world import ANA, NOW, AccessWorld
from oidc_provider import OidcProvider, callback_path

from dashboards import oidc
from dashboards.errors import BadInputError


@pytest.fixture
def provider():
    made = OidcProvider(NOW)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path, provider):
    made = AccessWorld(tmp_path, environment=provider.environment)
    yield made
    made.close()


def _begun(world, wanted="/who"):
    """A browser at the provider: the browser, and the address it was sent to."""
    client = world.client()
    answer = client.get("/sign-in/oidc", params={"next": wanted})
    assert answer.status_code == 303
    return client, answer.headers["location"]


def _signed_in(world, provider, **changes):
    """The app's answer to the provider's. changes: of the parameters that come back."""
    client, address = _begun(world)
    return client, client.get(callback_path({**provider.authorize(address), **changes}))


def _refused(world, provider, status=403, **changes):
    client, answer = _signed_in(world, provider, **changes)
    assert answer.status_code == status
    assert world.sessions() == [] and "pl_session" not in client.cookies
    assert client.get("/who").status_code == 303
    return answer.text


def test_work_account_signs_in_with_its_verified_address(world, provider):
    client, answer = _signed_in(world, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/who")
    assert client.get("/who").json() == {
        "subject": ANA, "name": ANA, "roles": ["partnerships"], "partner_id": None,
        "identity_level": "oidc",
    }  # fmt: skip
    (session,) = world.sessions()
    assert (session.kind, session.subject) == ("staff", ANA)
    assert "pl_oidc" not in client.cookies
    world.later(hours=12)
    assert client.get("/who").status_code == 303


def test_provider_is_asked_with_state_nonce_and_challenge(world, provider):
    client, address = _begun(world)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{provider.issuer}/authorize?")
    assert asked["redirect_uri"] == "http://127.0.0.1:8321/sign-in/oidc/callback"
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
    other = parse_qs(urlsplit(_begun(world)[1]).query)
    assert len({asked["state"], asked["nonce"], other["state"][0], other["nonce"][0]}) == 4
    kept = next(each for each in client.cookies.jar if each.name == "pl_oidc")
    assert kept.has_nonstandard_attr("HttpOnly")
    assert "client secret" not in kept.value and "client_secret" not in address


def test_page_offers_the_work_account_where_there_is_a_provider(world, tmp_path):
    assert 'href="/sign-in/oidc?next=/leads"' in world.client().get("/sign-in?next=/leads").text
    without = AccessWorld(tmp_path / "other")
    assert "/sign-in/oidc" not in without.client().get("/sign-in").text
    for path in ("/sign-in/oidc", "/sign-in/oidc/callback?code=1&state=2"):
        assert without.client().get(path).status_code == 404
    without.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": ["partnerledger", "another-client"], "azp": "another-client"},
        {"aud": ["partnerledger", "another-client"]},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": None},
        {"nbf": 1_900_000_000},
        {"at_hash": "bm90IHRoZSByaWdodCBvbmU"},
    ],
    ids=str,
)
def test_id_token_with_a_wrong_claim_signs_nobody_in(world, provider, changes):
    provider.changes = changes
    assert "cannot be trusted" in _refused(world, provider)


def test_id_token_with_a_wrong_signature_signs_nobody_in(world, provider):
    provider.sign_with_another_key()
    assert "cannot be trusted" in _refused(world, provider)


@pytest.mark.parametrize("kind", ["none", "secret", "empty"])
def test_id_token_without_a_signature_of_the_provider_signs_nobody_in(world, provider, kind):
    if kind == "none":
        provider.algorithm = "none"
    elif kind == "secret":
        provider.sign_with_the_secret()
    else:
        provider.id_token = lambda _nonce: ""
    assert "cannot be trusted" in _refused(world, provider)


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"])
def test_address_that_was_not_verified_signs_nobody_in(world, provider, verified):
    provider.person["email_verified"] = verified
    provider.user_info = {"sub": "1", "email": ANA, "email_verified": True}
    assert "verified" in _refused(world, provider)


def test_address_without_a_role_signs_nobody_in(world, provider):
    provider.person["email"] = "eve@acme.example"
    assert "eve@acme.example, and program.yml gives that address no role" in _refused(
        world, provider
    )


@pytest.mark.parametrize(
    "email", ["ａna@acme.example", "ana@acme.example\u00a0x", "ªna@acme.example"]
)
def test_address_that_only_looks_like_one_with_a_role_signs_nobody_in(world, provider, email):
    provider.person["email"] = email
    _refused(world, provider)


@pytest.mark.parametrize("email", ["", "   ", 5, ["ana@acme.example"]])
def test_answer_without_an_address_signs_nobody_in(world, provider, email):
    provider.person["email"] = email
    assert "no e-mail address" in _refused(world, provider)


def test_address_of_the_user_info_is_taken_where_the_token_names_none(world, provider):
    del provider.person["email"], provider.person["email_verified"]
    provider.user_info = {"sub": "1", "email": ANA, "email_verified": "true"}
    client, answer = _signed_in(world, provider)
    assert answer.status_code == 303 and client.get("/who").json()["subject"] == ANA


def test_user_info_of_another_person_signs_nobody_in(world, provider):
    del provider.person["email"]
    provider.user_info = {"sub": "2", "email": ANA, "email_verified": True}
    assert "another person" in _refused(world, provider)


def test_state_of_another_browser_is_refused(world, provider):
    """An attacker's sign-in cannot be put into somebody else's browser."""
    _, attackers = _begun(world)
    victim, _ = _begun(world)
    answer = victim.get(callback_path(provider.authorize(attackers)))
    assert answer.status_code == 400 and world.sessions() == []
    nobody = world.client().get(callback_path(provider.authorize(attackers)))
    assert nobody.status_code == 400 and "/token" not in provider.asked


@pytest.mark.parametrize("state", ["", "x", "ä"])
def test_wrong_state_is_refused_before_anybody_is_asked(world, provider, state):
    _refused(world, provider, 400, state=state)
    assert "/token" not in provider.asked


def test_answer_is_used_once_even_if_the_provider_would_take_it_twice(world, provider):
    provider.takes_codes_twice = True
    client, address = _begun(world)
    cookie = {"pl_oidc": client.cookies["pl_oidc"]}
    path = callback_path(provider.authorize(address))
    assert client.get(path).status_code == 303
    assert world.client(cookies=cookie).get(path).status_code == 400
    assert len(world.sessions()) == 1


def test_code_that_the_provider_does_not_know_is_refused(world, provider):
    assert "begin anew" in _refused(world, provider, code="made up")


def test_code_of_another_sign_in_is_refused(world, provider):
    """PKCE: the provider gives nothing for a code whose sign-in began elsewhere."""
    _, elsewhere = _begun(world)
    stolen = provider.authorize(elsewhere)["code"]
    assert "begin anew" in _refused(world, provider, code=stolen)


def test_sign_in_that_took_too_long_is_refused(world, provider):
    client, address = _begun(world)
    world.later(minutes=10)
    answer = client.get(callback_path(provider.authorize(address)))
    assert answer.status_code == 400 and world.sessions() == []


def test_cookie_that_was_changed_is_refused(world, provider):
    client, address = _begun(world)
    cookie = {"pl_oidc": "x" + client.cookies["pl_oidc"]}
    answer = world.client(cookies=cookie).get(callback_path(provider.authorize(address)))
    assert answer.status_code == 400 and world.sessions() == []


def test_answer_of_a_foreign_issuer_is_refused(world, provider):
    assert "another provider" in _refused(world, provider, iss="https://evil.example")
    assert "/token" not in provider.asked


def test_provider_that_says_no_is_believed(world, provider):
    client, address = _begun(world)
    state = provider.authorize(address)["state"]
    answer = client.get(callback_path({"error": "access_denied<script>", "state": state}))
    assert answer.status_code == 403 and "did not confirm" in answer.text
    assert "script>" not in answer.text.partition("<h1>")[2] and world.sessions() == []


def test_provider_that_calls_itself_otherwise_is_not_trusted(world, provider):
    provider.calls_itself = "https://evil.example"
    answer = world.client().get("/sign-in/oidc")
    assert answer.status_code == 502 and "equal to the letter" in answer.text


def test_provider_that_is_down_is_said_to_be(world, provider):
    client, address = _begun(world)
    parameters = provider.authorize(address)
    provider.document = lambda: None
    assert client.get("/sign-in/oidc").status_code == 502
    answer = client.get(callback_path(parameters))
    assert answer.status_code == 502 and world.sessions() == []


def test_secret_goes_into_the_form_where_the_provider_wants_it_there(world, provider):
    provider.auth_methods = ["client_secret_post"]
    assert _signed_in(world, provider)[1].status_code == 303


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/portal/leads"])
def test_next_leads_nowhere_else(world, provider, wanted):
    client, address = _begun(world, wanted)
    answer = client.get(callback_path(provider.authorize(address)))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_cookie_is_bound_to_the_host_where_the_app_is_secure(tmp_path, provider):
    world = AccessWorld(
        tmp_path, environment=provider.environment, is_secure=True,
        base_url="https://partners.acme.example", allowed_hosts=("partners.acme.example",),
    )  # fmt: skip
    client, address = _begun(world)
    answer = client.get(callback_path(provider.authorize(address)))
    assert answer.status_code == 303 and "__Host-pl_session" in client.cookies
    world.close()


def test_nothing_set_means_no_work_accounts():
    assert oidc.from_environment({}) == {}
    assert oidc.from_environment({"PARTNERLEDGER_OIDC_ISSUER": " "}) == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PARTNERLEDGER_OIDC_CLIENT_ID": ""}, "PARTNERLEDGER_OIDC_CLIENT_ID as well"),
        ({"PARTNERLEDGER_OIDC_CLIENT_SECRET": ""}, "CLIENT_SECRET"),
        ({"PARTNERLEDGER_OIDC_ISSUER": "http://id.acme.example"}, "no https"),
        ({"PARTNERLEDGER_OIDC_ISSUER": "id.acme.example"}, "no https"),
    ],
)
def test_half_a_configuration_is_refused(changes, said):
    whole = {
        "PARTNERLEDGER_OIDC_ISSUER": "https://id.acme.example",
        "PARTNERLEDGER_OIDC_CLIENT_ID": "partnerledger",
        "PARTNERLEDGER_OIDC_CLIENT_SECRET": "secret",
    }
    assert oidc.from_environment(whole)["issuer"] == "https://id.acme.example"
    with pytest.raises(BadInputError, match=said):
        oidc.from_environment({**whole, **changes})
