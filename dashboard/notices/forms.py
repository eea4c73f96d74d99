"""What a person wants to be told, and where."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.messages import DELIVERIES
from dashboard.notices import outbound
from dashboard.notices.events import open_ways
from dashboard.notices.models import Event, Preferences, Way, Webhook


class PreferencesForm(forms.Form):
    """Ways, ticked for each event. Ways that lead nowhere at present keep what was said of them."""

    def __init__(self, person: User, data: Any = None) -> None:
        super().__init__(data)
        self.person = person
        self.ways = [Way.PAGE, *open_ways(person)]
        self.said = Preferences.of(person)
        for event in Event:
            self.fields[event] = forms.MultipleChoiceField(
                label=event.label,
                required=False,
                choices=[(way, way.label) for way in self.ways],
                initial=self.said[event],
                widget=forms.CheckboxSelectMultiple,
            )

    def save(self) -> None:
        kept = {event: [way for way in self.said[event] if way not in self.ways] for event in Event.values}
        ways = {event: [*self.cleaned_data[event], *kept[event]] for event in Event.values}
        Preferences.objects.update_or_create(person=self.person, defaults={"ways": ways})


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Each notice is posted there as JSON, signed. It begins with https://."),
        widget=forms.URLInput({"autocomplete": "off", "placeholder": "https://"}),
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            outbound.addresses(outbound.target(url))
        except outbound.Refused as refusal:
            raise ValidationError(DELIVERIES[refusal.code], code=refusal.code) from None
        return url

    def save(self, person: User) -> str | None:
        """Keep the address. A webhook that is new has a secret, which is returned to be shown this once."""
        url = self.cleaned_data["url"]
        if Webhook.objects.filter(person=person).update(url=url):
            return None
        secret = Webhook.new_secret()
        Webhook.objects.create(person=person, url=url, secret=secret)
        return secret
