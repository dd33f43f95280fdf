"""The clock of an open request: a due row that reminds those who decide, and ends what waited too long."""

from django.db import models

from work.models import WorkItem
from workflow.models.request import Request


class Deadline(WorkItem):
    """When an open request is to be looked at next; the row goes when the request is closed."""

    request = models.OneToOneField(Request, on_delete=models.CASCADE, related_name="deadline")
    expires_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)

    class Meta(WorkItem.Meta):
        constraints = WorkItem.Meta.constraints

    def __str__(self) -> str:
        return f"{self.request_id} until {self.expires_at}"
