"""Bundles, their revisions and the runs over them as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from clusters import permissions, words
from clusters.differences import difference_lines
from clusters.models import Bundle, BundleRevision, BundleRun
from clusters.owners import Owner
from web.sentences import shown

Row = dict[str, Any]


def bundle_row(bundle: Bundle, owner: Owner) -> Row:
    """One bundle of a list; queries.with_history should be asked for it."""
    return {
        "url": reverse("bundle", args=[bundle.uid]),
        "owner": owner.name,
        "sort": owner.sort,
        "namespace": bundle.namespace,
        "tenant": str(bundle.tenant),
        "status": status_of(bundle),
        "message": words.bundle_message(bundle),
        "since": bundle.since,  # type: ignore[attr-defined]
        "last_run": bundle.last_run_at,  # type: ignore[attr-defined]
        "last_outcome": outcome_status(bundle.last_outcome) if bundle.last_outcome else None,  # type: ignore[attr-defined]
        "drift": has_drift(bundle),
    }


def status_of(bundle: Bundle) -> Row:
    """{label, tone, icon} of its state; on a cluster on which nothing may be done it waits for that."""
    status = words.bundle_status(bundle)
    if words.state_of(bundle) in ("queued", "applying", "retrying") and waits_for(bundle):
        return {"label": _("Waiting for the cluster"), "tone": "warning", "icon": "unplugged"}
    return status


def waits_for(bundle: Bundle) -> str:
    """Why nothing is done on its cluster at all, "" where work goes on; the cluster's health should be selected."""
    health = getattr(bundle.cluster, "health", None)
    if health is not None and health.open_since is not None:
        return shown(health.reason)
    if bundle.cluster.held_since is not None:
        return _("An older database was restored: nothing is written until a person confirms.")
    return ""


def has_drift(bundle: Bundle) -> bool:
    """Whether it was found to differ from what was approved; its drift should be selected."""
    check = getattr(bundle, "drift", None)
    return check is not None and check.found_at is not None


def bundle_detail(bundle: Bundle, owner: Owner, user: User) -> Row:
    """The head of a bundle's page: what it is kept for, its state and what may be done."""
    state, waiting = words.state_of(bundle), waits_for(bundle)
    stopped = bundle.blocked or bundle.attempts > 0
    return {
        "uid": bundle.uid,
        "url": reverse("bundle", args=[bundle.uid]),
        "state_url": reverse("bundle-state", args=[bundle.uid]),
        "owner": owner.name,
        "sort": owner.sort,
        "owner_url": owner.url,
        "namespace": bundle.namespace,
        "tenant": str(bundle.tenant),
        "cluster": bundle.cluster.name,
        "cluster_url": reverse("cluster", args=[bundle.cluster.name]),
        "status": status_of(bundle),
        "message": words.bundle_message(bundle),
        "is_blocked": state == "blocked",
        "waits_for": waiting if state in ("queued", "applying", "retrying") else "",
        "next_try": bundle.due_at if state == "retrying" and not waiting and _is_ahead(bundle) else None,
        "retry_url": _retry_url(bundle, user) if stopped else "",
        "wanted": bundle.generation,
        "observed": bundle.observed_generation,
        "poll": not words.is_settled(bundle),
    }


def _is_ahead(bundle: Bundle) -> bool:
    return bundle.due_at is not None and bundle.due_at > timezone.now()


def _retry_url(bundle: Bundle, user: User) -> str:
    return reverse("bundle-retry", args=[bundle.uid]) if permissions.may_act_on(bundle, user) else ""


def revision_row(revision: BundleRevision, bundle: Bundle, owner: Owner) -> Row:
    """{number, at, agreed_at, status, source, request_url, request, asker, approvers, revert_url} of one revision;
    going back to it is offered where the cluster had it once."""
    said = revision.provenance
    request = said.get("request")
    is_earlier = revision.number < bundle.generation and revision.agreed_at is not None
    return {
        "number": revision.number,
        "at": revision.created_at,
        "agreed_at": revision.agreed_at,
        "status": _revision_status(revision, bundle),
        "source": _source(said),
        "request": request,
        "request_url": reverse("request-detail", args=[request]) if isinstance(request, int) else "",
        "asker": str(said.get("asker") or ""),
        "approvers": pgettext("between parts of a sentence", ", ").join(_approvers(said)),
        "revert_url": f"{owner.revert_url}{revision.number}" if owner.revert_url and is_earlier else "",
    }


