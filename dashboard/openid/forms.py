"""The password that an account is linked by."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.forms import SignInForm


class PasswordForm(SignInForm):
    """The password of the account that has ``email``: guessing is bounded as it is at sign-in. A valid form has found
    its ``user``.
    """

    def __init__(self, request: HttpRequest, email: str, data: Any = None) -> None:
        super().__init__(request, data)
        self.address = email
        del self.fields["email"]
        self.fields["password"].label = _("Password here")
        self.fields["password"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            self._find_user(self.address, self.cleaned_data["password"])
        return self.cleaned_data
