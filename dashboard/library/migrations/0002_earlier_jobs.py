"""Records of the models that jobs made before there was a library."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

AT_ONCE = 500
SEEN = ("owner_id", "connection_id", "display_name", "base_model", "dataset_version_id", "notes", "last_loss")


def keep(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """One record a model, of the job that was first; then what each was tuned further from, and its tags."""
    models, jobs = apps.get_model("library", "TunedModel"), apps.get_model("jobs", "Job")
    done = jobs.objects.filter(state="SUCCEEDED").exclude(model="")
    records: dict[tuple[int, str], Any] = {}
    for job in done.order_by("pk").only("model", "finished", "created", *SEEN).iterator():
        facts = {name: getattr(job, name) for name in SEEN}
        made = models(job=job, name=job.model, created=job.finished or job.created, **facts)
        records.setdefault((job.connection_id, job.model), made)
    models.objects.bulk_create(records.values(), batch_size=AT_ONCE)
    for model in models.objects.exclude(job__tuned_from="").select_related("job"):
        source = models.objects.filter(connection=model.connection_id, name=model.job.tuned_from).first()
        models.objects.filter(pk=model.pk).update(tuned_from=source)
    worn = jobs.tags.through.objects.filter(job__library_model__isnull=False)
    pairs = worn.values_list("job__library_model", "tag")
    row = models.tags.through
    row.objects.bulk_create([row(tunedmodel_id=model, tag_id=tag) for model, tag in pairs], batch_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
