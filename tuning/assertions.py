"""Who is asking: a short-lived signed statement by which the dashboard speaks for a person.

The dashboard and the tuning server share one secret. A JWT (HS256) carries e-mail, teams and whether the
person is an administrator; it is good for a minute, so nothing that could be stolen is stored.
"""

import os
import secrets
import tempfile
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import jwt

from tuning.errors import Unauthenticated

AUDIENCE = "tuneboard-tuning-server"
LIFETIME = 60
"""Seconds an assertion is good for: long enough for a slow request, too short to be worth stealing."""


def same_in_any_spelling(email: str) -> str:
    """``email`` as it is kept and compared: letter case and Unicode's look-alikes make no other person."""
    return unicodedata.normalize("NFKC", email).lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The person on whose behalf a service is asked."""

    email: str
    teams: tuple[str, ...] = ()
    administrator: bool = False


def issue(identity: Identity, secret: str) -> str:
    """A token that says for :data:`LIFETIME` seconds that ``identity`` is asking."""
    now = int(time.time())
    claims = {
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFETIME,
        "sub": identity.email,
        "teams": list(identity.teams),
        "admin": identity.administrator,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def verify(token: str, secret: str) -> Identity:
    """The identity ``token`` stands for. Raises ``Unauthenticated`` when forged, expired or not ours."""
    try:
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], audience=AUDIENCE, leeway=5, options={"require": ["exp", "sub", "aud"]}
        )
    except jwt.InvalidTokenError as exc:
        raise Unauthenticated("assertion_invalid") from exc
    return Identity(email=claims["sub"], teams=tuple(claims.get("teams", ())), administrator=bool(claims.get("admin")))


def shared_secret(var_dir: Path) -> str:
    """The secret both programs know: ``TUNING_SECRET``, or a file in ``var_dir`` that the first to ask creates."""
    if secret := os.environ.get("TUNING_SECRET"):
        return secret
    path = var_dir / "tuning.secret"
    var_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked into place, so that two programs starting at once read one whole secret.
        with tempfile.NamedTemporaryFile("w", dir=var_dir, prefix=".secret-") as aside:
            aside.write(secrets.token_urlsafe(48))
            aside.flush()
            with suppress(FileExistsError):
                os.link(aside.name, path)
    return path.read_text().strip()
