"""The page of one bundle: what it holds, its revisions with their differences, the runs over it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clusters import bundle_rows, comparing, drift_rows, queries, services, words
from clusters.models import Bundle, BundleRevision
from clusters.owners import owners_of
from web import paging
from web.errors import Conflict, NotFound
from web.fragments import fragment

# Revisions on one page, runs that are shown, and revisions to choose from when comparing.
REVISIONS, RUNS, CHOICES = 20, 20, 100


def _bundle_or_404(http: HttpRequest, uid: UUID) -> Bundle:
    found = queries.bundle_of(http.user, uid)
    if found is None:
        raise NotFound(_("There is no such bundle."))
    return found


@require_safe
def detail(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Where it stands, how it came to be so, and what two of its revisions have differently."""
    bundle = _bundle_or_404(http, uid)
    owner = owners_of([bundle], http.user)[bundle.pk]
    page, after = paging.page_of(queries.revisions_of(bundle), http.GET, REVISIONS)
    runs = list(queries.runs_of(bundle)[:RUNS])
    context = {
        "objects": words.object_rows(bundle),
        "drift": drift_rows.drift_line(bundle),
        "b": bundle_rows.bundle_detail(bundle, owner, http.user),
        "revisions": [bundle_rows.revision_row(revision, bundle, owner) for revision in page],
        "next_url": paging.next_url(http.GET, after),
        "runs": [bundle_rows.run_row(run) for run in runs],
        "comparison": _comparison(http, bundle),
    }
    return render(http, "clusters/bundle.html", context)


@require_safe
def state(http: HttpRequest, uid: UUID) -> HttpResponse:
    """Fragment: how far the cluster agrees."""
    bundle = _bundle_or_404(http, uid)
    owner = owners_of([bundle], http.user)[bundle.pk]
    b = bundle_rows.bundle_detail(bundle, owner, http.user)
    context = {"b": b, "objects": words.object_rows(bundle)}
    return fragment(http, "clusters/_bundle_state.html", context, reverse("bundle", args=[uid]))


def _comparison(http: HttpRequest, bundle: Bundle) -> dict[str, Any] | None:
    """Two revisions beside each other, by the address or the newest against the one before; None without revisions."""
    numbers = list(queries.revisions_of(bundle).values_list("number", flat=True)[:CHOICES])
    if not numbers:
        return None
    newer = paging.whole_number(http.GET, "to") or numbers[0]
    asked = paging.whole_number(http.GET, "from")
    older = _before(bundle, newer, numbers) if asked is None else asked
    after = _revision_or_404(bundle, newer)
    changes = comparing.changes_between(_revision_or_404(bundle, older) if older else None, after)
    shown, unchanged = bundle_rows.change_rows(changes)
    return {
        "from": older,
        "to": newer,
        "from_options": _options([*numbers, 0], older),
        "to_options": _options(numbers, newer),
        "changes": shown,
        "unchanged": unchanged,
        "action": reverse("bundle", args=[bundle.uid]),
    }


def _before(bundle: Bundle, number: int, newest: list[int]) -> int:
    """The revision before `number`, 0 for none; asked for only where it is not among the `newest`."""
    found = next((one for one in newest if one < number), 0)
    if found or len(newest) < CHOICES:
        return found
    return queries.number_before(bundle, number)


def _options(numbers: list[int], chosen: int) -> list[dict[str, Any]]:
    """Newest first; one that is older than what is offered is offered as well."""
    labels = {0: _("nothing")}
    offered = numbers if chosen in numbers else [*numbers, chosen]
    return [{"value": one, "label": labels.get(one, str(one)), "selected": one == chosen} for one in offered]


def _revision_or_404(bundle: Bundle, number: int) -> BundleRevision:
    found = queries.revision_of(bundle, number)
    if found is None:
        raise NotFound(_("There is no such revision."))
    return found


@require_POST
def retry(http: HttpRequest, uid: UUID) -> HttpResponse:
    """It is tried again at once."""
    try:
        services.retry(bundle=uid, by=http.user, at=timezone.now())
    except Conflict as error:
        # The page says where things stand by now.
        messages.warning(http, error.sentence)
    else:
        messages.success(http, _("It is tried again now."))
    return redirect("bundle", uid=uid)
