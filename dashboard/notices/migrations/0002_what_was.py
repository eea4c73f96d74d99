from django.db import migrations

EVENTS = {"SUCCEEDED": "ended", "FAILED": "failed"}


def take_as_told(apps, schema_editor):
    """Jobs that ended before there were notices are no news."""
    jobs = apps.get_model("jobs", "Job").objects.filter(state__in=EVENTS).values_list("pk", "owner_id", "state", "attempt")
    Notice = apps.get_model("notices", "Notice")
    Notice.objects.bulk_create(
        (
            Notice(person_id=owner, job_id=job, event=EVENTS[state], attempt=attempt, on_page=False)
            for job, owner, state, attempt in jobs.iterator()
        ),
        batch_size=500,
    )


class Migration(migrations.Migration):

    dependencies = [
        ("notices", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(take_as_told, migrations.RunPython.noop),
    ]
