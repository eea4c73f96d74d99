"""What administrators say of a connection: only what its kind has."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections import addresses
from dashboard.connections.clients import has_client, read_client
from dashboard.connections.models import Connection
from dashboard.connections.service_accounts import LONGEST, read_key
from dashboard.teams.models import Team
from tuning.assertions import same_in_any_spelling

Kind, Proof, Access = Connection.Kind, Connection.Proof, Connection.Access

WHO = ("access", "teams", "people")
FIELDS = {
    Kind.LOCAL: ("name", "base_url", "secret", *WHO),
    Kind.GEMINI: ("name", "proof", "secret", "service_account", "oauth_client", "project", "base_url", *WHO),
    Kind.VERTEX: (
        *("name", "project", "location", "bucket", "proof", "service_account", "oauth_client", "base_url"),
        *WHO,
    ),
}
BUILT_IN = ("name", *WHO)
"""This machine's own server is where the settings say."""
NEEDED = {
    Kind.LOCAL: {"base_url", "secret"},
    Kind.GEMINI: {"proof"},
    Kind.VERTEX: {"project", "location", "bucket", "proof"},
}
PROOFS = {
    Kind.GEMINI: (Proof.OWN, Proof.SERVICE_ACCOUNT, Proof.SECRET),
    Kind.VERTEX: (Proof.OWN, Proof.SERVICE_ACCOUNT),
}
KEPT_SECRETS = ("secret", "service_account", "oauth_client")
PEOPLE = 200
"""That one connection may be for, by name."""

NOT_PLAIN = _("An address begins with https:// and has no name, password, ? or # in it.")
PLAIN = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", _("Use letters, digits, hyphens and points."))


