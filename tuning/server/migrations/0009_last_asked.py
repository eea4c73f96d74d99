from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("server", "0008_base_preparations")]

    operations = [migrations.AddField("job", "last_asked", models.DateTimeField(null=True))]
