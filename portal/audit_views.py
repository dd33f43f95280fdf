"""Pages of what happened: the list, one event, and the files."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import audit_rows, queries
from portal.audit_export import export
from portal.audit_narrowing import Found, page_of, read
from portal.audit_words import action_label, action_labels
from portal.permissions import check_read_audit, reads_all_events
from web import paging
from web.errors import Invalid, NotFound
from web.filters import select_field, text_field

# On one page, which then stays below 40 kB.
SHOWN = 20


@require_safe
def listing(http: HttpRequest) -> HttpResponse:
    """Who did what, when, to what; newest first."""
    check_read_audit(http.user)
    errors: dict[str, str] = {}
    try:
        wanted = read(http.GET)
        found = page_of(queries.events_visible_to(http.user), wanted, http.GET, SHOWN)
    except Invalid as error:
        errors, wanted = dict(error.fields), read({})
        found = Found([], "", None)
    names = audit_rows.names_for(found.events, http.user)
    context = {
        "rows": [audit_rows.event_row(event, names) for event in found.events],
        "next_url": paging.next_url(http.GET, found.after),
        "searched_until": found.until.at if found.until else None,
        "filters": {
            "fields": _fields(http, errors),
            "action": http.path,
            "is_narrow": bool(errors) or wanted.is_narrow,
        },
        "exports": [] if errors else _exports(http),
        "reads_all": reads_all_events(http.user),
        "is_wrong": bool(errors),
    }
    return render(http, "audit/list.html", context, status=422 if errors else 200)


def _fields(http: HttpRequest, errors: dict[str, str]) -> list[dict[str, Any]]:
    """The filters as they were typed, with what is wrong with them."""
    typed = {name: http.GET.get(name, "") for name in ("q", "actor", "action", "subject", "request", "since", "until")}
    typed |= {name: http.GET.get(name, "") for name in ("tenant", "call")}
    # What a link names stays chosen, also where there are no words for it.
    actions = action_labels() | ({typed["action"]: action_label(typed["action"])} if typed["action"] else {})
    fields = [
        text_field("q", _("Search"), typed["q"], _("Any text of the event")),
        text_field("actor", _("Who"), typed["actor"], _("User name")),
        select_field("action", _("Did what"), typed["action"], actions),
        text_field("request", _("Request"), typed["request"], _("Number")),
        _date("since", _("From"), typed["since"]),
        _date("until", _("To"), typed["until"]),
        text_field("tenant", _("Code of the tenant"), typed["tenant"], ""),
    ]
    # Reached by links alone, and shown only then.
    for name, label in (("subject", _("Object")), ("call", _("Reference id"))):
        if typed[name]:
            fields.append(text_field(name, label, typed[name], ""))
    return [
        field | {"errors": [errors[f"/{field['name']}"]]} if f"/{field['name']}" in errors else field
        for field in fields
    ]


def _date(name: str, label: str, value: str) -> dict[str, Any]:
    # An exact time, as links and programs may send, is no value of a date field.
    kind = "date" if len(value) in (0, 10) else "text"
    return {"name": name, "label": label, "kind": kind, "value": value}


def _exports(http: HttpRequest) -> list[dict[str, str]]:
    """The same filter as files."""
    query = http.GET.copy()
    for name in ("after", "limit"):
        query.pop(name, None)
    asked = f"?{query.urlencode()}" if query else ""
    labels = {"audit-csv": _("CSV"), "audit-jsonl": _("JSON lines")}
    return [{"label": label, "url": f"{reverse(name)}{asked}"} for name, label in labels.items()]


@require_safe
def event(http: HttpRequest, pk: int) -> HttpResponse:
    """One event: all it says, what was before and after, and the seal over it."""
    check_read_audit(http.user)
    found = queries.events_visible_to(http.user).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such event."))
    reads_all = reads_all_events(http.user)
    seal = queries.seal_over(found.pk, http.user) if reads_all else None
    names = audit_rows.names_for([found], http.user)
    context = {"e": audit_rows.event_detail(found, names, seal, reads_all=reads_all), "list_url": reverse("audit")}
    return render(http, "audit/event.html", context)


@require_safe
def as_csv(http: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """What fits the filter, for a spreadsheet."""
    return _export(http, "csv")


@require_safe
def as_json_lines(http: HttpRequest) -> StreamingHttpResponse | HttpResponse:
    """What fits the filter, for programs."""
    return _export(http, "jsonl")


def _export(http: HttpRequest, sort: str) -> StreamingHttpResponse | HttpResponse:
    check_read_audit(http.user)
    wanted = read(http.GET)
    if http.method == "HEAD":
        return HttpResponse()
    events = queries.events_visible_to(http.user)
    return export(events=events, wanted=wanted, sort=sort, by=http.user, at=timezone.now())
