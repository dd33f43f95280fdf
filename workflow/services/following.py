"""What a cluster's answer means for the requests behind it: who asked is told."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, F, OuterRef

from clusters.models import Bundle, BundleRevision
from web.sentences import Sentence
from workflow.models import Outcome, Request
from workflow.services import notices


def bundle_moved(
    *, bundle: Bundle, revisions: Collection[int], outcome: str, at: datetime, reason: Sentence | None
) -> None:
    """See clusters.following.moved. A request with several bundles has arrived once all of them have."""
    others = Outcome.objects.filter(request=OuterRef("request")).exclude(bundle=bundle)
    found = Outcome.objects.filter(bundle=bundle, revision__in=revisions).annotate(has_others=Exists(others))
    for one in found.select_related("request__asker__owner", "request__tenant"):
        # The lock lets two of its bundles that arrive at the same moment see each other.
        if outcome != "blocked" and one.has_others and not _has_all(one.request):
            continue
        notices.arrived(one.request, outcome, reason, at)
        sort, _colon, uid = bundle.owner.partition(":")
        if sort == "project":
            event = "project.failed" if outcome == "blocked" else f"project.{outcome}"
            place = {"project": uid, "namespace": bundle.namespace, "cluster": bundle.cluster.name}
            notices.announce(one.request, event, at, **place)


def _has_all(request: Request) -> bool:
    """Whether every revision that the request made wanted is there; holds its row until the transaction ends."""
    list(Request.objects.select_for_update(of=("self",), no_key=True).filter(pk=request.pk).values("pk"))
    mine = BundleRevision.objects.filter(bundle__outcomes__request=request, number=F("bundle__outcomes__revision"))
    return not mine.filter(agreed_at__isnull=True).exists()
