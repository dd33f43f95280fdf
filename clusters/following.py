"""What follows when a cluster has a revision, or refuses it for good: rooms above this one know
(settings.BUNDLE_FOLLOWERS)."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from clusters.models import Bundle
from web.sentences import Sentence


def moved(
    bundle: Bundle, revisions: Collection[int], outcome: str, at: datetime, reason: Sentence | None = None
) -> None:
    """In the caller's transaction: the cluster has these revisions from now on (ready; committed where that is not
    seen; removed where nothing was wanted any more), or refuses the last of them (blocked, with the reason)."""
    for path in settings.BUNDLE_FOLLOWERS:
        import_string(path)(bundle=bundle, revisions=revisions, outcome=outcome, at=at, reason=reason)
