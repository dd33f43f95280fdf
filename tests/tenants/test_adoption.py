"""Namespaces as they were found, and what each would be as a project: names, figures, and all that is in the way."""

import pytest
from django.utils import timezone

from clusters.drivers.base import Surveyed
from clusters.models import Cluster
from tenants import adoption
from tenants.kinds import adoption_sources
from tenants.models import Project
from tests.builders import a_bundle, a_cluster, a_tenant, a_user, ready_portal

pytestmark = pytest.mark.django_db
QUOTA = {"limits.cpu": "2", "limits.memory": "4Gi", "requests.storage": "20Gi", "pods": "20"}
FIGURES = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
FOR_ALL = {"tenant": "claims", "environment": "dev", "default_size": "", "take": []}


@pytest.fixture
def cluster() -> Cluster:
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner", guest="viewer")
    a_tenant("motor")
    return a_cluster(environments=["dev", "test", "prod"])


def seen(name: str = "web", *, quotas=None, **changes) -> Surveyed:
    quotas = {"theirs": {"hard": QUOTA, "used": {}}} if quotas is None else quotas
    fields = {
        "uid": f"uid-{name}",
        "labels": {"portal.cloud/managed": "true"},
        "annotations": {},
        "is_open": True,
        "bundle": "",
        "others": {},
        "terminating": False,
    }
    return Surveyed(name=name, quotas=quotas, **fields | changes)


def resolve(cluster, *lives, rows=(), **values):
    """(stored rows, errors) of namespaces that a program lists, all of them or with more said in rows."""
    named = {"namespaces": [{"namespace": live.name} for live in lives]} | ({"namespaces": list(rows)} if rows else {})
    checked = adoption_sources.schema.check(adoption_sources._ROWS, {"rows": named["namespaces"]})["rows"]
    asked, errors = adoption_sources.named({"csv": "", "namespaces": checked})
    assert errors == {}
    by_name = {live.name: live for live in lives}
    known, errors = adoption.known_of(cluster, FOR_ALL | values, asked, by_name)
    found, problems = adoption.resolved(asked, by_name, known)
    return found, errors | problems


def a_project(cluster, namespace="claims-web-dev", name="web") -> Project:
    return Project.objects.create(
        tenant=a_tenant("claims"),
        name=name,
        environment="dev",
        namespace=namespace,
        display_name="Web",
        cpu_millicores=1,
        memory_bytes=1,
        storage_bytes=1,
        pods=1,
        owner=a_user("dev"),
        bundle=a_bundle(cluster=cluster),
        created_at=timezone.now(),
    )


def test_resolved__namespace_with_a_quota__its_figures_and_what_was_found(cluster):
    others = {"NetworkPolicy": [f"p{number}" for number in range(30)], "RoleBinding": ["team"]}
    quotas = {"theirs": {"hard": QUOTA, "used": {"limits.cpu": "1", "pods": "3"}}}
    rows, errors = resolve(cluster, seen(quotas=quotas, others=others))
    assert errors == {}
    assert rows == [
        {
            "namespace": "web",
            "tenant": "claims",
            "name": "web",
            "environment": "dev",
            "display_name": "web",
            "size": "",
            **FIGURES,
            "uid": "uid-web",
            "quotas": {"theirs": QUOTA},
            "used": {"cpu": 1000, "pods": 3},
            "others": {
                "NetworkPolicy": {"count": 30, "names": [f"p{number}" for number in range(10)]},
                "RoleBinding": {"count": 1, "names": ["team"]},
            },
            "labels": 1,
        }
    ]


@pytest.mark.parametrize(
    ("row", "labels", "expected"),
    [
        ({}, {}, ("claims", "web", "dev")),
        ({}, {"portal.cloud/tenant": "motor", "portal.cloud/environment": "prod"}, ("motor", "web", "prod")),
        ({}, {"portal.cloud/tenant": "nobody", "portal.cloud/environment": "live"}, ("claims", "web", "dev")),
        (
            {"tenant": "claims", "environment": "test", "name": "shop"},
            {"portal.cloud/tenant": "motor", "portal.cloud/environment": "prod"},
            ("claims", "shop", "test"),
        ),
    ],
)
def test_resolved__row_label_or_what_is_said_for_all__in_this_order(cluster, row, labels, expected):
    rows, errors = resolve(cluster, seen(labels=labels), rows=[{"namespace": "web"} | row])
    assert errors == {}
    assert (rows[0]["tenant"], rows[0]["name"], rows[0]["environment"]) == expected


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("claims-web-dev", "web"),
        ("claims-web-prod", "web-prod"),
        ("web-dev", "web"),
        ("claims-dev", "dev"),
        ("web", "web"),
        ("claims-2-dev", "claims-2-dev"),
        ("2fast", ""),
        ("x" * 41, ""),
    ],
)
def test_name_of__namespace__without_tenant_and_environment_where_that_leaves_a_name(namespace, name):
    assert adoption.name_of(namespace, "claims", "dev") == name


