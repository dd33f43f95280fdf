"""An older database was restored: noticed, held, shown, and gone on with once a person confirms."""

import uuid

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from audit.models import Event
from clusters.access import driver_for
from clusters.applying import ref_of
from clusters.models import Bundle, BundleObject, Cluster, Health, Origin
from clusters.services import create_bundle
from clusters.services.holding import NotHeld, NotSurveyed, confirm, hold, notice_restore
from tests.builders import a_tenant, a_user
from tests.clusters.test_reconcile import a_limit, a_namespace, again, want
from web.errors import Forbidden, Invalid, NotFound
from work import claims
from work.tasks import drive

pytestmark = pytest.mark.django_db


@pytest.fixture
def bundle(gitops_cluster) -> Bundle:
    return create_bundle(cluster=gitops_cluster, tenant_id=a_tenant().pk, owner="project:1", namespace="claims-a-dev")


def admin():
    return a_user("admin", "administrator")


def go_back(bundle: Bundle, number: int) -> None:
    """The database as it was at revision `number`, which the cluster had by then."""
    bundle.revisions.filter(number__gt=number).delete()
    Bundle.objects.filter(pk=bundle.pk).update(observed_generation=number)
    Bundle.objects.filter(pk=bundle.pk).update(generation=number, due_at=None)
    wanted = {entry["manifest"]["kind"] for entry in bundle.revisions.get(number=number).objects_wanted}
    BundleObject.objects.filter(bundle=bundle).exclude(kind__in=wanted).delete()
    bundle.refresh_from_db()


def survey() -> Health:
    health = Health.objects.get()
    Health.objects.update(due_at=timezone.now())
    drive("clusters.Health", health.pk)
    health.refresh_from_db()
    return health


def beyond() -> list[tuple[str, str, int, int]]:
    return [(row["sort"], row["namespace"], row["known"], row["live"]) for row in survey().beyond]


def cpu_of(committed) -> str:
    (limit,) = [m for m in committed().values() if m["kind"] == "LimitRange"]
    return limit["spec"]["limits"][0]["max"]["cpu"]


def three_revisions(bundle: Bundle) -> None:
    for cpu in ("1", "2", "3"):
        want(bundle, a_namespace(), a_limit(cpu))
        again(bundle)


# Noticing it


def test_notice__first_time_and_again__nothing_held(bundle):
    assert [notice_restore(at=timezone.now()) for _time in range(2)] == [False, False]
    assert Origin.objects.count() == 1 and not Cluster.objects.filter(held_since__isnull=False).exists()


def test_notice__other_database__all_held_once(bundle):
    notice_restore(at=timezone.now())
    Origin.objects.update(identity="7400000000000000000/16384")
    assert notice_restore(at=timezone.now())
    held = Cluster.objects.get().held_since
    assert held is not None
    assert not notice_restore(at=timezone.now())
    assert Event.objects.filter(action="cluster.hold").count() == 1


def test_worker__meets_a_revision_it_knows_nothing_of__holds_the_cluster(bundle, committed):
    three_revisions(bundle)
    go_back(bundle, 1)
    want(bundle, a_namespace(), a_limit("9"))
    again(bundle)
    assert Cluster.objects.get().held_since is not None
    assert cpu_of(committed) == "3" and bundle.observed_generation == 1


def test_hold__by_name_or_all__nothing_offered_nor_claimed(bundle):
    want(bundle, a_namespace())
    assert hold(by=None, at=timezone.now()) == ["gitops"]
    assert claims.offer(Bundle, timezone.now(), 10) == []
    assert claims.claim(Bundle, bundle.pk, timezone.now()) is None
    assert claims.offer(Health, timezone.now(), 10) != []


def test_hold__unknown_name_or_wrong_role__refused(bundle):
    with pytest.raises(NotFound):
        hold(names=["nowhere"], by=None, at=timezone.now())
    with pytest.raises(Forbidden):
        hold(by=a_user("platform", "approver:platform"), at=timezone.now())
    assert Cluster.objects.get().held_since is None


# What is beyond it


def test_survey__every_difference__told_with_its_sort(bundle, committed, gitops_cluster):
    three_revisions(bundle)
    others = {name: a_neighbour(bundle, name) for name in ("claims-b-dev", "claims-c-dev", "claims-d-dev")}
    for name in ("claims-b-dev", "claims-c-dev"):
        again(others[name])
    go_back(bundle, 1)
    others["claims-b-dev"].delete()
    gone = others["claims-c-dev"]
    driver, ref = driver_for(gitops_cluster, 5), ref_of(gone.objects_kept.get())
    driver.delete(ref, str(gone.uid), str(gone.uid))
    driver.commit([], [ref], "removed after the backup\n")
    hold(by=None, at=timezone.now())
    assert beyond() == [
        ("newer", "claims-a-dev", 1, 3),
        ("gone", "claims-c-dev", 1, 0),
        ("pending", "claims-d-dev", 1, 0),
        ("unknown", "claims-b-dev", 0, 1),
    ]


