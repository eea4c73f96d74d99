"""How a model presents itself: its service's word, of which the record here is a copy."""

from collections.abc import Mapping
from dataclasses import asdict

from dashboard.accounts.models import User
from dashboard.library.models import TunedModel
from tuning.providers import Editor


def editor(model: TunedModel, user: User) -> Editor | None:
    """Its service in the name of ``user``, where that lets models be presented anew."""
    provider = model.connection.open_for(user)
    return provider if isinstance(provider, Editor) else None


def renew(model: TunedModel, service: Editor) -> None:
    """Take over what the service says now. Raises ``ServiceError``."""
    _keep(model, asdict(service.presentation(model.name)))


def change(model: TunedModel, service: Editor, changes: Mapping[str, object]) -> None:
    """Have the service change it, and keep what it took. Raises ``ServiceError``, and nothing has changed then."""
    _keep(model, asdict(service.present(model.name, changes)))


def _keep(model: TunedModel, said: dict[str, object]) -> None:
    TunedModel.objects.filter(pk=model.pk).update(**said)
    for name, value in said.items():
        setattr(model, name, value)