@pytest.mark.parametrize(
    ("annotation", "name"), [("理赔", "理赔"), ("", "web"), ("x" * 81, "web"), ("a\nb", "web"), ("\u202ex", "web")]
)
def test_resolved__display_name_of_openshift__taken_where_it_can_be_shown(cluster, annotation, name):
    rows, _errors = resolve(cluster, seen(annotations={"openshift.io/display-name": annotation}))
    assert rows[0]["display_name"] == name


@pytest.mark.parametrize(
    ("quotas", "row", "size", "expected"),
    [
        ([QUOTA], {"cpu": "3"}, "s", {**FIGURES, "cpu": "3", "size": ""}),
        ([QUOTA], {"size": "s"}, "", {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20, "size": "s"}),
        ([{"pods": "5"}], {}, "m", {"cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": 5, "size": ""}),
        ([], {}, "m", {"cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": 40, "size": "m"}),
        ([], FIGURES, "m", {**FIGURES, "size": ""}),
        ([QUOTA, {"pods": "7"}], {}, "", {**FIGURES, "pods": 7, "size": ""}),
        ([QUOTA | {"pods": "5000"}], {}, "", {**FIGURES, "pods": 5000, "size": ""}),
    ],
)
def test_resolved__figures__of_the_row_then_of_quotas_then_of_the_size(cluster, quotas, row, size, expected):
    live = seen(quotas={str(at): {"hard": hard, "used": {}} for at, hard in enumerate(quotas)})
    rows, errors = resolve(cluster, live, rows=[{"namespace": "web"} | row], default_size=size)
    assert errors == {}
    assert {name: rows[0][name] for name in expected} == expected


@pytest.mark.parametrize(
    ("quotas", "row", "field", "words"),
    [
        ([], {}, "cpu", "No quota says how much"),
        ([{"limits.cpu": "2"}], {}, "storage", "No quota says how much"),
        ([QUOTA], {"size": "huge"}, "size", "no such size"),
        ([QUOTA], {"cpu": "1e9999"}, "cpu", "not a quantity"),
        ([QUOTA], {"memory": "٤Gi"}, "memory", "not a quantity"),
        ([QUOTA | {"limits.cpu": "10m"}], {}, "cpu", "too little"),
        ([QUOTA | {"limits.memory": "7Ei"}], {}, "memory", "more than any cluster"),
        ([QUOTA | {"pods": "0"}], {}, "pods", "At least 1"),
        ([QUOTA | {"pods": "9E"}], {}, "pods", "at most 1000000"),
    ],
)
def test_resolved__figures_that_cannot_be__said_at_the_field(cluster, quotas, row, field, words):
    live = seen(quotas={str(at): {"hard": hard, "used": {}} for at, hard in enumerate(quotas)})
    _rows, errors = resolve(cluster, live, rows=[{"namespace": "web"} | row])
    assert words in errors[f"/namespaces/0/{field}"], errors


def test_resolved__less_than_is_in_use__refused_with_the_use(cluster):
    used = {"limits.cpu": "2500m", "limits.memory": "1Gi", "pods": "20"}
    live = seen(quotas={"theirs": {"hard": QUOTA, "used": used}})
    _rows, errors = resolve(cluster, live)
    assert errors == {"/namespaces/0/cpu": "2500m of CPU are in use."}
    _rows, errors = resolve(cluster, live, rows=[{"namespace": "web", "cpu": "3", "pods": 10}])
    assert errors == {"/namespaces/0/pods": "20 of Pods are in use."}


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("kube-system", {}, "reserved"),
        ("default", {}, "reserved"),
        ("web", {"bundle": "somebody"}, "is the portal's already"),
        ("web", {"terminating": True}, "being deleted"),
        ("web", {"is_open": False}, "kubectl label namespace web portal.cloud/managed=true"),
        ("claims-taken-dev", {}, "There is a project with the namespace"),
        ("web", {"quotas": {"portal-quota": {"hard": QUOTA, "used": {}}}}, "a ResourceQuota portal-quota"),
    ],
)
def test_resolved__namespace_that_cannot_be_adopted__says_why(cluster, name, changes, words):
    a_project(cluster, "claims-taken-dev", "taken")
    _rows, errors = resolve(cluster, seen(name, **changes))
    assert list(errors) == ["/namespaces/0/namespace"] and words in errors["/namespaces/0/namespace"]


