"""A real Kubernetes API server for tests, and the portal's access to it; started at first use, once per process.

TEST_KUBECONFIG names the administrator's kubeconfig of a disposable cluster; without it a control plane is started
from KUBEBUILDER_ASSETS or from what script/control-plane has built.
"""

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters.drivers.base import Connection
from script.local import controlplane

_ROOT = Path(__file__).resolve().parents[2]
ACCESS_FILE = _ROOT / "deploy" / "cluster-access.yaml"
_ADVICE = "There is no Kubernetes API server to test with: run script/control-plane (once, up to 20 minutes)."

Kubectl = Callable[..., str]


@dataclass(frozen=True)
class TestCluster:
    """A cluster with the portal's access applied: `kubectl` acts as administrator, `token` is the portal's; `plane` are
    its processes, where they are the test's own."""

    __test__ = False

    server: str
    ca: str
    token: str
    kubectl: Kubectl
    plane: controlplane.ControlPlane | None = None


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """The cluster of this process; skips where there is none (fails with REQUIRE_CONTROL_PLANE=1)."""
    given, assets = os.environ.get("TEST_KUBECONFIG"), _assets()
    if given:
        yield _foreign(Path(given), assets / "kubectl" if assets else Path("kubectl"))
        return
    if assets is None:
        if os.environ.get("REQUIRE_CONTROL_PLANE") == "1":
            pytest.fail(_ADVICE)
        pytest.skip(_ADVICE)
    plane = controlplane.start(tmp_path_factory.mktemp("control-plane"), assets)
    try:
        yield TestCluster(*controlplane.grant_access(plane, ACCESS_FILE), plane.kubectl, plane)
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def cluster_access(control_plane: TestCluster) -> Connection:
    """How the portal reaches the cluster: never with more rights than deploy/cluster-access.yaml gives."""
    return Connection("test", control_plane.server, control_plane.ca, control_plane.token, "1")


@pytest.fixture(scope="session")
def kubectl(control_plane: TestCluster) -> Kubectl:
    """Runs kubectl as administrator: `kubectl("get", "ns")` answers what it prints, or raises KubectlFailed."""
    return control_plane.kubectl


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes names that no other test uses: `unique("web")` is "web-1f3a9c20"."""
    return lambda prefix: f"{prefix}-{secrets.token_hex(4)}"


def _assets() -> Path | None:
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        return Path(given)
    built = subprocess.run([_ROOT / "script" / "control-plane", "path"], capture_output=True, text=True)
    folder = Path(built.stdout.strip())
    return folder if (folder / "kube-apiserver").exists() else None


def _foreign(kubeconfig: Path, program: Path) -> TestCluster:
    def run(*arguments: str, stdin: str = "") -> str:
        return controlplane.kubectl(program, kubeconfig, *arguments, stdin=stdin)

    view = json.loads(run("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
    cluster = view["clusters"][0]["cluster"]
    ca = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
    return TestCluster(cluster["server"], ca, controlplane.install_access(run, ACCESS_FILE), run)
