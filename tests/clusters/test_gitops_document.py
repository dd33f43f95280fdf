"""The examples in docs/gitops.md: well-formed, and true to what the driver writes."""

import re
from pathlib import Path

import yaml

from clusters.drivers.base import ObjectRef
from clusters.drivers.files import path_of
from clusters.drivers.kubernetes.drifting import KEPT_KINDS
from clusters.rules import commit_message

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "gitops.md").read_text()


def test_examples__as_written__objects_of_argo_cd_and_flux_that_prune():
    found = {}
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL):
        found |= {one["kind"]: one["spec"] for one in yaml.safe_load_all(block)}
    assert set(found) == {"Application", "ApplicationSet", "GitRepository", "Kustomization"}
    assert found["Application"]["syncPolicy"]["automated"]["prune"] is True
    assert found["ApplicationSet"]["template"]["spec"]["syncPolicy"]["automated"]["prune"] is True
    assert found["Kustomization"]["prune"] is True
    # In YAML 1.1 a bare {{ }} would be a mapping.
    assert found["ApplicationSet"]["template"]["spec"]["source"]["path"] == "{{.path.path}}"


def test_layout__as_written__where_the_driver_writes():
    for ref in (
        ObjectRef("v1", "Namespace", "", "team-a-dev"),
        ObjectRef("v1", "ResourceQuota", "team-a-dev", "project"),
        ObjectRef("v1", "LimitRange", "team-a-dev", "portal-limits"),
    ):
        folder, name = path_of(ref).split("/")
        assert f"{folder}/" in TEXT and name in TEXT
    assert f"{path_of(ObjectRef('v1', 'Other', '', 'x')).split('/')[0]}/" in TEXT


def test_commit_message__as_written__what_the_portal_writes():
    source = {"request": 128, "asker": "lin", "approvers": ["wang", "chen"]}
    assert commit_message("team-a-dev: revision 4", source).strip() in TEXT


def test_observer__its_role__every_kind_a_project_holds_read_only():
    documents = list(yaml.safe_load_all((ROOT / "deploy" / "cluster-observer.yaml").read_text()))
    (role,) = (one for one in documents if one["kind"] == "ClusterRole")
    assert all(set(rule["verbs"]) <= {"get", "list"} for rule in role["rules"])
    readable = {(group, kind) for rule in role["rules"] for group in rule["apiGroups"] for kind in rule["resources"]}
    for api_version, kind in (("v1", "Namespace"), *KEPT_KINDS):
        group = api_version.rpartition("/")[0]
        plural = {"NetworkPolicy": "networkpolicies"}.get(kind, f"{kind.lower()}s")
        assert (group, plural) in readable
