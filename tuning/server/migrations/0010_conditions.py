from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("server", "0009_last_asked")]

    operations = [
        migrations.AddField("job", "computed_by", models.CharField(blank=True, max_length=50)),
        migrations.AddField("job", "computed_with", models.CharField(blank=True, max_length=50)),
    ]
