"""Pages of requests: asking, following, deciding."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clusters import words
from web import paging
from web.errors import Invalid, NotFound, UserError
from web.fragments import fragment
from workflow import fields, machine, permissions, queries, rows, schema, services
from workflow.kinds import Kind, all_kinds, kind_of
from workflow.models import Request
from workflow.services.submit import KeyReused, TargetBusy


def _request_or_404(http: HttpRequest, number: int) -> Request:
    found = queries.requests_visible_to(http.user).filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is no such request."))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def new(http: HttpRequest, kind: str) -> HttpResponse:
    """The form of a kind, and asking with it."""
    asked = kind_of(kind)
    if http.method != "POST":
        return _form(http, asked, _prefilled(asked, http), {}, [], str(uuid.uuid4()))
    values = schema.from_form(asked.schema, http.POST)
    key = http.POST.get("idempotency_key") or str(uuid.uuid4())
    try:
        made = _submitted(http, kind, values, key)
    except Invalid as error:
        return _form(http, asked, values, error.fields, [error.sentence], key, status=422)
    except UserError as error:
        marked = {f"/{asked.name_field}": error.sentence} if isinstance(error, TargetBusy) else {}
        return _form(http, asked, values, marked, [error.sentence], key, status=error.status)
    messages.success(http, _("Request #%(number)s is sent.") % {"number": made.number})
    return redirect("request-detail", number=made.number)


def _submitted(http: HttpRequest, kind: str, values: dict[str, Any], key: str) -> Request:
    """The request; a form that was changed after it was sent, by the browser's way back, is a new wish."""
    try:
        return services.submit(kind=kind, values=values, by=http.user, at=timezone.now(), idempotency_key=key)
    except KeyReused:
        fresh = str(uuid.uuid4())
        return services.submit(kind=kind, values=values, by=http.user, at=timezone.now(), idempotency_key=fresh)


def _prefilled(asked: Kind, http: HttpRequest) -> dict[str, Any]:
    """Values from the query string, so that pages can link to a form that is partly filled in."""
    values = {name: http.GET[name] for name in asked.schema["properties"] if name in http.GET}
    defaults = {name: f["default"] for name, f in asked.schema["properties"].items() if "default" in f}
    return defaults | values


def _form(
    http: HttpRequest,
    asked: Kind,
    values: dict[str, Any],
    errors: dict[str, str],
    sentences: list[str],
    key: str,
    status: int = 200,
) -> HttpResponse:
    name, problem = asked.name_preview(values, http.user)
    context = {
        "kind": {"title": asked.title, "summary": asked.summary},
        "may_ask": asked.may_ask(http.user),
        "sections": fields.sections(asked.schema, values, errors, asked.options(http.user)),
        "action": reverse("request-new", args=[asked.slug]),
        "page_url": reverse("request-new", args=[asked.slug]),
        "form_errors": sentences,
        "approval": _approval(asked, values),
        "approval_url": reverse("request-approval", args=[asked.slug]),
        "namespace_url": reverse("request-namespace", args=[asked.slug]),
        "namespace_preview": {"name": name, "problem": problem},
        "idempotency_key": key,
    }
    return render(http, "requests/new.html", context, status=status)


def _approval(asked: Kind, values: dict[str, Any]) -> dict[str, Any] | None:
    """Who will have to decide, known before asking."""
    environment = str(values.get("environment", ""))
    policy = queries.policy_for(asked.slug, environment) if schema.is_printable(environment) else None
    if policy is None:
        return None
    if not policy.steps:
        return {"text": _("Approved automatically. Policy: %(name)s.") % {"name": policy.name}, "steps": []}
    return {"text": _("Decided by, in this order:"), "steps": queries.group_names(policy)}


def _form_url(kind: str) -> str:
    return reverse("request-new", args=[kind])


@require_safe
def approval(http: HttpRequest, kind: str) -> HttpResponse:
    """Fragment: who will have to decide what the form says now."""
    asked = kind_of(kind)
    values = schema.from_form(asked.schema, http.GET)
    return fragment(http, "requests/_approval.html", {"approval": _approval(asked, values)}, _form_url(kind))


@require_safe
def namespace(http: HttpRequest, kind: str) -> HttpResponse:
    """Fragment: the name of what the form would create now."""
    asked = kind_of(kind)
    name, problem = asked.name_preview(schema.from_form(asked.schema, http.GET), http.user)
    context = {"namespace_preview": {"name": name, "problem": problem}}
    return fragment(http, "requests/_namespace.html", context, _form_url(kind))


@require_safe
def mine(http: HttpRequest) -> HttpResponse:
    """What the person asked for."""
    found = queries.requests_visible_to(http.user).filter(asker=http.user)
    return _list(http, found, _("My requests"))


@require_safe
def everyone(http: HttpRequest) -> HttpResponse:
    """All requests the person may see."""
    return _list(http, queries.requests_visible_to(http.user), _("Requests"))


def _list(http: HttpRequest, found: Any, title: str) -> HttpResponse:
    state = http.GET.get("state", "")
    if state in machine.STATES:
        found = found.filter(state=state)
    page, after = paging.page_of(found, http.GET)
    labels = {"": _("All"), "submitted": _("In approval"), "approved": _("Approved")}
    labels |= {"rejected": _("Rejected"), "withdrawn": _("Withdrawn")}
    options = [{"value": value, "label": label, "checked": value == state} for value, label in labels.items()]
    field = {"name": "state", "label": _("State"), "kind": "select", "value": state, "options": options}
    context = {
        "title": title,
        "rows": [rows.request_row(found) for found in page],
        "next_url": paging.next_url(http.GET, after),
        "filters": {"fields": [field], "action": http.path},
        "empty": _nothing(http, bool(state)),
    }
    return render(http, "requests/list.html", context)


