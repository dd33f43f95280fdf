"""Pages and endpoints of the fleet: health and circuit, what runs there, and the history of bundles."""

import itertools
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters import bundle_rows, narrowing, words
from clusters.models import Bundle, BundleRevision, BundleRun, Cluster, DriftCheck, Health
from clusters.services import create_bundle, set_desired
from tests.builders import a_bundle, a_cluster, a_tenant
from tests.portal.walk import World, build
from web.sentences import Sentence

pytestmark = pytest.mark.django_db

SILENT = Sentence("Nobody answers at %(host)s.", {"host": "10.0.0.7"}).stored()
FACTS = {
    "served": ["apps/v1", "v1"],
    "crds": ["widgets.example.org"],
    "network_policy": "not-enforced",
    "network_plugin": "flannel",
    "cgroup": "v2",
    "clock_skew_seconds": 41.7,
    "node_pools": [
        {"role": "compute", "region": "ec1", "zone": "a", "rack": "", "nodes": 3, "ready": 2, "cpu": 24000,
         "memory": 96 * 1024**3}
    ],
    "storage_classes": [{"name": "ceph", "provisioner": "rbd.csi.ceph.com", "is_default": True, "expands": True}],
    "node_selector": "ignored",
}  # fmt: skip


@pytest.fixture
def world(gitops_cluster: Cluster) -> World:
    return build()


@pytest.fixture
def bundle(world: World) -> Bundle:
    """Of the world's project: the revision that was asked for, and two that set a quota's CPU to 3 and to 4."""
    bundle = world.project.bundle
    for cpu in ("3", "4"):
        want(bundle, cpu)
    bundle.refresh_from_db()
    return bundle


def want(bundle: Bundle, cpu: str, **provenance: object) -> None:
    manifests = [entry["manifest"] for entry in bundle.revisions.first().objects_wanted]
    kept = [one for one in manifests if one["kind"] != "ResourceQuota" and one["kind"] != "RoleBinding"]
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "figures", "namespace": bundle.namespace},
        "spec": {"hard": {"requests.cpu": cpu}},
    }
    said = {"request": 1, "asker": "dev", "approvers": ["platform"]} | provenance
    set_desired(bundle=bundle, manifests=[*kept, quota], state={}, provenance=said, by=None, at=timezone.now())


def page(world: World, who: str, address: str, status: int = 200) -> str:
    client = world.person(who)
    client.raise_request_exception = False
    response = client.get(address)
    assert response.status_code == status, response.content[:600]
    return response.content.decode()


def told(world: World, who: str, address: str, status: int = 200):
    client = world.program(who)
    client.raise_request_exception = False
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == status, response.content[:600]
    return response.json()


def broken(name: str = "gitops") -> None:
    """Its circuit is open since ten minutes."""
    now = timezone.now()
    values = {"open_since": now - timedelta(minutes=10), "reason": SILENT, "due_at": now + timedelta(minutes=2)}
    Health.objects.update_or_create(cluster=Cluster.objects.get(name=name), defaults=values)


def test_fleet__circuit_open__why_since_when_and_next_try_before_those_that_are_well(world):
    a_cluster("aaa", driver="gitops", description="Well")
    broken()
    shown = page(world, "dev", "/clusters")
    for text in ("Not reachable", "Nobody answers at 10.0.0.7.", "10 minutes ago", "in 2 minutes", "1 of 2 needs"):
        assert text in shown, text
    assert shown.index(">gitops</a>") < shown.index(">aaa</a>")
    narrow = page(world, "dev", "/clusters?show=attention")
    assert ">gitops</a>" in narrow and ">aaa</a>" not in narrow


def test_fleet__bundles_of_others__not_counted(world):
    Bundle.objects.update(blocked=True)
    shown = page(world, "dev", "/clusters")
    assert "1 failed" in shown and 'href="/clusters/gitops?state=blocked#bundles"' in shown
    assert "1 failed" not in page(world, "stranger", "/clusters")
    assert told(world, "stranger", "clusters")["items"][0]["bundles"]["total"] == 0
    counts = told(world, "auditor", "clusters")["items"][0]["bundles"]
    assert (counts["total"], counts["blocked"], counts["tenants"]) == (1, 1, 1)


def test_fleet__nothing_registered__says_who_registers(world):
    Cluster.objects.update(is_active=False)
    assert "No clusters yet" in page(world, "dev", "/clusters")


