"""How every form looks: label, field, error and advice, in ``templates/django/forms/``."""

from django.forms import BaseForm
from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    form_template_name = "django/forms/form.html"
    field_template_name = "django/forms/field.html"


def what_is_wrong(form: BaseForm) -> str:
    """All that a form found wrong, in a row: for one that is not shown again."""
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
