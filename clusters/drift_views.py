"""Pages of drift: what of a bundle is not as it was approved, and having it brought back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clusters import drift_rows, queries, services
from web.errors import Conflict, NotFound


@require_safe
def detail(http: HttpRequest, uid: UUID) -> HttpResponse:
    """What differs in one bundle's cluster."""
    bundle = queries.bundles_visible_to(http.user).select_related("drift").filter(uid=uid).first()
    if bundle is None:
        raise NotFound(_("There is no such bundle."))
    drift = drift_rows.drift_row(bundle, drift_rows.check_of(bundle), http.user)
    return render(http, "clusters/drift.html", {"drift": drift})


@require_POST
def repair(http: HttpRequest, uid: UUID) -> HttpResponse:
    """What was approved last is applied once more."""
    try:
        services.repair(bundle=uid, by=http.user, at=timezone.now())
    except Conflict as error:
        # The page says where things stand by now.
        messages.warning(http, error.sentence)
    else:
        messages.success(http, _("What differs is being brought back."))
    return redirect("bundle-drift", uid=uid)
