"""What a bundle may hold, by its owner, and what a difference says."""

import pytest

from clusters import rules
from clusters.rules import NotConfined, check_confined
from clusters.secrets import SecretInPlain

PROJECT = "project:11111111-2222-3333-4444-555555555555"


def an_object(kind: str, name: str = "portal-x", namespace: str = "claims-a-dev", api_version: str = "v1", **body):
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **body}


def a_quota(name: str = "portal-claims", namespace: str = ""):
    return an_object("ClusterResourceQuota", name, namespace, "quota.openshift.io/v1")


@pytest.mark.parametrize(
    ("owner", "namespace", "manifest"),
    [
        (PROJECT, "claims-a-dev", an_object("Namespace", "claims-a-dev", "")),
        (PROJECT, "claims-a-dev", an_object("ResourceQuota")),
        (PROJECT, "claims-a-dev", an_object("RoleBinding", api_version="rbac.authorization.k8s.io/v1")),
        ("tenant:claims", "", a_quota()),
    ],
)
def test_check_confined__own_kind_in_its_place__accepted(owner, namespace, manifest):
    check_confined([manifest], owner, namespace)


@pytest.mark.parametrize(
    ("owner", "namespace", "manifest", "sentence"),
    [
        # Kinds.
        (PROJECT, "claims-a-dev", an_object("Secret"), "v1 Secret portal-x .* project: allowed are LimitRange, Name"),
        (PROJECT, "claims-a-dev", an_object("Deployment", api_version="apps/v1"), "Deployment"),
        (PROJECT, "claims-a-dev", an_object("ResourceQuota", api_version="v2"), "v2 ResourceQuota"),
        (PROJECT, "claims-a-dev", an_object("ClusterRoleBinding", "x", "", "rbac.authorization.k8s.io/v1"), "Cluster"),
        (PROJECT, "claims-a-dev", a_quota(), "ClusterResourceQuota"),
        ("tenant:claims", "", an_object("Namespace", "claims-a-dev", ""), "allowed are ClusterResourceQuota"),
        ("tenant:claims", "", an_object("ResourceQuota", namespace="kube-system"), "ResourceQuota"),
        # Places and names.
        (PROJECT, "claims-a-dev", an_object("Namespace", "kube-system", ""), "allowed is the name claims-a-dev"),
        (PROJECT, "claims-a-dev", an_object("Namespace", "claims-a-dev", "claims-a-dev"), "outside"),
        (PROJECT, "claims-a-dev", an_object("ResourceQuota", namespace="kube-system"), "namespace claims-a-dev"),
        (PROJECT, "claims-a-dev", an_object("ResourceQuota", namespace=""), "outside"),
        (PROJECT, "", an_object("ResourceQuota", namespace=""), "outside"),
        (PROJECT, "", an_object("Namespace", "", ""), "outside"),
        ("tenant:claims", "", a_quota("portal-claimsx"), "allowed is the name portal-claims"),
        ("tenant:claims", "", a_quota("portal-motor"), "outside of tenant:claims"),
        ("tenant:claims", "", a_quota("claims"), "outside"),
        ("tenant:claims", "", a_quota(namespace="claims-a-dev"), "outside"),
        # Owners.
        ("instance:1", "claims-a-dev", an_object("ResourceQuota"), "instance is not among project, tenant"),
        ("", "claims-a-dev", an_object("ResourceQuota"), "may hold nothing"),
        ("projects:1", "claims-a-dev", an_object("ResourceQuota"), "may hold nothing"),
    ],
)
def test_check_confined__beyond_its_place__refused_and_named(owner, namespace, manifest, sentence):
    with pytest.raises(NotConfined, match=sentence):
        check_confined([manifest], owner, namespace)


def test_check_confined__the_same_object_twice__refused():
    with pytest.raises(NotConfined, match="twice"):
        check_confined([an_object("LimitRange"), an_object("LimitRange")], PROJECT, "claims-a-dev")


def test_check_confined__secret_with_values__refused_before_anything_is_stored(monkeypatch):
    allowed = rules._CONFINEMENTS["project"]
    wider = allowed._replace(within=allowed.within | {("v1", "Secret")})
    monkeypatch.setitem(rules._CONFINEMENTS, "project", wider)
    with pytest.raises(SecretInPlain):
        check_confined([an_object("Secret", data={"password": "aGlkZGVu"})], PROJECT, "claims-a-dev")


def test_difference__secret__says_that_values_differ_and_never_which():
    last = "kubectl.kubernetes.io/last-applied-configuration"
    before = an_object("Secret", data={"password": "b2xkLWhpZGRlbg==", "gone": "c2FtZS1oaWRkZW4="})
    before["metadata"]["annotations"] = {
        last: '{"data": {"password": "b2xkLWhpZGRlbg=="}}',
        "portal.cloud/revision": "a/1",
    }
    after = an_object("Secret", data={"password": "bmV3LWhpZGRlbg=="}, stringData={"plain": "hidden"}, type="Opaque")
    after["metadata"]["annotations"] = {"portal.cloud/revision": "a/2"}
    assert rules.difference(before, after) == [
        ["data.gone", "redacted", None],
        ["data.password", "redacted", "redacted"],
        [f"metadata.annotations.{last}", "redacted", None],
        ["metadata.annotations.portal.cloud/revision", "a/1", "a/2"],
        ["stringData.plain", None, "redacted"],
        ["type", None, "Opaque"],
    ]


def test_difference__other_kind_with_data__shown():
    assert rules.difference(None, an_object("ConfigMap", data={"a": "b"}))[1] == ["data.a", None, "b"]