def test_resolved__something_called_as_the_portals__in_the_way_only_of_what_is_taken(cluster):
    live = seen(others={"LimitRange": ["portal-limits"], "RoleBinding": ["portal-viewer"]})
    assert resolve(cluster, live)[1] == {}
    for take, words in (("limits", "LimitRange portal-limits"), ("members", "RoleBinding portal-viewer")):
        assert words in resolve(cluster, live, take=[take])[1]["/namespaces/0/namespace"]


def test_resolved__namespace_that_is_missing__said(cluster):
    _rows, errors = resolve(cluster, rows=[{"namespace": "nowhere"}])
    assert "no namespace nowhere in the cluster demo" in errors["/namespaces/0/namespace"]


@pytest.mark.parametrize(
    ("row", "values", "field", "words"),
    [
        ({"tenant": "nobody"}, {}, "tenant", "no such tenant"),
        ({}, {"tenant": ""}, "tenant", "Whose is it"),
        ({"environment": "prod"}, {}, "environment", "does not take this environment"),
        ({}, {"environment": ""}, "environment", "Nothing says an environment"),
        ({"name": "taken"}, {}, "name", "another project of this name"),
    ],
)
def test_resolved__whose_it_is__said_at_the_field(cluster, row, values, field, words):
    Cluster.objects.update(environments=["dev", "test"])
    cluster.refresh_from_db()
    a_project(cluster, name="taken")
    _rows, errors = resolve(cluster, seen(), rows=[{"namespace": "web"} | row], **values)
    assert words in errors[f"/namespaces/0/{field}"], errors


def test_resolved__two_of_one_name__the_second_is_told(cluster):
    _rows, errors = resolve(cluster, seen("web"), seen("claims-web-dev"), seen("web-dev"))
    assert list(errors) == ["/namespaces/1/name", "/namespaces/2/name"]


def test_resolved__cluster_of_another_tenant__refused(cluster):
    cluster.dedicated_to = a_tenant("motor")
    cluster.save()
    assert "dedicated to another" in resolve(cluster, seen())[1]["/namespaces/0/tenant"]
    assert resolve(cluster, seen(), tenant="motor")[1] == {}


def test_known_of__what_is_said_for_all__checked_once(cluster):
    _rows, errors = resolve(cluster, seen("a"), seen("b"), tenant="nobody", environment="live", default_size="huge")
    assert {"/tenant", "/environment", "/default_size"} <= set(errors)


def test_members_of__groups__as_the_directory_spells_them_or_named(cluster, directory):
    team = "cn=claims-team,ou=groups,dc=insurer,dc=example"
    tenant = a_tenant("claims")
    tenant.memberships.create(subject=f"group:{team}", role="viewer")
    members, errors = adoption.members_of([tenant, a_tenant("motor")])
    assert errors == {}
    assert members == {
        "claims": [[f"group:{team}", "viewer"], ["user:dev", "developer"], ["user:guest", "viewer"]],
        "motor": [],
    }
    tenant.memberships.create(subject="group:cn=nobody,ou=groups,dc=insurer,dc=example", role="viewer")
    assert "not in the directory" in adoption.members_of([tenant])[1]["/take/0"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"uid": "another"}, "is another one by now"),
        ({"terminating": True}, "does not exist any more"),
        ({"bundle": "somebody"}, "is the portal's already"),
        ({"is_open": False}, "no longer opened"),
        ({"quotas": {"theirs": {"hard": {}, "used": {"pods": "21"}}}}, "web: 21 of Pods are in use."),
    ],
)
def test_changed_since__what_is_otherwise_by_now__named(cluster, changes, words):
    rows, _errors = resolve(cluster, seen())
    assert adoption.changed_since(rows, {"web": seen(labels={}, annotations={"other": "now"})}) == []
    (sentence,) = adoption.changed_since(rows, {"web": seen(**changes)})
    assert words in sentence
    assert "does not exist" in adoption.changed_since(rows, {})[0]
