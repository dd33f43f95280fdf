"""What bundles use of their quotas over time, and the row that has old samples dropped."""

import django.db.models.deletion
from django.db import migrations, models

from work.triggers import wake_dispatcher


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0007_wake_by_table"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageThinning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("generation", models.PositiveBigIntegerField(default=0)),
                ("observed_generation", models.PositiveBigIntegerField(default=0)),
                ("lane", models.CharField(blank=True, db_index=True, max_length=80)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("offered_until", models.DateTimeField(blank=True, null=True)),
                ("lease_owner", models.UUIDField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("conditions", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at"],
                        name="clusters_usagethinning_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("observed_generation__lte", models.F("generation"))),
                        name="clusters_usagethinning_observed_le_desired",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_owner__isnull", True), ("lease_until__isnull", True)),
                            models.Q(("lease_owner__isnull", False), ("lease_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="clusters_usagethinning_lease_paired",
                    ),
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="clusters_usagethinning_one_row"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.PositiveIntegerField(help_text="seconds")),
                ("at", models.DateTimeField(help_text="when the step begins")),
                ("cpu_used", models.PositiveBigIntegerField(null=True)),
                ("cpu_limit", models.PositiveBigIntegerField(null=True)),
                ("memory_used", models.PositiveBigIntegerField(null=True)),
                ("memory_limit", models.PositiveBigIntegerField(null=True)),
                ("storage_used", models.PositiveBigIntegerField(null=True)),
                ("storage_limit", models.PositiveBigIntegerField(null=True)),
                ("pods_used", models.PositiveBigIntegerField(null=True)),
                ("pods_limit", models.PositiveBigIntegerField(null=True)),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        db_index=False,
                        related_name="usage_samples",
                        to="clusters.bundle",
                    ),
                ),
            ],
            options={
                "ordering": ["bundle", "step", "at"],
                "indexes": [models.Index(fields=["step", "at"], name="clusters_usage_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("bundle", "step", "at"), name="clusters_usage_once_per_step"),
                    models.CheckConstraint(condition=models.Q(("step__gt", 0)), name="clusters_usage_step_positive"),
                ],
            },
        ),
        wake_dispatcher("clusters_usagethinning"),
    ]
