"""Jobs that would take hours to run, written into the database of a running Tuneboard.

    VAR_DIR=… python -m tests.browser.planted long

Prints the path of the job's page.
"""

import os
import sys
from collections.abc import Callable

import django

SPIKE = 61_803
"""The one step of the long curve whose loss is 50."""


def long() -> str:
    """100,000 steps that fall from 4 to 1 with noise, a spike of one step, a zero, a negative and a missing loss."""
    import numpy as np

    from tuning.jobs import JobState, JobStatus, Point

    steps = np.arange(1, 100_001)
    noise = np.random.default_rng(3).normal(scale=0.1, size=len(steps))
    losses = 1 + 3 * np.exp(-steps / 15_000) + noise
    losses[[SPIKE - 1, 20_000, 30_000, 40_000]] = 50.0, 0.0, -0.25, np.nan
    held_out = tuple(
        Point(step, step // 12_500, float(1.2 + 3 * np.exp(-step / 15_000)), 0.0)
        for step in range(12_500, 100_001, 12_500)
    )
    points = [
        Point(int(step), int(step) // 12_500, float(loss), 1.7e9 + step / 4)
        for step, loss in zip(steps, losses, strict=True)
    ]
    job = _job(
        display_name="A long one", epoch_count=8, batch_size=1, total_steps=100_000, more_recipe={"validation": 0.1}
    )
    status = {"model": "tunedModels/long", "total_steps": 100_000, "validation": held_out}
    job.store(JobStatus(state=JobState.SUCCEEDED, **status), points)
    return job.get_absolute_url()


def stalled() -> str:
    """A job whose service has made no step for a quarter of an hour, and is asked no more."""
    import time
    from datetime import timedelta

    from django.utils import timezone

    from tuning.jobs import JobState, JobStatus, Point

    job = _job(display_name="Stuck")
    now = time.time()
    job.store(JobStatus(state=JobState.RUNNING, total_steps=19), [Point(n, 0, 3 / n, now - 900 + n) for n in (1, 2, 3)])
    nobody_asks = timezone.now() + timedelta(days=1)
    type(job).objects.filter(pk=job.pk).update(synced_at=nobody_asks)
    return job.get_absolute_url()


def advised() -> str:
    """Jobs the adviser has something to say of, each with its notice: a plateau, a turn upwards, and a failure."""
    from tuning.jobs import JobFailure, JobState, JobStatus, Point

    def stored(name: str, losses: list[float], state: JobState, **status: object) -> str:
        job = _job(display_name=name)
        points = [Point(step, step * 4 // 15, loss, 1.7e9 + step) for step, loss in enumerate(losses, start=1)]
        job.store(JobStatus(state=state, model="tunedModels/a", total_steps=19, **status), points)
        return job.get_absolute_url()

    wave = [3.0, 2.8, 2.4, 2.0, 1.5, 1.2, 1.0, 0.9, 0.8, 0.9, 1.5, 2.2, 3.0, 3.5, 3.9, 4.2, 4.4, 4.5, 4.6]
    stored("Out of memory", [], JobState.FAILED, failure=JobFailure(code="out_of_memory", detail="137"))
    stored("A name that is as long as a name can be", wave, JobState.SUCCEEDED)
    return stored("Flat since long", [3.0, 2.0, 1.0, 0.5, *[0.1] * 15], JobState.SUCCEEDED)


def listed() -> str:
    """Sixty jobs, the newest of which runs; nobody asks about it, and nobody is told of them."""
    from datetime import timedelta

    from django.utils import timezone

    from dashboard.jobs.models import Job, Tag
    from dashboard.notices import events
    from tuning.jobs import JobState

    if Job.objects.filter(display_name="Planted and running").exists():
        return "/jobs/?q=planted&sort=-created"
    now = timezone.now()
    curve = [[step, 3.1 / step] for step in range(1, 20)]
    version = _job(display_name="Planted 0", state=JobState.SUCCEEDED).dataset_version
    states = [JobState.SUCCEEDED, JobState.FAILED, JobState.SUCCEEDED, JobState.CANCELLED, JobState.SUCCEEDED]
    for n in range(1, 60):
        facts = {"state": states[n % 5], "small_curve": curve, "last_loss": 0.1 + n / 50, "completed_steps": 19}
        made = now - timedelta(hours=n)
        job = _job(display_name=f"Planted {n}", dataset_version=version, created=made, finished=made, **facts)
        if n % 3 == 0:
            Tag.objects.put_on([job], "every third")
    events.known(Job.objects.filter(display_name__startswith="Planted").select_related("owner"))
    running = {"state": JobState.RUNNING, "completed_steps": 3, "synced_at": now + timedelta(days=1)}
    _job(display_name="Planted and running", dataset_version=version, **running)
    return "/jobs/?q=planted&sort=-created"


def moved_on() -> str:
    """The running job of :func:`listed` makes four more steps."""
    from dashboard.jobs.models import Job

    Job.objects.filter(display_name="Planted and running").update(completed_steps=7)
    return "/jobs/"


def library() -> str:
    """Sixty models, with curves, tags and long names; some are a colleague's, and shared with everyone."""
    from datetime import timedelta

    from django.utils import timezone

    from dashboard.jobs.models import Job, Tag
    from dashboard.library.models import Grant, Role, TunedModel
    from dashboard.notices import events
    from tuning.jobs import JobState

    if TunedModel.objects.filter(name="tunedModels/shelved-1").exists():
        return "/library/?q=shelved"
    now, colleague = timezone.now(), _colleague()
    version = _job(display_name="Shelved 0", dataset_name="Invoices", state=JobState.SUCCEEDED).dataset_version
    texts = ["", "Answers questions about invoices in the words that the accounts department uses. " * 3]
    for n in range(1, 60):
        name = "A name that is as long as a name can be" if n == 5 else f"Shelved {n}"
        made = now - timedelta(hours=n)
        curve = [[step, 3.1 / step + n / 90] for step in range(1, 20)]
        facts = {"state": JobState.SUCCEEDED, "small_curve": curve, "last_loss": 0.1 + n / 50, "completed_steps": 19}
        facts |= {"created": made, "finished": made, "model": f"tunedModels/shelved-{n}", "display_name": name}
        if n % 4 == 0:
            facts["best_loss"] = 0.2 + n / 50
        model = TunedModel.objects.keep(_job(dataset_version=version, **facts))
        changes = {"description": texts[n % 2], "last_used": made if n % 3 else None}
        if n % 7 == 0:
            changes["owner"] = colleague
            Grant.objects.create(model=model, everyone=True, role=Role.READER)
        TunedModel.objects.filter(pk=model.pk).update(**changes)
        if n % 3 == 0:
            Tag.objects.put_on_models([model], "invoices")
    events.known(Job.objects.filter(model__startswith="tunedModels/shelved").select_related("owner"))
    return "/library/?q=shelved"


def kept_model() -> str:
    """A model of the person's own, with all that its page can show but files."""
    from dashboard.library.models import TunedModel
    from tuning.jobs import JobState, JobStatus, Point

    library()
    if kept := TunedModel.objects.filter(name="tunedModels/invoices").first():
        return kept.get_absolute_url()
    job = _job(display_name="Invoices")
    points = [Point(step, step * 4 // 15, 3 / step + 0.1 * (step % 3), 1.7e9 + step) for step in range(1, 20)]
    job.store(JobStatus(state=JobState.SUCCEEDED, model="tunedModels/invoices", total_steps=19), points)
    answers = [{"step": 19, "epoch": 5, "answer": "LXIV"}]
    samples = [{"row": 1, "prompt": "LXIII", "expected": "LXIV", "answers": answers}]
    type(job).objects.filter(pk=job.pk).update(samples=samples, answered=1, more_recipe={"samples": 1})
    model = TunedModel.objects.get(name="tunedModels/invoices")
    notes = (
        "# Before it goes live\n\n* ask **Grace** about totals\n* `temperature` 0\n\n| asked | answered |\n|---|---|\n"
    )
    notes += "| LXIII | LXIV |\n\n<script>alert(1)</script>\n"
    TunedModel.objects.filter(pk=model.pk).update(notes=notes, temperature=0.7, top_p=0.95, top_k=40)
    TunedModel.objects.filter(pk=model.pk).update(description="Answers questions about invoices in our words.")
    return model.get_absolute_url()


def shared() -> str:
    """A model of the person's is shared with the colleague."""
    from dashboard.library.models import Grant, Role, TunedModel

    library()
    model = TunedModel.objects.get(name="tunedModels/shelved-2")
    Grant.objects.get_or_create(model=model, person=_colleague(), role=Role.READER)
    return model.get_absolute_url()


def unshared() -> str:
    """And taken back."""
    from dashboard.library.models import Grant

    Grant.objects.filter(model__name="tunedModels/shelved-2").delete()
    return "/library/"


def _colleague():  # type: ignore[no-untyped-def]
    from dashboard.accounts.models import User

    return User.objects.filter(email="grace@example.com").first() or User.objects.create_user(
        "grace@example.com", "correct horse battery", name="Grace Hopper"
    )


def _job(dataset_name: str = "Planted", **facts: object):  # type: ignore[no-untyped-def]
    from dashboard.accounts.models import User
    from tests.factories import DatasetFactory, JobFactory

    owner = User.objects.get(email="ada@example.com")
    if "dataset_version" in facts:
        return JobFactory(owner=owner, **facts)
    dataset = DatasetFactory(owner=owner, name=dataset_name, pairs=14_000 if facts.get("more_recipe") else 15)
    return JobFactory(owner=owner, dataset_version=dataset.latest, **facts)


def binned() -> str:
    """The library with models in the bin: just removed, expired, refused by their service; and old ones to clean up."""
    from datetime import timedelta

    from django.utils import timezone

    from dashboard.accounts.models import User
    from dashboard.notices import events
    from dashboard.retiring import removing
    from dashboard.retiring.models import Removal
    from tests.factories import TunedModelFactory

    ada = User.objects.get(email="ada@example.com")
    curve = [[step, 3.1 / step] for step in range(1, 20)]
    for name in ("Invoices, first try", "A name that is as long as a name can be", "Refused by its service"):
        model = TunedModelFactory(owner=ada, display_name=name)
        type(model.job).objects.filter(pk=model.job.pk).update(small_curve=curve)
        removing.remove(model, ada, ada if name.startswith("I") else None)
    refused = {"problem": "permission_denied", "detail": "You do not have permission.", "tries": 3}
    later = timezone.now() + timedelta(minutes=40)
    Removal.objects.filter(model=model).update(due=timezone.now(), next_try=later, **refused)
    old = timezone.now() - timedelta(days=200)
    olds = [
        TunedModelFactory(owner=ada, display_name=f"Old one {n}", created=old, last_loss=0.3 + n / 10) for n in range(6)
    ]
    events.known(old_one.job for old_one in olds)
    return "/library/bin/"


PLANTS: dict[str, Callable[[], str]] = {
    "long": long,
    "stalled": stalled,
    "advised": advised,
    "listed": listed,
    "moved-on": moved_on,
    "library": library,
    "kept-model": kept_model,
    "shared": shared,
    "unshared": unshared,
    "binned": binned,
}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    django.setup()
    from django.db import transaction

    with (
        transaction.atomic()
    ):  # the worker sees all of it or nothing: not a job nobody is to be told of without that mark
        print(PLANTS[sys.argv[1]]())