def test_cluster__what_it_said_of_itself__in_words(world):
    Health.objects.update_or_create(
        cluster=Cluster.objects.get(), defaults={"facts": FACTS, "checked_at": timezone.now(), "version": "v1.36.3"}
    )
    shown = page(world, "dev", "/clusters/gitops")
    texts = ("not enforced: projects can reach one another, by flannel", "42 s off ours", "ignored by this cluster")
    for text in (*texts, "2 / 3", "24 cores", "rbd.csi.ceph.com", "widgets.example.org", "ec1 / a", "v1.36.3"):
        assert text in shown, text
    assert told(world, "dev", "clusters/gitops")["facts"] == FACTS


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"node_pools": None, "storage_classes": ["x"], "served": None},
        {"network_policy": 7, "clock_skew_seconds": "x", "node_pools": [{}], "storage_classes": [{}], "cgroup": []},
        {"clock_skew_seconds": True, "node_pools": [{"nodes": "3", "cpu": None}]},
    ],
)
def test_cluster__facts_that_are_missing_or_odd__left_out(world, facts):
    Health.objects.update_or_create(cluster=Cluster.objects.get(), defaults={"facts": facts})
    page(world, "dev", "/clusters/gitops")


def test_cluster__address_and_credentials__address_for_administrators_alone(world):
    address = Cluster.objects.get().address
    for who in ("dev", "owner", "auditor", "platform"):
        assert address not in page(world, who, "/clusters/gitops")
    assert address in page(world, "admin", "/clusters/gitops")
    assert address not in str(told(world, "admin", "clusters/gitops"))


def test_cluster__what_runs_there__filtered_and_only_ones_own(world, bundle):
    other = a_bundle(cluster=Cluster.objects.get(), tenant=a_tenant("motor"), generation=1, namespace="motor-x-dev")
    Bundle.objects.filter(pk=bundle.pk).update(blocked=True, message=SILENT)
    mine = page(world, "dev", "/clusters/gitops")
    assert bundle.namespace in mine and other.namespace not in mine and "Nobody answers" in mine
    every = page(world, "auditor", "/clusters/gitops")
    assert bundle.namespace in every and other.namespace in every
    assert other.namespace not in page(world, "auditor", "/clusters/gitops?state=blocked")
    assert bundle.namespace not in page(world, "auditor", "/clusters/gitops?tenant=motor")
    assert "No bundle fits" in page(world, "auditor", "/clusters/gitops?state=ready")
    # What an address says that is not known is left out, as in other lists.
    assert bundle.namespace in page(world, "auditor", "/clusters/gitops?state=%00&tenant=%27--")


def test_cluster__gone_bundles__not_listed(world):
    bundle = a_bundle(cluster=Cluster.objects.get(), namespace="claims-gone-dev", generation=2, observed_generation=2)
    bundle.objects_kept.create(api_version="v1", kind="Namespace", name="claims-gone-dev", revision=2, state="gone")
    assert "claims-gone-dev" not in page(world, "dev", "/clusters/gitops")
    assert "claims-gone-dev" not in str(told(world, "dev", "bundles"))
    # Its history is still to be read by who may.
    page(world, "dev", f"/bundles/{bundle.uid}")


def test_cluster__held_after_a_restore__said(world):
    Cluster.objects.update(held_since=timezone.now())
    shown = page(world, "dev", "/clusters/gitops")
    assert "Nothing is written to this cluster: an older database was restored." in shown
    assert "Held after a restore" in page(world, "dev", "/clusters")


def test_cluster__dedicated_to_others__as_if_it_were_not_there(world):
    a_cluster("own", dedicated_to=a_tenant("claims"))
    for address in ("/clusters/own", "/clusters/own/health"):
        page(world, "dev", address, 200 if address.endswith("own") else 302)
        page(world, "stranger", address, 404)
    assert world.person("stranger").post("/clusters/own/probe").status_code == 403


def test_probe__by_an_administrator__due_at_once(world):
    broken()
    assert 'action="/clusters/gitops/probe"' not in page(world, "platform", "/clusters/gitops")
    assert 'action="/clusters/gitops/probe"' in page(world, "admin", "/clusters/gitops")
    assert world.person("admin").post("/clusters/gitops/probe").url == "/clusters/gitops"
    assert Health.objects.get().due_at <= timezone.now()
    Health.objects.update(due_at=None)
    answer = world.program("admin").post("/api/v1/clusters/gitops/probe")
    assert answer.status_code == 202 and answer.json()["health"]["reason"] == "Nobody answers at 10.0.0.7."
    assert Health.objects.get().due_at is not None
    for who in ("dev", "auditor", "platform"):
        assert world.program(who).post("/api/v1/clusters/gitops/probe").status_code == 403
    assert world.program("admin").post("/api/v1/clusters/elsewhere/probe").status_code == 404


