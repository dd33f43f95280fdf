"""The dispatcher is woken when a work item of this room becomes due."""

from django.db import migrations

from work.triggers import wake_dispatcher


class Migration(migrations.Migration):
    """Triggers on the tables of work items."""

    dependencies = [("workflow", "0001_initial")]
    operations = [wake_dispatcher("workflow_deadline")]
