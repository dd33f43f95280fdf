"""A project's wanted state as plain data, which `manifests.project` renders: from its row, with what is to change."""

from collections.abc import Iterable, Mapping
from typing import Any

from clusters.models import Cluster
from tenants import rules
from tenants.models import Project
from tenants.subjects import subject_in

Members = Iterable[tuple[str, str]]


def state_of(
    cluster: Cluster, *, quota: Mapping[str, int], members: Members, parts: Iterable[str] = rules.PARTS, **fields: str
) -> dict[str, Any]:
    """In the words of the cluster; `members` are (subject, role), `fields` namespace, tenant, project, environment,
    display_name, owner and cost_centre.

    Who a member is to the portal is kept beside ("who"): a revision outlives the way a cluster calls people.
    """
    return {
        **fields,
        "quota": dict(quota),
        "members": [
            {"who": subject, "subject": subject_in(cluster, subject), "role": role} for subject, role in members
        ],
        "parts": sorted(parts),
        "ingress_labels": cluster.ingress_labels,
        "monitoring_labels": cluster.monitoring_labels,
        "flavour": cluster.flavour,
        **_placing(cluster, fields["environment"]),
    }


def _placing(cluster: Cluster, environment: str) -> dict[str, str]:
    """How projects of this environment are kept apart, where they run and what they may ask of a node, as far as that
    is not the cluster's default."""
    said = {
        "network": "" if cluster.network == "networkpolicy" else cluster.network,
        "node_selector": cluster.node_selectors.get(environment, ""),
        "security_constraints": cluster.security_constraints if cluster.flavour == "openshift" else "",
    }
    return {name: value for name, value in said.items() if value}


def of_project(
    project: Project, *, quota: Mapping[str, int] | None = None, members: Members | None = None
) -> dict[str, Any]:
    """As the project's row says, but for the quota or the members given."""
    return state_of(
        project.bundle.cluster,
        quota=quota or figures_of(project),
        members=members_of(project) if members is None else members,
        parts=project.parts,
        namespace=project.namespace,
        tenant=project.tenant.code,
        project=str(project.uid),
        environment=project.environment,
        display_name=project.display_name,
        owner=project.owner.username,
        cost_centre=project.cost_centre,
    )


def figures_of(project: Project) -> dict[str, int]:
    """{cpu (millicores), memory, storage (bytes), pods} of the project's quota."""
    return {
        "cpu": project.cpu_millicores,
        "memory": project.memory_bytes,
        "storage": project.storage_bytes,
        "pods": project.pods,
    }


def members_of(project: Project) -> list[tuple[str, str]]:
    """(subject, role) pairs, sorted."""
    return sorted(project.members.values_list("subject", "role"))
