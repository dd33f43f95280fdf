"""Bundles that agreed before there was drift are compared too, not all in the same minute."""

from django.db import migrations

EXISTING = """
    INSERT INTO clusters_driftcheck
        (bundle_id, lane, generation, observed_generation, attempts, conditions, found, due_at)
    SELECT id, lane, 1, 0, 0, '{}', '[]', now() + random() * interval '10 minutes'
    FROM clusters_bundle
    WHERE observed_generation > 0
    ON CONFLICT (bundle_id) DO NOTHING
"""


class Migration(migrations.Migration):
    """A row of drift for each of them."""

    dependencies = [("clusters", "0005_origin")]
    operations = [migrations.RunSQL(EXISTING, migrations.RunSQL.noop)]
