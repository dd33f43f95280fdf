"""Projects and tenants as Kubernetes manifests: pure, from plain state to the objects in the order in which they are
applied.

The parts follow what the API server was measured to do (docs/architecture.md, "What a project becomes").
"""

from typing import Any

Manifest = dict[str, Any]
State = dict[str, Any]

# On a namespace: its tenant's quota in this cluster counts it.
_COUNTS = "portal.cloud/tenant-quota"
MANAGED_BY = {"app.kubernetes.io/managed-by": "cloud-portal"}
# One pod's share of the node's disk, in bytes; every resource under quota needs a default, else pods are refused.
EPHEMERAL_DEFAULT, EPHEMERAL_REQUEST = 1024**3, 512 * 1024**2
CONTAINER_CPU, CONTAINER_CPU_REQUEST = 500, 100  # millicores
CONTAINER_MEMORY, CONTAINER_MEMORY_REQUEST = 512 * 1024**2, 256 * 1024**2  # bytes
VOLUME_CLAIMS, SERVICES = 20, 50
# More than there will be: what is counted and not limited.
COUNTED = "1000000"
# Where a pod may run, as the flavours' own admission plugins read it from the namespace.
_NODE_SELECTOR = {
    "kubernetes": "scheduler.alpha.kubernetes.io/node-selector",
    "openshift": "openshift.io/node-selector",
}
_SECURITY = {"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "restricted"}


def objects(state: State) -> list[Manifest]:
    """All objects of one bundle: of a tenant's where the state has its budget, else of a project's."""
    return tenant_quota(state) if "budget" in state else project(state)


def tenant_quota(state: State) -> list[Manifest]:
    """The quota over all projects of a tenant in one OpenShift cluster; nothing where the tenant has no limit.

    `state`: tenant, budget {cpu (millicores), memory, storage (bytes), pods}, None for no limit. It selects namespaces
    whose quota the portal keeps: in an adopted one without, pods that say nothing of resources would be refused.
    """
    hard = quota_figures(state["budget"])
    if not hard:
        return []
    labels = {"portal.cloud/managed": "true", "portal.cloud/tenant": state["tenant"], _COUNTS: "true"}
    spec = {"selector": {"labels": {"matchLabels": labels}}, "quota": {"hard": hard}}
    metadata = {"name": f"portal-{state['tenant']}", "labels": dict(MANAGED_BY)}
    return [{"apiVersion": "quota.openshift.io/v1", "kind": "ClusterResourceQuota", "metadata": metadata, "spec": spec}]


def quota_figures(budget: dict[str, int | None]) -> dict[str, str]:
    """What a quota limits, by Kubernetes' names; requests equal limits, and what has no limit is left out."""
    cpu, memory, storage, pods = (budget[name] for name in ("cpu", "memory", "storage", "pods"))
    hard: dict[str, str] = {}
    if cpu is not None:
        hard |= {"requests.cpu": cpu_text(cpu), "limits.cpu": cpu_text(cpu)}
    if memory is not None:
        hard |= {"requests.memory": bytes_text(memory), "limits.memory": bytes_text(memory)}
    if storage is not None:
        hard["requests.storage"] = bytes_text(storage)
    if pods is not None:
        hard["pods"] = str(pods)
    return hard


def project(state: State) -> list[Manifest]:
    """All objects of one project.

    `state`: namespace, tenant, project (uid), environment, display_name, owner, cost_centre, quota {cpu (millicores),
    memory, storage (bytes), pods}, members [{who, subject, role}] with subjects as the cluster calls them
    ({"kind": "User"|"Group", "name"}), parts (rules.PARTS, or fewer in a namespace that was adopted), ingress_labels,
    monitoring_labels, flavour; and where it is not the cluster's default, which earlier states do not say: network,
    node_selector, security_constraints.
    """
    parts = {
        "quota": [resource_quota(state)],
        "limits": [limit_range(state)],
        "network": network_policies(state),
        "members": role_bindings(state),
        "security": security_bindings(state),
    }
    return [namespace(state)] + [one for part, made in parts.items() if part in state["parts"] for one in made]


def namespace(state: State) -> Manifest:
    """The namespace with its labels for people, policies and pod security; in one that was adopted, only the portal's
    own beside those that are among its parts."""
    parts, is_openshift = state["parts"], state["flavour"] == "openshift"
    annotations = {
        "portal.cloud/display-name": state["display_name"],
        "portal.cloud/owner": state["owner"],
        "portal.cloud/cost-centre": state["cost_centre"],
    }
    if is_openshift and "names" in parts:
        annotations |= {
            "openshift.io/display-name": state["display_name"],
            "openshift.io/description": f"Tenant {state['tenant']}, environment {state['environment']}.",
            "openshift.io/requester": state["owner"],
        }
    if "security" in parts:
        annotations[_NODE_SELECTOR[state["flavour"]]] = state.get("node_selector", "")
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": state["namespace"],
            "labels": {
                **(MANAGED_BY if "names" in parts else {}),
                "portal.cloud/managed": "true",
                "portal.cloud/tenant": state["tenant"],
                "portal.cloud/project": state["project"],
                "portal.cloud/environment": state["environment"],
                **({_COUNTS: "true"} if is_openshift and "quota" in parts else {}),
                **(_SECURITY if "security" in parts else {}),
            },
            "annotations": {key: value for key, value in annotations.items() if value},
        },
    }


