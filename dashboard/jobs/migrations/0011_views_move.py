from django.db import migrations


class Migration(migrations.Migration):
    """Saved views become dashboard.listing's: their table gets its name here, and listing.0001 takes it over."""

    dependencies = [("jobs", "0010_conditions")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.AlterModelTable("savedview", "listing_savedview")],
        ),
    ]
