"""What an onlooker with an administrator's rights saw: every version of every object with the portal's label."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from dulwich.objects import Commit, Tree
from dulwich.repo import Repo

from script.local.controlplane import ControlPlane

MANAGED = "portal.cloud/managed=true"
FENCE = "portal.cloud/revision"
KINDS = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding")


class Key(NamedTuple):
    """What names an object; a Namespace lies in itself."""

    kind: str
    namespace: str
    name: str


class Seen(NamedTuple):
    """One version of an object, or its end: `at` in seconds since the epoch, `uid` of this very object, whose fence
    says `bundle` and `revision` ("" and 0 without one)."""

    at: float
    key: Key
    uid: str
    is_end: bool
    bundle: str
    revision: int
    body: dict[str, Any]


def seen(at: float, body: dict[str, Any], uid: str, *, is_end: bool) -> Seen:
    """A version as it came."""
    meta = body["metadata"]
    key = Key(body["kind"], meta.get("namespace") or meta["name"], meta["name"])
    bundle, _slash, revision = (meta.get("annotations") or {}).get(FENCE, "").rpartition("/")
    return Seen(at, key, uid, is_end, bundle, int(revision or 0), body)


class Watch:
    """Watches an API server from `start` on; `versions` grows. Asked directly, so no weather comes in between."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._running: list[subprocess.Popen[str]] = []
        self.versions: list[Seen] = []

    def start(self) -> None:
        """Call it from the main thread, before anything is written."""
        for kind in KINDS:
            command = [self._plane.assets / "kubectl", f"--kubeconfig={self._plane.admin_kubeconfig}", "get", kind]
            command += ["-A", "-l", MANAGED, "--watch", "--output-watch-events", "-o", "json", "--request-timeout=0"]
            process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
            self._running.append(process)
            threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def stop(self) -> None:
        """Ends it; AssertionError if it had ended before by itself and so may have missed something."""
        codes = [process.poll() for process in self._running]
        for process in self._running:
            process.terminate()
            process.wait(10)
        assert codes == [None] * len(codes), codes

    def live(self) -> dict[Key, Seen]:
        """All that is there now, listed anew."""
        listed = json.loads(self._plane.kubectl("get", ",".join(KINDS), "-A", "-l", MANAGED, "-o", "json"))
        now = time.time()
        found = [seen(now, item, item["metadata"]["uid"], is_end=False) for item in listed["items"]]
        return {one.key: one for one in found}

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for event in _documents(process.stdout):
            body = event["object"]
            self.versions.append(seen(time.time(), body, body["metadata"]["uid"], is_end=event["type"] == "DELETED"))


def _documents(lines: Iterator[str] | Any) -> Iterator[dict[str, Any]]:
    """The JSON documents of a stream, each as soon as it is complete."""
    decoder, text = json.JSONDecoder(), ""
    for line in lines:
        text += line
        # Documents are indented: the line that closes one begins with its bracket.
        while line.startswith(("}", '{"')):
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:
                break
            yield document
            text = text[end:].lstrip()


def history(repository: Path) -> list[Seen]:
    """The same of a Git repository's branch main: every version of every file, oldest first."""
    versions: list[Seen] = []
    with Repo(str(repository)) as repo:
        if b"refs/heads/main" not in repo.refs.allkeys():
            return []
        commits = [entry.commit for entry in repo.get_walker([repo.refs[b"refs/heads/main"]])]
        before: dict[bytes, bytes] = {}
        lives: dict[bytes, str] = {}
        for commit in reversed(commits):
            after = _files(repo, commit)
            for path in sorted(before.keys() | after.keys()):
                if before.get(path) != after.get(path):
                    if path not in before:
                        lives[path] = commit.id.decode()
                    blob = repo[after.get(path) or before[path]]
                    body = yaml.safe_load(blob.data)
                    uid, is_end = f"{path.decode()}@{lives[path]}", path not in after
                    versions.append(seen(commit.commit_time, body, uid, is_end=is_end))
            before = after
    return versions


def _files(repo: Repo, commit: Commit) -> dict[bytes, bytes]:
    tree = repo[commit.tree]
    assert isinstance(tree, Tree)
    entries = repo.object_store.iter_tree_contents(tree.id)
    return {entry.path: entry.sha for entry in entries if entry.path.endswith(b".yaml")}


def last(versions: list[Seen]) -> dict[Key, Seen]:
    """What is left at the end of a history."""
    found: dict[Key, Seen] = {}
    for one in versions:
        if one.is_end:
            found.pop(one.key, None)
        else:
            found[one.key] = one
    return found
