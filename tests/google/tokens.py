"""Google's token endpoint: refresh tokens and service accounts' assertions become access tokens, and are revoked.

Consent itself is not here: sign-in is tried against an OpenID provider.
"""

import json as plain_json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.google.refusals import Refusal, scope_missing, unauthenticated
from tests.google.serving import Answer, Asked, json

AUDIENCE = "https://oauth2.googleapis.com/token"
"""What google-auth writes into every assertion, wherever it sends it."""
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
HOUR = 3600


@dataclass
class Access:
    """What an access token stands for."""

    email: str
    scopes: frozenset[str]
    expires: float


@dataclass
class Refresh:
    email: str
    scopes: frozenset[str]


@dataclass
class Tokens:
    """``lifetime`` is that of new access tokens, in seconds."""

    client_id: str = "tests.apps.googleusercontent.com"
    client_secret: str = "the client's secret"
    lifetime: int = HOUR
    rotate: bool = False
    """Whether a new refresh token comes with each access token; Google sends none."""
    refreshes: int = 0
    """How often a refresh token was exchanged."""
    assertions: int = 0
    revoked: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """How long each exchange takes."""
    _access: dict[str, Access] = field(default_factory=dict)
    _refresh: dict[str, Refresh] = field(default_factory=dict)
    _accounts: dict[str, Any] = field(default_factory=dict)

    def access(self, email: str = "ada@example.com", *scopes: str, expired: bool = False) -> str:
        """An access token, as if it had just been granted."""
        token = f"ya29.{secrets.token_urlsafe(24)}"
        until = time.time() + (-1 if expired else self.lifetime)
        self._access[token] = Access(email, frozenset(scopes or (CLOUD_PLATFORM,)), until)
        return token

    def grant(self, email: str = "ada@example.com", *scopes: str) -> str:
        """A refresh token, as a person's consent gives one."""
        token = f"1//{secrets.token_urlsafe(24)}"
        self._refresh[token] = Refresh(email, frozenset(scopes or (CLOUD_PLATFORM,)))
        return token

    def withdraw(self, token: str) -> None:
        """The person took the consent back at Google."""
        grant = self._refresh.pop(token)
        self._access = {known: access for known, access in self._access.items() if access.email != grant.email}

    def expire(self) -> None:
        """No access token is good any more; refresh tokens are."""
        self._access.clear()

    def service_account(self, url: str, email: str = "tuner@tuneboard-tests.iam.gserviceaccount.com") -> dict[str, str]:
        """A key as the console hands it out, whose tokens are had at ``url``."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._accounts[email] = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "project_id": "tuneboard-tests",
            "private_key_id": secrets.token_hex(20),
            "private_key": pem,
            "client_email": email,
            "client_id": "1234567890",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{url}/token",
            "universe_domain": "googleapis.com",
        }

    def check(self, asked: Asked, scopes: frozenset[str], method: str) -> Access:
        """Who asks. Raises ``Refusal`` for a token that is not one, no longer one, or not for this."""
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        access = self._access.get(token)
        if scheme != "Bearer" or access is None or access.expires < time.time():
            raise unauthenticated()
        if not access.scopes & scopes:
            raise scope_missing(method, *sorted(scopes))
        return access

    def answer(self, asked: Asked) -> Answer:
        """``/token`` and ``/revoke``: forms in, and errors as OAuth has them (RFC 6749, 5.2)."""
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        time.sleep(self.seconds)
        if asked.path == "/revoke":
            return self._revoked(form.get("token") or asked.one("token"))
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form)
        if form.get("grant_type") == JWT_BEARER:
            return self._asserted(form.get("assertion", ""))
        return _error("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")

    def _refreshed(self, form: dict[str, str]) -> Answer:
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _error("invalid_client", "The OAuth client was not found.", 401)
        self.refreshes += 1
        old = form.get("refresh_token", "")
        if (grant := self._refresh.get(old)) is None:
            return _error("invalid_grant", "Token has been expired or revoked.")
        more = {}
        if self.rotate:
            del self._refresh[old]
            more["refresh_token"] = self.grant(grant.email, *grant.scopes)
        return self._granted(grant.email, grant.scopes, **more)

    def _asserted(self, assertion: str) -> Answer:
        self.assertions += 1
        try:
            issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss", "")
            claims = jwt.decode(assertion, self._accounts.get(issuer, b""), ["RS256"], options={"verify_aud": False})
        except (jwt.InvalidTokenError, ValueError) as exc:
            return _error("invalid_grant", f"Invalid JWT Signature. {exc}")
        too_long = claims["exp"] - claims["iat"] > HOUR
        if too_long or not (claims["aud"] == AUDIENCE or claims["aud"].endswith("/token")):
            return _error(
                "invalid_grant", "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."
            )
        scopes = frozenset(claims.get("scope", "").split())
        return self._granted(issuer, scopes) if scopes else _error("invalid_scope", "Invalid OAuth scope.")

    def _granted(self, email: str, scopes: frozenset[str], **more: str) -> Answer:
        token = self.access(email, *scopes)
        told = {
            "access_token": token,
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
        }
        return json(told | more)

    def _revoked(self, token: str) -> Answer:
        if token not in self._refresh and token not in self._access:
            return _error("invalid_token", "Token expired or revoked")
        self.revoked.append(token)
        if token in self._refresh:
            self.withdraw(token)
        self._access.pop(token, None)
        return json({})


class OAuthRefusal(Refusal):
    """As the token endpoint says no."""

    def __init__(self, error: str, description: str, code: int = 400) -> None:
        super().__init__(code, description)
        self.error = error

    def body(self) -> bytes:
        return plain_json.dumps({"error": self.error, "error_description": self.message}).encode()


def _error(error: str, description: str, code: int = 400) -> Answer:
    refusal = OAuthRefusal(error, description, code)
    return Answer(refusal.body(), code, {"Content-Type": "application/json; charset=utf-8"})
