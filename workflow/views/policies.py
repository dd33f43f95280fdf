"""Pages of policies: who decides what, trying a change, asking for it."""

import re
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.idempotency import KeyReused
from web.errors import Invalid, NotFound, UserError
from workflow import permissions, policy_forms, policy_rows, queries, schema, services
from workflow.models import Policy, Request
from workflow.policy_forms import Entries
from workflow.services.policies import check_change
from workflow.services.submit import TargetBusy
from workflow.services.trial import Trial, try_policy

KIND = "change-policy"
NUMBER = re.compile("[0-9]{1,15}", re.ASCII)
# What an address can hold.
SLUG = re.compile(r"[a-zA-Z0-9_-]{1,40}", re.ASCII)


@require_http_methods(["GET", "HEAD", "POST"])
def new(http: HttpRequest) -> HttpResponse:
    """A policy that is yet to be made; `copy` names one to begin with, `request` an earlier wish."""
    check_change(http.user)
    if http.method == "POST":
        return _ask(http, _posted(http, http.POST.get("slug", "")))
    if "request" in http.GET:
        return _again(http, http.GET["request"])
    if "copy" in http.GET:
        policy = _policy_or_404(http, http.GET["copy"])
        return _form(http, policy_forms.entries_of(policy_forms.definition_values(policy, "create")))
    return _form(http, policy_forms.empty_entries())


@require_http_methods(["GET", "HEAD", "POST"])
def edit(http: HttpRequest, slug: str) -> HttpResponse:
    """Changing or retiring an active policy."""
    check_change(http.user)
    policy = _policy_or_404(http, slug)
    if http.method == "POST":
        return _ask(http, _posted(http, slug))
    if policy.is_fixed or not policy.is_active:
        raise NotFound(_("This policy cannot be changed."))
    return _form(http, policy_forms.entries_of(policy_forms.definition_values(policy, "change")))


@require_POST
def trial(http: HttpRequest) -> HttpResponse:
    """What the policy in the form would have done to past requests; the same page, with the entries kept."""
    entries = _posted(http, http.POST.get("slug", ""))
    try:
        found = try_policy(proposed=policy_forms.values_of(entries), by=http.user, at=timezone.now())
    except Invalid as error:
        return _form(http, entries, error)
    return _form(http, entries, tried=found)


def _posted(http: HttpRequest, slug: str) -> Entries:
    """What the browser sent about this policy; the form that retires one has no fields but the reason."""
    entries = policy_forms.posted_entries(http.POST) | {"slug": slug}
    if entries["action"] != "retire":
        return entries
    policy = _policy_or_404(http, slug)
    return policy_forms.entries_of(policy_forms.definition_values(policy, "retire") | {"reason": entries["reason"]})


def _policy_or_404(http: HttpRequest, slug: str) -> Policy:
    found = None
    if schema.is_printable(slug):
        found = queries.policies_visible_to(http.user).filter(slug=slug[:41]).first()
    if found is None:
        raise NotFound(_("There is no such policy."))
    return found


def _again(http: HttpRequest, number: str) -> HttpResponse:
    """The form as it was in a request: to change that one while it is open and one's own, else to ask anew."""
    found = None
    if NUMBER.fullmatch(number):
        found = queries.requests_visible_to(http.user).filter(pk=int(number), kind=KIND).first()
    if found is None:
        raise NotFound(_("There is no such request."))
    editing = number if permissions.can_edit(found, http.user) else ""
    values = found.values
    if values["action"] == "retire":
        policy = _policy_or_404(http, values["slug"])
        values = policy_forms.definition_values(policy, "change") | {"reason": values["reason"]}
    return _form(http, policy_forms.entries_of(values), editing=editing)


def _ask(http: HttpRequest, entries: Entries) -> HttpResponse:
    values = policy_forms.values_of(entries)
    number = http.POST.get("request", "")
    try:
        if NUMBER.fullmatch(number):
            made = services.edit(number=int(number), values=values, by=http.user, at=timezone.now())
        else:
            made = _submitted(http, values, http.POST.get("idempotency_key") or str(uuid.uuid4()))
    except UserError as error:
        return _form(http, entries, error, editing=number)
    messages.success(http, _("Request #%(number)s is sent.") % {"number": made.number})
    return redirect("request-detail", number=made.number)


def _submitted(http: HttpRequest, values: dict[str, Any], key: str) -> Request:
    """The request; a form that was changed after it was sent, by the browser's way back, is a new wish."""
    try:
        return services.submit(kind=KIND, values=values, by=http.user, at=timezone.now(), idempotency_key=key)
    except KeyReused:
        fresh = str(uuid.uuid4())
        return services.submit(kind=KIND, values=values, by=http.user, at=timezone.now(), idempotency_key=fresh)


def _form(
    http: HttpRequest,
    entries: Entries,
    error: UserError | None = None,
    tried: Trial | None = None,
    editing: str = "",
) -> HttpResponse:
    names = queries.group_names()
    errors = dict(error.fields) if isinstance(error, Invalid) else {}
    if isinstance(error, TargetBusy):
        errors = {"/slug": error.sentence}
    plain, steps = policy_forms.fields_of(entries, errors, names)
    is_new = entries["action"] == "create" or not SLUG.fullmatch(entries["slug"])
    own_url = reverse("policy-new") if is_new else reverse("policy-edit", args=[entries["slug"]])
    context = {
        "title": _("New policy") if is_new else _("Change policy %(name)s") % {"name": entries["slug"]},
        "is_new": is_new,
        "fields": plain,
        "steps": steps,
        "facts": policy_rows.fact_rows(),
        "form_errors": _sentences(error, errors),
        "trial": policy_rows.trial_row(tried, names) if tried else None,
        "tried_retiring": entries["action"] == "retire",
        "form_url": own_url,
        "page_url": own_url,
        "editing": editing or http.POST.get("request", ""),
        "idempotency_key": str(uuid.uuid4()),
    }
    return render(http, "policies/form.html", context, status=error.status if error else 200)


def _sentences(error: UserError | None, errors: dict[str, str]) -> list[str]:
    """What is said above the form: the error, and what belongs to no field of it."""
    if error is None:
        return []
    own = [text for pointer, text in errors.items() if pointer in ("", "/action", "/steps")]
    return [error.sentence, *own]
