"""A pasted request becomes the form of a new job, filled in: its examples a dataset, the rest the form's address."""

from dataclasses import dataclass, field

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.datasets.forms import limits
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.models import Job
from dashboard.messages import explain, explain_problem
from tuning import pasted
from tuning.datasets import from_examples
from tuning.errors import DatasetError, Exhausted, PasteError
from tuning.pasted import Pasted
from tuning.recipes import assumed

MOST_CHARACTERS = 1_000_000
MOST_OF_A_FIELD = 200
"""Of a text that goes into the form's address. One that is longer is too long for its field, too."""
ERRORS_SHOWN = 3


@dataclass
class Landing:
    """Where to go on: the form's address, and what a person should know before they start the job."""

    address: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class PasteForm(forms.Form):
    """A curl command, or its JSON. What it holds is kept nowhere but in the fields that are read from it."""

    text = forms.CharField(
        label=_("Request"),
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("A curl command that creates a tuned model, or its JSON alone. Keys in it are dropped unread."),
    )

    def clean_text(self) -> Pasted:
        try:
            return pasted.read(self.cleaned_data["text"])
        except PasteError as error:
            message = explain(error)
            raise forms.ValidationError(f"{message.title}. {message.advice}") from None

    def land(self, user: User) -> Landing | None:
        """What was pasted as the form's address. ``None`` where its examples make no dataset: the form says why."""
        asked: Pasted = self.cleaned_data["text"]
        try:
            return _landing(asked, user)
        except Exhausted as error:
            message = explain(error)
            self.add_error("text", f"{message.title}. {message.advice}")
            return None
        except DatasetError as error:
            for problem in error.problems[:ERRORS_SHOWN]:
                place = gettext("Example %(row)s: ") % {"row": f"{problem.row:,}"} if problem.row else ""
                self.add_error("text", place + explain_problem(problem))
            return None


def _landing(asked: Pasted, user: User) -> Landing:
    landing = Landing()
    version = _dataset(asked, user, landing)
    _recipe(asked, version, landing)
    _start(asked, user, landing)
    if asked.display_name:
        landing.address["display_name"] = asked.display_name[:MOST_OF_A_FIELD]
    if asked.validation:
        _validation(asked, user, landing)
    if asked.left_out:
        text = gettext("Not used here: %(names)s.")
        landing.notes.append(text % {"names": ", ".join(asked.left_out)[:500]})
    return landing


def _dataset(asked: Pasted, user: User, landing: Landing) -> DatasetVersion | None:
    """The dataset that was named, or the one of the examples: of equal contents there is one already, or it is new."""
    version = None
    if asked.examples:
        version = _of_examples(asked, user, landing)
    elif asked.dataset:
        version = version_of(asked.dataset, user)
        if version is None:
            landing.notes.append(gettext("There is no dataset here with the contents that the request names."))
    else:
        landing.notes.append(gettext("The request holds no examples: choose the dataset."))
    if version:
        landing.address |= {"dataset": str(version.dataset_id), "version": str(version.pk)}
    return version


def _of_examples(asked: Pasted, user: User, landing: Landing) -> DatasetVersion:
    parsed = from_examples(asked.examples, limits())
    if there := version_of(parsed.sha256, user):
        landing.notes.append(gettext("Its examples are here already, in “%(name)s”.") % {"name": there.dataset.name})
        return there
    name = asked.display_name[:60] or gettext("Pasted examples")
    dataset = Dataset.objects.start(user, name, parsed)
    text = ngettext(
        "Its example became the dataset “%(name)s”.",
        "Its %(count)s examples became the dataset “%(name)s”.",
        parsed.count,
    )
    landing.notes.append(text % {"name": name, "count": f"{parsed.count:,}"})
    return dataset.latest


def version_of(sha256: str, user: User) -> DatasetVersion | None:
    """The newest version of these contents that ``user`` may see, their own first."""
    mine = Dataset.objects.visible_to(user)
    rows = DatasetVersion.objects.filter(sha256=sha256, dataset__in=mine).select_related("dataset")
    own = rows.filter(dataset__owner=user).order_by("-pk").first()
    return own or rows.order_by("-pk").first()


def _recipe(asked: Pasted, version: DatasetVersion | None, landing: Landing) -> None:
    said = dict(asked.recipe)
    multiplier = said.pop("learning_rate_multiplier", None)
    if multiplier is not None and "learning_rate" not in said:
        usual = assumed(version.examples if version else 0).learning_rate
        said["learning_rate"] = usual * multiplier
    if "validation" in said:
        said["validation"] = f"{said['validation']:g}"  # as the choices spell it: 0, not 0.0
    for name, value in said.items():
        landing.address[name] = str(value)[:MOST_OF_A_FIELD]


def _start(asked: Pasted, user: User, landing: Landing) -> None:
    """The base model, or the tuned one to go on from."""
    if asked.base_model:
        landing.address["base_model"] = asked.base_model[:MOST_OF_A_FIELD]
    if not asked.tuned_from:
        return
    jobs = Job.objects.visible_to(user).finished_well()
    if source := jobs.filter(model=asked.tuned_from).first():
        landing.address["further"] = str(source.pk)
    else:
        text = gettext("There is no job here that made %(name)s: this one would start from a base model.")
        landing.notes.append(text % {"name": asked.tuned_from[:100]})


def _validation(asked: Pasted, user: User, landing: Landing) -> None:
    if version := version_of(asked.validation, user):
        landing.address["validation_dataset"] = str(version.dataset_id)
    else:
        landing.notes.append(gettext("The examples that it measures the loss on are not here: choose them."))
