"""The places that drivers write to, each with eyes and hands of its own that do not go through the driver."""

import json
import subprocess
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from clusters.drivers.base import Applied, Connection, Desired, Driver, Manifest, ObjectRef
from clusters.drivers.registry import open_driver
from script.local.controlplane import KubectlFailed
from tests.plugins.cluster import Kubectl
from tests.plugins.git_servers import TOKEN, HttpsServer, SshServer

TIMEOUT = 10.0


@dataclass
class Place(ABC):
    """Where a driver writes; `namespace` is a fresh name, `bundle` its owner."""

    driver_name: str
    connection: Connection
    namespace: str
    bundle: str

    def open(self) -> Driver:
        return open_driver(self.driver_name, self.connection, TIMEOUT)

    @abstractmethod
    def live(self, ref: ObjectRef) -> Manifest | None:
        """The object as it is there, read without the driver."""

    @abstractmethod
    def removed_by_somebody(self, ref: ObjectRef) -> None:
        """Somebody else removes the object."""

    @abstractmethod
    def written_by_somebody(self, manifest: Manifest) -> None:
        """Somebody else writes this."""

    @abstractmethod
    def version(self, ref: ObjectRef) -> str:
        """Changes whenever the object is written to."""

    # What the tests want of a project: the namespace, then a quota in it.

    def namespaced(self, changed_in: int = 1, uid: str = "", **labels: str) -> Desired:
        meta = {"name": self.namespace, "labels": {"portal.cloud/managed": "true", **labels}}
        return Desired({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, self.bundle, changed_in, uid)

    def quota(self, changed_in: int = 1, uid: str = "", *, name: str = "project", **hard: str) -> Desired:
        hard = {key.replace("_", "."): value for key, value in hard.items()} or {"pods": "4"}
        manifest = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"hard": hard},
        }
        return Desired(manifest, self.bundle, changed_in, uid)

    def done(self, *desired: Desired, removed: Sequence[ObjectRef] = ()) -> list[Applied]:
        """One pass of a fresh driver, as a worker makes it."""
        driver = self.open()
        applied = [driver.apply(item) for item in desired]
        driver.commit(desired, removed, "Test\n")
        return applied


class ClusterPlace(Place):
    kubectl: Kubectl

    def live(self, ref: ObjectRef) -> Manifest | None:
        text = self.kubectl("get", *_named(ref), "--ignore-not-found", "--output=json", "--show-managed-fields")
        return json.loads(text) if text else None

    def removed_by_somebody(self, ref: ObjectRef) -> None:
        self.kubectl("delete", *_named(ref))

    def written_by_somebody(self, manifest: Manifest) -> None:
        self.kubectl("create", "-f", "-", stdin=json.dumps(manifest))

    def version(self, ref: ObjectRef) -> str:
        live = self.live(ref)
        return live["metadata"]["resourceVersion"] if live else ""


class GitPlace(Place):
    folder: Path

    def live(self, ref: ObjectRef) -> Manifest | None:
        try:
            return yaml.safe_load(self.git("show", f"main:{self.file(ref)}"))
        except subprocess.CalledProcessError:
            return None

    def removed_by_somebody(self, ref: ObjectRef) -> None:
        self.push(lambda clone: (clone / self.file(ref)).unlink())

    def written_by_somebody(self, manifest: Manifest) -> None:
        path = self.file(Desired(manifest, "", 0).ref)

        def write(clone: Path) -> None:
            (clone / path).parent.mkdir(exist_ok=True)
            (clone / path).write_text(yaml.safe_dump(manifest))

        self.push(write)

    def version(self, ref: ObjectRef) -> str:
        return self.git("log", "--format=%H", "main", "--", self.file(ref))

    def file(self, ref: ObjectRef) -> str:
        return f"{ref.namespace or ref.name}/{ref.kind.lower()}-{ref.name}.yaml"

    def git(self, *arguments: str, within: Path | None = None) -> str:
        command = ["git", "-C", str(within or self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def push(self, change: Callable[[Path], None]) -> None:
        """A commit made with git itself in a clone, and pushed."""
        clone = self.folder.parent / uuid.uuid4().hex
        self.git("clone", "-q", "-b", "main", str(self.folder), str(clone))
        change(clone)
        self.git("add", "-A", within=clone)
        self.git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "-m", "by hand", within=clone)
        self.git("push", "-q", "origin", "main", within=clone)


@pytest.fixture(params=["cluster_place", "git_place", "https_place", "ssh_place"])
def place(request: pytest.FixtureRequest) -> Place:
    """One contract, every driver, and every way to a repository."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["https_place", "ssh_place"])
def remote_place(request: pytest.FixtureRequest) -> GitPlace:
    """A repository behind a server."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def cluster_place(cluster_access: Connection, kubectl: Kubectl, unique: Callable[[str], str]) -> ClusterPlace:
    made = ClusterPlace("kubernetes", cluster_access, unique("contract"), str(uuid.uuid4()))
    made.kubectl = kubectl
    return made


@pytest.fixture
def git_place(tmp_path: Path, unique: Callable[[str], str]) -> GitPlace:
    folder = tmp_path / "manifests.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    made = GitPlace("gitops", Connection("git", f"file://{folder}"), unique("contract"), str(uuid.uuid4()))
    made.folder = folder
    return made


@pytest.fixture
def https_place(git_place: GitPlace, https_server: HttpsServer) -> GitPlace:
    git_place.git("config", "http.receivepack", "true")
    git_place.git("config", "uploadpack.allowFilter", "true")
    git_place.connection = Connection(
        "git", https_server.url("manifests.git"), ca=https_server.ca, username="portal", token=TOKEN
    )
    return git_place


@pytest.fixture
def ssh_place(git_place: GitPlace, ssh_server: SshServer) -> GitPlace:
    git_place.connection = Connection(
        "git", ssh_server.url(git_place.folder), token=ssh_server.key, known_hosts=ssh_server.known_hosts
    )
    return git_place


def _named(ref: ObjectRef) -> list[str]:
    group = ref.api_version.rpartition("/")[0]
    within = [f"--namespace={ref.namespace}"] if ref.namespace else []
    return [f"{ref.kind}.{group}" if group else ref.kind, ref.name, *within]


__all__ = ["ClusterPlace", "GitPlace", "KubectlFailed", "Place"]
