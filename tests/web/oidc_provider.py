"""An OpenID Connect provider on loopback that keeps its own rules, and breaks one when told to.

It signs with real keys and checks client, code, redirect address and PKCE as a provider does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "partnerledger", "a client secret that is long enough for a key"


class OidcProvider:
    """The provider. Change its attributes to make it answer otherwise.

    person: claims about who signs in. changes: claims of the ID token that replace the right ones;
    None leaves a claim out. user_info: what that endpoint answers, if the token names no address.
    """

    def __init__(self, now: datetime) -> None:
        self.now = int(now.replace(tzinfo=UTC).timestamp())
        self.key = _key("the published one")
        self.signing_key: Any = self.key
        self.algorithm = "RS256"
        self.person = {"sub": "1", "email": "Ana@acme.example", "email_verified": True}
        self.changes: dict[str, Any] = {}
        self.user_info: dict[str, Any] = {}
        self.takes_codes_twice = False
        self.auth_methods = ["client_secret_basic"]
        self.calls_itself = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def issuer(self) -> str:
        """Its address, which is its name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What the app is told about it."""
        return {
            "PARTNERLEDGER_OIDC_ISSUER": self.issuer,
            "PARTNERLEDGER_OIDC_CLIENT_ID": CLIENT_ID,
            "PARTNERLEDGER_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def authorize(self, address: str) -> dict[str, str]:
        """Somebody signs in at ``address``; the parameters with which the browser comes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = hashlib.sha256(asked["state"].encode()).hexdigest()
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def document(self) -> dict[str, Any]:
        """What discovery answers."""
        return {
            "issuer": self.calls_itself or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": self.auth_methods,
        }

    def tokens(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a code; None when something about it is wrong."""
        given = (form.get("client_id"), form.get("client_secret"))
        if self.auth_methods == ["client_secret_basic"]:
            name, _, secret = (
                base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
            )
            given = (name, secret.replace("+", " ").replace("%20", " "))
        asked = self.codes.get(form.get("code", ""))
        if given != (CLIENT_ID, CLIENT_SECRET) or asked is None:
            return None
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if proof.decode().rstrip("=") != asked["code_challenge"]:
            return None
        if form["redirect_uri"] != asked["redirect_uri"]:
            return None
        if not self.takes_codes_twice:
            del self.codes[form["code"]]
        return {
            "access_token": "an-access-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.id_token(asked["nonce"]),
        }

    def id_token(self, nonce: str) -> str:
        """A signed ID token about the person."""
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": nonce,
            **self.person,
            **self.changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        if self.algorithm == "none":
            parts = (json.dumps({"alg": "none"}), json.dumps(claims))
            return (
                ".".join(
                    base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts
                )
                + "."
            )
        return jwt.encode(header, claims, self.signing_key, algorithms=[self.algorithm])

    def sign_with_another_key(self) -> None:
        """A key that the provider does not publish, under the name of one that it does."""
        self.signing_key = _key("another")

    def sign_with_the_secret(self) -> None:
        """The secret that client and provider share, which proves nothing about the provider."""
        self.algorithm = "HS256"
        self.signing_key = OctKey.import_key(CLIENT_SECRET)


@cache
def _key(_which: str) -> RSAKey:
    # Made once per run: a key costs more than the test that it is for.
    return RSAKey.generate_key(2048, parameters={"kid": "one"}, private=True)


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.asked.append(path)
            if path == "/.well-known/openid-configuration":
                self._answer(provider.document())
            elif path == "/keys":
                self._answer({"keys": [provider.key.as_dict(private=False)]})
            elif path == "/userinfo":
                is_known = self.headers.get("Authorization") == "Bearer an-access-token"
                self._answer(provider.user_info if is_known else None, 200 if is_known else 401)
            else:
                self._answer(None, 404)

        def do_POST(self) -> None:
            provider.asked.append(urlsplit(self.path).path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            found = provider.tokens(form, self.headers.get("Authorization", ""))
            self._answer(found or {"error": "invalid_grant"}, 200 if found else 400)

        def _answer(self, value: object, status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    return Handler


def callback_path(parameters: dict[str, str]) -> str:
    """Where the provider sends the browser back to."""
    return f"/sign-in/oidc/callback?{urlencode(parameters)}"
