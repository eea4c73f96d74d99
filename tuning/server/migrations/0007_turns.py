import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("server", "0006_resume")]

    operations = [
        migrations.AddField("job", "priority", models.IntegerField(default=0)),
        migrations.AddField("job", "threads", models.IntegerField(default=0)),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(max_length=254, unique=True)),
                ("last", models.DateTimeField()),
            ],
        ),
        # Both hold what tuners that run say of themselves: nothing in them outlives a restart.
        migrations.DeleteModel("InferenceChild"),
        migrations.DeleteModel("TunerState"),
        migrations.CreateModel(
            name="TunerState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("host", models.CharField(max_length=255)),
                ("pid", models.IntegerField()),
                ("slots", models.IntegerField()),
                ("threads", models.IntegerField()),
                ("started", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("preparing", models.IntegerField(null=True)),
                ("preparing_base", models.CharField(blank=True, max_length=100)),
                ("failure_code", models.CharField(blank=True, max_length=40)),
                ("memory", models.BigIntegerField(default=0)),
                ("memory_free", models.BigIntegerField(default=0)),
                ("disk", models.BigIntegerField(default=0)),
                ("disk_free", models.BigIntegerField(default=0)),
                ("children", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="InferenceChild",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=100)),
                ("key", models.CharField(max_length=100)),
                (
                    "tuner",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to="server.tunerstate"),
                ),
            ],
        ),
    ]
