"""Events cannot be changed or removed, not even by the portal itself."""

from django.db import migrations

from audit.triggers import append_only


class Migration(migrations.Migration):
    """Triggers on the table of events."""

    dependencies = [("audit", "0001_initial")]
    operations = [append_only("audit_event")]
