"""Chunks of a series learn which steps they hold."""

import numpy as np
from django.db import migrations, models

POINT = np.dtype([("step", "<u4"), ("epoch", "<u4"), ("value", "<f4"), ("time", "<f8")])


def note_steps(apps, schema_editor):
    for chunk in apps.get_model("jobs", "SeriesChunk").objects.iterator():
        steps = np.frombuffer(bytes(chunk.data), dtype=POINT)["step"]
        chunk.first_step, chunk.last_step = int(steps[0]), int(steps[-1])
        chunk.save(update_fields=["first_step", "last_step"])


class Migration(migrations.Migration):

    dependencies = [
        ("jobs", "0004_adviser_and_estimates"),
    ]

    operations = [
        migrations.AddField(
            model_name="serieschunk",
            name="first_step",
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="serieschunk",
            name="last_step",
            field=models.PositiveBigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunPython(note_steps, migrations.RunPython.noop, elidable=True),
    ]
