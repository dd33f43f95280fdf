"""The kind "change the members of a project": the whole list of developers and viewers as it shall be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from clusters.rules import Manifest
from tenants import manifests, queries, states
from tenants.kinds import member_requests, of_project, project_requests
from tenants.services import projects as services
from web.errors import Invalid
from workflow.kinds import Kind, Piece, Row, Target
from workflow.models import Plan, Request
from workflow.services import outcomes

ROLES = ("developer", "viewer")
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["project"],
    "x-sections": [
        {
            "id": "people",
            "title": gettext_lazy("Who works in it"),
            "help": gettext_lazy("The whole list as it shall be: who is not on it is removed."),
        },
        {"id": "groups", "title": gettext_lazy("Groups that work in it")},
        {"id": "why", "title": gettext_lazy("Why")},
    ],
    "properties": {
        "project": of_project.field("people"),
        **member_requests.fields(*ROLES),
        "reason": member_requests.REASON,
    },
}


class ChangeMembers(Kind):
    """Who works in one project: role bindings for people and groups."""

    slug = "change-members"
    title = gettext_lazy("Change the members of a project")
    summary = gettext_lazy("Who works in the namespace, and who may look.")
    schema = SCHEMA
    name_field = "project"
    # Asked for on the project's page.
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners and developers of any tenant."""
        return queries.tenants_askable_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners and developers of the project's tenant."""
        return request.tenant in queries.tenants_askable_by(request.asker)

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The project."""
        return of_project.about(values, user)

    def prefilled(self, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """With the members as they are now, where none are given."""
        project = of_project.project_for(values, user)
        if project is None or member_requests.members_of(values):
            return dict(values)
        return dict(values) | member_requests.lists_of(dict(states.members_of(project)), ROLES)

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The right, whether the portal keeps the members at all, and the people and groups."""
        project = of_project.project_for(values, by)
        if project is None:
            raise Invalid(_("There is no such project."), of_project.missing())
        errors = of_project.leaving_errors(project)
        if not queries.tenants_askable_by(by).filter(pk=project.tenant_id).exists():
            errors = {"/project": _("Only owners and developers of its tenant change who works in a project.")}
        elif "members" not in project.parts:
            errors = {"/project": _("The portal does not keep the members of this namespace: it was adopted without.")}
        before = dict(states.members_of(project))
        lists, problems = member_requests.read(values, ROLES, known=before)
        errors |= problems
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        if member_requests.members_of(lists) == before:
            raise Invalid(_("Nothing would change."), {"/developers": _("These are the members already.")})
        return values | lists

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The project's namespace."""
        return of_project.target_of(values)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """Who asks, and how many come and go."""
        before = dict(states.members_of(of_project.project_of(request)))
        changed = member_requests.change_facts(before, member_requests.members_of(request.values))
        return {"asker.is_tenant_owner": project_requests.is_owner(request)} | changed

    def pieces(self, request: Request) -> list[Piece]:
        """The project's bundle with other members."""
        return [Piece(project_requests.owner_key(request.values["project"]), request.title, self.state(request))]

    def state(self, request: Request) -> dict[str, Any]:
        """The project as it is, with the members asked for."""
        members = member_requests.members_of(request.values)
        return states.of_project(of_project.project_of(request), members=members.items())

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.project."""
        return manifests.project(state)

    def check_seen(self, request: Request, plan: Plan) -> None:
        """Its deletion may have been approved since it was asked for."""
        services.check_stays(of_project.project_of(request))

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The members' rows and a revision of the bundle."""
        project = services.locked_project(request.values["project"])
        services.set_project_members(project=project, members=member_requests.members_of(request.values), by=by, at=at)
        state = self.state(request)
        outcomes.set_desired(request, bundle=project.bundle, manifests=self.rendered(state), state=state, by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """The list as it shall be; while it is open also what that changes."""
        project = of_project.project_of(request)
        after = member_requests.members_of(request.values)
        before = dict(states.members_of(project))
        return [
            *of_project.rows_of(project),
            *(member_requests.change_rows(before, after) if request.is_open else []),
            *member_requests.role_rows(after, ROLES),
            (_("Reason"), request.values["reason"] or _("none given")),
        ]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, and a project in which nobody could work any more."""
        found = [_("This is production.")] if request.environment == "prod" else []
        if "developer" not in member_requests.members_of(request.values).values():
            found.append(_("Nobody could work in the project any more."))
        return found

    def result_url(self, request: Request) -> str:
        """The project's page, as long as there is one."""
        gone = of_project.project_of(request).gone_at is not None
        return "" if gone else reverse("project-detail", args=[request.values["project"]])