class ConnectionForm(forms.Form):
    """A new connection of ``kind``, or the one there is. Secrets that are kept are not shown; left empty, they stay."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("By which people choose it."))
    project = forms.CharField(label=_("Project"), max_length=100, validators=[PLAIN])
    location = forms.CharField(
        label=_("Location"),
        max_length=60,
        validators=[PLAIN],
        initial="us-central1",
        help_text=_("Where Google tunes, for instance us-central1 or europe-west4."),
    )
    bucket = forms.CharField(
        label=_("Bucket"),
        max_length=230,
        validators=[PLAIN],
        help_text=_("In Cloud Storage, of the same project: datasets are uploaded to it. Without gs://."),
    )
    proof = forms.ChoiceField(label=_("Who asks there"))
    secret = forms.CharField(
        label=_("API key"),
        max_length=500,
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    service_account = forms.FileField(
        label=_("JSON key of the service account"),
        widget=forms.FileInput({"accept": ".json,application/json"}),
        help_text=_("As Google’s console gives it: IAM → Service accounts → Keys. It is kept encrypted."),
    )
    oauth_client = forms.FileField(
        label=_("OAuth client (client_secret.json)"), widget=forms.FileInput({"accept": ".json,application/json"})
    )
    base_url = forms.CharField(label=_("Address"), max_length=200, widget=forms.URLInput({"autocomplete": "off"}))
    access = forms.ChoiceField(
        label=_("Who may use it"), choices=Access.choices, help_text=_("Administrators may in any case.")
    )
    teams = forms.ModelMultipleChoiceField(
        Team.objects.all(), label=_("Teams"), widget=forms.CheckboxSelectMultiple, required=False
    )
    people = forms.CharField(
        label=_("People"),
        max_length=20_000,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("E-mail addresses of people who have an account here, one a line."),
    )

    def __init__(self, connection: Connection, data: Any = None, files: Any = None) -> None:
        self.connection, self.kind = connection, Kind(connection.kind)
        super().__init__(data, files, initial=_initial(connection) if connection.pk else None)
        wanted = BUILT_IN if connection.built_in else FIELDS[self.kind]
        self.fields = {name: self.fields[name] for name in wanted}
        if not Team.objects.exists():
            del self.fields["teams"]
        for name, field in self.fields.items():
            field.required = name in {"name", "access"} | NEEDED[self.kind] and not self._has(name)
        self._word()

    def _word(self) -> None:
        """Say what the fields mean at this kind."""
        shares_client = has_client(self.connection.base_url)
        helps = {
            "base_url": gettext("Where the other tuning server answers, for instance http://10.0.0.5:8001.")
            if self.kind == Kind.LOCAL
            else gettext("Empty: Google’s own."),
            "secret": gettext("The TUNING_SECRET that the other server was started with. It is kept encrypted.")
            if self.kind == Kind.LOCAL
            else gettext("From Google’s AI Studio or console. It is kept encrypted."),
            "project": gettext("The project that the requests are counted for.")
            if self.kind == Kind.GEMINI
            else gettext("Its ID as Google’s console shows it, not its name or number."),
            "oauth_client": gettext(
                "As Google’s console gives it: Clients → Web application. Empty: the one that people sign in by."
            )
            if shares_client
            else gettext("As Google’s console gives it: Clients → Web application. It is kept encrypted."),
        }
        for name in {"secret", "service_account", *(() if shares_client else ("oauth_client",))} & self.fields.keys():
            self.fields[name].initial = ""  # whoever sees it must fill it in: it is not called optional
        if self.kind == Kind.LOCAL and "secret" in self.fields:
            self.fields["secret"].label = gettext("Secret")
        kept = gettext("Kept, encrypted; leave this empty to keep it.")
        for name, field in self.fields.items():
            field.help_text = kept if self._has(name) else helps.get(name, field.help_text)
        if proof := self.fields.get("proof"):
            proof.choices = [(each.value, each.label) for each in PROOFS[self.kind]]  # type: ignore[attr-defined]

    def _has(self, name: str) -> bool:
        """Whether such a secret is kept already."""
        return name in KEPT_SECRETS and bool(getattr(self.connection, name))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError(gettext("A character of this name cannot be shown. Type it anew."))
        if Connection.objects.exclude(pk=self.connection.pk).filter(name__iexact=name).exists():
            raise forms.ValidationError(gettext("There is a connection of that name already. Choose another name."))
        return name

    def clean_base_url(self) -> str:
        said: str = self.cleaned_data["base_url"].strip()
        try:
            return addresses.checked(said, https=self.kind != Kind.LOCAL) if said else ""
        except addresses.BadAddress as error:
            if error.code == "not_https":
                raise forms.ValidationError(gettext("Tokens go over https only, but on this machine.")) from None
            raise forms.ValidationError(NOT_PLAIN, code=error.code) from None

    def clean_people(self) -> list[User]:
        said = {same_in_any_spelling(word) for word in re.split(r"[\s,;]+", self.cleaned_data["people"]) if word}
        found = list(User.objects.filter(email__in=sorted(said)[: PEOPLE + 1]))
        if len(said) > PEOPLE:
            raise forms.ValidationError(gettext("Make a team of so many."))
        if missing := said - {person.email for person in found}:
            raise forms.ValidationError(
                gettext("Nobody here signs in with %(email)s.") % {"email": ", ".join(sorted(missing)[:3])}
            )
        return found

    def clean(self) -> dict[str, Any]:
        """Files are read when the address is known: whom they may be shown depends on it."""
        said = self.cleaned_data
        base_url = said.get("base_url", "")
        self._read("service_account", read_key, gettext("This is no JSON key of a service account of Google’s."))
        self._read("oauth_client", read_client, gettext("This is no client_secret.json of a web application."))
        moved = bool(self.connection.pk) and base_url != self.connection.base_url and "base_url" in self.fields
        for name in KEPT_SECRETS:
            if moved and self._has(name) and not said.get(name):
                self.add_error(name, gettext("The address was changed: what is kept goes to no other. Give it again."))
        proof = said.get("proof", Proof.SECRET)
        if "proof" in self.fields and proof != Proof.OWN and not (said.get(proof) or self._has(proof)):
            self._want(proof, gettext("Without this nobody can ask there."))
        if proof == Proof.OWN and not (said.get("oauth_client") or self._has("oauth_client") or has_client(base_url)):
            self._want("oauth_client", gettext("Nobody signs in by Google here, so this connection needs its own."))
        return said

    def _want(self, name: str, reason: str) -> None:
        """What is wrong with it already says more than that it is wanted."""
        if not self.has_error(name):
            self.add_error(name, reason)

    def _read(self, name: str, read: Callable[[str, str], str], refusal: str) -> None:
        file: UploadedFile | None = self.cleaned_data.get(name)
        if file is None:
            return
        try:
            if (file.size or 0) > LONGEST:
                raise ValueError("too long")
            self.cleaned_data[name] = read(file.read().decode(), self.cleaned_data.get("base_url", ""))
        except ValueError:
            self.cleaned_data.pop(name)
            self.add_error(name, refusal)

    def about_to_change(self) -> list[str]:
        """The names of what :meth:`save` will change of the row itself."""
        said, row = self.cleaned_data, self.connection
        names = [name for name in self.fields if name not in {"teams", "people"}]
        kept = {name for name in KEPT_SECRETS if not said.get(name)}
        return [name for name in names if name not in kept and getattr(row, name) != said[name]]

    def save(self) -> list[str]:
        """Keep what was said; the names of what has changed."""
        said, row = self.cleaned_data, self.connection
        changed = self.about_to_change()
        for name in changed:
            setattr(row, name, said[name])
        row.save()
        for name in ("teams", "people"):
            wanted = set(said.get(name, ())) if row.access == Access.CHOSEN else set()
            if set(getattr(row, name).all()) != wanted:
                getattr(row, name).set(wanted)
                changed.append(name)
        return changed


def _initial(connection: Connection) -> dict[str, Any]:
    plain = ("name", "project", "location", "bucket", "proof", "base_url", "access")
    people = "\n".join(connection.people.order_by("email").values_list("email", flat=True))
    return {name: getattr(connection, name) for name in plain} | {"teams": connection.teams.all(), "people": people}