def test_bundle__newest_revision__beside_the_one_before(world, bundle):
    shown = page(world, "dev", f"/bundles/{bundle.uid}")
    number = bundle.generation
    assert f"From revision {number - 1} to {number}" in shown
    assert "requests.cpu: 3" in shown and "requests.cpu: 4" in shown
    assert "Request #1" in shown and "platform" in shown
    difference = told(world, "dev", f"bundles/{bundle.uid}/revisions/{number}/difference")
    changed = [change for change in difference["changes"] if change["action"] != "keep"]
    assert [change["fields"] for change in changed] == [[["spec.hard.requests.cpu", "3", "4"]]]


def test_bundle__any_two_revisions__what_goes_is_shown_too(world, bundle):
    shown = page(world, "dev", f"/bundles/{bundle.uid}?from=1&to={bundle.generation}")
    assert f"From revision 1 to {bundle.generation}" in shown
    assert "removed" in shown and "RoleBinding" in shown and "roleRef.kind: ClusterRole" in shown
    all_of_it = page(world, "dev", f"/bundles/{bundle.uid}?from=0&to=1")
    assert "Everything in revision 1" in all_of_it
    backwards = told(world, "dev", f"bundles/{bundle.uid}/revisions/1/difference?from={bundle.generation}")
    assert {c["ref"]["name"]: c["action"] for c in backwards["changes"]}["figures"] == "remove"


def test_bundle__revision_lost_by_a_restore__newest_beside_what_is_left_before_it(world, bundle):
    BundleRevision.objects.filter(bundle=bundle, number=2).delete()
    assert "From revision 1 to 3" in page(world, "dev", f"/bundles/{bundle.uid}")
    assert told(world, "dev", f"bundles/{bundle.uid}/revisions/3/difference")["before"] == 1
    assert told(world, "dev", f"bundles/{bundle.uid}/revisions/1/difference")["before"] == 0


def test_bundle__sources_of_its_revisions__said_beside_the_request(world, bundle):
    want(bundle, "5", rollback_of=1)
    want(bundle, "5", rollback_of=1, repair={"by": "dev", "objects": []})
    shown = page(world, "dev", f"/bundles/{bundle.uid}")
    assert shown.count("Back to revision 1") == 1 and shown.count("Repair of drift") == 1
    BundleRevision.objects.filter(bundle=bundle, number=1).update(provenance={})
    assert "Made by the portal" in page(world, "dev", f"/bundles/{bundle.uid}")


def test_bundle__earlier_revision_the_cluster_had__going_back_is_offered_to_who_may_ask(world, bundle):
    BundleRevision.objects.filter(bundle=bundle, number=1).update(agreed_at=timezone.now())
    form = f"/requests/new/rollback-project?project={world.project.uid}&amp;revision="
    for who, is_offered in {"dev": True, "owner": True, "guest": False, "auditor": False, "platform": False}.items():
        shown = page(world, who, f"/bundles/{bundle.uid}")
        assert (f"{form}1" in shown) is is_offered, who
        # One that the cluster never had is none to go back to, nor is the wanted one.
        assert f"{form}2" not in shown and f"{form}{bundle.generation}" not in shown
    page(world, "dev", f"/requests/new/rollback-project?project={world.project.uid}&revision=1")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=abc", 422),
        ("to=%00", 422),
        ("to=-1", 422),
        ("from=٣", 422),
        ("to=" + "9" * 30, 422),
        ("to=99", 404),
        ("from=999999999999999", 404),
        ("after=x", 422),
        ("from=&to=", 200),
        ("to=0", 200),
    ],
    ids=ascii,
)
def test_bundle__hostile_revision__answered_in_words(world, bundle, query, status):
    page(world, "dev", f"/bundles/{bundle.uid}?{query}", status)
    if query.startswith("from=") and query != "from=&to=":
        told(world, "dev", f"bundles/{bundle.uid}/revisions/1/difference?{query}", status)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("bundles?state=x", 422),
        ("bundles?state=", 422),
        ("bundles?cluster=%00", 422),
        ("bundles?tenant=%27--", 422),
        ("bundles?after=abc", 422),
        ("bundles?limit=-1", 422),
        ("bundles/not-a-uuid", 404),
        ("bundles/11111111-2222-3333-4444-555555555555", 404),
        ("bundles/11111111-2222-3333-4444-555555555555/runs", 404),
        ("bundles/11111111-2222-3333-4444-555555555555/revisions/1", 404),
        ("clusters/elsewhere", 404),
        ("clusters/%00", 404),
    ],
    ids=ascii,
)
def test_rest__hostile_address__problem(world, address, status):
    assert told(world, "dev", address, status)["status"] == status


