"""Earlier revisions as prepared rows and sentences: what one can choose, what it undoes, and who does not come back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from clusters.models import BundleRevision
from clusters.words import resource_label
from tenants import rollback, rules
from tenants.figures import text_of
from tenants.models import Project
from tenants.rollback import Choices
from tenants.rows import part_label
from tenants.words import role_label
from web import moments
from workflow.models import Outcome, Request

Row = dict[str, Any]

# The choice is among the newest; REST takes the number of any.
_MOST = 50


def revision_options(project: Project) -> list[Row]:
    """Choices of a field, newest first: [{"value", "label", "help"}]."""
    return [
        {"value": str(one.number), "label": _named(one), "help": _in_words(rollback.choices_in(one.state))}
        for one in rollback.revisions_of(project)[:_MOST]
    ]


def notes(project: Project, revision: BundleRevision) -> list[str]:
    """Sentences on what else would be as it was then."""
    now, then = rollback.choices_now(project), rollback.choices_in(revision.state)
    changed = [f"{label}: {text}" for label, text in choice_rows(then, now) if "→" in text]
    found = [_("People and groups come back as far as they still belong to the tenant or the project.")]
    return [*changed, *part_risks(then, project), *found]


def source_rows(revision: BundleRevision, wanted: int, request: Request) -> list[tuple[str, str]]:
    """(label, text) of the revision, and of the requests whose changes are undone, `wanted` being the last of them."""
    after = Outcome.objects.filter(bundle=revision.bundle_id, revision__gt=revision.number, revision__lte=wanted)
    others = after.exclude(request=request).select_related("request__asker").order_by("revision")
    undone = [f"#{one.request.number} ({one.request.asker})" for one in others]
    return [(_("Back to"), _named(revision)), (_("Undoes"), ", ".join(undone) or _("nothing that was asked for"))]


def choice_rows(then: Choices, now: Choices | None) -> list[tuple[str, str]]:
    """(label, "before → after") of the names and parts; without `now` only what they become."""
    rows = [
        (_("Display name"), then.display_name, now.display_name if now else then.display_name),
        (_("Cost centre"), then.cost_centre or _("none"), (now.cost_centre or _("none")) if now else ""),
        (_("The portal keeps"), _parts(then.parts), _parts(now.parts) if now else ""),
    ]
    return [(label, text if now is None or text == before else f"{before} → {text}") for label, text, before in rows]


def left_out_text(left_out: Sequence[Mapping[str, str]]) -> str:
    """Who does not come back and why, in one line; "" for nobody."""
    return ", ".join(f"{one['name']} ({role_label(one['role'])}; {_why(one['why'])})" for one in left_out)


def part_risks(then: Choices, project: Project) -> list[str]:
    """What the portal would no longer keep in the namespace, and so removes."""
    less = [part_label(part) for part in rules.PARTS if part in project.parts and part not in then.parts]
    if not less:
        return []
    return [_("The portal would remove what it keeps of: %(parts)s.") % {"parts": ", ".join(less)}]


def _why(reason: str) -> str:
    return {
        rollback.GONE: _("not in the directory any more"),
        rollback.OUTSIDE: _("belongs neither to the tenant nor to the project"),
        rollback.UNKNOWN: _("nothing says who it is"),
    }[reason]


def _named(revision: BundleRevision) -> str:
    words = {
        "number": revision.number,
        "at": moments.exact(revision.created_at),
        "request": revision.provenance.get("request", ""),
    }
    if not words["request"]:
        return _("Revision %(number)s of %(at)s") % words
    return _("Revision %(number)s of %(at)s, request #%(request)s") % words


def _in_words(choices: Choices) -> str:
    amounts = [f"{resource_label(name)} {text_of(name, choices.quota[name])}" for name in rules.RESOURCES]
    return " · ".join(amounts)


def _parts(parts: Sequence[str]) -> str:
    return ", ".join(part_label(part) for part in rules.PARTS if part in parts)
