"""What only the Kubernetes driver promises of its connection: rights, tokens, certificates, time limits, threads."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from clusters.drivers.base import Connection, DriverError, ObjectRef
from clusters.drivers.kubernetes import KubernetesDriver
from clusters.drivers.kubernetes.client import client_for
from tests.contract.conftest import ClusterPlace


def test_probe__account_without_rights__every_lack_is_named(cluster_place: ClusterPlace) -> None:
    driver = _as_account(cluster_place, "nobody")
    problems = " ".join(problem.english for problem in driver.probe().problems)
    assert "may not create namespaces" in problems
    assert "may not bind clusterroles portal-viewer" in problems
    assert "portal-confined is missing" in problems


def test_probe__account_that_nothing_confines__said(cluster_place: ClusterPlace) -> None:
    driver = _as_account(cluster_place, "unconfined")
    name = cluster_place.namespace
    account = f"--serviceaccount={name}:unconfined"
    cluster_place.kubectl("create", "clusterrolebinding", name, "--clusterrole=portal-manager", account)
    try:
        problems = driver.probe().problems
    finally:
        cluster_place.kubectl("delete", "clusterrolebinding", name)
    assert len(problems) == 1 and "kube-system" in problems[0].english


def test_probe__all_rights__said(cluster_place: ClusterPlace) -> None:
    driver = _as_account(cluster_place, "almighty")
    name = cluster_place.namespace
    account = f"--serviceaccount={name}:almighty"
    cluster_place.kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", account)
    try:
        problems = " ".join(problem.english for problem in driver.probe().problems)
    finally:
        cluster_place.kubectl("delete", "clusterrolebinding", name)
    assert "all rights" in problems


def test_call__wrong_token__operator_and_no_token_in_the_sentence(cluster_access: Connection) -> None:
    wrong = replace(cluster_access, name="wrong-token", token="not-a-token-at-all")
    driver = KubernetesDriver(wrong, 5)
    for attempt in (lambda: driver.observe([ObjectRef("v1", "Namespace", "", "default")]), driver.probe):
        with pytest.raises(DriverError, match="token") as caught:
            attempt()
        assert caught.value.operator and not caught.value.transient
        assert "not-a-token" not in str(caught.value)


def test_call__other_authority__operator(cluster_access: Connection) -> None:
    driver = KubernetesDriver(replace(cluster_access, name="other-ca", ca=""), 5)
    with pytest.raises(DriverError, match="certificate") as caught:
        driver.probe()
    assert caught.value.operator and not caught.value.transient


def test_call__nobody_listens__transient(free_port: Callable[[], int]) -> None:
    driver = KubernetesDriver(Connection("dead", f"https://127.0.0.1:{free_port()}"), 5)
    with pytest.raises(DriverError, match="cannot be reached") as caught:
        driver.plan([], [ObjectRef("v1", "Namespace", "", "x")])
    assert caught.value.transient and not caught.value.operator
    assert "object at" not in str(caught.value)


def test_call__server_that_never_answers__transient_within_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        driver = KubernetesDriver(Connection("silent", f"https://127.0.0.1:{silent.getsockname()[1]}"), 0.5)
        started = time.monotonic()
        with pytest.raises(DriverError, match="in time") as caught:
            driver.plan([], [ObjectRef("v1", "Namespace", "", "x")])
        assert time.monotonic() - started < 2
    assert caught.value.transient


def test_call__address_without_tls__refused_before_anything_is_sent() -> None:
    with pytest.raises(DriverError, match="https://") as caught:
        KubernetesDriver(Connection("plain", "http://127.0.0.1:1", token="x"), 1).probe()
    assert caught.value.operator


def test_client__same_connection__shared_and_changed_connection__new(cluster_access: Connection) -> None:
    first = client_for(cluster_access)
    assert client_for(replace(cluster_access)) is first
    assert client_for(replace(cluster_access, version="2")) is not first


def test_client__many_threads_at_first_use__all_answered(cluster_access: Connection) -> None:
    connection = replace(cluster_access, name="many-threads")
    answers, start = [], threading.Barrier(8)

    def look() -> None:
        start.wait(10)
        kinds = [("v1", "Namespace"), ("networking.k8s.io/v1", "NetworkPolicy"), ("apps/v1", "Deployment")]
        refs = [ObjectRef(api, kind, "" if kind == "Namespace" else "default", "kube-system") for api, kind in kinds]
        answers.append([item.exists for item in KubernetesDriver(connection, 20).observe(refs)])

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[True, False, False]] * 8


def _as_account(place: ClusterPlace, account: str) -> KubernetesDriver:
    kubectl = place.kubectl
    kubectl("create", "namespace", place.namespace)
    kubectl("create", "serviceaccount", account, f"-n={place.namespace}")
    token = kubectl("create", "token", account, f"-n={place.namespace}").strip()
    return KubernetesDriver(replace(place.connection, name=place.namespace, token=token), 20)


def test_ca__of_the_cluster__is_accepted_by_python_itself(cluster_access: Connection) -> None:
    context = ssl.create_default_context(cadata=cluster_access.ca)
    host, _, port = cluster_access.address.removeprefix("https://").partition(":")
    with (
        socket.create_connection((host, int(port or 443)), 5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
