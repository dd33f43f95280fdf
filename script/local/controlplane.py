"""A Kubernetes control plane on loopback for tests and the demo: etcd, API server and controllers, without nodes."""

import json
import secrets
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from script.local import processes
from script.local.ports import free_port, is_free
from script.local.problem import Problem

PORTAL_ACCOUNT = "system:serviceaccount:portal-system:portal"
# Whom the check of the second policy impersonates: somebody with rights in the scratch namespace.
_CHECK_USER = "portal-access-check"
_START_SECONDS = 120.0
_POLICY_SECONDS = 60.0
# Nodes, clouds and volumes do not exist here; these controllers would only cost time and log lines.
_CONTROLLERS = (
    "*",
    "-node-ipam-controller",
    "-node-route-controller",
    "-service-lb-controller",
    "-cloud-node-lifecycle-controller",
    "-persistentvolume-attach-detach-controller",
    "-horizontal-pod-autoscaler-controller",
)


class KubectlFailed(Problem):
    """kubectl ended with an error; the text is what it said."""


@dataclass
class ControlPlane:
    """A running control plane: `server` is its URL, `ca` PEM text, `admin_kubeconfig` a file with full rights."""

    folder: Path
    assets: Path
    server: str
    admin_kubeconfig: Path
    ca: str = ""
    running: list[processes.Process] = field(default_factory=list)

    def stop(self) -> None:
        """Ends the processes; the data stay in the folder."""
        processes.stop(self.running)
        self.running.clear()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Runs kubectl as the administrator and returns its output; raises KubectlFailed with its error text."""
        return kubectl(self.assets / "kubectl", self.admin_kubeconfig, *arguments, stdin=stdin)


def kubectl(program: Path | str, kubeconfig: Path, *arguments: str, stdin: str = "") -> str:
    """Runs kubectl with a kubeconfig and returns its output; raises KubectlFailed with its error text."""
    done = subprocess.run(
        [str(program), f"--kubeconfig={kubeconfig}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise KubectlFailed(f"{done.stderr}\n{done.stdout}".strip())
    return done.stdout


def start(folder: Path, assets: Path) -> ControlPlane:
    """Starts a control plane on loopback with its data under `folder`; returns once it is ready.

    `assets` is the folder of the programs (script/control-plane path). A second start on the same folder, also after
    kill -9, finds the same data, addresses, certificate and keys. Call it from the main thread: the processes end
    with the thread that started them. Raises Problem with the end of the log of what did not start.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = _state(folder)
    key = _signing_key(folder)
    _client_authority(folder)
    _write_private(
        folder / "tokens.csv",
        f'{state["token"]},portal-admin,portal-admin,"system:masters"\n',
    )
    plane = ControlPlane(folder, assets, f"https://127.0.0.1:{state['api']}", folder / "admin.kubeconfig")
    try:
        _spawn(plane, "etcd", _etcd(folder, state))
        apiserver = _spawn(plane, "kube-apiserver", _apiserver(folder, state, key))
        processes.wait_until(apiserver, lambda: _answers(plane, state["token"]), _START_SECONDS)
        plane.ca = _authority(folder / "certs" / "apiserver.crt")
        (folder / "ca.crt").write_text(plane.ca)
        _write_private(
            plane.admin_kubeconfig,
            _kubeconfig(plane.server, folder / "ca.crt", state["token"]),
        )
        controllers = _spawn(plane, "kube-controller-manager", _controllers(plane, key))
        processes.wait_until(controllers, lambda: _has_accounts(plane), _START_SECONDS)
    except BaseException:
        plane.stop()
        raise
    return plane


def grant_access(plane: ControlPlane, manifest_path: Path) -> tuple[str, str, str]:
    """Applies deploy/cluster-access.yaml; returns (server URL, CA as PEM, token of the portal's service account)."""
    return plane.server, plane.ca, install_access(plane.kubectl, manifest_path)


def install_access(run: Callable[..., str], manifest_path: Path) -> str:
    """The same for any cluster: `run` is kubectl as its administrator. Returns the portal's token, good for a year.

    Returns only when both admission policies refuse what they should: a policy takes effect some time after it was
    accepted, and until then the portal would have more rights than it will have. Raises Problem after a minute.
    """
    run("apply", "-f", str(manifest_path))
    binding = ("rolebinding", _CHECK_USER)
    bind = (
        "create",
        *binding,
        "--clusterrole=portal-viewer",
        "--user=nobody",
        "--dry-run=server",
    )
    _until_refused(run, *bind, "--namespace=kube-system", f"--as={PORTAL_ACCOUNT}")
    run("delete", *binding, "--namespace=portal-plan", "--ignore-not-found")
    run(
        "create",
        *binding,
        "--namespace=portal-plan",
        "--clusterrole=admin",
        f"--user={_CHECK_USER}",
    )
    try:
        # Without --validate=false kubectl would ask for the schema as the impersonated user, who may not see it.
        create = ("create", "--validate=false", "--dry-run=server", "-f", "-")
        _until_refused(run, *create, f"--as={_CHECK_USER}", stdin=json.dumps(_protected()))
    finally:
        run("delete", *binding, "--namespace=portal-plan")
    return run("create", "token", "portal", "--namespace=portal-system", "--duration=8760h").strip()


