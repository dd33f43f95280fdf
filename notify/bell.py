"""The bell in the masthead of every page: how much a person has not read."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from notify import queries


def bell(request: HttpRequest) -> dict[str, Any]:
    """`bell` for the base template: {count, shown}, None for nobody. Counted only where it is drawn, so parts of pages
    cost nothing."""
    user = getattr(request, "user", None)
    return {"bell": SimpleLazyObject(lambda: counted(user)) if isinstance(user, User) else None}


def counted(user: User) -> dict[str, Any]:
    """{count, shown}: the number, and how it is written where it is large."""
    count = queries.unread_count(user)
    return {"count": count, "shown": f"{queries.MOST_COUNTED}+" if count > queries.MOST_COUNTED else str(count)}