def a_neighbour(bundle: Bundle, namespace: str) -> Bundle:
    """Another bundle of the cluster that wants a namespace and nothing else."""
    made = create_bundle(
        cluster=bundle.cluster, tenant_id=bundle.tenant_id, owner=f"project:{namespace}", namespace=namespace
    )
    want(made, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return made


# Going on


@pytest.fixture
def restored(bundle, committed) -> Bundle:
    three_revisions(bundle)
    go_back(bundle, 1)
    hold(by=None, at=timezone.now())
    survey()
    return bundle


def test_confirm__left_as_it_is__untouched_until_something_new_is_wanted(restored, committed):
    confirm(name="gitops", overwrite=[], by=admin(), at=timezone.now())
    again(restored)
    assert cpu_of(committed) == "3" and restored.revisions.count() == 1
    assert (restored.generation, restored.observed_generation) == (3, 3)
    want(restored, a_namespace(), a_limit("1"))
    again(restored)
    assert cpu_of(committed) == "1" and restored.observed_generation == 4 and not restored.blocked
    # Wanted as before, and yet written: what the cluster has in between is unknown.
    assert {entry["changed_in"] for entry in restored.revisions.get(number=4).objects_wanted} == {4}


def test_confirm__to_be_written_again__above_what_the_cluster_has(restored, committed):
    confirm(name="gitops", overwrite=[str(restored.uid)], by=admin(), at=timezone.now())
    again(restored)
    assert cpu_of(committed) == "1"
    assert (restored.generation, restored.observed_generation) == (4, 4)
    assert restored.revisions.get(number=4).provenance == {"restored_by": "admin"}
    event = Event.objects.get(action="cluster.confirm-restore")
    assert event.actor == "admin" and event.after == {"overwritten": [str(restored.uid)], "left": []}
    assert Health.objects.get().beyond == []


def test_confirm__gone_in_the_cluster_and_wanted_again__created(bundle, committed):
    want(bundle, a_namespace(), a_limit("1"))
    again(bundle)
    want(bundle)
    again(bundle)
    bundle.revisions.filter(number=2).delete()
    Bundle.objects.update(observed_generation=1)
    Bundle.objects.update(generation=1)
    BundleObject.objects.update(had=True, uid=str(bundle.uid), state="applied")
    hold(by=None, at=timezone.now())
    assert beyond() == [("gone", "claims-a-dev", 1, 0)]
    confirm(name="gitops", overwrite=[str(bundle.uid)], by=admin(), at=timezone.now())
    again(bundle)
    assert len(committed()) == 2 and not bundle.blocked


def test_confirm__before_it_was_looked_at__refused(bundle):
    hold(by=None, at=timezone.now())
    with pytest.raises(NotSurveyed):
        confirm(name="gitops", overwrite=[], by=admin(), at=timezone.now())
    assert Cluster.objects.get().held_since is not None


def test_confirm__not_held_wrong_role_or_unknown__refused(bundle):
    with pytest.raises(NotHeld):
        confirm(name="gitops", overwrite=[], by=admin(), at=timezone.now())
    with pytest.raises(Forbidden):
        confirm(name="gitops", overwrite=[], by=a_user("auditor", "auditor"), at=timezone.now())
    with pytest.raises(NotFound):
        confirm(name="nowhere", overwrite=[], by=admin(), at=timezone.now())


def test_confirm__bundle_that_does_not_differ__invalid(restored):
    with pytest.raises(Invalid):
        confirm(name="gitops", overwrite=[str(uuid.uuid4())], by=admin(), at=timezone.now())
    assert Cluster.objects.get().held_since is not None


# Pages and REST


@pytest.fixture
def browser_of_admin(restored) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(admin(), backend="accounts.backends.DirectoryBackend")
    return client


def test_page__held_cluster__differences_and_the_way_on(browser_of_admin, restored):
    page = browser_of_admin.get("/clusters/gitops/restore").content.decode()
    assert "claims-a-dev" in page and "revision 3" in page and str(restored.uid) in page
    answer = browser_of_admin.post("/clusters/gitops/restore", {"overwrite": str(restored.uid)})
    assert answer.status_code == 302 and Cluster.objects.get().held_since is None
    assert browser_of_admin.get("/clusters/gitops/restore").status_code == 404


def test_page__something_that_was_not_offered__said_and_nothing_done(browser_of_admin):
    answer = browser_of_admin.post("/clusters/gitops/restore", {"overwrite": ["x", "' or 1=1"]})
    assert answer.status_code == 422 and Cluster.objects.get().held_since is not None


def test_api__held_cluster__told_and_confirmed(browser_of_admin, restored):
    told = browser_of_admin.get("/api/v1/clusters/gitops/restore").json()
    assert told["held_since"] and told["beyond"][0] | {"owner": ""} == {
        "sort": "newer",
        "bundle": str(restored.uid),
        "owner": "",
        "namespace": "claims-a-dev",
        "known": 1,
        "live": 3,
        "objects": 2,
    }
    body = {"overwrite": [str(restored.uid)]}
    answer = browser_of_admin.post("/api/v1/clusters/gitops/restore", body, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["name"] == "gitops"
    again_asked = browser_of_admin.post("/api/v1/clusters/gitops/restore", body, content_type="application/json")
    assert again_asked.status_code == 409 and "not-held" in again_asked.json()["type"]


def test_hold__twice__first_moment_stays(bundle):
    with transaction.atomic():
        first = timezone.now()
        hold(by=None, at=first)
        hold(by=None, at=timezone.now())
    assert Cluster.objects.get().held_since == first
