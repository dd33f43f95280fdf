"""Who will have to decide what a form says now, and why: known before anything is asked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from accounts.models import User
from clusters.words import environment_label
from web.errors import Invalid, UserError
from web.sentences import shown
from workflow import queries
from workflow.kinds import Kind
from workflow.models import OpenTarget, Policy, Request
from workflow.services import choosing
from workflow.services.submit import checked_values, drafted_part


class Foreseen(NamedTuple):
    """Who decides one part of a wish.

    `label` names the part ("" for a wish of one), `policy` None means that it cannot be said yet; `groups` are names in
    the order in which they decide, none where the policy approves by itself; `reason` is a sentence; `facts` are those
    that are known; `is_complete` says that the values are whole, so that this is what asking now would give.
    """

    label: str
    policy: Policy | None
    groups: list[str]
    reason: str
    facts: Mapping[str, Any]
    is_complete: bool


class LookedOver(NamedTuple):
    """What is known of a form that is not sent: who decides, what is wrong by JSON pointer, and what is said of the
    whole ("" for nothing)."""

    foreseen: list[Foreseen]
    errors: Mapping[str, str]
    sentence: str


def foresee(*, kind: Kind, values: object, by: User, at: datetime) -> list[Foreseen]:
    """Who decides each part of what `values` say by now; nothing is stored, and no value makes it raise.

    Whole values are answered as asking would; of others only what follows from the facts that are known.
    """
    return look_over(kind=kind, values=values, by=by, at=at).foreseen


def look_over(*, kind: Kind, values: object, by: User, at: datetime, editing: Request | None = None) -> LookedOver:
    """As `foresee`, and what asking now would say is wrong, but for what only the cluster knows; `editing` is the
    request that the values would take the place of."""
    names = queries.group_names()
    uid = str(editing.uid) if editing else ""
    try:
        parts = kind.parts(checked_values(kind, values, by))
        drafts = [drafted_part(kind, part, place, by, at, uid) for place, part in enumerate(parts)]
        for draft, _target in drafts:
            choosing.choose(draft)
    except UserError as error:
        marked = error.fields if isinstance(error, Invalid) else {}
        return LookedOver(_by_known_facts(kind, values, by, names), marked, "" if marked else error.sentence)
    found = []
    for draft, _target in drafts:
        assert draft.policy is not None
        label = (environment_label(draft.environment) or draft.title) if len(drafts) > 1 else ""
        why = shown(draft.policy_problem) or _because(draft.policy)
        found.append(Foreseen(label, draft.policy, _groups(draft.policy, names), why, draft.facts, True))
    errors = _busy_errors(kind, [key for _draft, target in drafts for key in target.keys], editing)
    return LookedOver(found, errors, errors.get("", ""))


def _busy_errors(kind: Kind, keys: list[str], editing: Request | None) -> dict[str, str]:
    """An error by JSON pointer where another open request is about the same; the database has the last word on that."""
    taken = OpenTarget.objects.filter(key__in=keys)
    if not (taken.exclude(request=editing) if editing else taken).exists():
        return {}
    name = f"/{kind.name_field}" if kind.name_field else ""
    return {name: _("There is already an open request about this, or the name is taken.")}


def _by_known_facts(kind: Kind, values: object, by: User, names: Mapping[str, str]) -> list[Foreseen]:
    own: dict[str, str | int | bool] = {
        "kind": kind.slug,
        "asker.username": by.username,
        "asker.is_administrator": by.is_administrator,
        "asker.is_service_account": by.owner_id is not None,
    }
    policies = list(Policy.objects.filter(is_active=True))
    found = []
    for label, more in kind.known_facts(values if isinstance(values, Mapping) else {}, by):
        facts = own | more
        chosen = choosing.fitting(policies, kind.slug, facts)
        if chosen.problem is not None:
            # A condition that has no answer yet has one once the form is filled in.
            found.append(Foreseen(label, None, [], _("Depends on what you fill in."), facts, False))
            continue
        why = _because(chosen.policy)
        found.append(Foreseen(label, chosen.policy, _groups(chosen.policy, names), why, facts, False))
    return found


def _groups(policy: Policy | None, names: Mapping[str, str]) -> list[str]:
    return [names.get(step["group"], step["group"]) for step in policy.steps] if policy else []


def _because(policy: Policy | None) -> str:
    """Why this policy applies, in one sentence."""
    if policy is None:
        return _("No policy says who decides this. Please tell the platform's administrators.")
    words = {"policy": policy.name, "condition": policy.condition}
    if policy.condition:
        return _('Because of the policy "%(policy)s": %(condition)s') % words
    return _('Because of the policy "%(policy)s", which is about all of these requests.') % words
