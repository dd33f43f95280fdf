"""The kind "new project": a namespace with quota, limits, network isolation and members."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import directory
from accounts.models import User
from clusters import services as fleet
from clusters.models import BundleRevision, Cluster
from clusters.quantity import bytes_of, millicores
from clusters.queries import clusters_of_environment
from clusters.rules import Manifest
from clusters.words import environment_label
from tenants import manifests, queries, rules, services
from tenants.kinds import new_project_schema
from tenants.models import Project, Tenant
from tenants.subjects import subject_in
from web.errors import Invalid
from workflow.kinds import Kind, Target
from workflow.machine import OPEN_STATES
from workflow.models import Request
from workflow.services.approval import approvers

# How each quantity is read, and its bounds: millicores and bytes. The upper ones are those of no cluster of today.
QUANTITIES: dict[str, tuple[Callable[[str], int], int, int]] = {
    "cpu": (millicores, 100, 10_000 * 1000),
    "memory": (bytes_of, 64 * 1024**2, 100 * 1024**4),
    "storage": (bytes_of, 0, 10 * 1024**5),
}


class NewProject(Kind):
    """One project in one environment."""

    slug = "new-project"
    title = new_project_schema.TITLE
    summary = new_project_schema.SUMMARY
    schema = new_project_schema.SCHEMA
    name_field = "name"

    def may_ask(self, user: User) -> bool:
        """Owners and developers of any tenant."""
        return queries.tenants_askable_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners and developers of the request's tenant."""
        return queries.tenants_askable_by(request.asker).filter(pk=request.tenant_id).exists()

    def options(self, user: User) -> dict[str, list[dict[str, Any]]]:
        """The person's tenants, and the clusters there are."""
        tenants = [{"value": t.code, "label": f"{t.name} ({t.code})"} for t in queries.tenants_askable_by(user)]
        clusters = [{"value": "", "label": _("Any that fits")}] + [
            {"value": c.name, "label": _cluster_label(c)} for c in Cluster.objects.filter(is_active=True)
        ]
        return {"tenant": tenants, "cluster": clusters}

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """References, rights, name and quantities; all problems at once, but for the place (see `target`)."""
        errors: dict[str, str] = {}
        if not queries.tenants_askable_by(by).filter(code=values["tenant"]).exists():
            errors["/tenant"] = _("You may not ask for this tenant.")
        elif problem := _name_of(values)[1]:
            errors["/name"] = problem
        errors |= _quantity_errors(values)
        errors |= _people_errors(values)
        groups, problems = _groups_of(values)
        errors |= problems
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        return values | _in_one_spelling(values, groups)

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The namespace to be."""
        cluster = _placed(values)
        if cluster is None:
            place = "/cluster" if values["cluster"] else "/environment"
            problem = _("No cluster offers this environment.")
            raise Invalid(problem, {place: problem})
        namespace = rules.namespace_of(values["tenant"], values["name"], values["environment"])
        return Target(
            key=_key(namespace),
            tenant=Tenant.objects.get(code=values["tenant"]),
            environment=values["environment"],
            cluster=cluster,
            owner=f"project:{uid}",
            title=namespace,
        )

    def state(self, request: Request) -> dict[str, Any]:
        """The project as asked for, in the words of its cluster."""
        values, cluster = request.values, request.cluster
        assert cluster is not None
        return {
            "namespace": request.title,
            "tenant": values["tenant"],
            "project": str(request.uid),
            "environment": values["environment"],
            "display_name": values["display_name"],
            "owner": request.asker.username,
            "cost_centre": values["cost_centre"],
            "quota": quota_of(values),
            "members": [
                {"subject": subject_in(cluster, subject), "role": role} for subject, role in members_of(request)
            ],
            "ingress_labels": cluster.ingress_labels,
            "monitoring_labels": cluster.monitoring_labels,
            "flavour": cluster.flavour,
        }

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.project."""
        return manifests.project(state)

    def carry_out(self, request: Request, manifests: list[Manifest], by: User | None, at: datetime) -> BundleRevision:
        """The project's row and the first revision of its bundle."""
        assert request.cluster is not None
        quota = quota_of(request.values)
        bundle = fleet.create_bundle(
            cluster=request.cluster,
            tenant_id=request.tenant_id,
            owner=f"project:{request.uid}",
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
            cpu_millicores=quota["cpu"],
            memory_bytes=quota["memory"],
            storage_bytes=quota["storage"],
            pods=quota["pods"],
            owner=request.asker,
        )
        provenance = {
            "request": request.number,
            "asker": request.asker.username,
            "approvers": approvers(request) or [f"policy: {request.policy.slug}"],
        }
        return fleet.set_desired(
            bundle=bundle, manifests=manifests, state=self.state(request), provenance=provenance, by=by, at=at
        )

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """What an approver wants to know first."""
        values = request.values
        people = values["developers"] + values["developer_groups"]
        return [
            (_("Name"), values["display_name"]),
            (_("Environment"), environment_label(values["environment"])),
            (_("Cluster"), str(request.cluster)),
            (_("CPU"), values["cpu"]),
            (_("Memory"), values["memory"]),
            (_("Storage"), values["storage"]),
            (_("Pods"), str(values["pods"])),
            (_("Developers"), ", ".join([request.asker.username, *people])),
            (_("Viewers"), ", ".join(values["viewers"]) or _("none")),
            (_("Cost centre"), values["cost_centre"] or _("none")),
            (_("Reason"), values["reason"] or _("none given")),
        ]

    def name_preview(self, values: dict[str, Any], user: User) -> tuple[str, str]:
        """The namespace's name, and why it cannot be had; nothing about tenants for which one may not ask."""
        parts = [values.get(part, "") for part in ("tenant", "name", "environment")]
        if not all(isinstance(part, str) and part for part in parts) or parts[2] not in rules.ENVIRONMENTS:
            return "", ""
        if values["tenant"] not in queries.tenants_askable_by(user).values_list("code", flat=True):
            return "", ""
        name, problem = _name_of(values)
        if name and not problem and Request.objects.filter(target=_key(name), state__in=OPEN_STATES).exists():
            problem = _("An open request asks for this name already.")
        return name, problem

    def result_url(self, request: Request) -> str:
        """The project's page."""
        return reverse("project-detail", args=[request.uid]) if request.bundle_id else ""


