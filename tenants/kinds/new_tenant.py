"""The kind "new tenant": an organisational unit with its members and a budget."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rules import normal_dn
from clusters.words import resource_label
from tenants import budgets, queries, rules
from tenants.kinds import member_requests, new_tenant_schema
from tenants.kinds.member_requests import Members
from tenants.models import Tenant
from tenants.services import tenants as services
from web.errors import Invalid
from workflow.kinds import Alteration, Kind, Row, Target
from workflow.models import Plan, Request

ROLES = ("owner", "developer", "viewer")


class NewTenant(Kind):
    """One tenant; whoever asks is an owner of it."""

    slug = "new-tenant"
    title = new_tenant_schema.TITLE
    summary = new_tenant_schema.SUMMARY
    schema = new_tenant_schema.SCHEMA
    name_field = "code"

    def may_ask(self, user: User) -> bool:
        """Every person but those who only read everything; programs own nothing."""
        return user.owner_id is None and not _only_reads(user)

    def may_still_ask(self, request: Request) -> bool:
        """As before: whoever left is not active any more."""
        return self.may_ask(request.asker)

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The code, the people and groups, and the budget; all problems at once."""
        errors = _code_errors(values["code"])
        budget, problems = budgets.read(values)
        errors |= problems
        lists, problems = member_requests.read(values, ROLES, spelt=normal_dn)
        errors |= problems
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        names = {name: values[name].strip() for name in ("name_zh", "name_en")}
        return values | names | budgets.written(budget) | lists

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The code."""
        keys = (f"tenant:{values['code']}",)
        return Target(keys=keys, tenant=None, environment="", cluster=None, title=values["code"])

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """Who comes in, and the budget of what is limited."""
        budget = {f"requested.{name}": n for name, n in budgets.of(request.values).items() if n is not None}
        return {"asker.is_tenant_owner": False} | budget | member_requests.change_facts({}, members_of(request))

    def alterations(self, request: Request) -> list[Alteration]:
        """The tenant with its members and its budget."""
        values = request.values
        after = {"name_zh": values["name_zh"], "name_en": values["name_en"]}
        after |= member_requests.lists_of(members_of(request), ROLES)
        after |= {f"budget.{name}": text for name, text in budgets.texts(budgets.of(values)).items()}
        return [Alteration("Tenant", values["code"], None, after)]

    def check_seen(self, request: Request, plan: Plan) -> None:
        """The code may have been taken since it was asked for."""
        services.check_code_free(request.values["code"])

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The tenant."""
        services.found_tenant(
            code=request.values["code"],
            name_zh=request.values["name_zh"],
            name_en=request.values["name_en"],
            members=members_of(request),
            budget=budgets.of(request.values),
            by=by,
            at=at,
        )

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """What it is called, who is in it, and how much it may be promised."""
        values = request.values
        return [
            (_("Code"), values["code"]),
            (_("Name"), f"{values['name_zh']} / {values['name_en']}"),
            *member_requests.role_rows(members_of(request), ROLES),
            *(
                (resource_label(name), text or _("no limit"))
                for name, text in budgets.texts(budgets.of(values)).items()
            ),
            (_("Reason"), values["reason"] or _("none given")),
        ]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """What nothing limits."""
        free = [resource_label(name) for name, limit in budgets.of(request.values).items() if limit is None]
        if not free:
            return []
        return [_("Nothing limits how much this tenant may be promised of: %(what)s.") % {"what": ", ".join(free)}]

    def result_url(self, request: Request) -> str:
        """The tenant's page."""
        return reverse("tenant-detail", args=[request.values["code"]])


def members_of(request: Request) -> Members:
    """Role by subject; whoever asks is an owner in any case."""
    members = member_requests.members_of(request.values) | {f"user:{request.asker.username}": "owner"}
    return dict(sorted(members.items()))


def _only_reads(user: User) -> bool:
    """Whether this is an auditor who neither decides nor asks for anything in a tenant."""
    return user.is_auditor and not (user.approver_slugs or queries.tenants_askable_by(user).exists())


def _code_errors(code: str) -> dict[str, str]:
    try:
        rules.namespace_of(code, "a", "dev")
    except rules.BadName:
        # No project of such a tenant could ever be made.
        return {"/code": _("Names that begin like this are reserved for the platform.")}
    if Tenant.objects.filter(code=code).exists():
        return {"/code": _("There is a tenant with this code already.")}
    return {}
