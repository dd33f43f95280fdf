"""How a cluster is, and what it said of itself, as prepared rows in the reader's language."""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clusters.models import Cluster, Health
from clusters.rows import amount_text
from web.sentences import shown

Row = dict[str, Any]

# Beyond this age what a cluster said of itself is shown as old.
STALE_AFTER = timedelta(minutes=20)


def health_of(cluster: Cluster) -> Health | None:
    """The cluster's health, None where it was never asked for; should be selected with the cluster."""
    return getattr(cluster, "health", None)


def health_row(cluster: Cluster, may_probe: bool) -> Row:
    """{status, state, is_bad, is_open, open_since, reason, next_try, problems, checked_at, is_stale, version,
    held_since, probe_url, url, page_url} of a cluster; probe_url is "" for who may not have it probed."""
    health = health_of(cluster) or Health(cluster=cluster)
    state = state_of(cluster, health)
    is_open = health.open_since is not None
    problems = [shown(problem) for problem in health.problems]
    return {
        "status": _status(state, len(problems)),
        "state": state,
        "needs_work": state not in ("well", "unknown"),
        "is_open": is_open,
        "open_since": health.open_since,
        "reason": shown(health.reason),
        # Past its time it is being asked, or about to be.
        "next_try": health.due_at if is_open and health.due_at and health.due_at > timezone.now() else None,
        # The reason is the newest problem; twice it would only be longer.
        "problems": [problem for problem in problems if not is_open or problem != shown(health.reason)],
        "checked_at": health.checked_at,
        "is_stale": health.checked_at is not None and timezone.now() - health.checked_at > STALE_AFTER,
        "version": health.version,
        "held_since": cluster.held_since,
        "url": reverse("cluster-health", args=[cluster.name]),
        "page_url": reverse("cluster", args=[cluster.name]),
        "probe_url": reverse("cluster-probe", args=[cluster.name]) if may_probe else "",
    }


def state_of(cluster: Cluster, health: Health) -> str:
    """In one word: open (its circuit is), held (after a restore), troubled (it has problems), unknown (never probed),
    well."""
    if health.open_since is not None:
        return "open"
    if cluster.held_since is not None:
        return "held"
    if health.problems:
        return "troubled"
    return "unknown" if health.checked_at is None else "well"


def _status(state: str, problems: int) -> Row:
    count = ngettext("%(n)s problem", "%(n)s problems", problems) % {"n": problems}
    label, tone, icon = {
        "open": (_("Not reachable"), "danger", "unplugged"),
        "held": (_("Held after a restore"), "warning", "lock"),
        "troubled": (count, "warning", "warning"),
        "unknown": (_("Not probed yet"), "neutral", "clock"),
        "well": (_("Reachable"), "success", "check"),
    }[state]
    return {"label": label, "tone": tone, "icon": icon}


def facts_rows(facts: dict[str, Any]) -> Row:
    """{"facts": [{label, value, tone}], "pools": [...], "classes": [...], "served": [...], "crds": [...]} of what a
    cluster said of itself; whatever it did not say is left out."""
    return {
        "facts": [row for row in (_network(facts), _selector(facts), _cgroup(facts), _clock(facts)) if row],
        "pools": [_pool_row(pool) for pool in _entries(facts, "node_pools")],
        "classes": [_class_row(one) for one in _entries(facts, "storage_classes")],
        "served": [str(name) for name in facts.get("served") or []],
        "crds": [str(name) for name in facts.get("crds") or []],
    }


def _entries(facts: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [entry for entry in facts.get(name) or [] if isinstance(entry, dict)]


def _fact(label: str, value: str, tone: str = "") -> Row:
    return {"label": label, "value": value, "tone": tone}


def _network(facts: dict[str, Any]) -> Row | None:
    text, tone = {
        "enforced": (_("enforced"), ""),
        "not-enforced": (_("not enforced: projects can reach one another"), "danger"),
        "unknown": (_("not known whether they are enforced"), "warning"),
    }.get(str(facts.get("network_policy")), ("", ""))
    plugin = str(facts.get("network_plugin") or "")
    if plugin and text:
        text = _("%(what)s, by %(plugin)s") % {"what": text, "plugin": plugin}
    return _fact(_("Network policies"), text, tone) if text else None


def _selector(facts: dict[str, Any]) -> Row | None:
    text, tone = {
        "honoured": (_("honoured"), ""),
        "ignored": (_("ignored by this cluster"), "warning"),
        "unknown": (_("not known"), ""),
    }.get(str(facts.get("node_selector")), ("", ""))
    return _fact(_("Node selectors of projects"), text, tone) if text else None


def _cgroup(facts: dict[str, Any]) -> Row | None:
    text = {"v1": "v1", "v2": "v2", "mixed": _("v1 and v2"), "unknown": _("not known")}.get(str(facts.get("cgroup")))
    return _fact(_("Control groups"), text) if text else None


def _clock(facts: dict[str, Any]) -> Row | None:
    skew = facts.get("clock_skew_seconds")
    if isinstance(skew, bool) or not isinstance(skew, int | float):
        return None
    if abs(skew) < 1:
        return _fact(_("Clock"), _("agrees with ours"))
    text = _("%(seconds)s s off ours") % {"seconds": f"{abs(skew):.0f}"}
    return _fact(_("Clock"), text, "warning" if abs(skew) > 30 else "")


def _pool_row(pool: dict[str, Any]) -> Row:
    """{role, place, nodes, is_short, cpu, memory}; a label that nodes do not have is left out of the place."""
    role = str(pool.get("role") or "")
    roles = {"control-plane": _("Control plane"), "infra": _("Infrastructure"), "compute": _("Compute")}
    nodes, ready = _number(pool, "nodes"), _number(pool, "ready")
    return {
        "role": roles.get(role, role),
        "place": " / ".join(str(pool[name]) for name in ("region", "zone", "rack") if pool.get(name)),
        "nodes": f"{ready} / {nodes}",
        "is_short": ready < nodes,
        "cpu": amount_text("cpu", _number(pool, "cpu")),
        "memory": amount_text("memory", _number(pool, "memory")),
    }


def _number(entry: dict[str, Any], name: str) -> int:
    value = entry.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _class_row(one: dict[str, Any]) -> Row:
    return {
        "name": str(one.get("name") or ""),
        "provisioner": str(one.get("provisioner") or ""),
        "is_default": bool(one.get("is_default")),
        "expands": bool(one.get("expands")),
    }
