"""Why a bundle cannot be run again (codes: ``dashboard/lineage``)."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

BUNDLES = {
    "not_a_bundle": _("This is no bundle. Choose a file that was downloaded with “Download the bundle”."),
    "other_format": _("The bundle was made by a newer Tuneboard. Update this one, or make the bundle anew."),
    "unreadable": _("The bundle’s settings cannot be read, or are none that a job can have. Download it anew."),
    "damaged": _("The file is damaged, cut off or encrypted. Download it anew."),
    "strange_files": _("The zip holds other files than a bundle does. Choose it as it was downloaded."),
    "too_large": _("The bundle is larger than may be uploaded here. Administrators can raise UPLOAD_LIMIT_MB."),
    "hash_differs": _("The examples in %(name)s are not those that the bundle names: their SHA-256 differs."),
    "bad_examples": _("The examples in %(name)s cannot be read."),
    "data_missing": _("The bundle names its examples by their hash, and they are not here. Upload them first."),
    "source_missing": _("The job goes on from a tuned model that is not here, or not yours to see: %(name)s."),
}


def explain_bundle(code: str, params: Mapping[str, object]) -> str:
    """The sentence for a bundle that was refused."""
    return str(BUNDLES[code]) % params
