"""Projects as prepared rows for pages: plain values in the reader's language."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clusters import words
from clusters.models import Bundle
from clusters.quantity import bytes_of, millicores
from tenants.manifests import bytes_text, cpu_text
from tenants.models import Project
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
        _bar(_("CPU"), used.get("limits.cpu"), project.cpu_millicores, millicores, 1000, _("cores"), cpu_text),
        _bar(_("Memory"), used.get("limits.memory"), project.memory_bytes, bytes_of, gib, "Gi", bytes_text),
        _bar(_("Storage"), used.get("requests.storage"), project.storage_bytes, bytes_of, gib, "Gi", bytes_text),
        _bar(_("Pods"), used.get("pods"), project.pods, int, 1, "", str),
    ]


def used_of(bundle: Bundle) -> dict[str, str]:
    """The quota's use as the API server last said it, {} where nobody has looked."""
    for kept in bundle.objects_kept.all():
        if kept.kind == "ResourceQuota":
            return dict(kept.usage.get("used", {}))
    return {}


def _bar(name: str, used: str | None, limit: int, parse: Any, size: int, unit: str, write: Any) -> Row:
    amount = parse(used) if used is not None else 0
    return {
        "name": name,
        "used": amount / size,
        "held": 0,
        "ask": 0,
        "limit": limit / size,
        "limit_before": None,
        "unit": unit,
        "known": used is not None,
        "limit_text": write(limit),
    }


def member_rows(project: Project) -> list[Row]:
    """[{name, kind_label, role_label, as_subject}] of who is bound in the namespace."""
    cluster = project.bundle.cluster
    rows = []
    for member in project.members.all():
        kind, _colon, name = member.subject.partition(":")
        form = cluster.user_format if kind == "user" else cluster.group_format
        common_name = name.partition(",")[0].partition("=")[2]
        rows.append(
            {
                "name": name,
                "kind_label": _("Person") if kind == "user" else _("Group"),
                "is_group": kind == "group",
                "role_label": role_label(member.role),
                "as_subject": form.format(username=name, cn=common_name, dn=name),
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
