"""Messages: what one person is told, shown in the bell."""

from django.db import models
from django.db.models import Q

# What people choose by: a decision of theirs is wanted, their own requests, what is said where they take part, and what
# the portal does for them (webhooks).
SORTS = ("waiting", "mine", "talk", "portal")


class Message(models.Model):
    """One thing that one person is told; written in the transaction of what it tells of.

    One that `asks` for something is closed once that is done, by whomever; then it no longer counts as unread.
    """

    to = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    sort = models.CharField(max_length=8, choices=[(sort, sort) for sort in SORTS])
    kind = models.CharField(max_length=40, help_text="thing.what became of it: request.rejected")
    sentence = models.JSONField(help_text="see web.sentences")
    link = models.CharField(max_length=200, help_text="path of the page it is about")
    about = models.CharField(max_length=200, help_text="what it is about, as kind:id")
    asks = models.BooleanField(default=False)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(asks=True) | Q(closed_at__isnull=True), name="notify_message_closed_asks"
            )
        ]
        indexes = [
            models.Index(fields=["to", "-id"], name="notify_message_of_person"),
            models.Index(
                fields=["to"], name="notify_message_unread", condition=Q(read_at__isnull=True, closed_at__isnull=True)
            ),
            models.Index(fields=["about"], name="notify_message_open", condition=Q(asks=True, closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to_id}"