def _nothing(http: HttpRequest, filtered: bool) -> dict[str, str]:
    """What an empty list says: nothing matches, or what to do first for those who may."""
    if filtered:
        words = {"title": _("Nothing matches"), "text": _("No request is in this state.")}
        return words | {"action_label": _("Show all"), "action_url": http.path}
    first = all_kinds()["new-project"]
    if not first.may_ask(http.user):
        return {"title": _("No requests yet"), "text": "", "action_label": "", "action_url": ""}
    return {
        "title": _("No requests yet"),
        "text": _("Ask for a project to see how it goes."),
        "action_label": str(first.title),
        "action_url": _form_url(first.slug),
    }


@require_safe
def inbox(http: HttpRequest) -> HttpResponse:
    """What waits for this person's decision, oldest first."""
    waiting = queries.inbox_of(http.user)[:100]
    context = {
        "title": _("Waiting for me"),
        "rows": rows.inbox_rows(waiting),
        "next_url": "",
        "filters": None,
        "empty": {
            "title": _("Nothing waits for you"),
            "text": _("Requests that your groups have to decide appear here."),
            "action_label": _("All requests"),
            "action_url": reverse("requests"),
        },
    }
    return render(http, "requests/inbox.html", context)


@require_safe
def detail(http: HttpRequest, number: int) -> HttpResponse:
    """Where a request stands, what it changes, who said what."""
    return _detail(http, _request_or_404(http, number))


def _detail(
    http: HttpRequest, found: Request, error: str = "", changed_warning: str = "", status: int = 200
) -> HttpResponse:
    kind = kind_of(found.kind)
    plan = queries.newest_plan(found)
    context = {
        "r": rows.request_row(found) | {"title": found.title, "project_url": _result_url(found)},
        "facts": [{"label": label, "value": value} for label, value in kind.facts(found)],
        "timeline": rows.timeline(found),
        "plan": rows.plan_row(plan),
        "objects": words.object_rows(found.bundle) if found.bundle else [],
        "decision": rows.decision_panel(found, http.user, plan, error),
        "withdraw": _withdraw_action(found, http),
        "again_url": _again_url(found, http),
        "rejection": rows.rejection(found),
        "log": rows.log_rows(found),
        "changed_warning": changed_warning,
        "page_url": reverse("request-detail", args=[found.number]),
        "poll": _moving(found),
    }
    return render(http, "requests/detail.html", context, status=status)


def _moving(found: Request) -> bool:
    """Whether the page should look again soon: somebody or a worker is at it."""
    if found.state == machine.SUBMITTED:
        return True
    return found.bundle is not None and words.state_of(found.bundle) not in ("ready", "committed", "blocked")


def _result_url(found: Request) -> str:
    """Where the result can be seen, once there is one."""
    settled = found.bundle is not None and words.state_of(found.bundle) in ("ready", "committed")
    return kind_of(found.kind).result_url(found) if settled else ""


def _again_url(found: Request, http: HttpRequest) -> str:
    """The form filled in as it was, for who asked and was refused or took it back; else ""."""
    if found.asker_id != http.user.pk or found.state not in (machine.REJECTED, machine.WITHDRAWN):
        return ""
    values = {name: " ".join(v) if isinstance(v, list) else v for name, v in found.values.items() if v != ""}
    return f"{_form_url(found.kind)}?{urlencode(values)}"


def _withdraw_action(found: Request, http: HttpRequest) -> dict[str, str] | None:
    if not permissions.can_withdraw(found, http.user):
        return None
    return {"action": reverse("request-withdraw", args=[found.number])}


@require_safe
def timeline(http: HttpRequest, number: int) -> HttpResponse:
    """Fragment: the timeline."""
    found = _request_or_404(http, number)
    context = {"r": rows.request_row(found), "timeline": rows.timeline(found), "poll": _moving(found)}
    return fragment(http, "requests/_timeline.html", context, reverse("request-detail", args=[number]))


@require_safe
def objects(http: HttpRequest, number: int) -> HttpResponse:
    """Fragment: progress per object."""
    found = _request_or_404(http, number)
    shown = words.object_rows(found.bundle) if found.bundle else []
    context = {"r": rows.request_row(found), "objects": shown, "poll": _moving(found)}
    return fragment(http, "requests/_objects.html", context, reverse("request-detail", args=[number]))


@require_POST
def decide(http: HttpRequest, number: int) -> HttpResponse:
    """Approving or rejecting the current step."""
    try:
        services.decide(
            number=number,
            verdict=http.POST.get("verdict", ""),
            note=http.POST.get("note", ""),
            plan_digest=http.POST.get("plan_digest", ""),
            by=http.user,
            at=timezone.now(),
        )
    except NotFound:
        raise
    except services.PlanChanged as error:
        return _detail(http, _request_or_404(http, number), changed_warning=error.sentence, status=error.status)
    except Invalid as error:
        sentence = " ".join([error.sentence, *error.fields.values()])
        return _detail(http, _request_or_404(http, number), error=sentence, status=error.status)
    except UserError as error:
        return _detail(http, _request_or_404(http, number), changed_warning=error.sentence, status=error.status)
    return redirect("request-detail", number=number)


@require_POST
def withdraw(http: HttpRequest, number: int) -> HttpResponse:
    """Taking a request back."""
    services.withdraw(number=number, by=http.user, at=timezone.now())
    messages.success(http, _("Request #%(number)s is withdrawn.") % {"number": number})
    return redirect("request-detail", number=number)
