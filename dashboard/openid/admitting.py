"""Who comes in: what a provider says of somebody, held against who is known here."""

from dataclasses import asdict, dataclass
from typing import Any, Self, TypeGuard
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils import timezone

from dashboard.accounts import welcome
from dashboard.accounts.models import User
from dashboard.invitations import redeeming
from dashboard.openid.client import GOOGLE, OAuthClient
from dashboard.openid.errors import NotAdmitted
from dashboard.openid.flow import Granted
from dashboard.openid.models import OpenIdentity
from tuning.assertions import same_in_any_spelling

GOOGLES_OWN = ("gmail.com", "googlemail.com")
"""Mail that Google itself delivers: accounts of these belong to no organisation."""


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Whom a provider says somebody is. The e-mail is verified, of an allowed domain, and spelt as we keep it."""

    issuer: str
    subject: str
    email: str
    name: str

    @classmethod
    def of(cls, client: OAuthClient, granted: Granted) -> Self:
        """Raises ``NotAdmitted`` where the e-mail is not theirs for sure, or of a domain that stays out."""
        claims = _completed(client, granted)
        email, subject = claims.get("email"), str(claims["sub"])
        is_theirs = claims.get("email_verified")
        if not (is_theirs is True or is_theirs == "true") or not _is_email(email) or len(subject) > 255:
            raise NotAdmitted("openid_unverified")
        if not _is_of_allowed_domain(client.issuer, claims):
            raise NotAdmitted("openid_domain", domain=_domain(email))
        name = " ".join(str(claims.get("name") or "").split())[:100]
        return cls(issuer=client.issuer.rstrip("/"), subject=subject, email=same_in_any_spelling(email), name=name)

    def identity(self) -> OpenIdentity | None:
        """Their account as it is linked here."""
        known = OpenIdentity.objects.select_related("user")
        return known.filter(issuer=self.issuer, subject=self.subject).first()

    def person_of_email(self) -> User | None:
        """Whose account has the e-mail. That alone lets nobody in."""
        return User.objects.filter(email=self.email).first()

    def kept(self) -> dict[str, str]:
        """For the session."""
        return asdict(self)


def link(claimed: Claimed, user: User) -> OpenIdentity:
    """Let the account in as ``user`` from now on. Raises ``NotAdmitted`` where it is linked with somebody else."""
    identity, _made = OpenIdentity.objects.get_or_create(
        issuer=claimed.issuer, subject=claimed.subject, defaults={"user": user, "email": claimed.email}
    )
    if identity.user_id != user.pk:
        raise NotAdmitted("openid_elsewhere", email=claimed.email)
    return identity


def note_use(claimed: Claimed) -> None:
    """Write down that somebody came in by the account."""
    this = OpenIdentity.objects.filter(issuer=claimed.issuer, subject=claimed.subject)
    this.update(used=timezone.now(), email=claimed.email)


@transaction.atomic
def make_person(claimed: Claimed, wanted: str) -> User:
    """Somebody new, with their account linked: by the link that let them in, where they ``wanted`` such a page, else
    because everybody comes in whom the provider vouches for. Raises ``NotAdmitted``.
    """
    person = _by_link(claimed, wanted)
    if person is None and not User.objects.exists():
        raise NotAdmitted("openid_nobody")
    if person is None and not settings.OPENID_CREATES:
        raise NotAdmitted("openid_unknown", email=claimed.email)
    person = person or _new(claimed)
    link(claimed, person)
    return person


def lets_in(wanted: str) -> tuple[str, str]:
    """Which kind of link the page ``wanted`` is, and its token; twice empty where it lets nobody in."""
    try:
        match = resolve(urlsplit(wanted).path)
    except Resolver404:
        return "", ""
    is_link = match.view_name in {"accounts:welcome", "invitations:accept"}
    return (match.view_name, str(match.kwargs["token"])) if is_link else ("", "")


def _by_link(claimed: Claimed, wanted: str) -> User | None:
    """Somebody made by the invitation or welcome link ``wanted``, if it is one, good, and theirs."""
    kind, token = lets_in(wanted)
    if kind == "accounts:welcome" and (first := welcome.find_link(token)):
        return welcome.redeem(first, lambda: _new(claimed))
    if kind == "invitations:accept" and (invitation := redeeming.find(token)):
        is_theirs = invitation.email in {"", claimed.email}
        return redeeming.make_account(invitation, lambda: _new(claimed)) if is_theirs else None
    return None


def _new(claimed: Claimed) -> User:
    """Without a password: nobody guesses it."""
    return User.objects.create_user(claimed.email, name=claimed.name)


def _completed(client: OAuthClient, granted: Granted) -> dict[str, Any]:
    """The ID token's claims; where it says no e-mail, what the provider tells when asked (OpenID Connect Core, 5.3)."""
    claims = granted.id_claims
    if "email" in claims or not client.userinfo_endpoint:
        return claims
    told = client.told_of(granted.access_token)
    return {**told, **claims} if told.get("sub") == claims["sub"] else claims


def _is_email(email: object) -> TypeGuard[str]:
    """Whether it is an e-mail, spelt in no way that would be somebody else's here."""
    if not isinstance(email, str) or len(email) > 254 or same_in_any_spelling(email) != email.lower():
        return False
    try:
        validate_email(email)
    except ValidationError:
        return False
    return True


def _is_of_allowed_domain(issuer: str, claims: dict[str, Any]) -> bool:
    """Whether the e-mail is of an allowed domain; of Google's accounts, that the domain's own organisation gave them
    (``hd``): Google lets everybody have an account with any e-mail they can read.
    """
    allowed, domain = settings.OPENID_DOMAINS, _domain(claims["email"])
    if not allowed:
        return True
    vouched = issuer != GOOGLE or domain in GOOGLES_OWN or str(claims.get("hd", "")).lower() in allowed
    return domain in allowed and vouched


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
