"""Finding people and groups of the directory while one types their names."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import directory
from web.filters import LONGEST
from web.fragments import fragment

# Choices below a field, and letters from which on the directory is asked.
MOST, LEAST_LETTERS = 8, 2


@require_safe
def people(http: HttpRequest) -> HttpResponse:
    """Fragment: those whose name, user name or mail contains `q`; of `sort=groups` groups; `for` is the field's id."""
    # A box that is itself the field sends its own name.
    text = http.GET.get("q", http.GET.get("to", "")).strip()[:LONGEST]
    is_groups = http.GET.get("sort") == "groups"
    context: dict[str, Any] = {"text": text, "rows": [], "problem": "", "field": http.GET.get("for", "")[:80]}
    if len(text) >= LEAST_LETTERS or not text.isascii():
        try:
            context["rows"] = _groups(text) if is_groups else _people(text)
        except directory.DirectoryUnavailable as error:
            context["problem"] = error.sentence
    else:
        context["text"] = ""
    return fragment(http, "account/_people.html", context, reverse("home"))


def _people(text: str) -> list[dict[str, str]]:
    return [
        {
            "value": one.username,
            "title": one.display_name or one.username,
            "text": " · ".join(part for part in (one.username, one.email) if part),
            "taken": _("%(name)s is in the list.") % {"name": one.username},
        }
        for one in directory.find_people(text, MOST)
    ]


def _groups(text: str) -> list[dict[str, str]]:
    return [
        {
            "value": one.dn,
            "title": one.cn,
            "text": one.description or one.dn,
            "taken": _("%(name)s is in the list.") % {"name": one.cn},
        }
        for one in directory.find_groups(text, MOST)
    ]
