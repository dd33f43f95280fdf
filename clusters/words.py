"""A bundle's state and its objects as prepared rows, in the reader's language."""

from typing import Any

from django.utils.translation import gettext as _

from clusters import rules
from clusters.models import Bundle, BundleObject
from web.sentences import shown

Row = dict[str, Any]


def environment_label(environment: str) -> str:
    """The environment's name: development, test, production."""
    return {"dev": _("Development"), "test": _("Test"), "prod": _("Production")}.get(environment, environment)


def resource_label(resource: str) -> str:
    """The resource's name: cpu, memory, storage, pods."""
    return {"cpu": _("CPU"), "memory": _("Memory"), "storage": _("Storage"), "pods": _("Pods")}[resource]


def state_of(bundle: Bundle) -> rules.State:
    """The bundle's state in one word."""
    return rules.state_of(
        generation=bundle.generation,
        observed=bundle.observed_generation,
        blocked=bundle.blocked,
        attempts=bundle.attempts,
        can_observe=bundle.cluster.is_observed,
        started=bool(bundle.lease_owner or bundle.message),
        committed=bool(bundle.committed),
    )


def is_settled(bundle: Bundle) -> bool:
    """Whether nothing more comes by itself: ready, committed where no more is ever seen, or failed."""
    return bundle.blocked or bundle.observed_generation >= bundle.generation


def bundle_status(bundle: Bundle) -> Row:
    """{label, tone, icon} of the bundle's state."""
    label, tone, icon = {
        "queued": (_("Waiting for a worker"), "info", "clock"),
        "applying": (_("Being applied"), "info", "refresh"),
        "retrying": (_("Being tried again"), "warning", "refresh"),
        "blocked": (_("Failed"), "danger", "error"),
        "committed": (_("Committed"), "success", "check"),
        "ready": (_("Ready"), "success", "check"),
    }[state_of(bundle)]
    return {"label": label, "tone": tone, "icon": icon}


def agreed_status(bundle: Bundle) -> Row:
    """{label, tone, icon} of a revision that the cluster has, or had: ready, or committed where no more is known."""
    label = _("Ready") if bundle.cluster.is_observed else _("Committed")
    return {"label": label, "tone": "success", "icon": "check"}


def bundle_message(bundle: Bundle) -> str:
    """A sentence for people about where it stands, "" where the status says it all."""
    state = state_of(bundle)
    if state == "committed" and bundle.message:
        waiting = _("Committed as %(commit)s. %(message)s")
        return waiting % {"commit": bundle.committed[:10], "message": shown(bundle.message)}
    if state == "committed":
        return _("Committed as %(commit)s; the cluster's GitOps tool takes it from there.") % {
            "commit": bundle.committed[:10]
        }
    return shown(bundle.message) if state in ("blocked", "retrying", "applying") else ""


def object_rows(bundle: Bundle) -> list[Row]:
    """[{kind, name, status, message}] of the bundle's objects in the order in which they are applied."""
    return [
        {"kind": kept.kind, "name": kept.name, "status": object_status(kept, bundle), "message": shown(kept.message)}
        for kept in bundle.objects_kept.all()
    ]


def object_status(kept: BundleObject, bundle: Bundle) -> Row:
    """{label, tone, icon} of one object's state; in Git, what is applied is committed and nothing more is known."""
    if bundle.committed and kept.state == "applied":
        return {"label": _("Committed"), "tone": "success", "icon": "check"}
    label, tone, icon = {
        "pending": (_("Waiting"), "neutral", "clock"),
        "applied": (_("Applied"), "info", "check"),
        "ready": (_("Ready"), "success", "check"),
        "failed": (_("Failed"), "danger", "error"),
        "missing": (_("Missing"), "danger", "error"),
        "superseded": (_("Newer revision is live"), "warning", "warning"),
        "removing": (_("Being removed"), "info", "refresh"),
        "gone": (_("Removed"), "neutral", "check"),
    }[kept.state]
    return {"label": label, "tone": tone, "icon": icon}
