"""Policies, facts and trials as prepared rows for pages: plain values in the reader's language."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflow.facts import declared, is_amount
from workflow.kinds import all_kinds
from workflow.models import Policy
from workflow.services.foresee import Foreseen
from workflow.services.trial import Route, Trial
from workflow.services.trial import Row as Tried

Row = dict[str, Any]

# Of the requests that would have gone elsewhere, those a page shows.
MOST_SHOWN = 50
_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'")


def kind_label(slug: str) -> str:
    """The name of a kind of request, "any" for ""; the slug of one that is there no more."""
    if not slug:
        return _("any")
    return str(all_kinds()[slug].title) if slug in all_kinds() else slug


def step_rows(steps: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Row]:
    """[{"group", "who", "deadline"}] of a policy's steps in order; `names` are those of the groups by slug."""
    return [
        {
            "group": names.get(step["group"], step["group"]),
            "who": _who(names.get(step["group"], step["group"]), step["minimum"]),
            "deadline": deadline_words(step["deadline_hours"]),
        }
        for step in steps
    ]


def _who(group: str, minimum: int) -> str:
    if minimum == 1:
        return group
    return _("%(group)s (%(count)s people)") % {"group": group, "count": minimum}


def deadline_words(hours: int) -> str:
    """ "within 10 days": in days where it is whole days."""
    if hours % 24 == 0:
        return ngettext("within %(n)s day", "within %(n)s days", hours // 24) % {"n": hours // 24}
    return ngettext("within %(n)s hour", "within %(n)s hours", hours) % {"n": hours}


def decided_by(steps: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Who decides, in one line: "Data centre, then Security (2 people)"."""
    rows = step_rows(steps, names)
    return _(", then ").join(row["who"] for row in rows) or _("approved automatically")


def policy_row(policy: Policy, names: Mapping[str, str], pending: Mapping[str, int]) -> Row:
    """One line of the list; `pending` are numbers of open requests about policies, by slug."""
    number = pending.get(policy.slug)
    return {
        "slug": policy.slug,
        "name": policy.name,
        "kind": kind_label(policy.kind),
        "condition": policy.condition,
        "priority": policy.priority,
        "steps": step_rows(policy.steps, names),
        "is_automatic": not policy.steps,
        "is_fixed": policy.is_fixed,
        "edit_url": reverse("policy-edit", args=[policy.slug]),
        "copy_url": f"{reverse('policy-new')}?copy={policy.slug}",
        "pending": {"number": number, "url": reverse("request-detail", args=[number])} if number else None,
    }


def fact_rows() -> list[Row]:
    """The facts that a condition may name: [{"name", "type", "label", "unit"}]."""
    types = {str: _("text"), int: _("whole number"), bool: _("true or false")}
    return [
        {"name": name, "type": types[fact.type], "label": str(fact.label), "unit": str(fact.unit)}
        for name, fact in declared().items()
    ]


def why_rows(condition: str, facts: Mapping[str, Any]) -> list[Row]:
    """The facts that the condition names, as far as they are known: [{"name", "label", "value", "unit"}]."""
    named = set(re.findall(r"[A-Za-z_][A-Za-z0-9_.]*", _STRING.sub(" ", condition)))
    return [
        {"name": name, "label": str(fact.label), "value": _value(facts[name]), "unit": str(fact.unit)}
        for name, fact in declared().items()
        if name in named and name in facts
    ]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if isinstance(value, str) or is_amount(value) else _("no limit")


def foreseen_rows(foreseen: Sequence[Foreseen], names: Mapping[str, str]) -> list[Row]:
    """[{"label", "text", "steps": [{"group", "who", "deadline"}], "reason", "why", "is_automatic", "is_known"}] of who
    will decide each part of a form; `text` says in a few words what follows, `reason` is a sentence."""
    return [_foreseen_row(one, names) for one in foreseen]


def _foreseen_row(one: Foreseen, names: Mapping[str, str]) -> Row:
    steps = step_rows(one.policy.steps, names) if one.policy else []
    automatic = one.policy is not None and not steps
    text = _("Approved automatically.") if automatic else _("Decided by, in this order:") if steps else ""
    return {
        "label": one.label,
        "text": text,
        "steps": steps,
        "reason": one.reason,
        "why": why_rows(one.policy.condition, one.facts) if one.policy else [],
        "is_automatic": automatic,
        "is_known": one.policy is not None,
    }


def trial_row(trial: Trial, names: Mapping[str, str]) -> Row:
    """A trial as the page shows it: {"title", "tone", "sentences", "rows", "more"}, rows only of what changes."""
    changed = trial.changed
    return {
        "title": trial_title(trial),
        "tone": "warning" if trial.newly_automatic or trial.problems else "info",
        "sentences": trial_sentences(trial),
        "rows": [_tried_row(row, names) for row in changed[:MOST_SHOWN]],
        "more": max(len(changed) - MOST_SHOWN, 0),
    }


def trial_title(trial: Trial) -> str:
    """What the trial found, in one sentence."""
    if not trial.rows:
        return _("There are no past requests to try this against.")
    if not trial.changed:
        words = {"tried": len(trial.rows)}
        return _("Of the last %(tried)s requests none would have been decided by others.") % words
    words = {"tried": len(trial.rows), "changed": len(trial.changed)}
    return _("Of the last %(tried)s requests %(changed)s would have been decided by others.") % words


def trial_sentences(trial: Trial) -> list[str]:
    """What somebody has to know before deciding on such a change; nothing: []."""
    found = []
    total = len(trial.rows)
    if trial.newly_automatic:
        words = {"count": trial.newly_automatic, "tried": total}
        found.append(
            _("Requests that people decided so far would be approved automatically: %(count)s of the last %(tried)s.")
            % words
        )
    if trial.problems:
        words = {"count": trial.problems, "tried": total}
        found.append(
            _("A condition could not be evaluated, so the last policy would decide: %(count)s of the last %(tried)s.")
            % words
        )
    return found


def _tried_row(row: Tried, names: Mapping[str, str]) -> Row:
    return {
        "number": row.past.number,
        "url": reverse("request-detail", args=[row.past.number]),
        "title": row.past.title,
        "kind": kind_label(row.past.kind),
        "submitted_at": row.past.submitted_at,
        "went_to": _route_row(row.went_to, names),
        "would_go_to": _route_row(row.would_go_to, names),
    }


def _route_row(route: Route, names: Mapping[str, str]) -> Row:
    policy = route.policy.name if route.policy else ""
    if route.policy is None:
        who = _("nobody: no policy fits")
    else:
        who = _(", then ").join(_who(names.get(group, group), minimum) for group, minimum in route.steps)
    return {
        "policy": policy,
        "who": who or _("approved automatically"),
        "is_automatic": route.is_automatic,
        "problem": str(route.problem) if route.problem else "",
    }
