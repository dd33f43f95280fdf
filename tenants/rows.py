"""Projects as prepared rows for pages: plain values in the reader's language."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clusters import words
from clusters.models import Bundle
from clusters.quantity import parse
from tenants.models import Project
from tenants.subjects import subject_in
from tenants.words import role_label

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


def quota_bars(project: Project) -> list[Row]:
    """CPU, memory, storage and pods: what is used of what the project may have."""
    used = used_of(project.bundle)
    gib = 1024**3
    return [
        _bar(_("CPU"), used.get("limits.cpu"), 1, project.cpu_millicores / 1000, _("cores")),
        _bar(_("Memory"), used.get("limits.memory"), gib, project.memory_bytes / gib, "Gi"),
        _bar(_("Storage"), used.get("requests.storage"), gib, project.storage_bytes / gib, "Gi"),
        _bar(_("Pods"), used.get("pods"), 1, project.pods, ""),
    ]


def used_of(bundle: Bundle) -> dict[str, str]:
    """The quota's use as the API server last said it, {} where nobody has looked."""
    for kept in bundle.objects_kept.all():
        if kept.kind == "ResourceQuota":
            return dict(kept.usage.get("used", {}))
    return {}


def _bar(name: str, used: str | None, size: int, limit: float, unit: str) -> Row:
    """`used` as the API server says it, also where it is no whole number of anything: memory "512m" is legal."""
    try:
        amount = None if used is None else parse(used) / size
    except ValueError:
        amount = None
    return {
        "name": name,
        "used": amount or 0,
        "held": 0,
        "ask": 0,
        "limit": limit,
        "limit_before": None,
        "unit": unit,
        "known": amount is not None,
    }


def member_rows(project: Project) -> list[Row]:
    """[{name, kind_label, role_label, as_subject}] of who is bound in the namespace."""
    cluster = project.bundle.cluster
    rows = []
    for member in project.members.all():
        kind, _colon, name = member.subject.partition(":")
        rows.append(
            {
                "name": name,
                "kind_label": _("Person") if kind == "user" else _("Group"),
                "is_group": kind == "group",
                "role_label": role_label(member.role),
                "as_subject": subject_in(cluster, member.subject)["name"],
            }
        )
    return rows


def quota_note(project: Project) -> str:
    """What is known of the use, and since when."""
    if project.bundle.committed:
        return _("Use is not known: this cluster is written through Git only.")
    if not used_of(project.bundle):
        return _("Use is not known yet: the cluster has not been looked at.")
    return ""
