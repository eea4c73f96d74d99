"""What a scope stands for, in the words of somebody who is asked to grant it."""

from django.utils.translation import gettext_lazy as _

GOOGLES = "https://www.googleapis.com/auth/"
PLAIN = {
    "openid": _("who you are"),
    "email": _("your e-mail address"),
    "profile": _("your name"),
}
AT_GOOGLE = {
    "generative-language.tuning": _("tuned models of the Gemini API"),
    "generative-language.retriever": _("permissions and answers of the Gemini API"),
    "cloud-platform": _("Google Cloud"),
}


def name_scopes(scopes: str) -> str:
    """``scopes``, parted by commas, in words; what Google calls one stands beside it. Other words stay as they are."""
    return ", ".join(_named(scope.strip()) for scope in scopes.split(","))


def _named(scope: str) -> str:
    short = scope.removeprefix(GOOGLES)
    if short in AT_GOOGLE:
        return f"{AT_GOOGLE[short]} ({short})"
    return str(PLAIN.get(scope, scope))
