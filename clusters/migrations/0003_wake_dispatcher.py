"""The dispatcher is woken when a bundle becomes due."""

from django.db import migrations

from work.triggers import wake_dispatcher


class Migration(migrations.Migration):
    """Triggers on the table of bundles."""

    dependencies = [("clusters", "0002_initial")]
    operations = [wake_dispatcher("clusters_bundle")]
