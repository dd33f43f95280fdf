"""Events prepared for pages: who did what to what, in words, with links."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import Event, Seal
from portal import queries
from portal.audit_words import action_label, actor_label, kind_label
from web.moments import exact

Row = dict[str, Any]
Lines = list[tuple[str, str]]

# Of one difference, and of one of its values.
MOST_LINES = 400
LONGEST_VALUE = 400

# Objects whose name is in their address.
_PAGES = {"request": "request-detail", "cluster": "cluster", "tenant": "tenant-detail"}
_OWN_ICONS = {"request": "list", "project": "project", "bundle": "document", "cluster": "cluster", "tenant": "group"}


class Names(NamedTuple):
    """What the objects with an id instead of a name are called, as far as the person may see them."""

    projects: Mapping[str, tuple[str, bool]]
    bundles: Mapping[str, str]


def names_for(events: Iterable[Event], user: User) -> Names:
    """Names of all projects and bundles of the events, by a query each where there are any."""
    uids: dict[str, list[UUID]] = {"project": [], "bundle": []}
    for event in events:
        kind, _colon, name = event.subject.partition(":")
        if kind in uids and (uid := _uid(name)):
            uids[kind].append(uid)
    projects = queries.names_of_projects(user, uids["project"]) if uids["project"] else {}
    bundles = queries.names_of_bundles(user, uids["bundle"]) if uids["bundle"] else {}
    return Names(projects, bundles)


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def event_row(event: Event, names: Names) -> Row:
    """One line of the list."""
    return {
        "id": event.pk,
        "url": reverse("audit-event", args=[event.pk]),
        "at": event.at,
        "actor": actor_label(event.actor),
        "is_portal": event.actor == "system",
        "action": action_label(event.action),
        "subject": subject_of(event, names),
        "tenant": event.tenant,
    }


def subject_of(event: Event, names: Names) -> Row:
    """{kind, name, url, icon}: what it was done to; no url where there is no page, or none any more."""
    kind, _colon, name = event.subject.partition(":")
    shown, url = name, ""
    if kind == "request":
        shown = f"#{name}"
    if kind in _PAGES:
        url = _url(_PAGES[kind], name)
    elif kind == "project" and name in names.projects:
        shown, is_there = names.projects[name]
        url = reverse("project-detail", args=[name]) if is_there else ""
    elif kind == "bundle" and name in names.bundles:
        shown, url = names.bundles[name], reverse("bundle", args=[name])
    return {"kind": kind_label(kind), "name": shown, "url": url, "icon": _OWN_ICONS.get(kind, "audit")}


def _url(page: str, name: str) -> str:
    """The page of that name, "" where it can be none's."""
    try:
        return reverse(page, args=[name])
    except NoReverseMatch:
        return ""


def event_detail(event: Event, names: Names, seal: Seal | None, *, reads_all: bool) -> Row:
    """All that one event says; `seal` is the one over it."""
    return event_row(event, names) | {
        "exact": exact(event.at),
        "action_name": event.action,
        "subject_name": event.subject,
        "call": event.request_id,
        "call_url": _list_url(call=event.request_id) if event.request_id else "",
        "same_url": _list_url(subject=event.subject),
        "actor_url": _list_url(actor=event.actor),
        "lines": difference(event.before, event.after),
        "is_difference": event.before is not None and event.after is not None,
        "seal": {"number": seal.number, "at": seal.at, "hash": seal.hash} if seal else None,
        "shows_seal": reads_all,
    }


def _list_url(**filters: str) -> str:
    return f"{reverse('audit')}?{urlencode(filters)}"


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Lines:
    """What was before ("-") and what is after ("+"), value by value; where there is nothing to compare with, as it is
    (" "), and what stayed the same too."""
    old, new = _flat(before) if before else {}, _flat(after) if after else {}
    if before is None:
        lines = [(" ", f"{path}: {value}") for path, value in new.items()]
    else:
        lines = [line for path in {**old, **new} for line in _compared(path, old, new, is_whole=after is not None)]
    if len(lines) > MOST_LINES:
        rest = len(lines) - MOST_LINES
        lines = [*lines[:MOST_LINES], (" ", _("… and %(count)s more; the export has all.") % {"count": rest})]
    return lines


def _compared(path: str, old: Mapping[str, str], new: Mapping[str, str], *, is_whole: bool) -> Lines:
    if old.get(path) == new.get(path):
        return [(" ", f"{path}: {old[path]}")]
    lines = [("-" if is_whole else " ", f"{path}: {old[path]}")] if path in old else []
    return [*lines, ("+", f"{path}: {new[path]}")] if path in new else lines


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Values by dotted path, as text; long ones are cut."""
    if isinstance(value, dict) and value:
        parts = [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        parts = [(f"{path}[{place}]", inner) for place, inner in enumerate(value)]
    else:
        return {path: _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}
    return {name: text for part, inner in parts for name, text in _flat(inner, part).items()}


def _cut(text: str) -> str:
    shown = text.replace("\n", "⏎ ")
    return shown if len(shown) <= LONGEST_VALUE else f"{shown[:LONGEST_VALUE]}…"


def seal_rows(seals: Sequence[Seal]) -> list[Row]:
    """Seals as values."""
    names = ("number", "previous", "count", "first_id", "last_id", "root", "hash", "at")
    return [{name: getattr(seal, name) for name in names} for seal in seals]
