from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

OWNER = 1


def owners_sent_them(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who sent the examples of earlier jobs was not kept: it is whose the model is."""
    job, permission = (apps.get_model("server", name) for name in ("Job", "Permission"))
    owner = permission.objects.filter(job=OuterRef("pk"), role=OWNER).values("email")[:1]
    job.objects.update(sent_by=Coalesce(Subquery(owner), Value("")))


class Migration(migrations.Migration):
    dependencies = [("server", "0010_conditions")]

    operations = [
        migrations.AddField(
            "job", "sent_by", models.CharField(max_length=254, blank=True, default=""), preserve_default=False
        ),
        migrations.RunPython(owners_sent_them, migrations.RunPython.noop),
    ]
