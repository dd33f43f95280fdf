"""The dispatcher is woken when a work item of this room becomes due."""

from django.db import migrations

from work.triggers import wake_dispatcher


class Migration(migrations.Migration):
    """Triggers on the tables of work items."""

    dependencies = [("clusters", "0002_initial")]
    operations = [wake_dispatcher("clusters_bundle"), wake_dispatcher("clusters_capacity")]
