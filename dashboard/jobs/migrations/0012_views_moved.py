import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What the list opens with is a row of the same table under its new name."""

    dependencies = [("jobs", "0011_views_move"), ("listing", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="listsettings",
                    name="opens_with",
                    field=models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="listing.savedview",
                    ),
                ),
                migrations.DeleteModel(name="SavedView"),
            ],
        ),
    ]