def _key(namespace: str) -> str:
    """What at most one open request is about."""
    return f"namespace:{namespace}"


def quota_of(values: dict[str, Any]) -> dict[str, int]:
    """Millicores, bytes and counts from the checked texts."""
    return {
        "cpu": millicores(values["cpu"]),
        "memory": bytes_of(values["memory"]),
        "storage": bytes_of(values["storage"]),
        "pods": values["pods"],
    }


def members_of(request: Request) -> list[tuple[str, str]]:
    """(subject, role) pairs, groups as the directory spells them; whoever asks is a developer, and the stronger role
    wins."""
    values = request.values
    roles = {f"user:{name}": "viewer" for name in values["viewers"]}
    roles |= {f"user:{name}": "developer" for name in [*values["developers"], request.asker.username]}
    roles |= {f"group:{dn}": "developer" for dn in values["developer_groups"]}
    return sorted(roles.items())


def _name_of(values: dict[str, Any]) -> tuple[str, str]:
    """(namespace, problem); either may be empty."""
    try:
        name = rules.namespace_of(values["tenant"], values["name"], values["environment"])
    except rules.BadName as error:
        return "", _bad_name(str(error))
    if Project.objects.filter(namespace=name).exists():
        return name, _("A project of this name exists already.")
    return name, ""


def _in_one_spelling(values: dict[str, Any], groups: list[str]) -> dict[str, list[str]]:
    """People as the portal's subjects are spelt and groups as the directory spells them; nobody is bound twice."""
    people = {field: [name.lower() for name in values[field]] for field in ("developers", "viewers")}
    return {field: list(dict.fromkeys(names)) for field, names in (people | {"developer_groups": groups}).items()}


def _placed(values: dict[str, Any]) -> Cluster | None:
    """The cluster asked for, else the first by name that offers the environment."""
    fitting = clusters_of_environment(values["environment"])
    if values.get("cluster"):
        fitting = fitting.filter(name=values["cluster"])
    return fitting.first()


def _cluster_label(cluster: Cluster) -> str:
    environments = ", ".join(environment_label(name) for name in cluster.environments)
    return f"{cluster.name} ({environments})"


def _bad_name(reason: str) -> str:
    return {
        "grammar": _("Small letters, digits and hyphens; begins with a letter and does not end with a hyphen."),
        "length": _("Tenant, name and environment together have at most 63 characters."),
        "reserved": _("Names that begin like this are reserved for the platform."),
    }[reason]


def _quantity_errors(values: dict[str, Any]) -> dict[str, str]:
    errors = {}
    for field, (parse, least, most) in QUANTITIES.items():
        try:
            amount = parse(values[field])
        except ValueError as error:
            errors[f"/{field}"] = str(error)
            continue
        if amount < least:
            errors[f"/{field}"] = _("This is too little to run anything.")
        elif amount > most:
            errors[f"/{field}"] = _("This is more than any cluster has.")
    return errors


def _people_errors(values: dict[str, Any]) -> dict[str, str]:
    """People must be in the directory; while it does not answer, those the portal knows are accepted."""
    errors = {}
    named = [
        (f"/{field}/{place}", name) for field in ("developers", "viewers") for place, name in enumerate(values[field])
    ]
    known = _known_people({name for _pointer, name in named})
    for pointer, name in named:
        if name not in known:
            errors[pointer] = _("%(name)s is not in the directory.") % {"name": name}
    return errors


def _groups_of(values: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The DNs of the groups in the directory's own spelling, and what is wrong with the others."""
    groups, errors = [], {}
    for place, dn in enumerate(values["developer_groups"]):
        try:
            groups.append(directory.group_named(dn).dn)
        except directory.UnusableGroup as error:
            errors[f"/developer_groups/{place}"] = _unusable_group(str(error)) % {"name": dn}
    return groups, errors


def _unusable_group(reason: str) -> str:
    return {
        "missing": _("%(name)s is not in the directory."),
        "unnamed": _("%(name)s is not named by its cn, so no cluster can be told of it."),
        "ambiguous": _("Another group has the same cn as %(name)s, and clusters could not tell them apart."),
    }[reason]


def _known_people(names: set[str]) -> set[str]:
    """Those of the names that somebody has. A dead directory is asked once, not once for each of 200 names."""
    try:
        return {name for name in names if directory.person_exists(name)}
    except directory.DirectoryUnavailable:
        lower = [name.lower() for name in names]
        users = set(User.objects.filter(username__in=lower, is_active=True).values_list("username", flat=True))
        return {name for name in names if name.lower() in users}
