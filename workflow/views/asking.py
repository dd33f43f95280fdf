"""Pages on which people ask for something, and change what they asked for."""

import re
import uuid
from collections.abc import Mapping
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.idempotency import KeyReused
from accounts.models import User
from web.errors import Invalid, NotFound, UserError
from web.fragments import fragment
from workflow import fields, permissions, policy_rows, queries, rows, schema, services
from workflow.kinds import Kind, all_kinds, kind_of
from workflow.models import Request
from workflow.services.foresee import LookedOver, look_over
from workflow.services.submit import TargetBusy
from workflow.views.detail import request_or_404

Values = dict[str, Any]
# More names than any form has.
LONGEST_TOUCHED = 8000


class Form:
    """What a form shows: of which kind, with which values and problems, and which request it changes, if any."""

    def __init__(self, http: HttpRequest, asked: Kind, values: Values, found: Request | None = None) -> None:
        self.http = http
        self.asked = asked
        self.values = values
        self.found = found
        self.key = http.POST.get("idempotency_key") or str(uuid.uuid4())
        # Rights are those of who asked, also where the owner of a service account edits.
        self.asker = cast(User, found.asker if found else http.user)

    def response(self, error: UserError | None = None) -> HttpResponse:
        """The page, with what is wrong beside the fields."""
        marked = dict(error.fields) if isinstance(error, Invalid) else {}
        if isinstance(error, TargetBusy):
            marked = {f"/{self.asked.name_field}": error.sentence}
        if f"/{self.asked.parts_field}" in marked and not self.values.get(self.asked.parts_field):
            marked[f"/{self.asked.parts_field}"] = _("Choose at least one environment.")
        options = _options(self)
        self.values = _with_only_choices(self.asked, self.values, options)
        preview = _preview(self)
        options |= fields.place_options(self.asked.parts_field, preview) if self.asked.parts_field else {}
        sections = fields.sections(self.asked.schema, self.values, marked, options)
        context = {
            "kind": self.asked,
            "about": self.asked.about(self.values, self.http.user),
            "may_ask": self.asked.may_ask(self.http.user),
            "sections": sections,
            "fields": fields.by_name(sections),
            "form_errors": _problems(error, sections),
            "preview": preview,
            "approval": _approval(self),
            "idempotency_key": self.key,
            "editing": self.found,
            **_addresses(self),
        }
        return render(self.http, "requests/new.html", context, status=error.status if error else 200)