@pytest.mark.parametrize("number", ["0", "99", "9" * 19, "9" * 40])
def test_rest__revision_that_cannot_be__404(world, bundle, number):
    told(world, "dev", f"bundles/{bundle.uid}/revisions/{number}", 404)
    told(world, "dev", f"bundles/{bundle.uid}/revisions/{number}/difference", 404)


def test_rest__bundles__filtered_and_only_ones_own(world, bundle):
    a_bundle(cluster=a_cluster("second"), tenant=a_tenant("motor"), generation=1)
    assert [row["uid"] for row in told(world, "dev", "bundles")["items"]] == [str(bundle.uid)]
    every = told(world, "auditor", "bundles?limit=1")
    assert [row["tenant"] for row in every["items"]] == ["motor"]
    rest = told(world, "auditor", f"bundles?limit=1&after={every['next']}")
    assert ([row["tenant"] for row in rest["items"]], rest["next"]) == (["claims"], "")
    for query, tenants in {"cluster=second": ["motor"], "tenant=claims": ["claims"], "state=ready": []}.items():
        assert [row["tenant"] for row in told(world, "auditor", f"bundles?{query}")["items"]] == tenants, query
    revisions = told(world, "dev", f"bundles/{bundle.uid}/revisions")["items"]
    assert [row["number"] for row in revisions] == list(range(bundle.generation, 0, -1))
    held = told(world, "dev", f"bundles/{bundle.uid}/revisions/{bundle.generation}")["objects"]
    assert {"requests.cpu": "4"} in [one["manifest"]["spec"].get("hard") for one in held if "spec" in one["manifest"]]


def a_run(bundle: Bundle, outcome: str, seconds: float = 1.4) -> BundleRun:
    began = timezone.now()
    ref = {"api_version": "v1", "kind": "ResourceQuota", "namespace": bundle.namespace, "name": "figures"}
    return BundleRun.objects.create(
        bundle=bundle,
        revision=bundle.generation,
        began_at=began,
        ended_at=began + timedelta(seconds=seconds),
        outcome=outcome,
        message=SILENT if outcome in ("blocked", "retrying") else None,
        objects_seen=[{"ref": ref, "outcome": "refused", "message": SILENT}],
    )


def test_bundle__runs__how_each_ended_and_what_became_of_its_objects(world, bundle):
    a_run(bundle, "committed")
    a_run(bundle, "blocked")
    shown = page(world, "dev", f"/bundles/{bundle.uid}")
    for text in ("took 1.4 s", "Refused", "Nobody answers at 10.0.0.7.", "figures"):
        assert text in shown, text
    runs = told(world, "dev", f"bundles/{bundle.uid}/runs")["items"]
    assert [run["outcome"] for run in runs] == ["blocked", "committed"]
    assert runs[0]["objects"][0]["message"] == "Nobody answers at 10.0.0.7."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (12.9, "12 s"), (190, "3 min"), (7300, "2 h"), (200_000, "2 d"), (-3, "0.0 s")],
)
def test_duration__any__in_its_largest_unit(seconds, text):
    assert bundle_rows.duration(timedelta(seconds=seconds)) == text


def test_retry__what_the_cluster_refused__by_who_may(world, bundle):
    Bundle.objects.update(blocked=True, message=SILENT, due_at=None)
    address = f"/bundles/{bundle.uid}/retry"
    for who, is_offered in {"dev": True, "admin": True, "guest": False, "auditor": False}.items():
        assert (f'action="{address}"' in page(world, who, f"/bundles/{bundle.uid}")) is is_offered, who
    assert world.program("guest").post(f"/api/v1{address}").status_code == 403
    assert world.program("stranger").post(f"/api/v1{address}").status_code == 404
    answer = world.program("dev").post(f"/api/v1{address}")
    assert (answer.status_code, answer.json()["state"]) == (202, "applying")
    # Nothing to retry by now: the page says so, and REST refuses.
    assert world.person("dev").post(address).url == f"/bundles/{bundle.uid}"
    again = world.program("dev").post(f"/api/v1{address}")
    assert (again.status_code, again.json()["type"]) == (409, "urn:portal:problem:nothing-to-retry")


def test_bundle__circuit_open__waits_for_the_cluster(world, bundle):
    broken()
    shown = page(world, "dev", f"/bundles/{bundle.uid}")
    assert "Waiting for the cluster" in shown and "Nobody answers at 10.0.0.7." in shown
    assert told(world, "dev", f"bundles/{bundle.uid}")["waits_for"] == "Nobody answers at 10.0.0.7."


