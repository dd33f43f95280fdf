"""Going back to an earlier revision of a project: which there are, what people had chosen, and who comes back.

What people chose comes from the earlier state: quota, members, display name, cost centre, and which parts the portal
keeps. What the cluster says of itself (labels of ingress and monitoring, its flavour, how it calls people) and who
owns the project come from today: the first because an old label would open or close the network for the wrong
namespaces, the second because that is who answers for the project now.

Rights come back only to who may still have them: whoever has the very role today keeps it unasked; others must be in
the directory, and belong to the tenant or to the project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from accounts.rules import normal_dn
from clusters.models import BundleRevision
from tenants import people, size_plans, states
from tenants.figures import Figures
from tenants.models import Project
from tenants.rules import RESOURCES
from tenants.subjects import subject_called

# Why somebody does not come back: of the directory, neither of tenant nor project, or nobody can say who it is.
GONE, OUTSIDE, UNKNOWN = "gone", "outside", "unknown"


@dataclass(frozen=True)
class Choices:
    """What people chose of a project, but for its members; the quota in millicores, bytes and pieces."""

    quota: Figures
    display_name: str
    cost_centre: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Returning:
    """Who would work in the project: role by subject, and [{"name", "role", "why"}] of who does not come back."""

    members: dict[str, str]
    left_out: list[dict[str, str]]


def choices_in(state: Mapping[str, Any]) -> Choices:
    """Those of a revision's state."""
    quota = {resource: int(state["quota"][resource]) for resource in RESOURCES}
    return Choices(quota, state["display_name"], state["cost_centre"], tuple(sorted(state["parts"])))


def choices_now(project: Project) -> Choices:
    """Those of the project's row."""
    parts = tuple(sorted(project.parts))
    return Choices(states.figures_of(project), project.display_name, project.cost_centre, parts)


def revisions_of(project: Project) -> models.QuerySet[BundleRevision]:
    """Those one can go back to, newest first: earlier ones that the cluster agreed with and that hold objects."""
    earlier = BundleRevision.objects.filter(bundle=project.bundle_id, number__lt=project.bundle.generation)
    return earlier.filter(agreed_at__isnull=False).exclude(objects_wanted=[]).order_by("-number")


def problem_of(project: Project, number: int) -> str:
    """Why one cannot go back to this revision, "" if one can; a sentence for people."""
    words = {"number": number}
    if number == project.bundle.generation:
        return _("Revision %(number)s is what is wanted now.") % words
    revision = BundleRevision.objects.filter(bundle=project.bundle_id, number=number).first()
    if revision is None:
        return _("The project has no revision %(number)s.") % words
    if not revision.objects_wanted:
        return _("Revision %(number)s holds nothing: it removed the project's objects.") % words
    if revision.agreed_at is None:
        return _("The cluster never had revision %(number)s.") % words
    return ""


def returning(project: Project, state: Mapping[str, Any]) -> Returning:
    """Who of the state's members has a place in the project again. Asks the directory about who has not the same role
    today; raises DirectoryUnavailable where that is a group and it does not answer."""
    today = dict(states.members_of(project))
    members: dict[str, str] = {}
    left_out: list[dict[str, str]] = []
    asked: dict[str, str] = {}
    for entry in state["members"]:
        known, role = entry.get("who"), entry["role"]
        # Revisions of before "who" was kept say only how the cluster called them.
        subject = known or subject_called(project.bundle.cluster, entry["subject"], today)
        if not subject:
            left_out.append({"name": entry["subject"]["name"], "role": role, "why": UNKNOWN})
        elif today.get(subject) == role:
            members[subject] = role
        else:
            asked[subject] = role
    reasons = _reasons(asked, {_compared(one) for one in (*today, *_of_tenant(project))})
    for subject, role in asked.items():
        if reasons[subject]:
            left_out.append({"name": subject.partition(":")[2], "role": role, "why": reasons[subject]})
        else:
            members[subject] = role
    return Returning(dict(sorted(members.items())), left_out)


def _of_tenant(project: Project) -> Iterable[str]:
    return project.tenant.memberships.values_list("subject", flat=True)


def _reasons(subjects: Iterable[str], belong: set[str]) -> dict[str, str]:
    """Why each does not come back, "" for who does; `belong` are the subjects of tenant and project."""
    names = {subject: subject.partition(":")[2] for subject in subjects}
    persons = [subject for subject in names if subject.startswith("user:")]
    groups = people.groups_by_person([names[subject] for subject in persons])
    reasons: dict[str, str] = {}
    for subject, name in names.items():
        if subject in persons:
            found = groups[name]
            own = {subject, *(f"group:{dn}" for dn in found or ())}
            reasons[subject] = GONE if found is None else "" if own & belong else OUTSIDE
        elif _compared(subject) not in belong:
            reasons[subject] = OUTSIDE
        else:
            _found, errors = people.groups_of([name], "groups")
            reasons[subject] = GONE if errors else ""
    return reasons


def _compared(subject: str) -> str:
    """The subject in the one spelling in which two are compared."""
    kind, _colon, name = subject.partition(":")
    return f"group:{normal_dn(name)}" if kind == "group" else subject


def state_of(project: Project, choices: Choices, members: Mapping[str, str]) -> dict[str, Any]:
    """The project's state with these choices and members (role by subject), in today's words of its cluster."""
    return states.of_project(project, quota=choices.quota, members=sorted(members.items())) | {
        "display_name": choices.display_name,
        "cost_centre": choices.cost_centre,
        "parts": list(choices.parts),
    }


def size_of(project: Project, quota: Figures) -> str:
    """The size plan that has these figures, today's where it has; "" for figures of one's own."""
    named = {plan.slug for plan in size_plans.active_plans() if plan.figures == quota}
    return project.size if project.size in named else min(named, default="")
