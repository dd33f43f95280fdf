"""Projects as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clusters import metering, words
from clusters.models import Bundle
from clusters.rows import resource_bar
from tenants import rules
from tenants.models import Project, SizePlan
from tenants.states import figures_of
from tenants.subjects import subject_in
from tenants.words import isolation_label, role_label

Row = dict[str, Any]


def project_row(project: Project) -> Row:
    """One project with its quota bars; the bundle's objects should be prefetched."""
    return {
        "url": reverse("project-detail", args=[project.uid]),
        "name": project.display_name,
        "namespace": project.namespace,
        "tenant": str(project.tenant),
        "environment_label": words.environment_label(project.environment),
        "status": words.bundle_status(project.bundle),
        "bars": quota_bars(project),
    }


def quota_bars(project: Project, asked: Mapping[str, int] | None = None) -> list[Row]:
    """CPU, memory, storage and pods: what is used of what the project may have; `asked` is the quota that an open
    request asks for (millicores, bytes, pieces)."""
    used, now = metering.amounts(used_of(project.bundle)), figures_of(project)
    return [
        resource_bar(name, used=used.get(name), limit=(asked or now)[name], limit_before=now[name])
        for name in rules.RESOURCES
    ]


def sibling_rows(project: Project, siblings: Iterable[Project]) -> list[Row]:
    """[{label, url, is_current, status}] of a project's environments."""
    return [
        {
            "label": words.environment_label(one.environment),
            "url": reverse("project-detail", args=[one.uid]),
            "is_current": one.pk == project.pk,
            "status": words.bundle_status(one.bundle),
        }
        for one in siblings
    ]


def seen_at(bundle: Bundle) -> datetime | None:
    """When its objects were last looked at; they should be prefetched."""
    return max((kept.observed_at for kept in bundle.objects_kept.all() if kept.observed_at), default=None)


def project_facts(project: Project) -> list[Row]:
    """[{"label", "value"}] of what the project is, beside what its head says."""
    plan = SizePlan.objects.filter(slug=project.size).first() if project.size else None
    facts = [(_("Size"), plan.name if plan else _("own figures")), (_("Isolation"), isolation_label(project.isolation))]
    if project.adopted:
        parts = ", ".join(part_label(part) for part in rules.PARTS if part in project.parts)
        facts.append((_("Adopted; the portal keeps"), parts or _("its labels only")))
    return [{"label": label, "value": value} for label, value in facts]


def part_label(part: str) -> str:
    """The name of one of rules.PARTS."""
    return {
        "quota": _("quota"),
        "limits": _("limits"),
        "network": _("network policies"),
        "members": _("members"),
        "security": _("pod security"),
        "names": _("names and owner"),
    }.get(part, part)


def used_of(bundle: Bundle) -> dict[str, str]:
    """The quota's use as the API server last said it, {} where nobody has looked."""
    for kept in bundle.objects_kept.all():
        if kept.kind == "ResourceQuota":
            return dict(kept.usage.get("used", {}))
    return {}


def member_rows(project: Project) -> list[Row]:
    """[{name, kind_label, is_group, role_label, as_subject}] of who is bound in the namespace."""
    cluster = project.bundle.cluster
    return [
        member_row(member.subject, member.role) | {"as_subject": subject_in(cluster, member.subject)["name"]}
        for member in project.members.all()
    ]


def member_row(subject: str, role: str) -> Row:
    """{name, kind_label, is_group, role_label} of "user:<name>" or "group:<dn>"."""
    kind, _colon, name = subject.partition(":")
    return {
        "name": name,
        "kind_label": _("Person") if kind == "user" else _("Group"),
        "is_group": kind == "group",
        "role_label": role_label(role),
    }


def quota_note(project: Project) -> str:
    """What is known of the use, and since when."""
    if not project.bundle.cluster.is_observed:
        return _("Use is not known: this cluster is written through Git only.")
    if not used_of(project.bundle):
        return _("Use is not known yet: the cluster has not been looked at.")
    return ""
