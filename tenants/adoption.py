"""Namespaces that exist already: what a cluster says of them, and what each would be as a project."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from re import fullmatch
from typing import Any

from django.utils.translation import gettext as _

from accounts.rules import normal_dn
from clusters.access import PASS_TIMEOUT, driver_for
from clusters.drivers.base import MANAGED_LABEL, DriverError, Surveyed
from clusters.models import Cluster
from clusters.words import resource_label
from tenants import figures, manifests, people, rules, states
from tenants.foreign_quotas import Quotas, figures_of, used_of
from tenants.models import Membership, Project, Tenant
from tenants.rules import RESOURCES
from tenants.size_plans import active_plans
from web.errors import Invalid
from web.sealing import Unreadable
from workflow.schema import LINE_END, is_printable

Row = dict[str, Any]
# (subject, role) pairs by tenant code.
Members = Mapping[str, Sequence[Sequence[str]]]

TENANT_LABEL, ENVIRONMENT_LABEL = "portal.cloud/tenant", "portal.cloud/environment"
_DISPLAY_NAME = "openshift.io/display-name"
_MOST_PODS = 1_000_000
# Of what others keep in a namespace, so many names are kept with the request.
_NAMES = 10


@dataclass(frozen=True)
class Asked:
    """A namespace that is asked for, as a row of the schema; `pointer` says where to programs, `place` to people ("" if
    that is enough)."""

    row: Mapping[str, Any]
    pointer: str
    place: str = ""

    def errors(self, problems: Mapping[str, str]) -> dict[str, str]:
        """Sentences by JSON pointer, from those by field."""
        return {f"{self.pointer}/{name}": self.said(name, text) for name, text in problems.items()}

    def said(self, name: str, text: str) -> str:
        """The sentence with its place."""
        return (
            _("%(place)s, %(field)s: %(text)s") % {"place": self.place, "field": name, "text": text}
            if self.place
            else text
        )


@dataclass(frozen=True)
class Known:
    """What rows are held against: `values` are the request's, `taken` the namespaces of projects there are, `names`
    those projects as (tenant code, name, environment), `sizes` figures by size."""

    cluster: Cluster
    values: Mapping[str, Any]
    members: Members
    tenants: Mapping[str, Tenant]
    taken: frozenset[str]
    names: frozenset[tuple[str, str, str]]
    sizes: Mapping[str, figures.Figures]


def survey(cluster: Cluster, selector: str = "", names: Sequence[str] = ()) -> dict[str, Surveyed]:
    """What is in the namespaces that the selector finds, or those of these names, by name. Network: never inside of a
    transaction. Raises Invalid at the field that is to blame."""
    field = "/cluster"
    try:
        driver = driver_for(cluster, PASS_TIMEOUT)
        field = "/selector" if selector and driver.capabilities.can_survey else field
        return {one.name: one for one in driver.survey(selector, names)}
    except DriverError as error:
        at = "/cluster" if error.transient or error.operator else field
        raise Invalid(str(error.sentence), {at: str(error.sentence)}) from error
    except Unreadable as error:
        raise Invalid(str(error.sentence), {field: str(error.sentence)}) from error


def known_of(
    cluster: Cluster, values: Mapping[str, Any], asked: Iterable[Asked], seen: Mapping[str, Surveyed]
) -> tuple[Known, dict[str, str]]:
    """(what the namespaces are held against, errors by JSON pointer), in as many queries for hundreds as for one."""
    labelled = {live.labels.get(TENANT_LABEL, "") for live in seen.values()}
    codes = {one.row["tenant"] for one in asked} | labelled | {values["tenant"]}
    tenants = {tenant.code: tenant for tenant in Tenant.objects.filter(code__in=codes)}
    members, errors = members_of(tenants.values()) if "members" in values["take"] else ({}, {})
    projects = Project.objects.filter(gone_at__isnull=True, tenant__in=tenants.values())
    known = Known(
        cluster=cluster,
        values=values,
        members=members,
        tenants=tenants,
        taken=projects_named(seen),
        names=frozenset(projects.values_list("tenant__code", "name", "environment")),
        sizes={plan.slug: plan.figures for plan in active_plans()},
    )
    errors |= _errors_for_all(known)
    return known, errors


def _errors_for_all(known: Known) -> dict[str, str]:
    """What is wrong with what is said for all namespaces."""
    errors, values = {}, known.values
    if values["tenant"] and values["tenant"] not in known.tenants:
        errors["/tenant"] = _("There is no such tenant.")
    if values["environment"] and values["environment"] not in known.cluster.environments:
        errors["/environment"] = _("The cluster does not take this environment.")
    if values["default_size"] and values["default_size"] not in known.sizes:
        errors["/default_size"] = _("There is no such size.")
    return errors


def members_of(tenants: Iterable[Tenant]) -> tuple[dict[str, list[list[str]]], dict[str, str]]:
    """({tenant code: [[subject, role]]}, errors by JSON pointer) of developers and viewers, groups as the directory
    spells them, since clusters tell upper and lower case apart. Asks the directory; raises DirectoryUnavailable."""
    members: dict[str, list[list[str]]] = {tenant.code: [] for tenant in tenants}
    errors: dict[str, str] = {}
    rows = Membership.objects.filter(Membership.OF_PEOPLE, tenant__code__in=members, role__in=["developer", "viewer"])
    for code, subject, role in rows.order_by("tenant", "subject").values_list("tenant__code", "subject", "role"):
        kind, _colon, name = subject.partition(":")
        spelt, problems = people.groups_of([name], "take") if kind == "group" else ([name], {})
        members[code] += [[f"{kind}:{one}", role] for one in spelt]
        errors |= problems
    return members, errors


def projects_named(names: Iterable[str], cluster: Cluster | None = None) -> frozenset[str]:
    """Those of the names that are the namespace of a project, on this cluster or on any."""
    rows = Project.objects.filter(gone_at__isnull=True, namespace__in=list(names))
    if cluster is not None:
        rows = rows.filter(bundle__cluster=cluster)
    return frozenset(rows.values_list("namespace", flat=True))


def resolved(asked: Iterable[Asked], seen: Mapping[str, Surveyed], known: Known) -> tuple[list[Row], dict[str, str]]:
    """(rows as they are stored, errors by JSON pointer) of what is asked for, in its order."""
    rows: list[Row] = []
    errors: dict[str, str] = {}
    names = set(known.names)
    for one in asked:
        row, problems = _resolved(one.row, seen.get(one.row["namespace"]), known)
        key = (row.get("tenant", ""), row.get("name", ""), row.get("environment", ""))
        if not problems and key in names:
            problems = {"name": _("The tenant has, or would have, another project of this name there.")}
        names.add(key)
        errors |= one.errors(problems)
        rows.append(row)
    return rows, errors


def _resolved(row: Mapping[str, Any], live: Surveyed | None, known: Known) -> tuple[Row, dict[str, str]]:
    problem = _unusable(row["namespace"], live, known)
    if problem or live is None:
        return {}, {"namespace": problem}
    whose, errors = _whose(row, live, known)
    amounts, size, problems = _amounts(row, live.quotas, known)
    errors |= problems
    if errors:
        return {}, errors
    found = {
        "uid": live.uid,
        "quotas": {name: live.quotas[name]["hard"] for name in sorted(live.quotas)[:_NAMES]},
        "used": {resource: ceil(amount) for resource, amount in used_of(live.quotas).items()},
        "others": {kind: {"count": len(names), "names": names[:_NAMES]} for kind, names in live.others.items()},
        "labels": len(live.labels),
    }
    resolved_row = {"namespace": live.name, **whose, "size": size, **figures.texts(amounts), **found}
    in_the_way = _in_the_way(resolved_row, live, known)
    return resolved_row, {"namespace": in_the_way} if in_the_way else {}


def _unusable(namespace: str, live: Surveyed | None, known: Known) -> str:
    """Why the namespace cannot be adopted at all, "" if it can."""
    words = {"name": namespace, "cluster": known.cluster.name}
    if namespace.startswith(rules.RESERVED_PREFIXES):
        return _("Names that begin like this are reserved for the platform.")
    if live is None:
        return _("There is no namespace %(name)s in the cluster %(cluster)s.") % words
    if live.bundle:
        return _("The namespace %(name)s is the portal's already.") % words
    if namespace in known.taken:
        return _("There is a project with the namespace %(name)s already.") % words
    if live.terminating:
        return _("The namespace %(name)s is being deleted.") % words
    if not live.is_open:
        words["command"] = f"kubectl label namespace {namespace} {MANAGED_LABEL}=true"
        return (
            _(
                "The namespace %(name)s is not opened for the portal; "
                "an administrator of the cluster does it with: %(command)s"
            )
            % words
        )
    return ""


def _whose(row: Mapping[str, Any], live: Surveyed, known: Known) -> tuple[Row, dict[str, str]]:
    """Tenant, environment and names: from the row, else from labels that are valid, else as is said for all."""
    values, errors = known.values, {}
    label = live.labels.get(TENANT_LABEL, "")
    code = row["tenant"] or (label if label in known.tenants else values["tenant"])
    tenant = known.tenants.get(code)
    if tenant is None:
        errors["tenant"] = _("There is no such tenant.") if code else _("Whose is it? Nothing says a tenant.")
    elif known.cluster.dedicated_to_id not in (None, tenant.pk):
        errors["tenant"] = _("The cluster is dedicated to another tenant.")
    label = live.labels.get(ENVIRONMENT_LABEL, "")
    environment = row["environment"] or (label if label in rules.ENVIRONMENTS else values["environment"])
    if not environment:
        errors["environment"] = _("Nothing says an environment.")
    elif environment not in known.cluster.environments:
        errors["environment"] = _("The cluster does not take this environment.")
    name = row["name"] or name_of(live.name, code, environment)
    if not errors and not name:
        errors["name"] = _("No short name follows from the namespace's; please give one.")
    display_name = row["display_name"].strip() or _display_name(live) or name
    whose = {"tenant": code, "name": name, "environment": environment, "display_name": display_name}
    return whose, errors


def name_of(namespace: str, tenant: str, environment: str) -> str:
    """The project's name that follows from the namespace's, "" where none does."""
    short = namespace.removeprefix(f"{tenant}-").removesuffix(f"-{environment}")
    return next((one for one in (short, namespace) if fullmatch(rules.PROJECT_NAME, one) and len(one) <= 40), "")


def _display_name(live: Surveyed) -> str:
    text = live.annotations.get(_DISPLAY_NAME, "").strip()
    return text if len(text) <= 80 and is_printable(text) and not LINE_END.search(text) else ""


def _amounts(row: Mapping[str, Any], quotas: Quotas, known: Known) -> tuple[figures.Figures, str, dict[str, str]]:
    """(figures, size, errors by field): as the row says, else as quotas there say, else by the size for the rest."""
    given: Row = {name: row[name] for name in RESOURCES if row.get(name)}
    found, rest = figures_of(quotas), known.sizes.get(known.values["default_size"], {})
    size = row["size"] or ("" if given or found else known.values["default_size"])
    if row["size"]:
        amounts = known.sizes.get(size, {})
        errors = {} if amounts else {"size": _("There is no such size.")}
    else:
        texts = {name: figures.text_of(name, amount) for name, amount in {**rest, **found}.items() if name != "pods"}
        pods = {name: amount for name, amount in {**rest, **found}.items() if name == "pods"}
        amounts, problems = figures.read({**texts, **pods, **given})
        errors = {pointer.removeprefix("/"): text for pointer, text in problems.items()}
        missing = set(RESOURCES) - set(texts) - set(pods) - set(given)
        errors |= {name: _("No quota says how much; please give it, or a size for the rest.") for name in missing}
        if not 1 <= amounts.get("pods", 1) <= _MOST_PODS:
            errors["pods"] = _("At least 1, at most %(limit)s.") % {"limit": _MOST_PODS}
    for resource, amount in used_of(quotas).items():
        if resource not in errors and amounts and amounts[resource] < amount:
            words = {"used": figures.text_of(resource, ceil(amount)), "resource": resource_label(resource)}
            errors[resource] = _("%(used)s of %(resource)s are in use.") % words
    return amounts, size, errors


def _in_the_way(row: Row, live: Surveyed, known: Known) -> str:
    """A sentence if something there has the name of what the portal would keep, else ""."""
    state = state_of(known.cluster, row, known.members, known.values["take"], project="", owner="")
    there = {"ResourceQuota": list(live.quotas), **live.others}
    for manifest in manifests.project(state):
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if name in there.get(kind, []):
            words = {"kind": kind, "name": name}
            return _("There is a %(kind)s %(name)s in it, as the portal would call its own.") % words
    return ""


def state_of(
    cluster: Cluster, row: Mapping[str, Any], members: Members, take: Iterable[str], *, project: str, owner: str
) -> dict[str, Any]:
    """The wanted state of a namespace that is adopted, as `states.state_of`; `project` is its uid to be."""
    return states.state_of(
        cluster,
        quota=figures.of(row),
        members=[(subject, role) for subject, role in members.get(row["tenant"], [])],
        parts=["quota", *take],
        namespace=row["namespace"],
        tenant=row["tenant"],
        project=project,
        environment=row["environment"],
        display_name=row["display_name"],
        owner=owner,
        cost_centre="",
    )


def reference_of(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The namespace itself, as clusters.rules.reference."""
    return "v1", "Namespace", "", row["namespace"]


