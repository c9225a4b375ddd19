"""Signing in with a work account: OpenID Connect, authorization code with PKCE.

What belongs here: asking the provider and checking what it answers. What does not: pages, cookies
and sessions. Needs the extra ``oidc``. Source: OpenID Connect Core 1.0 (3.1), Discovery 1.0,
RFC 7636 (PKCE), RFC 9207 (the issuer in the answer).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from payouts.terms import person

from dashboards.errors import BadInputError, ProviderUnreachableError, SignInRefusedError

if TYPE_CHECKING:
    from requests import Session

ISSUER_VARIABLE = "PARTNERLEDGER_OIDC_ISSUER"
CLIENT_ID_VARIABLE = "PARTNERLEDGER_OIDC_CLIENT_ID"
CLIENT_SECRET_VARIABLE = "PARTNERLEDGER_OIDC_CLIENT_SECRET"
_VARIABLES = {
    "issuer": ISSUER_VARIABLE,
    "client_id": CLIENT_ID_VARIABLE,
    "client_secret": CLIENT_SECRET_VARIABLE,
}
CALLBACK = "/sign-in/oidc/callback"
# So long somebody may take to sign in at the provider.
PENDING_FOR = timedelta(minutes=10)
_LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 10
_ANSWER_BYTES = 1_000_000
_RANDOM_BYTES = 32
# Signatures that a public key proves. Neither `none` nor one made with the shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
               "ES256", "ES384", "ES512", "EdDSA", "Ed25519")  # fmt: skip
_KEY_TYPES = ("RSA", "EC", "OKP")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Pending:
    """What a browser keeps, signed, while its owner is at the provider. at: naive UTC, ISO text."""

    state: str
    nonce: str
    verifier: str
    wanted: str
    at: str

    def is_in_time(self, now: datetime) -> bool:
        """Whether the answer may still come."""
        return (
            datetime.fromisoformat(self.at) <= now < (datetime.fromisoformat(self.at) + PENDING_FOR)
        )


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """``issuer``, ``client_id`` and ``client_secret``; empty when none of them is set.

    Raises: BadInputError when some are missing, the issuer is no HTTPS address, or the extra is not
    installed. HTTP is accepted on loopback, for tests.
    """
    found = {name: environment.get(variable, "").strip() for name, variable in _VARIABLES.items()}
    if not any(found.values()):
        return {}
    missing = [_VARIABLES[name] for name, value in found.items() if not value]
    if missing:
        raise BadInputError(
            f"signing in with work accounts needs {' and '.join(missing)} as well; set "
            f"{'it' if len(missing) == 1 else 'them'}, or none of the three"
        )
    if not _is_safe(found["issuer"]):
        raise BadInputError(f"{ISSUER_VARIABLE} is no https:// address; correct it")
    _library()
    return found


def begin(provider: Mapping[str, str], base_url: str, wanted: str, now: datetime) -> tuple[
    str, Pending
]:  # fmt: skip
    """The provider's address to send a browser to, and what to remember until it comes back.

    Raises: ProviderUnreachableError.
    """
    pending = Pending(
        state=secrets.token_urlsafe(_RANDOM_BYTES),
        nonce=secrets.token_urlsafe(_RANDOM_BYTES),
        verifier=secrets.token_urlsafe(_RANDOM_BYTES),
        wanted=wanted,
        at=now.isoformat(),
    )
    with _client(provider, base_url) as client:
        document = _discover(client, provider["issuer"])
        address, _ = client.create_authorization_url(
            document["authorization_endpoint"],
            state=pending.state,
            nonce=pending.nonce,
            code_verifier=pending.verifier,
        )
    return address, pending


def finish(
    provider: Mapping[str, str],
    base_url: str,
    answer: Mapping[str, str],
    pending: Pending,
    now: datetime,
) -> str:
    """The verified e-mail address of who signed in at the provider.

    answer: the parameters that came back; their state has been compared already. now: naive UTC.
    Raises: SignInRefusedError, ProviderUnreachableError.
    """
    if answer.get("iss", provider["issuer"]) != provider["issuer"]:
        raise SignInRefusedError("the answer came from another provider than the one asked")
    if "error" in answer or not answer.get("code"):
        raise SignInRefusedError("the provider did not confirm who you are")
    with _client(provider, base_url) as client:
        document = _discover(client, provider["issuer"])
        if "client_secret_basic" not in document.get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        ):
            client.token_endpoint_auth_method = "client_secret_post"
        tokens = _tokens(client, document["token_endpoint"], answer["code"], pending.verifier)
        keys = _fetch(client, document["jwks_uri"])
        claims = _claims(provider, tokens, keys, pending.nonce, now)
        if "email" not in claims and "userinfo_endpoint" in document:
            claims = _with_user_info(client, document["userinfo_endpoint"], tokens, claims)
    return _verified_email(claims)


def _client(provider: Mapping[str, str], base_url: str) -> Any:
    return _library()(
        client_id=provider["client_id"],
        client_secret=provider["client_secret"],
        redirect_uri=f"{base_url}{CALLBACK}",
        scope="openid email",
        code_challenge_method="S256",
        default_timeout=_TIMEOUT_SECONDS,
    )


def _library() -> Any:
    try:
        from authlib.integrations.requests_client import OAuth2Session
    except ImportError as error:
        raise BadInputError(
            "signing in with work accounts needs Authlib: pip install 'partnerledger[oidc]'"
        ) from error
    return OAuth2Session


def _discover(client: Session, issuer: str) -> dict[str, Any]:
    document = _fetch(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ProviderUnreachableError(
            f"the provider calls itself {str(document.get('issuer'))[:200]!r}, and "
            f"{ISSUER_VARIABLE} is {issuer!r}; they have to be equal to the letter"
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not _is_safe(document.get(name)):
            raise ProviderUnreachableError(f"the provider names no https:// address as {name}")
    return document


def _fetch(client: Session, address: str, token: str = "") -> dict[str, Any]:
    """A JSON object of the provider. Redirections are not followed: nobody else may answer."""
    import requests

    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        found = client.get(
            address, headers=headers, withhold_token=True, allow_redirects=False,
            timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip
        is_object = found.status_code == requests.codes.ok and len(found.content) <= _ANSWER_BYTES
        value = found.json() if is_object else None
    except (requests.RequestException, ValueError) as error:
        raise ProviderUnreachableError(
            f"{urlsplit(address).netloc} does not answer ({type(error).__name__}); try again later"
        ) from error
    if not isinstance(value, dict):
        raise ProviderUnreachableError(
            f"{urlsplit(address).netloc} answers {found.status_code} without what was asked for "
            f"({urlsplit(address).path})"
        )
    return value


def _tokens(client: Any, address: str, code: str, verifier: str) -> dict[str, Any]:
    """ID token and access token for a code. The provider takes a code once."""
    import requests
    from authlib.common.errors import AuthlibBaseError

    try:
        return client.fetch_token(
            address, grant_type="authorization_code", code=code, code_verifier=verifier,
            allow_redirects=False, timeout=_TIMEOUT_SECONDS,
        )  # fmt: skip
    except AuthlibBaseError as error:
        raise SignInRefusedError(
            "the provider does not accept this sign-in any more; begin anew"
        ) from error
    except (requests.RequestException, ValueError) as error:
        raise ProviderUnreachableError(
            f"{urlsplit(address).netloc} does not answer ({type(error).__name__}); try again later"
        ) from error


def _claims(
    provider: Mapping[str, str],
    tokens: Mapping[str, Any],
    keys: Mapping[str, Any],
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """What the ID token says, after its signature, issuer, audience, times and nonce."""
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        token = jwt.decode(
            str(tokens.get("id_token") or ""), _key_set(keys), algorithms=list(_ALGORITHMS)
        )
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider["issuer"]},
                "aud": {"essential": True, "value": provider["client_id"]},
            },
            params={
                "nonce": nonce,
                "client_id": provider["client_id"],
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(now.replace(tzinfo=UTC).timestamp()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignInRefusedError(
            f"the provider's answer cannot be trusted ({type(error).__name__}); begin anew"
        ) from error
    return dict(claims)


def _key_set(keys: Mapping[str, Any]) -> Any:
    from joserfc.jwk import KeySet

    usable = [
        key
        for key in keys.get("keys", ())
        if isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use", "sig") == "sig"
    ]
    return KeySet.import_key_set({"keys": usable})


def _with_user_info(
    client: Session, address: str, tokens: Mapping[str, Any], claims: dict[str, Any]
) -> dict[str, Any]:
    """Address and its verification from the provider's user info, of the same person."""
    if not _is_safe(address):
        raise ProviderUnreachableError("the provider names no https:// address of user info")
    found = _fetch(client, address, str(tokens.get("access_token") or ""))
    if found.get("sub") != claims["sub"]:
        raise SignInRefusedError("the provider's user info is of another person; begin anew")
    return {**claims, "email": found.get("email"), "email_verified": found.get("email_verified")}


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not email.strip():
        raise SignInRefusedError(
            "the provider names no e-mail address; its administrator has to release `email`"
        )
    verified = claims.get("email_verified")
    # Some providers write the truth as a text.
    if verified is not True and verified != "true":
        raise SignInRefusedError(
            "the provider does not say that your e-mail address was verified (`email_verified`)"
        )
    # Characters that only look like others would become those of somebody who has a role.
    if person(email) != email.strip().lower():
        raise SignInRefusedError(
            "the provider spells your e-mail address with characters that stand for others"
        )
    return email


def _is_safe(address: object) -> bool:
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )
