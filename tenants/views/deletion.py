"""Pages: calling off a project's removal."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tenants.services import deletion as services
from web.errors import Conflict


@require_POST
def call_off(http: HttpRequest, uid: UUID) -> HttpResponse:
    """The project stays."""
    try:
        services.call_off(project=uid, by=http.user, at=timezone.now())
    except Conflict as error:
        # The project's page says where things stand by now.
        messages.warning(http, error.sentence)
    else:
        messages.success(http, _("The deletion is called off."))
    return redirect("project-detail", uid=uid)
