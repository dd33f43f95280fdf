"""Registering clusters, and saying what a bundle should be."""

import pytest
from django.utils import timezone

from audit.models import Event
from clusters.access import driver_for
from clusters.models import Cluster
from clusters.services import register_cluster
from tests.builders import a_user
from web.errors import Forbidden

pytestmark = pytest.mark.django_db
TOKEN = "a-token-nobody-may-read"


def register(**changes):
    fields = {
        "name": "prod1",
        "driver": "kubernetes",
        "flavour": "kubernetes",
        "address": "https://127.0.0.1:1",
        "environments": ["prod"],
        "token": TOKEN,
        "by": a_user("admin", "administrator"),
        "at": timezone.now(),
    }
    return register_cluster(**fields | changes)


def test_register_cluster__by_administrator__token_only_encrypted():
    cluster = register()
    stored = Cluster.objects.values().get(pk=cluster.pk)
    assert all(TOKEN not in str(value) for value in stored.values())
    assert TOKEN not in str(list(Event.objects.values_list("after", flat=True)))
    assert driver_for(cluster, 1)._connection.token == TOKEN  # type: ignore[attr-defined]
    assert TOKEN not in repr(driver_for(cluster, 1)._connection)  # type: ignore[attr-defined]


@pytest.mark.parametrize("roles", [(), ("auditor",), ("approver:platform",)])
def test_register_cluster__wrong_role__refused(roles):
    with pytest.raises(Forbidden):
        register(by=a_user("somebody", *roles))
    assert not Cluster.objects.exists()


def test_register_cluster__again__replaced_and_clients_are_not_kept():
    before = register()
    after = register(address="https://127.0.0.1:2", token="another")
    assert (after.pk, after.address) == (before.pk, "https://127.0.0.1:2")
    assert after.version != before.version
    assert Event.objects.filter(action="cluster.register").count() == 2
