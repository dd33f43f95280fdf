"""The page of a person's API tokens."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries, services
from accounts.forms import TokenForm
from accounts.models import User
from accounts.rows import state_words, token_row
from accounts.rules import MOST_ACTIVE_TOKENS
from web.errors import Conflict, Invalid
from web.exporting import csv_file
from web.filters import select_field
from web.tables import Column, Table, shown_filters

# Session key: forms by which tokens were made.
MADE = "tokens_made"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponseBase:
    """The person's API tokens, and a new one; its secret is on the page that answers and nowhere else."""
    once = request.POST.get("once", "")
    if once and once in request.session.get(MADE, []):
        messages.info(request, _("This token was made already; its secret was shown that one time."))
        return redirect("tokens")
    form = TokenForm(request.POST or None)
    fresh = _issued(request, form) if request.method == "POST" and form.is_valid() else None
    if fresh:
        form = TokenForm()
        request.session[MADE] = [*request.session.get(MADE, []), once][-MOST_ACTIVE_TOKENS:]
    table, state = Table(request, _columns()), request.GET.get("state", "")
    state = state if state in state_words() else ""
    now = timezone.now()
    found = [
        token_row(token, now, reverse("token-revoke", args=[token.prefix]))
        for token in queries.tokens_visible_to(_person(request))
    ]
    shown = table.sorted([row for row in found if not state or row["state"] == state])
    if table.wants_csv and request.method != "POST":
        return _file(shown)
    fields = [select_field("state", _("Status"), state, state_words())]
    context = {
        "tokens": shown,
        "total": len(found),
        "table": table,
        "filters": shown_filters(table, fields, request.path, bool(state)),
        "fields": form.page_fields(),
        "action": reverse("tokens"),
        "fresh": fresh,
        # A page that is loaded again makes no second token.
        "once": uuid.uuid4().hex,
    }
    return render(request, "account/tokens.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def token_revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Ends one of the person's API tokens."""
    person = _person(request)
    token = get_object_or_404(queries.tokens_visible_to(person), prefix=prefix)
    services.revoke_token(token=token, by=person, at=timezone.now())
    return redirect("tokens")


def _columns() -> list[Column]:
    return [
        Column("token", _("Token"), "name"),
        Column("scopes", _("Scopes")),
        Column("used", _("Last used"), "last_used_at", sort="time"),
        Column("expires", _("Expires"), "expires_at", sort="time"),
        Column("status", _("Status")),
        Column("action", _("Action"), is_silent=True),
    ]


def _file(shown: list[dict[str, Any]]) -> HttpResponseBase:
    """Of the token itself no more than what stands on the page."""
    heads = [_("Token"), _("Begins with"), _("Scopes"), _("Made"), _("Last used"), _("Expires"), _("Status")]
    names = ("created_at", "last_used_at", "expires_at")
    lines = (
        [row["name"], row["prefix"], ", ".join(row["scopes"]), *(row[name] for name in names), row["status"]["label"]]
        for row in shown
    )
    return csv_file("tokens", heads, lines)


def _issued(request: HttpRequest, form: TokenForm) -> dict[str, str] | None:
    asked = form.cleaned_data
    person = _person(request)
    try:
        token, secret = services.issue_token(user=person, by=person, at=timezone.now(), **asked)
    except Invalid as error:
        for pointer, sentence in error.fields.items():
            form.add_error(pointer.lstrip("/"), sentence)
        return None
    except Conflict as error:
        form.add_error("name", error.sentence)
        return None
    return {"secret": secret, "name": token.name}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
