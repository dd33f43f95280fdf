"""What a held cluster has beyond the restored database, as prepared rows."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from clusters.holding import is_surveyed
from clusters.models import Cluster, Health

Row = dict[str, Any]


def held_row(cluster: Cluster, health: Health | None, may_confirm: bool) -> Row:
    """{"name", "since", "is_surveyed", "rows", "may_confirm", "confirm_url"} of a held cluster; {} of another one."""
    if cluster.held_since is None:
        return {}
    return {
        "name": cluster.name,
        "since": cluster.held_since,
        "is_surveyed": health is not None and is_surveyed(cluster, health),
        "rows": [_row(found) for found in (health.beyond if health else [])],
        "may_confirm": may_confirm,
        "confirm_url": reverse("cluster-restore", args=[cluster.name]),
    }


def _row(found: Row) -> Row:
    label, tone, icon, text = {
        "newer": (
            _("Newer in the cluster"),
            "warning",
            "warning",
            _("The cluster has revision %(live)s; this database knows revision %(known)s."),
        ),
        "unknown": (
            _("Not known here"),
            "warning",
            "warning",
            _("The cluster has %(objects)s objects of an owner that is not known here; they stay as they are."),
        ),
        "gone": (
            _("Gone in the cluster"),
            "warning",
            "warning",
            _("This database knows objects that the cluster no longer has."),
        ),
        "pending": (
            _("Would be applied"),
            "info",
            "clock",
            _("Revision %(known)s has not been applied as far as this database knows; it is, once you confirm."),
        ),
    }[found["sort"]]
    return {
        "bundle": found["bundle"],
        "namespace": found["namespace"] or found["owner"],
        "status": {"label": label, "tone": tone, "icon": icon},
        "text": text % found,
        "is_choice": found["sort"] in ("newer", "gone"),
    }
