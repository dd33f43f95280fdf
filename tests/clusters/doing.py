"""What tests about bundles on a real API server do again and again: have one kept, drive it, compare it."""

import json
from typing import Any

from django.utils import timezone

from clusters.models import Bundle, Cluster, DriftCheck
from clusters.rules import Manifest
from clusters.services import create_bundle, set_desired
from tenants import manifests
from tests.builders import a_tenant
from tests.plugins.cluster import Kubectl
from tests.waiting import eventually
from web.sentences import shown
from work.models import WorkItem
from work.tasks import drive


def a_project(namespace: str, **changes: Any) -> list[Manifest]:
    """The objects of a project with all its parts, as the portal renders them."""
    state: dict[str, Any] = {
        "namespace": namespace,
        "tenant": "claims",
        "project": "11111111-2222-3333-4444-555555555555",
        "environment": "test",
        "display_name": "Claims imaging",
        "owner": "dev",
        "cost_centre": "4711",
        "quota": {"cpu": 2500, "memory": 4 * 1024**3, "storage": 20 * 1024**3, "pods": 20},
        "members": [{"subject": {"kind": "User", "name": "oidc:dev"}, "role": "developer"}],
        "parts": ["limits", "members", "names", "network", "quota", "security"],
        "ingress_labels": {"network.openshift.io/policy-group": "ingress"},
        "monitoring_labels": {"kubernetes.io/metadata.name": "monitoring"},
        "flavour": "kubernetes",
    }
    return manifests.project(state | changes)


def want(bundle: Bundle, wanted: list[Manifest]) -> None:
    """A new revision, as an approved request makes it."""
    source = {"request": 7, "asker": "dev", "approvers": ["platform"]}
    set_desired(bundle=bundle, manifests=wanted, state={"cpu": 1}, provenance=source, by=None, at=timezone.now())


def now_due(item: WorkItem) -> None:
    """One pass, now, if one is due at all; the row is read again."""
    model = type(item)
    rows = model._default_manager.filter(pk=item.pk, due_at__isnull=False)
    rows.update(due_at=timezone.now(), lease_until=None, lease_owner=None)
    drive(model._meta.label, item.pk)
    item.refresh_from_db()


def arrived(bundle: Bundle) -> bool:
    """After one more pass, whether the cluster agrees."""
    now_due(bundle)
    assert not bundle.blocked, shown(bundle.message)
    return bundle.observed_generation == bundle.generation


def kept(cluster: Cluster, namespace: str, owner: str = "project:1", wanted: list[Manifest] | None = None) -> Bundle:
    """A bundle of the tenant claims that its cluster has."""
    bundle = create_bundle(cluster=cluster, tenant_id=a_tenant().pk, owner=owner, namespace=namespace)
    want(bundle, a_project(namespace) if wanted is None else wanted)
    eventually(lambda: arrived(bundle), 60, "the cluster has it")
    return bundle


def compared(bundle: Bundle) -> DriftCheck:
    """The bundle's row of drift after one more look."""
    row = DriftCheck.objects.get(bundle=bundle)
    now_due(row)
    return row


def read(kubectl: Kubectl, *named: str) -> dict[str, Any]:
    """What kubectl gets, {} for nothing."""
    text = kubectl("get", *named, "--ignore-not-found", "--output=json")
    answer: dict[str, Any] = json.loads(text) if text else {}
    return answer


def created(kubectl: Kubectl, *objects: Manifest) -> None:
    """Somebody else creates them."""
    for one in objects:
        kubectl("create", "-f", "-", stdin=json.dumps(one))
