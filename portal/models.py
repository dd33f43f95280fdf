"""What all processes measured together, so that one answer to /metrics is right for all of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Measure(models.Model):
    """One count or duration by its labels; only ever grows. See web.measures.Measured for the columns."""

    name = models.CharField(max_length=80)
    # JSON with sorted keys, as text: it is compared as a whole.
    labels = models.CharField(max_length=500)
    count = models.BigIntegerField()
    sum = models.FloatField()
    buckets = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="portal_measure_unique")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"
