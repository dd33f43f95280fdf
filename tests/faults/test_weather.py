"""The API server behind a proxy that refuses, hangs, is slow and loses answers: what the driver makes of each."""

import pytest

from clusters.drivers.base import Connection, Desired, DriverError, Unreachable
from clusters.drivers.kubernetes import KubernetesDriver
from tests.plugins.proxy import Weather

BUNDLE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def driver(api_proxy, control_plane, unique):
    """A driver whose calls take at most five seconds; it has spoken to the server once."""
    connection = Connection(unique("proxied"), api_proxy.address, api_proxy.ca, control_plane.token, "1")
    KubernetesDriver(connection, 60.0).probe()
    return KubernetesDriver(connection, 5.0)


@pytest.fixture
def namespace(unique) -> Desired:
    meta = {"name": unique("weather"), "labels": {"portal.cloud/managed": "true", "portal.cloud/tenant": "claims"}}
    return Desired({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, BUNDLE, 1)


@pytest.mark.parametrize(
    ("weather", "asked"),
    [
        (Weather("429", status=429, retry_after=7), 7.0),
        (Weather("500", status=500), None),
        (Weather("503", status=503), None),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_apply__server_refuses__transient_as_it_says(driver, api_proxy, namespace, kubectl, weather, asked):
    with api_proxy.during(weather), pytest.raises(DriverError) as caught:
        driver.apply(namespace)
    assert caught.value.transient and caught.value.retry_after == asked
    assert kubectl("get", "namespace", namespace.ref.name, "--ignore-not-found") == ""
    assert driver.apply(namespace).outcome == "created"


def test_apply__server_hangs__unreachable_within_its_time(driver, api_proxy, namespace):
    with api_proxy.during(Weather("hanging", hangs=True)), pytest.raises(Unreachable):
        driver.apply(namespace)
    assert driver.apply(namespace).outcome == "created"


def test_apply__nobody_listens__unreachable(driver, api_proxy, namespace):
    api_proxy.stop()
    with pytest.raises(Unreachable):
        driver.apply(namespace)
    api_proxy.start()
    assert driver.apply(namespace).outcome == "created"


def test_apply__slow_but_in_time__created(driver, api_proxy, namespace):
    with api_proxy.during(Weather("slow", delay=0.2)):
        assert driver.apply(namespace).outcome == "created"
    assert api_proxy.told["slow"] >= 1


def test_apply__answer_lost__found_and_taken_over_by_its_fence(driver, api_proxy, namespace, kubectl):
    with api_proxy.during(Weather("lost", loses=True)), pytest.raises(DriverError) as caught:
        driver.apply(namespace)
    assert caught.value.transient
    uid = kubectl("get", "namespace", namespace.ref.name, "-o", "jsonpath={.metadata.uid}")
    assert uid, "the server did what it was asked for"
    assert driver.apply(namespace).uid == uid