def changed_since(rows: Iterable[Mapping[str, Any]], seen: Mapping[str, Surveyed]) -> list[str]:
    """Sentences on what keeps namespaces from being adopted as they were found when it was asked for."""
    sentences = []
    for row in rows:
        live, words = seen.get(row["namespace"]), {"name": row["namespace"]}
        if live is None or live.terminating:
            sentences.append(_("The namespace %(name)s does not exist any more.") % words)
        elif live.uid != row["uid"]:
            sentences.append(_("The namespace %(name)s is another one by now.") % words)
        elif live.bundle:
            sentences.append(_("The namespace %(name)s is the portal's already.") % words)
        elif not live.is_open:
            sentences.append(_("The namespace %(name)s is no longer opened for the portal.") % words)
        else:
            sentences += _used_since(row, live)
    return sentences


def left_since(members: Members) -> bool:
    """Whether somebody who would be bound is no longer a member of the tenant in that role."""
    rows = Membership.objects.filter(tenant__code__in=members)
    now = set(rows.values_list("tenant__code", "subject", "role"))
    bound = {(code, _as_kept(subject), role) for code, found in members.items() for subject, role in found}
    return not bound <= now


def _as_kept(subject: str) -> str:
    """A subject as memberships spell it: groups in the one spelling in which they are compared."""
    kind, _colon, name = subject.partition(":")
    return f"group:{normal_dn(name)}" if kind == "group" else subject


def _used_since(row: Mapping[str, Any], live: Surveyed) -> list[str]:
    amounts = figures.of(row)
    return [
        _("%(name)s: %(used)s of %(resource)s are in use.")
        % {
            "name": row["namespace"],
            "used": figures.text_of(resource, ceil(used)),
            "resource": resource_label(resource),
        }
        for resource, used in used_of(live.quotas).items()
        if amounts[resource] < used
    ]
