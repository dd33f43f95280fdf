"""What to do next about a project, as prepared rows: what is wrong with it, and where that is seen to."""

from collections.abc import Collection
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clusters import drift_rows, words
from tenants import rules
from tenants.models import Project
from tenants.rows import project_row
from web import bars

Row = dict[str, Any]


def label_of(project: Project) -> str:
    """What people call it: its name, and in which environment."""
    return f"{project.display_name} · {words.environment_label(project.environment)}"


def is_short(bar: Row) -> bool:
    """Whether little is left of what a bar (tenants.rows) is about."""
    return bool(bar["known"] and bar["limit"] and bar["used"] >= bar["limit"] * bars.WARN_AT)


def troubles_of(project: Project) -> list[Row]:
    """[{icon, tone, title, text, url, action}] of what is wrong with it, the worst first; its bundle's objects and
    drift should be fetched with it."""
    return [step for step in (_failed(project), _drifted(project), _tight(project)) if step]


def _failed(project: Project) -> Row | None:
    if not project.bundle.blocked:
        return None
    return {
        "icon": "error",
        "tone": "danger",
        "title": _("%(project)s could not be applied") % {"project": label_of(project)},
        "url": reverse("bundle", args=[project.bundle.uid]),
        "text": words.bundle_message(project.bundle),
        "action": _("See why"),
    }


def _drifted(project: Project) -> Row | None:
    drift = drift_rows.drift_line(project.bundle)
    if drift is None:
        return None
    return {
        "icon": "warning",
        "tone": "warning",
        "title": _("%(project)s is not as it was approved") % {"project": label_of(project)},
        "url": drift["url"],
        "text": drift["text"],
        "action": _("See what differs"),
    }


def _tight(project: Project) -> Row | None:
    """The resource of which least is left, where that is little."""
    short = [bar for bar in project_row(project)["bars"] if is_short(bar)]
    if not short or "quota" not in project.parts:
        return None
    worst = max(short, key=lambda bar: bar["used"] / bar["limit"])
    percent = int(worst["used"] / worst["limit"] * 100)
    said = {"project": label_of(project), "percent": percent, "what": worst["name"]}
    return {
        "icon": "warning",
        "tone": "warning",
        "title": _("%(project)s: %(percent)s%% of %(what)s in use") % said,
        "url": f"{reverse('request-new', args=['change-quota'])}?project={project.uid}",
        "text": _("What goes beyond the limit is not started."),
        "action": _("Ask for more"),
    }


def next_steps(project: Project, siblings: Collection[Project], *, has_members: bool, may_ask: bool) -> list[Row]:
    """What is wrong with it, but for drift, which its page says at the top; then what usually comes next for who may
    ask: people, and further environments. `siblings` are its environments, itself among them."""
    failed = _failed(project)
    found = [failed] if failed else []
    if not may_ask:
        return found
    if tight := _tight(project):
        found.append(tight)
    if "members" in project.parts and not has_members:
        found.append(_members_step(project))
    missing = [name for name in rules.ENVIRONMENTS if name not in {one.environment for one in siblings}]
    if missing and words.is_settled(project.bundle) and not project.bundle.blocked:
        found.append(_environments_step(project, missing))
    return found


def _members_step(project: Project) -> Row:
    return {
        "icon": "group",
        "tone": "info",
        "title": _("Give people access"),
        "url": f"{reverse('request-new', args=['change-members'])}?project={project.uid}",
        "text": _("Nobody is bound in the namespace yet."),
        "action": _("Ask"),
    }


def _environments_step(project: Project, missing: list[str]) -> Row:
    labels = pgettext("between parts of a sentence", ", ").join(words.environment_label(name) for name in missing)
    query = f"?tenant={project.tenant.code}&name={project.name}"
    return {
        "icon": "plus",
        "tone": "info",
        "title": _("Ask for further environments"),
        "url": f"{reverse('request-new', args=['new-project'])}{query}",
        "text": _("It does not have these yet: %(environments)s.") % {"environments": labels},
        "action": _("Ask"),
    }