def _protected() -> dict[str, object]:
    labels = {"portal.cloud/managed": "true"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": _CHECK_USER, "namespace": "portal-plan", "labels": labels},
        "spec": {"podSelector": {}},
    }


def _until_refused(run: Callable[..., str], *attempt: str, stdin: str = "") -> None:
    deadline = time.monotonic() + _POLICY_SECONDS
    while True:
        try:
            run(*attempt, stdin=stdin)
            answer = "it was allowed"
        except KubectlFailed as error:
            answer = str(error)
        if "ValidatingAdmissionPolicy" in answer:
            return
        if time.monotonic() > deadline:
            raise Problem(f"The admission policies are not in force after {_POLICY_SECONDS:.0f} s: {answer}")
        time.sleep(0.1)


def _state(folder: Path) -> dict[str, str]:
    """Ports and the administrator's token, remembered so that addresses outlive a restart; a taken port is changed."""
    path = folder / "state.json"
    state: dict[str, str] = json.loads(path.read_text()) if path.exists() else {"token": secrets.token_urlsafe(32)}
    for name in ("etcd", "peer", "api"):
        state[name] = str(_port(int(state.get(name, "0"))))
    _write_private(path, json.dumps(state))
    return state


def _port(wanted: int) -> int:
    """The wanted port if it can be had within five seconds (a killed process may still hold it), else a free one."""
    deadline = time.monotonic() + 5
    while wanted and time.monotonic() < deadline:
        if is_free(wanted):
            return wanted
        time.sleep(0.1)
    return free_port()


def _signing_key(folder: Path) -> Path:
    """The key that signs service account tokens, made once."""
    return _key(folder / "service-accounts.key")


def _key(key: Path) -> Path:
    """An RSA key, made once."""
    if not key.exists():
        _write_private(key, _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
    return key


def _client_authority(folder: Path) -> None:
    """The authority of client certificates (client-ca.crt, client-ca.key), made once; as in real clusters, whoever may
    approve a CertificateSigningRequest has it sign one."""
    key, certificate = _key(folder / "client-ca.key"), folder / "client-ca.crt"
    if not certificate.exists():
        subject = ("-subj", "/CN=portal test clients", "-days", "3650")
        _write_private(certificate, _openssl("req", "-x509", "-new", "-sha256", "-key", str(key), *subject))


def _openssl(*arguments: str) -> str:
    if not shutil.which("openssl"):
        raise Problem("The control plane needs the program openssl to make a key; please install it.")
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def _write_private(path: Path, text: str) -> None:
    """Writes a file for our eyes only, whole or not at all."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def _etcd(folder: Path, state: dict[str, str]) -> list[str]:
    client, peer = (f"http://127.0.0.1:{state[name]}" for name in ("etcd", "peer"))
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        # Nobody's data depend on a power cut here, and an fsync per write is most of the time of a test.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(folder: Path, state: dict[str, str], key: Path) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{state['etcd']}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={state['api']}",
        f"--cert-dir={folder / 'certs'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        f"--client-ca-file={folder / 'client-ca.crt'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",
        "--profiling=false",
    ]


def _controllers(plane: ControlPlane, key: Path) -> list[str]:
    return [
        f"--kubeconfig={plane.admin_kubeconfig}",
        f"--service-account-private-key-file={key}",
        f"--root-ca-file={plane.folder / 'ca.crt'}",
        f"--cluster-signing-cert-file={plane.folder / 'client-ca.crt'}",
        f"--cluster-signing-key-file={plane.folder / 'client-ca.key'}",
        # As in real clusters, so that the admission policies meet the same user names.
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        f"--controllers={','.join(_CONTROLLERS)}",
    ]


def _spawn(plane: ControlPlane, program: str, arguments: Sequence[str]) -> processes.Process:
    process = processes.start(
        program,
        [plane.assets / program, *arguments],
        log=plane.folder / f"{program}.log",
        cwd=plane.folder,
        # What the kernel has of etcd's data survives this; an orderly end would hold the ports for seconds.
        stop_signal=signal.SIGKILL,
    )
    plane.running.append(process)
    return process


def _answers(plane: ControlPlane, token: str) -> bool:
    certificate = plane.folder / "certs" / "apiserver.crt"
    request = urllib.request.Request(f"{plane.server}/readyz", headers={"Authorization": f"Bearer {token}"})
    try:
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=_authority(certificate)))
        direct = urllib.request.ProxyHandler({})
        with urllib.request.build_opener(direct, trust).open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        # No file yet, half a file, nobody listening, "not ready" (an HTTPError is an OSError).
        return False


def _has_accounts(plane: ControlPlane) -> bool:
    """Whether the controllers work: the account that every namespace gets is there."""
    return "default" in plane.kubectl("get", "serviceaccount", "--namespace=default", "--output=name")


def _authority(certificate: Path) -> str:
    """The authority from the server's own certificate file, where it is the last of the chain."""
    blocks = certificate.read_text().split("-----BEGIN CERTIFICATE-----")
    return f"-----BEGIN CERTIFICATE-----{blocks[-1]}"


def _kubeconfig(server: str, ca: Path, token: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "local",
                "cluster": {"server": server, "certificate-authority": str(ca)},
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
        "current-context": "local",
    }
    return json.dumps(config, indent=1)
