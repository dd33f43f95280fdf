"""The portal by client certificate, on the real API server; and what it says of certificates that do not fit."""

import base64
import json
import os
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import override_settings

from clusters.drivers.base import Connection, DriverError
from clusters.drivers.kubernetes import KubernetesDriver
from clusters.drivers.kubernetes.client import bounded, client_for
from script.local.controlplane import PORTAL_ACCOUNT
from tests.plugins.cluster import Kubectl
from tests.waiting import eventually
from web.addresses import Allowed

# As the service account's groups, which the certificate names as organisations.
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:portal-system", "system:authenticated")


def pem(key: ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    secret = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret).decode()


def named(name: str, *groups: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def by_certificate(cluster_access: Connection, kubectl: Kubectl, key: ec.EllipticCurvePrivateKey) -> Connection:
    """The portal's own user by a certificate that the cluster's authority has signed."""
    wish = (
        x509.CertificateSigningRequestBuilder().subject_name(named(PORTAL_ACCOUNT, *GROUPS)).sign(key, hashes.SHA256())
    )
    name = f"portal-{time.time_ns()}"
    spec = {
        "request": base64.b64encode(wish.public_bytes(serialization.Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name}}
    kubectl("create", "-f", "-", stdin=json.dumps(body | {"spec": spec}))
    kubectl("certificate", "approve", name)
    said = eventually(lambda: kubectl("get", "csr", name, "-o", "jsonpath={.status.certificate}"))
    certificate = base64.b64decode(said).decode()
    return replace(cluster_access, name="by-certificate", token="", client_certificate=certificate, client_key=pem(key))


def test_probe__client_certificate_instead_of_a_token__all_is_well(by_certificate: Connection) -> None:
    assert KubernetesDriver(by_certificate, 20).probe().problems == ()


def test_connection__key_in_memory__on_no_disk_and_in_no_repr(
    by_certificate: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = set(os.listdir("/proc/self/fd"))
    KubernetesDriver(replace(by_certificate, name="in-memory"), 20).probe()
    assert not list(tmp_path.iterdir())
    targets = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in set(os.listdir("/proc/self/fd")) - before]
    assert not [target for target in targets if "memfd" in target]
    assert by_certificate.client_key[30:80] not in repr(by_certificate)


def test_probe__certificate_of_another_authority__operator(
    by_certificate: Connection, key: ec.EllipticCurvePrivateKey
) -> None:
    own = replace(by_certificate, name="own", client_certificate=signed_by_itself(key))
    with pytest.raises(DriverError, match="does not accept") as caught:
        KubernetesDriver(own, 10).probe()
    assert caught.value.operator and not caught.value.transient


@pytest.mark.parametrize("what", ["other key", "encrypted key", "no key", "no certificate"])
def test_probe__certificate_and_key_that_do_not_fit__said_without_asking_for_a_password(
    by_certificate: Connection, key: ec.EllipticCurvePrivateKey, what: str
) -> None:
    changes = {
        "other key": {"client_key": pem(ec.generate_private_key(ec.SECP256R1()))},
        "encrypted key": {"client_key": pem(key, b"secret")},
        "no key": {"client_key": "nonsense"},
        "no certificate": {"client_certificate": "nonsense"},
    }[what]
    with pytest.raises(DriverError, match="client certificate of the portal") as caught:
        KubernetesDriver(replace(by_certificate, name=what, **changes), 10).probe()
    assert caught.value.operator


def test_probe__server_of_another_authority__said_in_words(
    cluster_access: Connection, key: ec.EllipticCurvePrivateKey
) -> None:
    other = replace(cluster_access, name="other-authority", ca=signed_by_itself(key))
    with pytest.raises(DriverError, match=r"not trusted \(its authority is not the one that is registered\)"):
        KubernetesDriver(other, 10).probe()
    with pytest.raises(DriverError, match="no PEM certificate"):
        KubernetesDriver(replace(cluster_access, name="no-authority", ca="nonsense"), 10).probe()


@pytest.mark.parametrize("allowed", [[], ["127.0.0.0/8"]])
def test_call__address_outside_the_policy__refused_by_the_connection_itself(
    cluster_access: Connection, allowed: list[str]
) -> None:
    driver = KubernetesDriver(replace(cluster_access, name=f"policy-{allowed}"), 10)
    with (
        override_settings(DEMO=False, CLUSTER_ADDRESSES=Allowed.read(allowed)),
        pytest.raises(DriverError, match="this machine itself") as caught,
    ):
        driver.probe()
    assert caught.value.operator and not caught.value.transient


def test_call__name_that_answers_differently_the_second_time__the_address_that_was_checked(
    cluster_access: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is in the server's certificate; every second answer is a metadata address, and nobody connects there."""
    name, asked, connected = "kubernetes.default.svc", [], []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != name:
            return look_up(host, port, *args, **kwargs)
        asked.append(host)
        return look_up("127.0.0.1" if len(asked) % 2 else "169.254.169.254", port, *args, **kwargs)

    def noted(self: socket.socket, address: Any) -> None:
        connected.append(address[0])
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket.socket, "connect", noted)
    address = cluster_access.address.replace("127.0.0.1", name)
    with bounded(20):
        client = client_for(replace(cluster_access, name="rebound", address=address))
        assert client.call("get", "/version")["gitVersion"]
        # One look-up for one connection: between checking and connecting nothing is asked again.
        assert (asked, connected) == ([name], ["127.0.0.1"])
    with bounded(20), pytest.raises(DriverError, match="metadata"):
        client_for(replace(cluster_access, name="rebound", address=address, version="2")).call("get", "/version")
    assert len(asked) == 2 and set(connected) == {"127.0.0.1"}


def signed_by_itself(key: ec.EllipticCurvePrivateKey) -> str:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(named("itself"), named("itself"), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
