"""Datasets, and the immutable versions of what they hold."""

import hashlib
import secrets
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import models, transaction
from django.db.models import Count, Max, Prefetch
from django.db.models.functions import Coalesce
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.datasets import contents
from dashboard.people import quotas
from tuning.datasets import Example, Parsed, read_jsonl

NAME_LENGTH = 100
UPLOADS_KEPT_FOR = timedelta(days=1)


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, user: User) -> "DatasetQuerySet":
        """The datasets that ``user`` may see: their own; administrators see all."""
        here = self.filter(absent=False)
        return here if user.is_administrator else here.filter(owner=user)

    def with_versions(self) -> "DatasetQuerySet":
        """With their versions at hand, newest first, and ``job_count``; the datasets last changed come first."""
        return (
            self.select_related("owner")
            .prefetch_related(Prefetch("versions", DatasetVersion.objects.all()))
            .annotate(job_count=Count("versions__jobs"), changed=Coalesce(Max("versions__created"), "created"))
            .order_by("-changed", "-pk")
        )

    def start(self, owner: User, name: str, parsed: Parsed) -> "Dataset":
        """A new dataset with ``parsed`` as its first version."""
        with transaction.atomic():
            dataset = self.create(owner=owner, name=name)
            dataset.add_version(parsed)
            audit.record(owner, "dataset.created", dataset, examples=parsed.count)
        return dataset

    def absent(self, owner: User, name: str, examples: int, ref: str) -> "DatasetVersion":
        """What stands for the examples of job ``ref``, where nobody has them any more: their number is known alone."""
        with transaction.atomic():
            dataset = self.create(owner=owner, name=name, absent=True)
            nothing = hashlib.sha256(f"absent {ref}".encode()).hexdigest()
            return dataset.versions.create(number=1, sha256=nothing, examples=examples, size=0)


class Dataset(models.Model):
    """A named series of versions, belonging to one person."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    created = models.DateTimeField(default=timezone.now, editable=False)
    absent = models.BooleanField(default=False, editable=False)
    """Whether it only stands for the examples of a job that was made elsewhere. Nobody is shown such a dataset."""

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("datasets:detail", args=[self.pk])

    @property
    def latest(self) -> "DatasetVersion":
        """The newest version; what a new job uses. Every dataset has one from its beginning."""
        return self.versions.all()[0]

    def add_version(self, parsed: Parsed) -> tuple["DatasetVersion", bool]:
        """The version that holds ``parsed``, and whether it is new: what equals the latest makes none.

        Raises ``Exhausted`` where there is no room for it among what its owner may keep.
        """
        with transaction.atomic():
            Dataset.objects.select_for_update().get(pk=self.pk)  # versions of one number are not to be made twice
            contents.hold(parsed.sha256)
            latest = self.versions.first()
            if latest and latest.sha256 == parsed.sha256:
                return latest, False
            quotas.admit_bytes(self.owner, parsed.size)
            version = self.versions.create(
                number=latest.number + 1 if latest else 1,
                sha256=parsed.sha256,
                examples=parsed.count,
                size=parsed.size,
                facts=asdict(parsed.facts),
            )
            parsed.write_jsonl(version.path)
        return version, True


class DatasetVersion(models.Model):
    """What a dataset held at one time: never changed, only followed by the next version."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    examples = models.PositiveIntegerField(help_text="How many there are.")
    size = models.PositiveBigIntegerField(help_text="Bytes of the JSONL file.")
    facts = models.JSONField(default=dict, help_text="Characters of inputs and outputs (mean, max), duplicates.")
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_version_of_a_number")]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a new version. Raises ``TypeError`` for one that is kept already: versions never change."""
        if not self._state.adding:
            raise TypeError("A dataset version never changes; add another one.")
        super().save(*args, **kwargs)

    @property
    def path(self) -> Path:
        """The JSONL file of its examples."""
        return contents.path_of(self.sha256)

    def preview(self, start: int = 0, limit: int = 50) -> list[Example]:
        """The ``limit`` examples after the first ``start``; none of a dataset that is absent."""
        return [] if self.dataset.absent else read_jsonl(self.path, start, limit)


@receiver(post_delete, sender=DatasetVersion)
def release_contents(instance: DatasetVersion, **_kwargs: object) -> None:
    """Remove the file of a version that is gone, unless another version names it.

    After the commit, in a transaction of its own: whoever adds a version of equal contents meanwhile holds, or
    waits for, the same lock, and puts the file in place anew.
    """

    def release() -> None:
        with transaction.atomic():
            contents.hold(instance.sha256)
            if not DatasetVersion.objects.filter(sha256=instance.sha256).exists():
                instance.path.unlink(missing_ok=True)

    transaction.on_commit(release)


class UploadQuerySet(models.QuerySet["Upload"]):
    def keep(self, file: File[bytes], *, owner: User, name: str, dataset: Dataset | None) -> "Upload":
        """Keep an uploaded file until its columns are chosen. Sweeps away what nobody came back to."""
        self.filter(created__lt=timezone.now() - UPLOADS_KEPT_FOR).delete()
        upload = self.model(owner=owner, file_name=str(file.name)[-NAME_LENGTH:], name=name, dataset=dataset)
        with upload.path.open("wb") as kept:
            for chunk in file.chunks():
                kept.write(chunk)
        upload.save()
        return upload


class Upload(models.Model):
    """A file whose columns are still to be chosen, by the person who uploaded it."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=43, unique=True, default=secrets.token_urlsafe, editable=False)
    file_name = models.CharField(max_length=NAME_LENGTH)
    name = models.CharField(max_length=NAME_LENGTH)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.CASCADE, related_name="+")
    created = models.DateTimeField(default=timezone.now, editable=False)

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("datasets:columns", args=[self.key])

    @property
    def path(self) -> Path:
        return contents.upload_path(self.key)


@receiver(post_delete, sender=Upload)
def remove_upload(instance: Upload, **_kwargs: object) -> None:
    """Remove the file that was kept for a choice now made, or never made."""
    instance.path.unlink(missing_ok=True)
