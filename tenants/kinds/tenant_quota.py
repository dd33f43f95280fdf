"""The kind "tenant quota": how much may be promised to a tenant on all clusters together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.capacity import effective
from clusters.models import Capacity, Cluster
from clusters.rows import resource_bar
from clusters.words import resource_label
from tenants import budgets, ledger, manifests, queries, tenant_quotas
from tenants.budgets import Budget
from tenants.figures import text_of
from tenants.kinds import of_tenant, tenant_quota_schema
from tenants.kinds.project_requests import is_owner
from tenants.models import Tenant, TenantBudget
from tenants.rules import RESOURCES
from tenants.services.tenant_quotas import keep_quotas, lock_quotas
from tenants.services.tenants import is_administrator
from tenants.standing import readable
from web.errors import Invalid
from workflow.facts import NO_LIMIT
from workflow.kinds import Alteration, Kind, Row, Target
from workflow.models import Plan, Request


class TenantQuota(Kind):
    """The four limits of one tenant; no limit is as much as the clusters have."""

    slug = "tenant-quota"
    title = tenant_quota_schema.TITLE
    summary = tenant_quota_schema.SUMMARY
    schema = tenant_quota_schema.SCHEMA
    name_field = "tenant"
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners of a tenant, and administrators."""
        return _tenants_of(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """The tenant's owners, and administrators."""
        return request.tenant in _tenants_of(request.asker)

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """The tenant it is about, or all of the person's where none is chosen yet."""
        chosen = _tenant(values, user)
        tenants = [chosen] if chosen else list(_tenants_of(user))
        return {"tenant": [{"value": one.code, "label": f"{one.name} ({one.code})"} for one in tenants]}

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The tenant."""
        return of_tenant.about(values, user)

    def prefilled(self, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """With the limits of today, where none are given."""
        tenant = _tenant(values, user)
        if tenant is None or any(values.get(resource) for resource in RESOURCES):
            return dict(values)
        return {**values, **budgets.written(ledger.budget_of(tenant))}

    def preview(self, values: Mapping[str, Any], user: User) -> Row:
        """{"bars", "notes"}: what is promised of the limits, as far as they can be read, and what is in their way."""
        tenant = _tenant(values, user)
        budget, errors = budgets.read(values)
        if tenant is None or errors or not isinstance(budget["pods"], int | None) or (budget["pods"] or 0) < 0:
            return {"bars": [], "notes": [_("Fill in the limits to see what they come to.")]}
        try:
            ledger.check_budget(tenant, budget)
        except ledger.BelowPromised as error:
            return {"bars": [_group(tenant, ledger.budget_of(tenant), budget)], "notes": [error.sentence]}
        return {"bars": [_group(tenant, ledger.budget_of(tenant), budget)], "notes": []}

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The tenant, the right to ask for it, the quantities, and that no limit is below what is promised."""
        tenant = _tenant(values, by)
        budget, errors = budgets.read(values)
        if tenant is None:
            errors["/tenant"] = _("You may not ask for this tenant.")
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        assert tenant is not None
        if budget == ledger.budget_of(tenant):
            raise Invalid(_("Nothing would change: this is the tenant's budget."))
        try:
            ledger.check_budget(tenant, budget)
        except ledger.BelowPromised as error:
            raise Invalid(error.sentence, _below(error)) from error
        return {name: values[name] for name in ("tenant", "reason")} | budgets.written(budget)

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The tenant's budget."""
        tenant = Tenant.objects.get(code=values["tenant"])
        keys = (f"tenant-budget:{tenant.code}",)
        return Target(keys=keys, tenant=tenant, environment="", cluster=None, title=tenant.code)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """Limits before and after, and what would be left; no limit counts as the largest number there is."""
        assert request.tenant is not None
        wanted, pools = budgets.of(request.values), ledger.pools_of_tenant(request.tenant)
        facts: dict[str, str | int | bool] = {"asker.is_tenant_owner": is_owner(request)}
        for resource in RESOURCES:
            then, now = _counted(wanted[resource]), _counted(pools[resource].limit)
            facts |= {
                f"requested.{resource}": then,
                f"left.{resource}": then if then == NO_LIMIT else then - pools[resource].promised,
                f"current.{resource}": now,
                f"delta.{resource}": then - now,
            }
        return facts

    def known_facts(self, values: Mapping[str, Any], by: User) -> list[tuple[str, dict[str, Any]]]:
        """What follows from the tenant alone."""
        tenant = _tenant(values, by)
        return [("", {"tenant": tenant.code, "environment": "", "cluster": ""} if tenant else {})]

    def alterations(self, request: Request) -> list[Alteration]:
        """The limits as they are now and as they would be, in Kubernetes' own form; and the quotas in OpenShift
        clusters that follow them, each in a bundle of its own (docs/adr/0010-openshift.md)."""
        tenant, wanted = request.tenant, budgets.of(request.values)
        assert tenant is not None
        before, after = budgets.texts(ledger.budget_of(tenant)), budgets.texts(wanted)
        return [Alteration("TenantBudget", tenant.code, before, after), *_quotas(tenant, wanted)]

    def check_seen(self, request: Request, plan: Plan) -> None:
        """More may have been promised since it was asked. Raises BelowPromised."""
        assert request.tenant is not None
        ledger.check_budget(request.tenant, budgets.of(request.values))

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The limits, and revisions of the quotas that follow them. Raises BelowPromised."""
        tenant = request.tenant
        assert tenant is not None
        lock_quotas(tenant)
        ledger.set_budget(tenant=tenant, amounts=budgets.of(request.values), by=by, at=at)
        clusters = tenant_quotas.clusters_of(tenant)
        keep_quotas(request=request, tenant=tenant, clusters=clusters, by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """Each limit before and after."""
        before, after = _before(request), budgets.of(request.values)
        rows = [(resource_label(name), _change(name, before[name], after[name])) for name in RESOURCES]
        return [
            (_("Tenant"), f"{request.tenant} ({request.values['tenant']})"),
            *rows,
            (_("Reason"), request.values["reason"] or _("none given")),
        ]

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """What is promised of each limit, before and after."""
        assert request.tenant is not None
        return [_group(request.tenant, _before(request), budgets.of(request.values))]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Resources of which more may be promised to all tenants together than all clusters have."""
        assert request.tenant is not None
        after, others, have = budgets.of(request.values), _others(request.tenant), _capacity()
        found = []
        for name in RESOURCES:
            limit, capacity = after[name], have[name]
            together = others.get(name, 0) + (limit or 0)
            if limit is None or capacity is None or together <= capacity:
                continue
            words = {"resource": resource_label(name), "budgets": readable(name, together)}
            if not capacity:
                found.append(_("%(resource)s: budgets come to %(budgets)s, and no cluster has any.") % words)
                continue
            words |= {"capacity": readable(name, capacity), "factor": f"{together / capacity:.1f}"}
            text = _("%(resource)s: all budgets together are %(budgets)s, %(factor)s times the clusters' %(capacity)s.")
            found.append(text % words)
        return found

    def result_url(self, request: Request) -> str:
        """The tenant's page."""
        return reverse("tenant-detail", args=[request.values["tenant"]])


def _quotas(tenant: Tenant, budget: Budget) -> list[Alteration]:
    """What becomes of the tenant's quota in each OpenShift cluster in which it has projects."""
    clusters = tenant_quotas.clusters_of(tenant)
    now = tenant_quotas.wanted_now(tenant, clusters)
    wanted = manifests.tenant_quota(tenant_quotas.state_of(tenant, budget))
    changes = []
    for cluster in clusters:
        before, after = _hard(now[cluster.pk]), _hard(wanted)
        if before != after:
            changes.append(Alteration("ClusterResourceQuota", f"portal-{tenant.code} ({cluster})", before, after))
    return changes


def _hard(objects: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What the quota among these limits; None where there is none."""
    return next((one["spec"]["quota"]["hard"] for one in objects), None)


def _group(tenant: Tenant, before: Budget, after: Budget) -> Row:
    """The bars of a budget that changes, with what is promised of resources that have no limit then."""
    pools = ledger.pools_of_tenant(tenant)
    drawn, unlimited = [], []
    for name in RESOURCES:
        own, limit = pools[name], after[name]
        if limit is None:
            words = {"name": resource_label(name), "promised": readable(name, own.promised)}
            unlimited.append(_("%(name)s: no limit, %(promised)s promised.") % words)
            continue
        drawn.append(resource_bar(name, used=own.settled, held=own.held, limit=limit, limit_before=before[name]))
    title = _("Budget of tenant %(name)s") % {"name": tenant}
    return {"title": title, "bars": drawn, "note": " ".join(unlimited)}


def _tenants_of(user: User) -> Any:
    """Tenants whose budget the person may ask to change."""
    return Tenant.objects.all() if is_administrator(user) else queries.tenants_owned_by(user)


def _tenant(values: Mapping[str, Any], user: User) -> Tenant | None:
    """The tenant that unfinished values name, if the person may ask for it."""
    code = values.get("tenant")
    found: Tenant | None = None
    if isinstance(code, str) and code.isascii() and code.isalnum():
        found = _tenants_of(user).filter(code=code).first()
    return found


def _below(error: ledger.BelowPromised) -> dict[str, str]:
    """What is promised already, at the field of each resource."""
    excesses: Any = error.context["excesses"]
    return {
        f"/{excess['resource']}": _("%(promised)s is promised already.")
        % {"promised": readable(excess["resource"], excess["promised"])}
        for excess in excesses
    }


def _before(request: Request) -> Budget:
    """The limits when this was asked."""
    known = {name: request.facts.get(f"current.{name}") for name in RESOURCES}
    return {name: None if amount == NO_LIMIT else amount for name, amount in known.items()}


def _change(resource: str, before: int | None, after: int | None) -> str:
    old, new = (_("no limit") if amount is None else text_of(resource, amount) for amount in (before, after))
    return new if old == new else f"{old} → {new}"


def _capacity() -> Budget:
    """What all clusters together may promise; None where that of any of them is not known."""
    known = {capacity.cluster_id: effective(capacity) for capacity in Capacity.objects.all()}
    rows = [known.get(pk, {}) for pk in Cluster.objects.filter(is_active=True).values_list("pk", flat=True)]
    amounts = {name: [row.get(name) for row in rows] for name in RESOURCES}
    return {name: None if None in given else sum(filter(None, given)) for name, given in amounts.items()}


def _others(tenant: Tenant) -> dict[str, int]:
    """What all other tenants' budgets of each resource come to."""
    rows = TenantBudget.objects.exclude(tenant=tenant).order_by().values_list("resource")
    return dict(rows.annotate(amount=Sum("amount")))


def _counted(limit: int | None) -> int:
    return NO_LIMIT if limit is None else limit
