"""A request for several environments: the parent follows what becomes of its children."""

from datetime import datetime

from workflow import machine
from workflow.models import Request


def follow(child: Request, at: datetime) -> None:
    """After a child moved: the parent's state from those of all its children. Children are locked before parents."""
    if child.parent_id is None:
        return
    parent = Request.objects.select_for_update(of=("self",)).get(pk=child.parent_id)
    parent.state = machine.following(list(parent.children.values_list("state", flat=True)))
    parent.closed_at = None if parent.is_open else at
    parent.save(update_fields=["state", "closed_at"])
