"""Search over what one may see: requests, projects, tenants and clusters, each by one bounded query.

No index helps a search in the middle of words but one of an extension that not every PostgreSQL has, so that each query
goes through what the person may see and ends with the first few hits.
"""

from typing import Any, NamedTuple

from django.db.models import Case, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters import health_rows
from clusters import queries as fleet
from clusters.words import bundle_status, environment_label
from tenants import queries as tenants
from web.searching import matching, number_in, words_of
from workflow import queries as workflow
from workflow.kinds import kind_of
from workflow.rows import decision_status

# Hits of each sort: below the box, on the page and by REST.
IN_PANEL, ON_PAGE = 5, 20


class Hit(NamedTuple):
    """One thing that was found. `key` is its number, uid, code or name; `url` its page; `status` {label, tone, icon} or
    None."""

    sort: str
    key: str
    title: str
    text: str
    url: str
    status: dict[str, str] | None = None


class Group(NamedTuple):
    """The hits of one sort; `more_url` leads to the list with the same search where there are more than are shown."""

    sort: str
    label: str
    icon: str
    hits: list[Hit]
    more_url: str


def search(text: str, user: User, most: int = ON_PAGE) -> list[Group]:
    """What the person may see of which every word is part of the name, at most `most` of each sort; [] for nothing."""
    words = words_of(text)
    if not words:
        return []
    sorts = [
        ("request", _("Requests"), "list", "requests", _requests(words, user, most + 1)),
        ("project", _("Projects"), "project", "projects", _projects(words, user, most + 1)),
        ("tenant", _("Tenants"), "group", "tenants", _tenants(words, user, most + 1)),
        ("cluster", _("Clusters"), "cluster", "clusters", _clusters(words, user, most + 1)),
    ]
    groups = []
    for sort, label, icon, page, hits in sorts:
        more_url = reverse(page, query={"q": " ".join(words)}) if len(hits) > most else ""
        groups.append(Group(sort, label, icon, hits[:most], more_url))
    return [group for group in groups if group.hits]


def _requests(words: list[str], user: User, most: int) -> list[Hit]:
    """By number and title; a parent only by its number, as its children have its names."""
    number = number_in(words)
    wanted = matching(words, "title") & Q(policy__isnull=False)
    rows = workflow.requests_visible_to(user).prefetch_related(None).order_by("-pk")
    if number is not None:
        wanted |= Q(pk=number)
        rows = rows.order_by(Case(When(pk=number, then=Value(0)), default=Value(1)), "-pk")
    return [
        Hit(
            sort="request",
            key=str(one.number),
            title=f"#{one.number} {one.title}",
            text=_joined(str(kind_of(one.kind).title), one.tenant),
            url=reverse("request-detail", args=[one.number]),
            status=decision_status(one.state),
        )
        for one in rows.filter(wanted)[:most]
    ]


def _projects(words: list[str], user: User, most: int) -> list[Hit]:
    rows = tenants.projects_visible_to(user).filter(matching(words, "display_name", "namespace"))
    return [
        Hit(
            sort="project",
            key=str(one.uid),
            title=one.display_name,
            text=_joined(one.namespace, one.tenant, environment_label(one.environment)),
            url=reverse("project-detail", args=[one.uid]),
            status=bundle_status(one.bundle),
        )
        for one in rows.order_by(_exact_first(words, "namespace"), "-pk")[:most]
    ]


def _tenants(words: list[str], user: User, most: int) -> list[Hit]:
    rows = tenants.tenants_visible_to(user).filter(matching(words, "code", "name_zh", "name_en"))
    return [
        Hit("tenant", one.code, one.name, one.code, reverse("tenant-detail", args=[one.code]))
        for one in rows.order_by(_exact_first(words, "code"), "code")[:most]
    ]


def _clusters(words: list[str], user: User, most: int) -> list[Hit]:
    rows = fleet.clusters_visible_to(user).select_related("health").filter(matching(words, "name", "description"))
    return [
        Hit(
            sort="cluster",
            key=one.name,
            title=one.name,
            text=one.description,
            url=reverse("cluster", args=[one.name]),
            status=health_rows.health_row(one, may_probe=False)["status"],
        )
        for one in rows.order_by(_exact_first(words, "name"), "name")[:most]
    ]


def _exact_first(words: list[str], field: str) -> Case:
    """Who types a whole name means that one."""
    return Case(When(**{f"{field}__iexact": " ".join(words)}, then=Value(0)), default=Value(1))


def _joined(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)
