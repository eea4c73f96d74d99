"""ID tokens: what a provider says of a person, signed (OpenID Connect Core, section 3.1.3.7)."""

from typing import Any

import jwt
from django.utils.crypto import constant_time_compare

from dashboard.openid.client import GOOGLE, OAuthClient, asked_of
from dashboard.openid.errors import ConsentError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""With a key pair each: a token signed by a secret that two sides know would prove less."""
LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
MUST_SAY = ["iss", "sub", "aud", "exp", "iat"]


def verified(client: OAuthClient, token: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that was made by ``client``'s issuer, for it, in answer to ``nonce``, and is in time.
    Raises ``ConsentError``.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_of(client, token),
            algorithms=ALGORITHMS,
            audience=client.id,
            issuer=_names_of(client),
            leeway=LEEWAY,
            options={"require": MUST_SAY},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise ConsentError("consent_failed", detail=f"ID token: {type(error).__name__}") from None
    if not _is_for(client, claims):
        raise ConsentError("consent_failed", detail="ID token: made for somebody else")
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise ConsentError("consent_failed", detail="ID token: not in answer to our question")
    return claims


def _key_of(client: OAuthClient, token: str) -> jwt.PyJWK:
    """The key that signed ``token``, by its name; asked for anew where it is not known, for keys are changed."""
    name = jwt.get_unverified_header(token).get("kid")
    for anew in (False, True):
        keys = jwt.PyJWKSet.from_dict(asked_of(client.jwks_uri, anew=anew)).keys
        for key in keys:
            if key.key_id == name or (name is None and len(keys) == 1):
                return key
    raise jwt.InvalidKeyError("signed by a key that the provider does not name")


def _names_of(client: OAuthClient) -> list[str]:
    """Google's tokens may leave out the scheme."""
    return [client.issuer, client.issuer.removeprefix("https://")] if client.issuer == GOOGLE else [client.issuer]


def _is_for(client: OAuthClient, claims: dict[str, Any]) -> bool:
    """Whether the token is for us alone, or for several and we are who asked for it."""
    one = isinstance(claims["aud"], str) or len(claims["aud"]) == 1
    party = claims.get("azp")
    return constant_time_compare(str(party), client.id) if party is not None or not one else True