def test_fragments__for_htmx_and_by_hand__part_and_page(world, bundle):
    client = world.person("dev")
    for part, name in {
        f"/bundles/{bundle.uid}/state": "bundle-state",
        "/clusters/gitops/health": "cluster-health",
    }.items():
        answer = client.get(part, headers={"HX-Request": "true"})
        assert f'id="{name}"' in answer.content.decode() and b"<html" not in answer.content
        assert client.get(part).url == part.rpartition("/")[0]


def test_bundle__settled__no_longer_asks(world, bundle):
    assert 'hx-trigger="every 2s"' in page(world, "dev", f"/bundles/{bundle.uid}")
    Bundle.objects.update(observed_generation=bundle.generation, committed="c0ffee")
    assert 'hx-trigger="every 2s"' not in page(world, "dev", f"/bundles/{bundle.uid}")


def test_project_and_request__lead_to_the_history(world, bundle):
    assert f'href="/bundles/{bundle.uid}"' in page(world, "dev", f"/projects/{world.project.uid}")
    number = bundle.revisions.get(number=1).provenance["request"]
    assert f'href="/bundles/{bundle.uid}?to=1"' in page(world, "dev", f"/requests/{number}")


def test_states__in_the_database_as_in_code(world):
    tenant = a_tenant("motor")
    clusters = [
        Cluster.objects.get(),
        a_cluster("seen", driver="gitops", observer_address="https://127.0.0.1:1"),
        a_cluster("direct", driver="kubernetes"),
    ]
    lease = {"lease_owner": uuid4(), "lease_until": timezone.now()}
    choices = itertools.product(clusters, (False, True), (0, 1), (0, 2), ("", "c0ffee"), ({}, lease), (None, SILENT))
    for cluster, blocked, observed, attempts, committed, leased, message in choices:
        fields = {"blocked": blocked, "observed_generation": observed, "attempts": attempts, "message": message}
        a_bundle(cluster=cluster, tenant=tenant, generation=1, committed=committed, **fields, **leased)
    rows = Bundle.objects.filter(tenant=tenant).select_related("cluster")
    assert rows.count() == 3 * 64
    for state in ("queued", "applying", "retrying", "blocked", "committed", "ready"):
        found = set(rows.filter(narrowing.in_state(state)))
        assert found and found == {row for row in rows if words.state_of(row) == state}, state


def test_drift__counted_and_found_by_filter(world, bundle):
    ref = {"api_version": "v1", "kind": "ResourceQuota", "namespace": bundle.namespace, "name": "figures"}
    values = {"found": [{"ref": ref, "sort": "missing"}], "found_at": timezone.now(), "checked_at": timezone.now()}
    DriftCheck.objects.update_or_create(bundle=bundle, defaults=values)
    assert "1 with drift" in page(world, "dev", "/clusters")
    assert bundle.namespace in page(world, "dev", "/clusters/gitops?state=drift")
    assert f'href="/bundles/{bundle.uid}/drift"' in page(world, "dev", f"/bundles/{bundle.uid}")
    assert told(world, "dev", "bundles?state=attention")["items"][0]["drift"] is True


# Who it is, what the bell counts, standings, tallies, and per page what it holds; the same for one row and for many.
LISTS = [
    ("/clusters", 10),
    ("/clusters/gitops", 13),
    ("/api/v1/clusters", 8),
    ("/api/v1/bundles", 5),
    ("/bundles/{uid}", 13),
    ("/api/v1/bundles/{uid}/runs", 5),
    ("/api/v1/bundles/{uid}/revisions", 5),
]


@pytest.mark.parametrize(("address", "budget"), LISTS)
def test_list__ten_times_the_rows__same_queries_within_the_budget(world, bundle, address, budget):
    address = address.format(uid=bundle.uid)
    client = world.program("dev") if address.startswith("/api/") else world.person("dev")

    def grow(times: int) -> None:
        for number in range(times):
            name = uuid4().hex[:8]
            cluster, tenant = a_cluster(f"c{name}", driver="gitops"), a_tenant("claims")
            Health.objects.create(cluster=cluster)
            one = create_bundle(cluster=bundle.cluster, tenant_id=tenant.pk, owner=f"project:{name}", namespace="n")
            Bundle.objects.filter(pk=one.pk).update(generation=1)
            a_run(bundle, "committed")
            want(bundle, str(number + 5))

    def counted() -> list[str]:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return [q["sql"][:160] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]

    grow(2)
    few = counted()
    grow(18)
    many = counted()
    assert len(few) == len(many), many
    assert len(many) <= budget, many
