"""A bundle that somebody uploads to have it run again."""

from typing import Any, BinaryIO, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.uploads import upload_limit
from dashboard.lineage.bundles import BundleRefused
from dashboard.lineage.unpacking import Bundle, unpack
from dashboard.messages.lineage import explain_bundle


class BundleForm(forms.Form):
    """A file, and where it is to run. A valid form has read its ``bundle``."""

    file = forms.FileField(
        label=_("Bundle"),
        help_text=_("A zip, or the bundle.json of one where the examples are here already."),
        widget=forms.FileInput({"accept": ".zip,.json"}),
    )
    connection = forms.ModelChoiceField(Connection.objects.none(), label=_("Where it runs"), empty_label=None)

    bundle: Bundle

    def __init__(self, user: User, *args: Any) -> None:
        super().__init__(*args)
        places = Connection.objects.usable_by(user)
        self.fields["connection"].queryset = places  # type: ignore[attr-defined]
        self.fields["connection"].initial = places.first()

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > upload_limit():
            most = filesizeformat(upload_limit())
            raise forms.ValidationError(gettext("The file is larger than %(most)s.") % {"most": most})
        try:
            self.bundle = unpack(cast(BinaryIO, file.file))
        except BundleRefused as refusal:
            raise forms.ValidationError(explain_bundle(refusal.code, refusal.params), code=refusal.code) from None
        return file
