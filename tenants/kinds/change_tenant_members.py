"""The kind "change the members of a tenant": the whole list of owners, developers and viewers as it shall be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.rules import normal_dn
from tenants import queries, rules
from tenants.kinds import member_requests, of_tenant
from tenants.models import ProjectMember, Tenant
from tenants.services import tenants as services
from web.errors import Invalid
from workflow.kinds import Alteration, Kind, Row, Target
from workflow.models import Plan, Request

ROLES = ("owner", "developer", "viewer")
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["tenant"],
    "x-sections": [
        {
            "id": "people",
            "title": gettext_lazy("Who belongs to it"),
            "help": gettext_lazy("The whole list as it shall be: who is not on it is removed."),
        },
        {"id": "groups", "title": gettext_lazy("Groups that belong to it")},
        {"id": "why", "title": gettext_lazy("Why")},
    ],
    "properties": {
        "tenant": {
            "type": "string",
            "minLength": 1,
            "maxLength": 12,
            "pattern": rules.TENANT_CODE,
            "x-form": {"section": "people", "label": gettext_lazy("Tenant"), "widget": "hidden"},
        },
        **member_requests.fields(*ROLES),
        "reason": member_requests.REASON,
    },
}


class ChangeTenantMembers(Kind):
    """Who belongs to one tenant; who works in its projects is changed there."""

    slug = "change-tenant-members"
    title = gettext_lazy("Change the members of a tenant")
    summary = gettext_lazy("Who owns it, who asks for projects in it, and who may look.")
    schema = SCHEMA
    name_field = "tenant"
    # Asked for on the tenant's page.
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners of any tenant, and administrators."""
        return services.is_administrator(user) or queries.tenants_owned_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners of the request's tenant, and administrators."""
        return services.may_manage(_tenant_of(request), request.asker)

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The tenant."""
        return of_tenant.about(values, user)

    def prefilled(self, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """With the members as they are now, where none are given."""
        tenant = of_tenant.tenant_for(values, user)
        if tenant is None or member_requests.members_of(values):
            return dict(values)
        return dict(values) | member_requests.lists_of(services.members_of(tenant), ROLES)

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The right, the people and groups, and that somebody still owns the tenant."""
        tenant = of_tenant.tenant_for(values, by)
        if tenant is None:
            raise Invalid(_("There is no such tenant."), {"/tenant": _("There is no such tenant.")})
        if not services.may_manage(tenant, by):
            sentence = _("Only its owners and administrators change who belongs to a tenant.")
            raise Invalid(sentence, {"/tenant": sentence})
        before = services.members_of(tenant)
        lists, errors = member_requests.read(values, ROLES, known=before, spelt=normal_dn)
        if not errors and not lists["owners"] and not lists["owner_groups"]:
            errors["/owners"] = _("At least one owner must stay.")
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        if member_requests.members_of(lists) == before:
            raise Invalid(_("Nothing would change."), {"/owners": _("These are the members already.")})
        return values | lists

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The members of the tenant."""
        tenant = Tenant.objects.get(code=values["tenant"])
        keys = (f"tenant-members:{tenant.code}",)
        return Target(keys=keys, tenant=tenant, environment="", cluster=None, title=tenant.code)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """Who asks, and how many come and go."""
        tenant = _tenant_of(request)
        owns = queries.tenants_owned_by(request.asker).filter(pk=tenant.pk).exists()
        after = member_requests.members_of(request.values)
        return {"asker.is_tenant_owner": owns} | member_requests.change_facts(services.members_of(tenant), after)

    def alterations(self, request: Request) -> list[Alteration]:
        """The lists as they are and as they would be."""
        tenant = _tenant_of(request)
        after = member_requests.members_of(request.values)
        lists = (member_requests.lists_of(members, ROLES) for members in (services.members_of(tenant), after))
        before, wanted = lists
        return [Alteration("Tenant", tenant.code, before, wanted)]

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The memberships."""
        wanted = member_requests.members_of(request.values)
        services.set_members(tenant=_tenant_of(request), members=wanted, by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """The list as it shall be; while it is open also what that changes."""
        tenant = _tenant_of(request)
        after = member_requests.members_of(request.values)
        changes = member_requests.change_rows(services.members_of(tenant), after) if request.is_open else []
        return [
            (_("Tenant"), f"{tenant.name} ({tenant.code})"),
            *changes,
            *member_requests.role_rows(after, ROLES),
            (_("Reason"), request.values["reason"] or _("none given")),
        ]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Who leaves the tenant and still works in its projects: that is another request."""
        tenant = _tenant_of(request)
        after = member_requests.members_of(request.values)
        gone = {subject for subject in services.members_of(tenant) if subject not in after}
        bound = ProjectMember.objects.filter(project__tenant=tenant, project__gone_at__isnull=True)
        # Groups are spelt as the directory spells them there.
        staying = sorted({row for row in bound.values_list("subject", flat=True) if _as_member(row) in gone})
        if not request.is_open or not staying:
            return []
        names = ", ".join(subject.partition(":")[2] for subject in staying)
        return [_("They leave the tenant but stay members of its projects: %(names)s.") % {"names": names}]

    def result_url(self, request: Request) -> str:
        """The tenant's page."""
        return reverse("tenant-detail", args=[request.values["tenant"]])


def _tenant_of(request: Request) -> Tenant:
    assert isinstance(request.tenant, Tenant)
    return request.tenant


def _as_member(subject: str) -> str:
    """A project's subject as a tenant's memberships spell it."""
    kind, _colon, name = subject.partition(":")
    return subject if kind == "user" else f"group:{normal_dn(name)}"
