"""``manage.py reencrypt``: after SECRET_KEY was changed, and before the old one leaves SECRET_KEY_FALLBACKS."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models
from django.db.models.functions import Cast
from encrypted_fields.fields import EncryptedFieldMixin


class Command(BaseCommand):
    help = "Encrypt every secret in the database anew, under SECRET_KEY; SECRET_KEY_FALLBACKS open the old ones."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Raises ``CommandError`` where a secret opens by no key: it stays as it is. Safe to repeat."""
        done = lost = 0
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, EncryptedFieldMixin):
                    good, bad = _renewed(model, field)
                    done, lost = done + good, lost + bad
        self.stdout.write(f"{done} secrets are encrypted under the present SECRET_KEY.")
        if lost:
            raise CommandError(f"{lost} secrets open by no key; add the key they had to SECRET_KEY_FALLBACKS.")


def _renewed(model: type[models.Model], field: Any) -> tuple[int, int]:
    """How many rows were encrypted anew, and how many could not be read."""
    counts = [0, 0]
    sealed = model._default_manager.annotate(sealed=Cast(field.attname, models.TextField()))
    for pk, old in sealed.exclude(sealed=None).exclude(sealed="").values_list("pk", "sealed"):
        try:
            new = field.f.rotate(old.encode()) if len(field.keys) > 1 else old.encode()
        except InvalidToken:
            counts[1] += 1
            continue
        # Not where the secret was changed meanwhile: that is under the present key already.
        value = models.Value(new.decode(), output_field=models.TextField())
        sealed.filter(pk=pk, sealed=old).update(**{field.attname: value})
        counts[0] += 1
    return counts[0], counts[1]
