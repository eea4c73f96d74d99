import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """The table is there: jobs.0006 made it."""

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("jobs", "0011_views_move"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="SavedView",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=60, verbose_name="name")),
                        ("query", models.CharField(blank=True, max_length=2000)),
                        ("shared", models.BooleanField(default=False)),
                        (
                            "owner",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="views",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
                migrations.AddConstraint(
                    model_name="savedview",
                    constraint=models.UniqueConstraint(fields=("owner", "name"), name="one_view_of_a_name"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="savedview",
            name="room",
            field=models.CharField(
                choices=[("jobs", "Jobs"), ("library", "Library")], default="jobs", max_length=20
            ),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(model_name="savedview", name="one_view_of_a_name"),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                fields=("owner", "room", "name"), name="listing_one_view_of_a_name"
            ),
        ),
    ]
