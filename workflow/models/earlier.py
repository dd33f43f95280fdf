"""What was asked for before it was changed."""

from django.db import models

from workflow.models.request import Request


class EarlierValues(models.Model):
    """The values of a round that is over: who decides sees what has changed since."""

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="earlier_values")
    round = models.PositiveIntegerField()
    values = models.JSONField(help_text="what was asked for in that round, by the kind's schema")
    # Whether that round ended by sending it back; else who asked changed it by themselves.
    was_sent_back = models.BooleanField()
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["request", "round"]
        constraints = [
            models.UniqueConstraint(fields=["request", "round"], name="workflow_earlier_values_once"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.round}"
