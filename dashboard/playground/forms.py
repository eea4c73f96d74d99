"""A question, to whom it goes, and how the answer is sampled."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dashboard.playground.offers import Offer, Target
from tuning.providers import Prompt

PROMPT_CHARACTERS = 40_000
"""The contract's limit for the prompt of a tuned model."""
NUMBER = {"step": "any", "inputmode": "decimal"}


class TargetSelect(forms.Select):
    """Options that carry their model's defaults, so that choosing another model can show its own."""

    targets: dict[str, Target]

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        for field, default in defaults(self.targets[str(value)]).items():
            option["attrs"][f"data-{field}"] = "" if default is None else f"{default:g}"
        return option


class AskForm(forms.Form):
    """What is asked in the playground."""

    target = forms.ChoiceField(
        label=_("Model"),
        error_messages={"invalid_choice": _("This model cannot be asked any more. Choose another one.")},
    )
    prompt = forms.CharField(
        label=_("Prompt"),
        strip=False,
        max_length=PROMPT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono", "dir": "auto"}),
        error_messages={"required": _("Write what the model is to answer.")},
    )
    temperature = forms.FloatField(
        label=_("Temperature"),
        min_value=0,
        max_value=2,
        required=False,
        widget=forms.NumberInput(attrs=NUMBER),
        help_text=_("0 always gives the likeliest answer; higher varies more."),
    )
    top_p = forms.FloatField(
        label=_("Top-p"),
        min_value=0,
        max_value=1,
        required=False,
        widget=forms.NumberInput(attrs=NUMBER),
        help_text=_("Only the likeliest words that together have this probability."),
    )
    top_k = forms.IntegerField(
        label=_("Top-k"),
        min_value=0,
        max_value=1_000_000,
        required=False,
        help_text=_("Only so many of the likeliest words; 0 sets no limit."),
    )
    max_output_tokens = forms.IntegerField(
        label=_("Most tokens"), min_value=1, required=False, help_text=_("The answer is cut off after this many.")
    )

    def __init__(self, offer: Offer, data: Any = None, *, wanted: Target | None = None) -> None:
        self.targets = offer.targets
        chosen = wanted or next(iter(self.targets.values()), None)
        super().__init__(data, initial={"target": chosen.value} | defaults(chosen) if chosen else {})
        target = self.fields["target"]
        target.widget = TargetSelect()
        target.widget.targets = self.targets
        target.choices = grouped(list(self.targets.values()))  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Target:
        """The model that was chosen; of a valid form."""
        return self.targets[self.cleaned_data["target"]]

    def clean_prompt(self) -> str:
        """Browsers send every line's end as CR LF; training data has the line feed that was typed."""
        return str(self.cleaned_data["prompt"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data
        target, tokens = self.targets.get(asked.get("target", "")), asked.get("max_output_tokens")
        most = target.base.output_token_limit if target and target.base else 0
        if tokens and most and tokens > most:
            self.add_error("max_output_tokens", _now("The model answers with at most %s tokens.") % most)
        return asked

    def to_prompt(self) -> Prompt:
        asked = self.cleaned_data
        return Prompt(
            text=asked["prompt"],
            temperature=asked["temperature"],
            top_p=asked["top_p"],
            top_k=asked["top_k"],
            max_output_tokens=asked["max_output_tokens"],
        )


def defaults(target: Target) -> dict[str, float | None]:
    """How ``target`` samples where nobody says otherwise; ``None`` where it does not tell."""
    base = target.base
    return {
        "temperature": base.temperature if base else None,
        "top_p": base.top_p if base else None,
        "top_k": base.top_k if base else None,
        "max_output_tokens": (base.output_token_limit or None) if base else None,
    }


def grouped(targets: list[Target]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The choices: tuned models, then base models; connections are named where there are several."""
    several = len({target.connection.pk for target in targets}) > 1
    groups: dict[str, list[tuple[str, str]]] = {}
    for target in targets:
        kind = _now("Tuned models") if target.is_tuned else _now("Base models")
        group = f"{kind}, {target.connection}" if several else kind
        groups.setdefault(group, []).append((target.value, target.label))
    return list(groups.items())
