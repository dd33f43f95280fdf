"""Mails: what people wish to be mailed, and each mail on its way."""

import uuid
from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models

from work.models import WorkItem

WISHES = ("now", "daily", "off")
_WISHES = [(wish, wish) for wish in WISHES]


class Preference(models.Model):
    """When a person is mailed what they are told, by the sort of message; who chose nothing has the defaults."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    waiting = models.CharField(max_length=5, choices=_WISHES, default="now")
    mine = models.CharField(max_length=5, choices=_WISHES, default="now")
    talk = models.CharField(max_length=5, choices=_WISHES, default="daily")
    portal = models.CharField(max_length=5, choices=_WISHES, default="now")
    # When the daily mail comes, in the person's time zone ("": the portal's).
    daily_at = models.TimeField(default=time(8, 30))
    time_zone = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"preference of {self.user_id}"


class Mail(WorkItem):
    """One mail to one person about one message, or about those of a day."""

    STATES = [(s, s) for s in ("pending", "sent", "dropped", "failed")]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    to = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    messages = ArrayField(models.BigIntegerField(), help_text="ids of notify.Message")
    state = models.CharField(max_length=8, choices=STATES, default="pending")
    problem = models.JSONField(null=True, blank=True, help_text="why it was not sent, see web.sentences")
    created_at = models.DateTimeField()

    class Meta(WorkItem.Meta):
        constraints = WorkItem.Meta.constraints

    def __str__(self) -> str:
        return f"mail {self.uid} to {self.to_id}"


class Digest(WorkItem):
    """When a person's daily mail is due; no row for who never had anything to be told by it."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    # The last message that a daily mail held.
    until = models.BigIntegerField(default=0)

    class Meta(WorkItem.Meta):
        constraints = WorkItem.Meta.constraints

    def __str__(self) -> str:
        return f"daily mail of {self.user_id}"
