"""Secrets on a real API server: made once, never read, never changed, and nowhere to be found in the portal."""

import base64
import json
import logging
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from clusters import planning
from clusters.access import driver_for
from clusters.drivers.base import Desired, DriverError, ObjectRef
from clusters.drivers.fence import stamped
from clusters.drivers.kubernetes.client import bounded
from clusters.drivers.kubernetes.generating import filled
from clusters.models import Bundle, BundleRevision, Cluster
from clusters.secrets import GENERATE_ANNOTATION
from clusters.services import create_bundle
from script.local.controlplane import PORTAL_ACCOUNT
from tests.builders import a_tenant, a_user
from tests.contract.conftest import ClusterPlace, GitPlace, Place
from tests.plugins.cluster import Kubectl
from tests.waiting import eventually
from work.tasks import drive


def declared(
    place_or_name: Place | str, changed_in: int = 1, uid: str = "", bundle: str = "", **labels: str
) -> Desired:
    namespace = place_or_name if isinstance(place_or_name, str) else place_or_name.namespace
    owner = bundle or place_or_name.bundle
    annotations = {GENERATE_ANNOTATION: json.dumps({"password": {"length": 40}})}
    meta = {"name": "portal-admin", "namespace": namespace, "labels": labels, "annotations": annotations}
    return Desired({"apiVersion": "v1", "kind": "Secret", "metadata": meta}, owner, changed_in, uid)


@pytest.fixture
def allowed(kubectl: Kubectl) -> Callable[[str], None]:
    """Lets the portal keep Secrets in a namespace: an administrator does; deploy/cluster-access.yaml does not yet."""

    def allow(namespace: str) -> None:
        verbs = "--verb=get,create,patch,delete"
        kubectl("create", "role", "keeps-secrets", f"-n={namespace}", verbs, "--resource=secrets")
        bind = ("create", "rolebinding", "keeps-secrets", f"-n={namespace}", "--role=keeps-secrets")
        kubectl(*bind, f"--user={PORTAL_ACCOUNT}")

    return allow


@pytest.fixture
def kept(cluster_place: ClusterPlace, allowed: Callable[[str], None]) -> ClusterPlace:
    """A namespace of the portal's in which it may keep Secrets."""
    cluster_place.done(cluster_place.namespaced())
    allowed(cluster_place.namespace)
    return cluster_place


def value(place: ClusterPlace, ref: ObjectRef) -> str:
    return base64.b64decode(place.live(ref)["data"]["password"]).decode()


def test_apply__declared__made_once_and_owned_by_nobody(kept: ClusterPlace) -> None:
    (made,) = kept.done(declared(kept))
    assert made.outcome == "created"
    live, first = kept.live(made.ref), value(kept, made.ref)
    assert len(first) == 40
    owned = json.dumps([entry["fieldsV1"] for entry in live["metadata"]["managedFields"]])
    assert "f:data" not in owned and "f:annotations" in owned
    kept.done(declared(kept, 1, made.uid))  # the server's own bookkeeping settles with the first apply
    again, changed = (
        kept.done(declared(kept, 1, made.uid))[0],
        kept.done(declared(kept, 2, made.uid, team="a"))[0],
    )
    assert (again.outcome, changed.outcome) == ("unchanged", "changed")
    assert kept.live(made.ref)["metadata"]["labels"]["team"] == "a"
    assert value(kept, made.ref) == first
    kept.done(declared(kept, 3, made.uid))
    assert "team" not in kept.live(made.ref)["metadata"]["labels"] and value(kept, made.ref) == first


def test_apply__worker_ended_between_create_and_patch__value_stays(kept: ClusterPlace) -> None:
    """As POST leaves it: the portal's "Update" entry still owns the values, and the next pass must not remove them."""
    driver, wanted = kept.open(), declared(kept)
    with bounded(10):
        driver._client.create(filled(stamped(wanted)))
    first = value(kept, wanted.ref)
    assert "f:data" in json.dumps(kept.live(wanted.ref)["metadata"]["managedFields"])
    kept.done(wanted)
    assert value(kept, wanted.ref) == first
    assert "f:data" not in json.dumps(kept.live(wanted.ref)["metadata"]["managedFields"])
    kept.done(declared(kept, 2, team="a"))
    assert value(kept, wanted.ref) == first


def test_apply__value_changed_by_somebody__left_alone(kept: ClusterPlace) -> None:
    (made,) = kept.done(declared(kept))
    own = json.dumps({"stringData": {"password": "chosen-by-hand"}})
    kept.kubectl("patch", "secret", "portal-admin", f"-n={kept.namespace}", "-p", own)
    (change,) = kept.open().plan([declared(kept, 1, made.uid)], [])
    assert (change.action, change.fields) == ("keep", ())
    kept.done(declared(kept, 2, made.uid, team="a"))
    assert value(kept, made.ref) == "chosen-by-hand"


