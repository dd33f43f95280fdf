"""A plan as pages show it: per object the fields that change, as lines of a difference."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clusters.differences import difference_lines
from web.sentences import shown
from workflow.models import Plan
from workflow.rows.lists import Row

# So many are shown one by one; of a batch of hundreds the rest is counted.
MOST_CHANGES = 40
# Differences that come first.
_ORDER = {"remove": 0, "change": 1, "add": 2, "keep": 3}


def changes_summary(changes: Sequence[dict[str, Any]]) -> str:
    """ "8 added, 1 changed" in words."""
    counts = {action: 0 for action in ("add", "change", "remove")}
    for change in changes:
        if change["action"] in counts:
            counts[change["action"]] += 1
    texts = {
        "add": _("%(n)s added"),
        "change": _("%(n)s changed"),
        "remove": _("%(n)s removed"),
    }
    parts = [texts[action] % {"n": n} for action, n in counts.items() if n]
    return pgettext("between parts of a sentence", ", ").join(parts) or _("Nothing changes")


def plan_row(plan: Plan | None) -> Row | None:
    """The plan as the page shows it; what is removed or changed comes before what is added or stays."""
    if plan is None:
        return None
    warning = ""
    if plan.problem:
        warning = _("The cluster could not be asked, so this compares with what the portal last applied: %(reason)s")
        warning %= {"reason": shown(plan.problem)}
    ordered = sorted(plan.changes, key=lambda one: _ORDER.get(one["action"], 9))
    altered = any(change.get("alteration") for change in plan.changes)
    return {
        "number": plan.number,
        "digest": plan.digest,
        "summary": changes_summary(plan.changes),
        "changes": [_change_row(one) for one in ordered[:MOST_CHANGES]],
        "more": _more(ordered[MOST_CHANGES:]),
        "warning": warning,
        "compared_with": _("Compared with the cluster")
        if plan.base_revisions
        else _("Compared with the portal's rows"),
        "is_mixed": altered and bool(plan.base_revisions),
        "usage": [{"name": name, "amount": amount} for name, amount in sorted(plan.usage.items())],
        "observed_at": plan.observed_at,
    }


def _more(changes: Sequence[dict[str, Any]]) -> list[str]:
    """What is not shown one by one: "260 × ResourceQuota added", by kind and action."""
    counts = Counter((change["ref"]["kind"], change["action"]) for change in changes)
    labels = _labels()
    text = _("%(count)s × %(kind)s %(action)s")
    return [
        text % {"count": count, "kind": kind, "action": labels[action]}
        for (kind, action), count in counts.most_common()
    ]


def _labels() -> dict[str, str]:
    return {"add": _("added"), "change": _("changed"), "remove": _("removed"), "keep": _("unchanged")}


def _change_row(change: dict[str, Any]) -> Row:
    return {
        "action": change["action"],
        "action_label": _labels()[change["action"]],
        "kind": change["ref"]["kind"],
        "name": change["ref"]["name"],
        "namespace": change["ref"]["namespace"],
        "in_portal": bool(change.get("alteration")),
        "lines": difference_lines(change["fields"]),
    }
