"""What tuners say of themselves: :mod:`tuning.server.models` shows these tables to everybody else."""

import secrets
import socket
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

HOST = socket.gethostname()


class TunerStateQuerySet(models.QuerySet["TunerState"]):
    def alive(self) -> Self:
        """Those heard of lately, the last first."""
        return self.filter(heartbeat__gt=Now() - TunerState.ALIVE).order_by("-heartbeat")

    def slots(self) -> int:
        """How many jobs can run at once."""
        return sum(self.alive().values_list("slots", flat=True))

    def sweep(self) -> None:
        """Forget those that have not been heard of for long."""
        self.filter(heartbeat__lt=Now() - TunerState.FORGOTTEN).delete()


def tuner_name() -> str:
    """A name no other tuner has, which begins with this machine's."""
    return f"{HOST[:80]}-{secrets.token_hex(4)}"


class TunerState(models.Model):
    """What one tuner says of itself and its machine; the row goes when it stops. Sizes are in bytes."""

    name = models.CharField(max_length=100, unique=True)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    slots = models.IntegerField()
    """How many jobs it runs at once."""
    threads = models.IntegerField()
    """How many threads compute each of them."""
    started = models.DateTimeField(db_default=Now())
    heartbeat = models.DateTimeField(db_default=Now())
    preparing = models.IntegerField(null=True)
    """Percent of the base model that is made ready now."""
    preparing_base = models.CharField(max_length=100, blank=True)
    failure_code = models.CharField(max_length=40, blank=True)
    """Why a base model could not be made ready."""
    memory = models.BigIntegerField(default=0)
    memory_free = models.BigIntegerField(default=0)
    disk = models.BigIntegerField(default=0)
    """Of the file system that holds VAR_DIR."""
    disk_free = models.BigIntegerField(default=0)
    children = models.JSONField(default=list)
    """``kind``, ``pid``, ``job`` (the tuned model's name or empty), ``base``, ``memory`` (bytes) and ``since`` (seconds
    since 1970) of each."""

    ALIVE = timedelta(seconds=10)
    """A tuner heard of within this time is alive."""
    FORGOTTEN = timedelta(hours=1)

    objects = TunerStateQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class InferenceChildQuerySet(models.QuerySet["InferenceChild"]):
    def current(self) -> "InferenceChild | None":
        """The one to be asked: of this machine, for it listens to no other; of the tuner heard of last."""
        return self.filter(tuner__host=HOST).order_by("-tuner__heartbeat").first()


class InferenceChild(models.Model):
    """Where the process that answers questions listens, and the key it knows us by; one a tuner, at most."""

    tuner = models.OneToOneField(TunerState, on_delete=models.CASCADE)
    address = models.CharField(max_length=100)
    key = models.CharField(max_length=100)

    objects = InferenceChildQuerySet.as_manager()

    def __str__(self) -> str:
        return self.address
