"""Things for tests to start from, each with sane defaults."""

import factory
from factory.django import DjangoModelFactory

from dashboard.accounts.models import User

PASSWORD = "correct horse battery"
"""Everybody's, in the tests."""


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in with :data:`PASSWORD`."""

    class Meta:
        model = User

    email = factory.Sequence("person{}@example.com".format)
    name = "Alice"
    password = factory.django.Password(PASSWORD)

    class Params:
        administrator = factory.Trait(is_administrator=True)
