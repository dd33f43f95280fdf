"""A project's manifests: golden, whole output."""

import json
from pathlib import Path

import pytest

from tenants import manifests

GOLDEN = Path(__file__).parent / "golden"


PLACED = {"node_selector": "node-role.kubernetes.io/app=,zone=a", "security_constraints": "nonroot-v2"}


def a_state(**changes):
    state = {
        "namespace": "claims-imaging-test",
        "tenant": "claims",
        "project": "11111111-2222-3333-4444-555555555555",
        "environment": "test",
        "display_name": "Claims imaging",
        "owner": "dev",
        "cost_centre": "4711",
        "quota": {"cpu": 2500, "memory": 4 * 1024**3, "storage": 20 * 1024**3, "pods": 20},
        "members": [
            {"subject": {"kind": "User", "name": "oidc:dev"}, "role": "developer"},
            {"subject": {"kind": "Group", "name": "claims-team"}, "role": "developer"},
            {"subject": {"kind": "User", "name": "oidc:guest"}, "role": "viewer"},
        ],
        "parts": ["limits", "members", "names", "network", "quota", "security"],
        "ingress_labels": {"network.openshift.io/policy-group": "ingress"},
        "monitoring_labels": {"kubernetes.io/metadata.name": "monitoring"},
        "flavour": "kubernetes",
    }
    return state | changes


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("kubernetes", {}),
        ("quota-alone", {"parts": ["quota"]}),
        ("openshift", {"flavour": "openshift"}),
        ("openshift-placed", {"flavour": "openshift", **PLACED}),
        ("openshift-sdn", {"flavour": "openshift", "network": "openshift-sdn-multitenant"}),
        ("openshift-quota-alone", {"flavour": "openshift", "parts": ["quota"], **PLACED}),
        ("kubernetes-placed", PLACED),
        ("bare", {"members": [], "ingress_labels": {}, "monitoring_labels": {}, "cost_centre": ""}),
        ("tiny", {"quota": {"cpu": 100, "memory": 64 * 1024**2, "storage": 0, "pods": 1}}),
    ],
)
def test_project__whole_output__as_golden(name, changes):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    assert manifests.project(a_state(**changes)) == golden


def test_tenant_quota__whole_output__as_golden():
    budget = {"cpu": 64_500, "memory": 512 * 1024**3, "storage": 10 * 1024**4, "pods": 2000}
    golden = json.loads((GOLDEN / "tenant-quota.json").read_text())
    assert manifests.objects({"tenant": "claims", "budget": budget}) == golden


@pytest.mark.parametrize(
    ("limits", "hard"),
    [
        ({"cpu": 0}, {"requests.cpu": "0", "limits.cpu": "0"}),
        ({"memory": 1024**3}, {"requests.memory": "1Gi", "limits.memory": "1Gi"}),
        ({"storage": 0, "pods": 7}, {"requests.storage": "0", "pods": "7"}),
    ],
)
def test_tenant_quota__some_limits__only_those(limits, hard):
    budget = {"cpu": None, "memory": None, "storage": None, "pods": None} | limits
    (quota,) = manifests.tenant_quota({"tenant": "claims", "budget": budget})
    assert quota["spec"]["quota"]["hard"] == hard


def test_tenant_quota__no_limit_at_all__no_object():
    budget = {"cpu": None, "memory": None, "storage": None, "pods": None}
    assert manifests.tenant_quota({"tenant": "claims", "budget": budget}) == []


def test_project__rendered_twice__the_same():
    assert manifests.project(a_state()) == manifests.project(a_state())


def test_project__members_in_other_order__the_same():
    turned = a_state(members=list(reversed(a_state()["members"])))
    assert manifests.project(turned) == manifests.project(a_state())


def test_limit_range__small_quota__defaults_never_above_it():
    limits = manifests.limit_range(a_state(quota={"cpu": 100, "memory": 64 * 1024**2, "storage": 0, "pods": 1}))
    container = limits["spec"]["limits"][0]
    assert container["default"]["cpu"] == container["max"]["cpu"] == "100m"
    assert container["default"]["memory"] == container["defaultRequest"]["memory"] == "64Mi"


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1000, "1000"), (1536 * 1024**2, "1536Mi"), (8 * 1024**3, "8Gi"), (1024**4, "1Ti")]
)
def test_bytes_text__amount__canonical(amount, text):
    assert manifests.bytes_text(amount) == text


@pytest.mark.parametrize(("amount", "text"), [(100, "100m"), (1500, "1500m"), (2000, "2")])
def test_cpu_text__amount__canonical(amount, text):
    assert manifests.cpu_text(amount) == text