@require_safe
def offered(http: HttpRequest) -> HttpResponse:
    """What can be asked for."""
    kinds = [kind for kind in all_kinds().values() if kind.is_offered and kind.may_ask(http.user)]
    context = {
        "kinds": [
            {"title": kind.title, "summary": kind.summary, "url": reverse("request-new", args=[kind.slug])}
            for kind in kinds
        ]
    }
    return render(http, "requests/offered.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(http: HttpRequest, kind: str) -> HttpResponse:
    """The form of a kind, filled in from the address or as an earlier request was (`from`), and asking with it."""
    asked = kind_of(kind)
    if own := rows.own_form_url(kind):
        return redirect(own)
    source = _source(http, asked)
    if http.method != "POST":
        return Form(http, asked, _prefilled(asked, http, source)).response()
    form = Form(http, asked, _posted(asked, http.POST, source))
    try:
        made = _submitted(form)
    except UserError as error:
        if isinstance(error, NotFound):
            raise
        return form.response(error)
    messages.success(http, _("Request #%(number)s is sent.") % {"number": made.number})
    return redirect("request-detail", number=made.number)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(http: HttpRequest, number: int) -> HttpResponse:
    """The form of an open request with its values, and changing it."""
    found = request_or_404(http, number)
    permissions.check_edit(found, http.user)
    asked = kind_of(found.kind)
    if own := rows.own_form_url(found.kind):
        return redirect(f"{own}?request={number}")
    if http.method != "POST":
        return Form(http, asked, dict(found.values), found).response()
    form = Form(http, asked, _posted(asked, http.POST, found), found)
    try:
        services.edit(number=number, values=form.values, by=http.user, at=timezone.now())
    except (NotFound, permissions.NotYours, permissions.AlreadyClosed):
        raise
    except UserError as error:
        return form.response(error)
    messages.success(http, _("Request #%(number)s is changed. Those who decide begin anew.") % {"number": number})
    return redirect("request-detail", number=number)


@require_POST
def check(http: HttpRequest, kind: str) -> HttpResponse:
    """Fragments: what the form says now would become and who decides that, and what is wrong with fields that somebody
    has been in (`touched`, names with commas between them). Nothing is stored.

    A kind with a template for its fields, <name>.html, has another, <name>_preview.html, for what becomes of them.
    """
    form = _form_as_typed(http, kind)
    found = look_over(kind=form.asked, values=form.values, by=form.asker, at=timezone.now(), editing=form.found)
    seen = _preview(form)
    options = _options(form) | (fields.place_options(form.asked.parts_field, seen) if form.asked.parts_field else {})
    sections = fields.sections(form.asked.schema, form.values, found.errors, options)
    touched = set(http.POST.get("touched", "")[:LONGEST_TOUCHED].split(","))
    context = {
        "approval": policy_rows.foreseen_rows(found.foreseen, queries.group_names()),
        "problems": fields.problems(sections, touched),
        "sentence": " ".join(_beside(found, sections)) if touched - {""} else "",
        "preview": seen,
        "fields": fields.by_name(sections),
        "has_parts": bool(form.asked.parts_field),
        "template": form.asked.template.replace(".html", "_preview.html") or "requests/_preview.html",
    }
    return fragment(http, "requests/_check.html", context, _form_url(kind))


def _beside(found: LookedOver, sections: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the whole, or with things that have no field in the form."""
    shown = {field["name"] for section in sections for field in section["fields"] if field["kind"] != "hidden"}
    elsewhere = [text for pointer, text in found.errors.items() if pointer and pointer.split("/")[1] not in shown]
    return list(dict.fromkeys(text for text in [found.sentence, *elsewhere] if text))


def _form_as_typed(http: HttpRequest, kind: str) -> Form:
    """What htmx sends of a form that is not finished; `editing` is the number of the request it changes."""
    asked = kind_of(kind)
    found = None
    if re.fullmatch("[0-9]{1,15}", http.GET.get("editing", ""), re.ASCII):
        found = request_or_404(http, int(http.GET["editing"]))
        found = found if permissions.can_edit(found, http.user) and found.kind == kind else None
    return Form(http, asked, _posted(asked, http.POST, found), found)


def _submitted(form: Form) -> Request:
    """The request; a form that was changed after it was sent, by the browser's way back, is a new wish."""
    asked = {"kind": form.asked.slug, "values": form.values, "by": form.http.user, "at": timezone.now()}
    try:
        return services.submit(**asked, idempotency_key=form.key)
    except KeyReused:
        return services.submit(**asked, idempotency_key=str(uuid.uuid4()))


def _source(http: HttpRequest, asked: Kind) -> Request | None:
    """The request that `from` names, if the person may see it and it is of this kind."""
    number = http.GET.get("from", "")
    if not re.fullmatch("[0-9]{1,15}", number, re.ASCII):
        return None
    return queries.requests_visible_to(http.user).filter(pk=int(number), kind=asked.slug).first()


def _prefilled(asked: Kind, http: HttpRequest, source: Request | None) -> Values:
    """Values from an earlier request and the query string, so that pages can link to a form partly filled in."""
    defaults = {name: f["default"] for name, f in asked.schema["properties"].items() if "default" in f}
    earlier = dict(source.values) if source else {}
    given = schema.from_form(asked.schema, http.GET)
    named = {name.partition(".")[0] for name in http.GET}
    values = defaults | earlier | {name: value for name, value in given.items() if name in named}
    # What was asked for before is whole; else what is known is filled in.
    return values if source else asked.prefilled(values, http.user)


def _posted(asked: Kind, posted: QueryDict, source: Request | None) -> Values:
    """What was posted; what the form does not show stays as it was in the request that it comes from."""
    shown = fields.in_form(asked.schema)
    kept = {name: value for name, value in source.values.items() if name not in shown} if source else {}
    return schema.from_form(asked.schema, posted) | kept


def _options(form: Form) -> dict[str, list[fields.Option]]:
    """The kind's choices; a request of one part is changed within that part."""
    options = form.asked.options(form.http.user, _readable(form.asked.schema, form.values))
    part = form.asked.parts_field
    if form.found is None or not part:
        return options
    hints = form.asked.schema["properties"][part]["x-form"]
    own = {one[hints["key"]] for one in form.found.values[part]}
    return options | {part: [option for option in hints["options"] if option["value"] in own]}


def _with_only_choices(asked: Kind, values: Values, options: dict[str, list[fields.Option]]) -> Values:
    """Where there is one choice it is chosen, so that what follows from it can be shown at once."""
    only = {
        name: options[name][0]["value"]
        for name in asked.schema["required"]
        if len(options.get(name, [])) == 1
        and not values.get(name)
        and asked.schema["properties"][name].get("type") == "string"
    }
    return values | only


def _readable(part: schema.Schema, values: Values) -> Values:
    """Without texts where numbers should be, so that kinds need not expect them in what is not checked yet."""
    kept = {}
    for name, value in values.items():
        field = part["properties"].get(name, {})
        if field.get("type") == "integer" and not isinstance(value, int):
            continue
        if "properties" in field.get("items", {}) and isinstance(value, list):
            value = [_readable(field["items"], one) for one in value if isinstance(one, dict)]
        kept[name] = value
    return kept


def _preview(form: Form) -> dict[str, Any]:
    """What the kind shows of the values; that a request is in its own way is no problem while it is edited."""
    seen = form.asked.preview(_readable(form.asked.schema, form.values), form.http.user)
    for name in seen.get("names", []):
        if form.found is not None and name["name"] == form.found.title:
            name["problem"] = ""
    return seen


def _approval(form: Form) -> list[dict[str, Any]]:
    """Who will have to decide, and why, known before asking."""
    found = look_over(kind=form.asked, values=form.values, by=form.asker, at=timezone.now(), editing=form.found)
    return policy_rows.foreseen_rows(found.foreseen, queries.group_names())


def _problems(error: UserError | None, sections: list[dict[str, Any]]) -> list[dict[str, str]]:
    """What stands above the form, [{"text", "url", "label"}]: the error, what is said of things that have no field in
    it, and each marked field with the place in the page that leads to it."""
    if error is None:
        return []
    shown = {field["name"] for section in sections for field in section["fields"] if field["kind"] != "hidden"}
    marked = [one for section in sections for field in section["fields"] for one in _marked(field)]
    elsewhere = [
        text
        for pointer, text in (error.fields.items() if isinstance(error, Invalid) else ())
        if pointer.split("/")[1:2] and pointer.split("/")[1] not in shown
    ]
    said = {one["text"] for one in marked}
    plain = [text for text in dict.fromkeys([error.sentence, *elsewhere]) if text not in said]
    return [{"text": text} for text in plain] + marked


def _marked(field: Mapping[str, Any], within: str = "") -> list[dict[str, str]]:
    """The field and those in its rows, as far as something is wrong with them; `within` names the row."""
    label = f"{within} · {field['label']}" if within else field["label"]
    if field["kind"] == "hidden":
        return []
    if field["kind"] != "rows":
        has_choices = field["kind"] == "radio" or (field["kind"] == "checkbox" and field["options"])
        return _link(f"id_{field['name']}-0" if has_choices else f"id_{field['name']}", label, field["errors"])
    # One that is alone has no box to tick.
    places = [f"id_{row['name']}" if len(field["rows"]) > 1 else f"part-{row['key']}" for row in field["rows"]]
    found = _link(places[0], label, field["errors"]) if places else []
    for row, place in zip(field["rows"], places, strict=True):
        found += _link(place, row["label"], row["errors"])
        found += [one for inner in row["fields"].values() for one in _marked(inner, row["label"])]
    return found


def _link(place: str, label: str, errors: list[str]) -> list[dict[str, str]]:
    """The element with this id (web.fields makes those of controls) and what is said of it, if anything is."""
    return [{"text": " ".join(errors), "label": label, "url": f"#{place}"}] if errors else []


def _addresses(form: Form) -> dict[str, str]:
    slug, found = form.asked.slug, form.found
    page = reverse("request-edit", args=[found.number]) if found else _form_url(slug)
    query = f"?editing={found.number}" if found else ""
    return {
        "action": page if found else _form_url(slug, form.http.GET.get("from", "")),
        "page_url": page,
        "check_url": reverse("request-check", args=[slug]) + query,
    }


def _form_url(slug: str, source: str = "") -> str:
    url = reverse("request-new", args=[slug])
    return f"{url}?from={source}" if source.isascii() and source.isdigit() else url
