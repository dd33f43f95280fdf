"""The kind "new project": a namespace with quota, limits, isolation and members, in one or more environments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters import services as fleet
from clusters.rules import Manifest
from clusters.words import environment_label
from tenants import figures, ledger, manifests, people, places, queries, rules, services, states
from tenants.kinds import new_project_schema, of_tenant, project_requests
from tenants.models import Project, Tenant
from tenants.placement import Placement
from tenants.services.tenant_quotas import keep_quotas
from tenants.size_plans import active_plans
from tenants.words import isolation_label
from web.errors import Invalid
from web.once import once
from workflow.kinds import Kind, Piece, Row, Target
from workflow.machine import SUBMITTED
from workflow.models import OpenTarget, Plan, Request
from workflow.schema import is_printable
from workflow.services import outcomes


class NewProject(Kind):
    """One project; in several environments, each of them is a request that is decided by itself."""

    slug = "new-project"
    title = new_project_schema.TITLE
    summary = new_project_schema.SUMMARY
    schema = new_project_schema.SCHEMA
    name_field = "name"
    parts_field = "environments"
    template = "requests/kinds/new_project.html"

    def may_ask(self, user: User) -> bool:
        """Owners and developers of any tenant."""
        return queries.may_ask_anywhere(user)

    def may_still_ask(self, request: Request) -> bool:
        """Owners and developers of the request's tenant."""
        return request.tenant in queries.tenants_askable_by(request.asker)

    def may_be_placed(self, request: Request) -> bool:
        """As it was placed: on a shared cluster, or on the tenant's own."""
        assert request.cluster is not None
        own = request.tenant_id if request.values["isolation"] == "dedicated" else None
        return request.cluster.dedicated_to_id == own

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """The person's tenants, the sizes, and for each environment the clusters that offer it."""
        tenants = [{"value": t.code, "label": f"{t.name} ({t.code})"} for t in queries.tenants_askable_by(user)]
        sizes = [{"value": plan.slug, "label": plan.name, "help": _sized(plan.figures)} for plan in active_plans()]
        own = [{"value": "", "label": _("Own figures"), "help": ""}]
        return {"tenant": tenants, "environments.size": [*sizes, *own]}

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """References, rights, names and quantities; all problems at once, but for the place (see `target`)."""
        errors: dict[str, str] = {}
        wanted = [one["environment"] for one in values["environments"]]
        if len(set(wanted)) != len(wanted):
            errors["/environments"] = _("An environment is there twice.")
        if not queries.may_ask_for(by, values["tenant"]):
            errors["/tenant"] = _("You may not ask for this tenant.")
        elif problem := next(filter(None, (_name_of(values, one)[1] for one in wanted)), ""):
            errors["/name"] = problem
        environments = []
        for place, one in enumerate(values["environments"]):
            amounts, problems = figures.read(one, f"/environments/{place}")
            errors |= problems
            environments.append(one if problems else one | figures.texts(amounts))
        errors |= people.people_errors(values, "developers", "viewers")
        groups, problems = people.groups_of(values["developer_groups"], "developer_groups")
        errors |= problems
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        return values | {"environments": environments} | _in_one_spelling(values, groups)

    def parts(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """One request for each environment."""
        return [values | {"environments": [one]} for one in values["environments"]]

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The namespace to be, on the cluster that was asked for or has the most room."""
        return self._placed(values, None)

    def edited_target(self, values: dict[str, Any], request: Request) -> Target:
        """As `target`; what the request holds already is not in its own way."""
        return self._placed(values, request)

    def _placed(self, values: dict[str, Any], without: Request | None) -> Target:
        wish = values["environments"][0]
        tenant = queries.tenant_named(values["tenant"])
        place = placed(values, wish, tenant, without)
        if place.chosen is None:
            raise Invalid(str(place.why), {"/environments/0/cluster": str(place.why)})
        namespace = rules.namespace_of(values["tenant"], values["name"], wish["environment"])
        return Target(
            keys=(project_requests.target_key(namespace),),
            tenant=tenant,
            environment=wish["environment"],
            cluster=place.chosen,
            title=namespace,
        )

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """All of it is new."""
        groups = request.values["developer_groups"]
        return project_requests.quota_facts(
            request, current={}, wanted=figures.of(request.values["environments"][0])
        ) | {
            "isolation": request.values["isolation"],
            "namespaces": 1,
            "members.added": len(members_of(request)) - len(groups),
            "groups.added": len(groups),
        }

    def pieces(self, request: Request) -> list[Piece]:
        """The project's bundle; and the tenant's quota, with its first project in an OpenShift cluster."""
        assert request.cluster is not None
        assert request.tenant is not None
        own = Piece(project_requests.owner_key(str(request.uid)), request.title, self.state(request))
        return [own, *of_tenant.quota_pieces([request.tenant], request.cluster)]

    def state(self, request: Request) -> dict[str, Any]:
        """The project as asked for, in the words of its cluster."""
        values, cluster = request.values, request.cluster
        assert cluster is not None
        return states.state_of(
            cluster,
            quota=figures.of(values["environments"][0]),
            members=members_of(request),
            namespace=request.title,
            tenant=values["tenant"],
            project=str(request.uid),
            environment=request.environment,
            display_name=values["display_name"],
            owner=request.asker.username,
            cost_centre=values["cost_centre"],
        )

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.objects."""
        return manifests.objects(state)

    def on_submit(self, request: Request, at: datetime) -> None:
        """Holds the whole quota."""
        assert request.tenant is not None
        assert request.cluster is not None
        amounts = figures.of(request.values["environments"][0])
        ledger.hold(request, [ledger.Need(request.tenant, request.cluster, amounts)])

    def on_close(self, request: Request, at: datetime) -> None:
        """Gives it back."""
        ledger.release(request)

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The project's row, the first revision of its bundle, and the tenant's quota where there is none yet."""
        assert request.cluster is not None
        assert request.tenant is not None
        assert request.tenant_id is not None
        wish = request.values["environments"][0]
        quota = figures.of(wish)
        bundle = fleet.create_bundle(
            cluster=request.cluster,
            tenant_id=request.tenant_id,
            owner=project_requests.owner_key(str(request.uid)),
            namespace=request.title,
        )
        services.create_project(
            bundle=bundle,
            members=members_of(request),
            by=by,
            at=at,
            uid=request.uid,
            tenant=request.tenant,
            name=request.values["name"],
            environment=request.environment,
            namespace=request.title,
            display_name=request.values["display_name"],
            cost_centre=request.values["cost_centre"],
            size=wish["size"],
            isolation=request.values["isolation"],
            cpu_millicores=quota["cpu"],
            memory_bytes=quota["memory"],
            storage_bytes=quota["storage"],
            pods=quota["pods"],
            owner=request.asker,
        )
        state = self.state(request)
        revision = outcomes.set_desired(
            request, bundle=bundle, manifests=self.rendered(state), state=state, by=by, at=at
        )
        ledger.grant(request, bundle, revision.number)
        keep_quotas(request=request, tenant=request.tenant, clusters=[request.cluster], by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """What an approver wants to know first."""
        values = request.values
        shown = [
            (_("Name"), values["display_name"]),
            (_("Isolation"), isolation_label(values["isolation"])),
            (_("Developers"), ", ".join([request.asker.username, *values["developers"], *values["developer_groups"]])),
            (_("Viewers"), ", ".join(values["viewers"]) or _("none")),
            (_("Cost centre"), values["cost_centre"] or _("none")),
            (_("Reason"), values["reason"] or _("none given")),
        ]
        if len(values["environments"]) > 1:
            names = [environment_label(one["environment"]) for one in values["environments"]]
            return [shown[0], (_("Environments"), ", ".join(names)), *shown[1:]]
        wish = values["environments"][0]
        own = [
            (_("Environment"), environment_label(request.environment)),
            (_("Cluster"), str(request.cluster)),
            (_("Size"), wish["size"].upper() or _("own figures")),
            *project_requests.figure_rows(figures.of(wish)),
        ]
        return [shown[0], *own, *shown[1:]]

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """The tenant's budget and the cluster's capacity, before and after."""
        return project_requests.room_bars(request, figures.of(request.values["environments"][0]))

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, and what is nearly used up."""
        return project_requests.risks_of(request, bars)

    def preview(self, values: Mapping[str, Any], user: User) -> Row:
        """{"names": [{"environment", "label", "name", "problem"}], "places": {environment: placement row}, "bars": what
        all of it takes of the tenant's budget}; nothing about tenants for which one may not ask."""
        shown: Row = {"names": [], "places": {}, "bars": []}
        code = str(values.get("tenant", ""))
        if not is_printable(code):
            return shown
        tenant = queries.tenants_askable_by(user).filter(code=code[:13]).first()
        if tenant is None:
            return shown
        wishes = project_requests.readable_rows(values.get("environments"), "environment", rules.ENVIRONMENTS)
        shown["bars"] = _budget_bars(tenant, wishes)
        for wish in wishes:
            environment = wish["environment"]
            if isinstance(values.get("name"), str) and values["name"]:
                name, problem = _name_of(values, environment)
                if name and not problem and OpenTarget.objects.filter(key=project_requests.target_key(name)).exists():
                    problem = _("An open request asks for this name already.")
                label = environment_label(environment)
                shown["names"].append({"environment": environment, "label": label, "name": name, "problem": problem})
            shown["places"][environment] = project_requests.placement_row(placed(values, wish, tenant))
        return shown

    def known_facts(self, values: Mapping[str, Any], by: User) -> list[tuple[str, dict[str, Any]]]:
        """What is known of each environment while the form is not complete."""
        tenant = str(values.get("tenant", ""))[:12]
        rows = project_requests.readable_rows(values.get("environments"), "environment", rules.ENVIRONMENTS)
        return [
            (environment_label(row["environment"]), {"environment": row["environment"], "tenant": tenant})
            for row in rows
        ] or [("", {})]

    def result_url(self, request: Request) -> str:
        """The project's page."""
        return reverse("project-detail", args=[request.uid]) if request.outcomes.all() else ""


def _budget_bars(tenant: Tenant, wishes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """What the environments take together, as far as their figures are whole; [] before any is chosen."""
    if not wishes:
        return []
    whole = [amounts for amounts, problems in map(figures.read, wishes) if not problems]
    together = {name: sum(amounts[name] for amounts in whole) for name in rules.RESOURCES}
    return project_requests.room_bars(Request(state=SUBMITTED, tenant=tenant), together)


def placed(
    values: Mapping[str, Any], wish: Mapping[str, Any], tenant: Tenant, without: Request | None = None
) -> Placement:
    """Where one environment would go; unfinished figures need nothing. The request that is edited (`without`) stays
    where it is, as long as it fits there and nobody names another cluster."""
    amounts, problems = figures.read(wish)
    isolation = values.get("isolation", "shared")
    if isolation not in rules.ISOLATIONS:
        isolation = "shared"
    need = {} if problems else amounts
    wanted = str(wish.get("cluster", ""))[:40]
    if not wanted and without is not None and without.cluster is not None:
        stays = places.choose(wish["environment"], isolation, tenant, need, without.cluster.name, without)
        if stays.chosen is not None:
            return stays
    return places.choose(wish["environment"], isolation, tenant, need, wanted, without)


def members_of(request: Request) -> list[tuple[str, str]]:
    """(subject, role) pairs, groups as the directory spells them; whoever asks is a developer, and the stronger role
    wins."""
    values = request.values
    roles = {f"user:{name}": "viewer" for name in values["viewers"]}
    roles |= {f"user:{name}": "developer" for name in [*values["developers"], request.asker.username]}
    roles |= {f"group:{dn}": "developer" for dn in values["developer_groups"]}
    return sorted(roles.items())


def _name_of(values: Mapping[str, Any], environment: str) -> tuple[str, str]:
    """(namespace, problem); either may be empty."""
    try:
        name = rules.namespace_of(values["tenant"], values["name"], environment)
    except rules.BadName as error:
        return "", project_requests.bad_name(str(error))
    if any(environment == one or name == namespace for one, namespace in _namesakes(values["tenant"], values["name"])):
        return name, _("A project of this name exists already.")
    return name, ""


def _namesakes(code: str, name: str) -> list[tuple[str, str]]:
    """(environment, namespace) of the projects of this name in the tenant; "" for the environment of others, which
    have one of the namespaces: an adopted one may have another name than the project would give it."""
    spaces = [f"{code}-{name}-{environment}" for environment in rules.ENVIRONMENTS]
    same = Q(namespace__in=spaces) | Q(tenant__code=code, name=name)

    def read() -> list[tuple[str, str]]:
        found = Project.objects.filter(same, gone_at__isnull=True)
        rows = found.values_list("tenant__code", "name", "environment", "namespace")
        return [(place if (of, called) == (code, name) else "", space) for of, called, place, space in rows]

    return once(("namesakes", code, name), read)


def _in_one_spelling(values: dict[str, Any], groups: list[str]) -> dict[str, list[str]]:
    """People as the portal's subjects are spelt and groups as the directory spells them; nobody is bound twice."""
    named = {field: [name.lower() for name in values[field]] for field in ("developers", "viewers")}
    return {field: list(dict.fromkeys(names)) for field, names in (named | {"developer_groups": groups}).items()}


def _sized(amounts: Mapping[str, int]) -> str:
    return " · ".join(f"{label} {text}" for label, text in project_requests.figure_rows(amounts))