def test_client__secret__only_metadata_reaches_the_portal(kept: ClusterPlace) -> None:
    (made,) = kept.done(declared(kept))
    driver = kept.open()
    with bounded(10):
        seen = driver._client.get(made.ref)
        written = driver._client.apply(declared(kept, 1, made.uid).manifest, made.ref)
    for manifest in (seen, written):
        assert set(manifest) == {"apiVersion", "kind", "metadata"}
        assert (manifest["apiVersion"], manifest["kind"]) == ("v1", "Secret")


def test_delete__declared__gone(kept: ClusterPlace) -> None:
    (made,) = kept.done(declared(kept))
    eventually(lambda: kept.open().delete(made.ref, made.uid), 30, "the Secret is gone")
    assert kept.live(made.ref) is None


def test_portal__secrets_without_such_a_role__refused(cluster_place: ClusterPlace) -> None:
    cluster_place.done(cluster_place.namespaced())
    with pytest.raises(DriverError, match="secrets"):
        cluster_place.done(declared(cluster_place))


def test_gitops__secret__refused_everywhere_and_nothing_committed(git_place: GitPlace) -> None:
    driver, wanted = git_place.open(), declared(git_place)
    assert not driver.capabilities.can_hold_secrets
    for attempt in (
        lambda: driver.plan([wanted], []),
        lambda: driver.apply(wanted),
        lambda: driver.commit([wanted], [], "x\n"),
    ):
        with pytest.raises(DriverError, match="cannot be kept in a Git repository"):
            attempt()
    assert git_place.git("for-each-ref") == ""


@pytest.fixture
def with_secret(
    real_cluster: Cluster, unique: Callable[[str], str], allowed: Callable[[str], None]
) -> Iterator[Bundle]:
    """A bundle that keeps a namespace and a Secret, driven to its end."""
    name = unique("claims-sec")
    bundle = create_bundle(
        cluster=real_cluster, tenant_id=a_tenant().pk, owner=f"project:{uuid.uuid4()}", namespace=name
    )
    meta = {"name": name, "labels": {"portal.cloud/managed": "true"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    driver_for(real_cluster, 10).apply(Desired(space, str(bundle.uid), 1))
    allowed(name)
    secret = declared(name, bundle=str(bundle.uid)).manifest
    wanted = [{"manifest": manifest, "changed_in": 1} for manifest in (space, secret)]
    BundleRevision.objects.create(
        bundle=bundle, number=1, objects_wanted=wanted, digest="x", state={}, provenance={}, created_at=timezone.now()
    )
    Bundle.objects.filter(pk=bundle.pk).update(generation=1, due_at=timezone.now())
    drive("clusters.Bundle", bundle.pk)
    bundle.refresh_from_db()
    yield bundle


def test_secret__driven_planned_and_looked_at__nowhere_in_database_pages_or_logs(
    with_secret: Bundle, kubectl: Kubectl, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    caplog.set_level(logging.DEBUG)
    bundle = with_secret
    assert (bundle.observed_generation, bundle.message) == (1, None)
    where = ("get", "secret", "portal-admin", f"-n={bundle.namespace}")
    encoded = kubectl(*where, "-o=jsonpath={.data.password}")
    value = base64.b64decode(encoded).decode()
    # Somebody applies it with kubectl, which quotes all of it in an annotation; then it is planned and driven again.
    kubectl("annotate", *where[1:], f"kubectl.kubernetes.io/last-applied-configuration={encoded} {value}")
    entries = bundle.revisions.get().objects_wanted
    labelled = json.loads(json.dumps([entry["manifest"] for entry in entries]))
    labelled[1]["metadata"]["labels"] = {"team": "a"}
    plan = planning.plan(cluster=bundle.cluster, owner=bundle.owner, manifests=labelled)
    assert plan.problem is None and [change["action"] for change in plan.changes] == ["keep", "change"]
    Bundle.objects.filter(pk=bundle.pk).update(due_at=timezone.now())
    drive("clusters.Bundle", bundle.pk)
    client.force_login(a_user("root", "administrator"), backend="accounts.backends.DirectoryBackend")
    answers = [client.get(path) for path in ("/clusters", "/", "/api/v1/clusters")]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    pages = [answer.content.decode() for answer in answers]
    everything = "\n".join([_database(), caplog.text, json.dumps(plan.changes), str(plan), *pages])
    assert "portal-admin" in everything
    assert value not in everything and encoded not in everything


def _database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)
