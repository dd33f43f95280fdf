"""The kind "delete a project": after a grace period its namespace goes, with everything in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clusters.rules import Manifest
from tenants import blockers, queries, states
from tenants.kinds import member_requests, of_project, project_requests
from tenants.models import Deletion, Project
from tenants.services import deletion as services
from tenants.services.projects import check_stays
from tenants.services.tenants import is_administrator, may_manage
from web.errors import Conflict, Invalid
from workflow.kinds import Kind, Piece, Row, Target
from workflow.models import Plan, Request

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["project", "confirm"],
    "x-sections": [
        {
            "id": "what",
            "title": gettext_lazy("What goes"),
            "help": gettext_lazy("The namespace with everything in it; until the grace period is over it stays."),
        },
        {"id": "why", "title": gettext_lazy("Why")},
    ],
    "properties": {
        "project": of_project.field("what"),
        "confirm": {
            "type": "string",
            "minLength": 1,
            "maxLength": 63,
            "x-form": {
                "section": "what",
                "label": gettext_lazy("Name of the namespace"),
                "help": gettext_lazy("Type it, so that the right one goes."),
                "attrs": {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
            },
        },
        "reason": member_requests.REASON,
    },
}


class DeleteProject(Kind):
    """Removing one project; what blocks that is asked when it is asked for, decided and carried out."""

    slug = "delete-project"
    removes = True
    title = gettext_lazy("Delete a project")
    summary = gettext_lazy(
        "Its namespace goes with everything in it, after a grace period in which it can be called off."
    )
    schema = SCHEMA
    name_field = "project"
    # Asked for on the project's page.
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners of any tenant, and administrators."""
        return is_administrator(user) or queries.tenants_owned_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners of the project's tenant, and administrators."""
        return may_manage(of_project.project_of(request).tenant, request.asker)

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The project."""
        return of_project.about(values, user)

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The right, and the typed name, which is not kept."""
        project = of_project.project_for(values, by)
        if project is None:
            raise Invalid(_("There is no such project."), of_project.missing())
        errors = of_project.leaving_errors(project)
        if not may_manage(project.tenant, by):
            errors = {"/project": _("Only owners of its tenant and administrators delete a project.")}
        elif values["confirm"] != project.namespace:
            errors["/confirm"] = _("This is not the name of the namespace.")
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        return {name: value for name, value in values.items() if name != "confirm"}

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The project's namespace."""
        return of_project.target_of(values)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """Who asks, and what the project was granted."""
        granted = states.figures_of(of_project.project_of(request))
        facts: dict[str, str | int | bool] = {f"current.{name}": amount for name, amount in granted.items()}
        return facts | {"asker.is_tenant_owner": project_requests.is_owner(request), "namespaces": 1}

    def pieces(self, request: Request) -> list[Piece]:
        """The project's bundle with nothing in it: every object it keeps is removed."""
        return [Piece(project_requests.owner_key(request.values["project"]), request.title, {})]

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """Nothing."""
        return []

    def check_seen(self, request: Request, plan: Plan) -> None:
        """Nothing may run there that would be lost."""
        project = of_project.project_of(request)
        check_stays(project)
        found = " ".join(str(sentence) for sentence in blockers.blockers_of(project, plan.usage))
        if found and request.pk is None:
            raise Invalid(_("This project cannot be deleted now."), {"/project": found})
        if found:
            raise Conflict(_("This project cannot be deleted now.") + " " + found)

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """A removal that begins when the grace period is over; nothing changes before."""
        services.plan_deletion(project=request.values["project"], request=request, by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """What goes, and how long it can be called off."""
        project = of_project.project_of(request)
        hours = services.grace_of(project.environment).total_seconds() / 3600
        return [
            *of_project.rows_of(project),
            (_("Tenant"), f"{project.tenant.name} ({project.tenant.code})"),
            (_("Owner"), str(project.owner)),
            *project_requests.figure_rows(states.figures_of(project)),
            (_("Can be called off for"), _("%(hours)s hours after the approval") % {"hours": round(hours)}),
            (_("Reason"), request.values["reason"] or _("none given")),
        ]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, what nobody could see, and what the portal did not make."""
        project = of_project.project_of(request)
        found = [_("This is production.")] if request.environment == "prod" else []
        if not blockers.is_known(plan.usage):
            found.append(_("It is not known what runs in the namespace; everything in it goes."))
        elif plan.problem:
            found.append(_("The cluster could not be asked: what runs in the namespace is as last seen."))
        if project.adopted:
            found.append(_("The namespace was adopted: what others made in it goes too."))
        return found

    def moments(self, request: Request) -> list[Row]:
        """The grace period, its end or its being called off, and what became of the namespace."""
        row = Deletion.objects.select_related("called_off_by").filter(request=request).first()
        return [] if row is None else _moments(row)

    def result_url(self, request: Request) -> str:
        """The project's page, as long as there is one."""
        gone = Project.objects.filter(uid=request.values["project"], gone_at__isnull=False).exists()
        return "" if gone else reverse("project-detail", args=[request.values["project"]])


def _moments(row: Deletion) -> list[Row]:
    if row.called_off_at is not None:
        text = _("by %(who)s") % {"who": row.called_off_by}
        return [_moment(_("Called off"), text, row.called_off_at, "skipped", "undo")]
    waits = row.started_at is None
    return [
        _moment(
            _("Grace period"), _("It can be called off until then."), row.due_from, "now" if waits else "done", "clock"
        ),
        _moment(_("Removal begins"), "", row.started_at, "todo" if waits else "done", "refresh"),
        _moment(_("The namespace is gone"), "", row.done_at, "done" if row.done_at else "todo", "check"),
    ]


def _moment(title: str, text: str, at: datetime | None, state: str, icon: str) -> Row:
    return {"title": title, "text": text, "at": at, "state": state, "icon": icon}
