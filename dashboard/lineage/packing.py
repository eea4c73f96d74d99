"""Bundles as files: written for a person, with the examples that they may see."""

import tempfile
import zipfile
from typing import IO

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.models import Job
from dashboard.lineage.bundles import Run

RUN, DATA, VALIDATION = "bundle.json", "data.jsonl", "validation.jsonl"


def pack(run: Run, job: Job, user: User) -> IO[bytes]:
    """The zip of ``run``, at its beginning; with the examples of ``job`` as far as ``user`` may see them."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - who sends it closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(RUN, run.to_json())
        for name, version in ((DATA, job.dataset_version), (VALIDATION, job.validation_version)):
            if version and may_see(user, version):
                archive.write(version.path, name)
    file.seek(0)
    return file


def may_see(user: User, version: DatasetVersion) -> bool:
    """Whether the examples of ``version`` are ``user``'s to see."""
    return Dataset.objects.visible_to(user).filter(pk=version.dataset_id).exists()
