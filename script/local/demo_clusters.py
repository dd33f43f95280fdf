"""The demo's clusters: always a Git repository, and a real API server where the control plane was built."""

import subprocess
import threading
from pathlib import Path

from script.local import ROOT, controlplane, environment, processes
from script.local.problem import Problem

_ACCESS = ROOT / "deploy" / "cluster-access.yaml"
# Nothing is applied to somebody's cluster by a demo; what its administrator would have to apply is said.
ADVICE = """
Your cluster is registered as "own". Nothing was applied to it; its page says what the portal misses there. For that:
  kubectl apply -f deploy/cluster-access.yaml
  kubectl create token portal -n portal-system --duration=8760h
and give the portal that token on the page Clusters, Edit own.
Requests for it that are approved are carried out there."""


def own_cluster(kubeconfig: Path | None, context: str) -> dict[str, str]:
    """The variables that tell `seed_demo` of the user's own cluster; {} for none. Raises Problem before anything is
    started where the file cannot be read; what is in it is judged by the portal itself."""
    if kubeconfig is None:
        if context:
            raise Problem("--context says which context of a --kubeconfig; please give both.")
        return {}
    try:
        kubeconfig.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"The kubeconfig {kubeconfig} cannot be read: {error}") from None
    return {"DEMO_KUBECONFIG": str(kubeconfig.resolve()), "DEMO_KUBECONFIG_CONTEXT": context}


def git_repository(folder: Path) -> dict[str, str]:
    """Makes the bare repository that the GitOps cluster commits to; the variable that tells `seed_demo` of it."""
    repository = folder / "gitops.git"
    if not (repository / "HEAD").exists():
        # dulwich, because a machine need not have git.
        made = subprocess.run(
            [environment.PYTHON, "-m", "dulwich", "init", "--bare", repository],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise Problem(f"The Git repository could not be made: {made.stderr.strip()}")
    return {"DEMO_GIT_REPOSITORY": str(repository)}


class RealCluster:
    """A Kubernetes API server that starts while other things are prepared; none where it was not built."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "kubernetes"
        self._plane: controlplane.ControlPlane | None = None
        self._access: tuple[str, str, str] | None = None
        self._failure = ""
        self._done = threading.Event()
        self._assets = _assets()
        # Its processes end with the thread that started them, so this one stays until the program ends.
        self._thread = threading.Thread(target=self._start, daemon=True)

    @property
    def is_built(self) -> bool:
        """Whether script/control-plane has built one on this machine."""
        return self._assets is not None

    def begin(self) -> None:
        """Starts it and returns at once."""
        if self.is_built:
            self._thread.start()

    def wait(self, running: list[processes.Process]) -> dict[str, str]:
        """Waits until it answers; its processes go into `running`. The variables that tell `seed_demo` of it."""
        if not self.is_built:
            return {}
        self._done.wait()
        if self._plane is None or self._access is None:
            raise Problem(f"The Kubernetes API server did not start: {self._failure}")
        running.extend(self._plane.running)
        server, authority, token = self._access
        token_file, ca_file = self._folder / "portal.token", self._folder / "portal-ca.pem"
        token_file.touch(mode=0o600)
        token_file.write_text(token)
        ca_file.write_text(authority)
        return {
            "DEMO_CLUSTER_SERVER": server,
            "DEMO_CLUSTER_CA_FILE": str(ca_file),
            "DEMO_CLUSTER_TOKEN_FILE": str(token_file),
        }

    def _start(self) -> None:
        try:
            assert self._assets is not None
            self._plane = controlplane.start(self._folder, self._assets)
            self._access = controlplane.grant_access(self._plane, _ACCESS)
        except (Problem, OSError, subprocess.SubprocessError) as error:
            self._failure = str(error)
        finally:
            self._done.set()
        threading.Event().wait()


def _assets() -> Path | None:
    """The folder of the built control plane, if there is one."""
    said = subprocess.run(
        [ROOT / "script" / "control-plane", "path"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return Path(said) if said and Path(said, "kube-apiserver").exists() else None