def _revision_status(revision: BundleRevision, bundle: Bundle) -> Row:
    if revision.number == bundle.observed_generation:
        return {"label": _("In the cluster"), "tone": "success", "icon": "check"}
    if revision.number == bundle.generation:
        return {"label": _("Wanted"), "tone": "info", "icon": "refresh"}
    if revision.number > bundle.observed_generation or revision.agreed_at is None:
        return {"label": _("Overtaken"), "tone": "neutral", "icon": "skip"}
    return {"label": _("Earlier"), "tone": "neutral", "icon": "clock"}


def _source(said: Mapping[str, Any]) -> str:
    """Where a revision comes from, beside its request."""
    # A repair says of itself what its revision said, and that it is one.
    if "repair" in said:
        return _("Repair of drift")
    if "rollback_of" in said:
        return _("Back to revision %(number)s") % {"number": said["rollback_of"]}
    return "" if said.get("request") else _("Made by the portal")


def _approvers(said: Mapping[str, Any]) -> list[str]:
    """User names; "policy: <slug>" where a policy alone decided."""
    names = said.get("approvers")
    found = [str(name) for name in names if name] if isinstance(names, list) else []
    return [
        _("policy %(slug)s") % {"slug": name.removeprefix("policy: ")} if name.startswith("policy: ") else name
        for name in found
    ]


def change_rows(changes: Sequence[Mapping[str, Any]]) -> tuple[list[Row], int]:
    """([{action, action_label, kind, name, lines}] of the objects that differ, how many do not)."""
    labels = {"add": _("added"), "change": _("changed"), "remove": _("removed")}
    rows = [
        {
            "action": change["action"],
            "action_label": labels[change["action"]],
            "kind": change["ref"]["kind"],
            "name": change["ref"]["name"],
            "lines": difference_lines(change["fields"]),
        }
        for change in changes
        if change["action"] in labels
    ]
    return rows, len(changes) - len(rows)


def run_row(run: BundleRun) -> Row:
    """{revision, at, took, status, message, objects: [{kind, name, status, message}], counts} of one run."""
    objects = [_seen_row(seen) for seen in run.objects_seen]
    return {
        "revision": run.revision,
        "at": run.began_at,
        "took": duration(run.ended_at - run.began_at),
        "status": outcome_status(run.outcome),
        "message": shown(run.message),
        "objects": objects,
        "is_bad": run.outcome in ("retrying", "blocked"),
    }


def outcome_status(outcome: str) -> Row:
    """{label, tone, icon} of how a run ended."""
    label, tone, icon = {
        "ready": (_("Ready"), "success", "check"),
        "committed": (_("Committed"), "success", "check"),
        "waiting": (_("Applied, not ready yet"), "info", "clock"),
        "retrying": (_("To be tried again"), "warning", "refresh"),
        "blocked": (_("Failed"), "danger", "error"),
        "lost": (_("Another worker took over"), "neutral", "skip"),
    }.get(outcome, (outcome, "neutral", "circle"))
    return {"label": label, "tone": tone, "icon": icon}


def _seen_row(seen: Mapping[str, Any]) -> Row:
    label, tone, icon = {
        "created": (_("Created"), "success", "plus"),
        "changed": (_("Changed"), "success", "edit"),
        "unchanged": (_("Unchanged"), "success", "check"),
        "superseded": (_("Newer revision is live"), "warning", "warning"),
        "missing": (_("Missing"), "danger", "error"),
        "refused": (_("Refused"), "danger", "error"),
        "retried": (_("To be tried again"), "warning", "refresh"),
        "removing": (_("Being removed"), "info", "refresh"),
        "gone": (_("Removed"), "neutral", "check"),
    }.get(seen["outcome"], (str(seen["outcome"]), "neutral", "circle"))
    ref = seen["ref"]
    status = {"label": label, "tone": tone, "icon": icon}
    return {"kind": ref["kind"], "name": ref["name"], "status": status, "message": shown(seen["message"])}


def duration(took: timedelta) -> str:
    """How long something took: "0.4 s", "12 s", "3 min", "2 h", "5 d"."""
    seconds = max(took.total_seconds(), 0)
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{seconds:.1f}"}
    for most, size, text in ((60, 1, _("%(n)s s")), (3600, 60, _("%(n)s min")), (86400, 3600, _("%(n)s h"))):
        if seconds < most:
            return text % {"n": int(seconds // size)}
    return _("%(n)s d") % {"n": int(seconds // 86400)}