def resource_quota(state: State) -> Manifest:
    """Requests equal limits: what a team asked for is what it can always have.

    Without limits among the parts nothing gives a pod its share of the node's disk, so that a quota of it would refuse
    pods that ran until now; and what nobody asked to limit is counted alone, for whoever wants to delete it all.
    """
    quota = state["quota"]
    cpu, memory = cpu_text(quota["cpu"]), bytes_text(quota["memory"])
    pods = quota["pods"]
    hard = {
        "requests.cpu": cpu,
        "limits.cpu": cpu,
        "requests.memory": memory,
        "limits.memory": memory,
        "requests.storage": bytes_text(quota["storage"]),
        "pods": str(pods),
    }
    more = {"persistentvolumeclaims": COUNTED, "services.loadbalancers": COUNTED}
    if "limits" in state["parts"]:
        more = {
            "requests.ephemeral-storage": bytes_text(pods * EPHEMERAL_REQUEST),
            "limits.ephemeral-storage": bytes_text(pods * EPHEMERAL_DEFAULT),
            "persistentvolumeclaims": str(VOLUME_CLAIMS),
            "services": str(SERVICES),
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
    return _within(state, "v1", "ResourceQuota", "portal-quota", {"spec": {"hard": hard | more}})


def limit_range(state: State) -> Manifest:
    """Defaults for containers that say nothing, never above the quota itself."""
    quota = state["quota"]
    cpu, memory = min(CONTAINER_CPU, quota["cpu"]), min(CONTAINER_MEMORY, quota["memory"])
    container = {
        "type": "Container",
        "default": {
            "cpu": cpu_text(cpu),
            "memory": bytes_text(memory),
            "ephemeral-storage": bytes_text(EPHEMERAL_DEFAULT),
        },
        "defaultRequest": {
            "cpu": cpu_text(min(CONTAINER_CPU_REQUEST, cpu)),
            "memory": bytes_text(min(CONTAINER_MEMORY_REQUEST, memory)),
            "ephemeral-storage": bytes_text(EPHEMERAL_REQUEST),
        },
        "max": {"cpu": cpu_text(quota["cpu"]), "memory": bytes_text(quota["memory"])},
    }
    return _within(state, "v1", "LimitRange", "portal-limits", {"spec": {"limits": [container]}})


def network_policies(state: State) -> list[Manifest]:
    """Isolated: nothing comes in but from the project itself, shared namespaces, ingress and monitoring.

    OpenShift's multitenant SDN enforces no policies: it gives every new namespace a network of its own by itself, which
    is the same (docs/adr/0010-openshift.md).
    """
    if state.get("network") == "openshift-sdn-multitenant":
        return []
    sources = {
        "portal-allow-same-namespace": {"podSelector": {}},
        "portal-allow-global": _from_namespaces({"portal.cloud/network": "global"}),
    }
    if state["ingress_labels"]:
        sources["portal-allow-ingress"] = _from_namespaces(state["ingress_labels"])
    if state["monitoring_labels"]:
        sources["portal-allow-monitoring"] = _from_namespaces(state["monitoring_labels"])
    policies = [_network_policy(state, "portal-default-deny", {})]
    return policies + [
        _network_policy(state, name, {"ingress": [{"from": [source]}]}) for name, source in sorted(sources.items())
    ]


def role_bindings(state: State) -> list[Manifest]:
    """One binding per role with the role in its name, because a binding's role can never be changed."""
    bindings = []
    for role in ("developer", "viewer"):
        subjects = [member["subject"] for member in state["members"] if member["role"] == role]
        if subjects:
            bindings.append(_role_binding(state, f"portal-{role}", subjects))
    return bindings


def security_bindings(state: State) -> list[Manifest]:
    """What the project's service accounts may ask of a node beyond the cluster's default, on OpenShift."""
    constraints = state.get("security_constraints")
    if state["flavour"] != "openshift" or not constraints:
        return []
    accounts = {"kind": "Group", "name": f"system:serviceaccounts:{state['namespace']}"}
    return [_role_binding(state, f"system:openshift:scc:{constraints}", [accounts], f"portal-scc-{constraints}")]


def _role_binding(state: State, role: str, subjects: list[dict[str, str]], name: str = "") -> Manifest:
    """The binding is called as the role, unless a name is given."""
    group = "rbac.authorization.k8s.io"
    ordered = sorted(subjects, key=lambda subject: (subject["kind"], subject["name"]))
    body = {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, **subject} for subject in ordered],
    }
    return _within(state, f"{group}/v1", "RoleBinding", name or role, body)


def _network_policy(state: State, name: str, spec: dict[str, Any]) -> Manifest:
    body = {"spec": {"podSelector": {}, "policyTypes": ["Ingress"], **spec}}
    return _within(state, "networking.k8s.io/v1", "NetworkPolicy", name, body)


def _from_namespaces(labels: dict[str, str]) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": dict(sorted(labels.items()))}}


def _within(state: State, api_version: str, kind: str, name: str, body: dict[str, Any]) -> Manifest:
    metadata = {"name": name, "namespace": state["namespace"], "labels": dict(MANAGED_BY)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def cpu_text(millicores: int) -> str:
    """Canonical Kubernetes text: "2" or "1500m"."""
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def bytes_text(amount: int) -> str:
    """Canonical Kubernetes text in the largest binary unit that divides it: "8Gi", "1536Mi", "1000"."""
    for unit, size in (("Ti", 1024**4), ("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024)):
        if amount and amount % size == 0:
            return f"{amount // size}{unit}"
    return str(amount)
