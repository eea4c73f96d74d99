"""Why an evaluation ended before its end, beside what services say (codes: :mod:`dashboard.evaluations`)."""

from django.utils.translation import gettext_lazy as _

EVALUATIONS = {
    "evaluation_broke": (
        _("Tuneboard broke down over this evaluation"),
        _("Its log says why. What was answered stays; it can go on from there."),
    ),
    "evaluation_under_way": (
        _("You have an evaluation of this model under way already"),
        _("Wait until it has ended, or stop it. Then begin this one."),
    ),
    "examples_gone": (
        _("The examples were deleted while the model was asked"),
        _("The answers are gone with them; the scores are of what was answered until then."),
    ),
}
