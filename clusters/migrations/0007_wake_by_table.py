"""The dispatcher is told which table has something due, where it was told only that there is something."""

from django.db import migrations

from work.triggers import FUNCTION


class Migration(migrations.Migration):
    dependencies = [("clusters", "0006_drift_of_existing_bundles")]
    operations = [migrations.RunSQL(sql=FUNCTION, reverse_sql=migrations.RunSQL.noop)]
