"""What only the GitOps driver promises: one commit a pass, nobody's push lost, and the same text every time."""

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clusters.drivers.base import Connection, Desired, DriverError, ObjectRef
from clusters.drivers.files import path_of
from clusters.drivers.gitops import GitOpsDriver
from clusters.drivers.gitops.local import STALE_LOCK
from tests.contract.conftest import GitPlace


def test_commit__several_objects__one_commit_with_author_and_message(git_place: GitPlace) -> None:
    objects = [git_place.namespaced(), git_place.quota()]
    commit = git_place.open().commit(objects, [], "Revision 1\n\nRequest: R-7\n")
    assert git_place.git("log", "--format=%H", "main") == commit
    said = git_place.git("log", "-1", "--format=%an <%ae>|%cn|%B", "main")
    assert said.startswith("Container cloud portal <portal@") and "|Container cloud portal|Revision 1" in said
    files = git_place.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert files == [
        f"{git_place.namespace}/namespace-{git_place.namespace}.yaml",
        f"{git_place.namespace}/resourcequota-project.yaml",
    ]
    git_place.git("fsck", "--strict")


def test_commit__again__no_commit_and_the_same_id(git_place: GitPlace) -> None:
    objects = [git_place.namespaced(), git_place.quota()]
    first = git_place.open().commit(objects, [], "one\n")
    assert git_place.open().commit(objects, [], "two\n") == first
    assert git_place.open().apply(objects[1]).revision_id == first


def test_commit__older_revision_that_wakes_up_late__newer_file_stays(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced(), git_place.quota(2, pods="9"))
    head = git_place.git("rev-parse", "main")
    assert git_place.open().commit([git_place.quota(1, pods="1")], [], "late\n") == head
    assert git_place.live(git_place.quota().ref)["spec"]["hard"] == {"pods": "9"}


def test_commit__last_file_of_a_folder_removed__folder_gone_and_rest_kept(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced(), git_place.quota())
    first = git_place.namespace
    git_place.namespace = f"{first}-other"
    git_place.done(git_place.namespaced())
    git_place.namespace = first
    refs = [git_place.quota().ref, git_place.namespaced().ref]
    driver = git_place.open()
    assert [driver.delete(ref, git_place.bundle) for ref in refs] == [False, False]
    driver.commit([], refs, "gone\n")
    files = git_place.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert files == [f"{first}-other/namespace-{first}-other.yaml"]
    git_place.git("fsck", "--strict")


def test_commit__name_went_to_another_bundle_meanwhile__its_file_stays(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced(), git_place.quota())
    driver = git_place.open()
    driver.delete(git_place.quota().ref, git_place.bundle)
    git_place.removed_by_somebody(git_place.quota().ref)
    git_place.bundle = str(uuid.uuid4())
    git_place.done(git_place.quota(1, pods="7"))
    driver.commit([], [git_place.quota().ref], "late\n")
    assert git_place.live(git_place.quota().ref)["spec"]["hard"] == {"pods": "7"}


def test_commit__many_at_once__every_file_arrives(git_place: GitPlace) -> None:
    places = [replace(git_place, namespace=f"{git_place.namespace}-{number}") for number in range(8)]
    start, failures = threading.Barrier(len(places)), []

    def work(place: GitPlace) -> None:
        try:
            start.wait(10)
            place.open().commit([place.namespaced()], [], f"{place.namespace}\n")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(git_place.git("ls-tree", "-r", "--name-only", "main").splitlines()) == len(places)
    assert len(git_place.git("log", "--format=%H", "main").splitlines()) == len(places)


def test_commit__branch_locked_by_another_program__transient_within_the_timeout(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced())
    (git_place.folder / "refs/heads/main.lock").touch()
    with pytest.raises(DriverError) as caught:
        GitOpsDriver(git_place.connection, 0.2).commit([git_place.quota()], [], "x\n")
    assert caught.value.transient


def test_commit__after_git_packed_everything__goes_on(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced())
    git_place.git("gc", "-q")
    git_place.done(git_place.quota(pods="4"))
    assert git_place.live(git_place.quota().ref)["spec"]["hard"] == {"pods": "4"}
    assert len(git_place.git("log", "--format=%H", "main").splitlines()) == 2


def test_commit__parts_shared_within_a_manifest__written_out(git_place: GitPlace) -> None:
    shared = {"app": "web"}
    wanted = git_place.quota()
    wanted.manifest["metadata"] |= {"labels": shared, "annotations": shared}
    git_place.open().commit([wanted], [], "x\n")
    text = git_place.git("show", f"main:{git_place.file(wanted.ref)}")
    assert "&" not in text and "*" not in text


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "a\\b", "a\x00b", "..", "a\nb"])
def test_path_of__name_that_leads_elsewhere__refused(name: str) -> None:
    for ref in (ObjectRef("v1", "ConfigMap", "ns", f"x/{name}"), ObjectRef("v1", "ConfigMap", name, "x")):
        with pytest.raises(DriverError) as caught:
            path_of(ref)
        assert not caught.value.transient


def test_plan__file_that_is_not_an_object__permanent_and_named(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced())
    broken = git_place.quota()
    git_place.push(lambda clone: (clone / git_place.file(broken.ref)).write_text("{[ nothing"))
    with pytest.raises(DriverError, match=r"resourcequota-project\.yaml") as caught:
        git_place.open().plan([broken], [])
    assert not caught.value.transient


@pytest.mark.parametrize("address", ["/nowhere/at/all", "file://elsewhere/x"])
def test_open__no_repository_there__operator(address: str) -> None:
    wanted = Desired({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}, "b", 1)
    for attempt in (lambda driver: driver.apply(wanted), lambda driver: driver.probe()):
        with pytest.raises(DriverError) as caught:
            attempt(GitOpsDriver(Connection("git", address), 1))
        assert caught.value.operator and not caught.value.transient


def test_open__plain_path__same_as_url(git_place: GitPlace, tmp_path: Path) -> None:
    git_place.done(git_place.namespaced())
    driver = GitOpsDriver(Connection("git", str(git_place.folder)), 5)
    assert driver.observe([git_place.namespaced().ref])[0].exists


@pytest.mark.parametrize("who", ["alice", "eve <root@localhost>\ncommitter x", "陈 伟"])
def test_commit__author_given__author_asked_and_portal_committed(git_place: GitPlace, who: str) -> None:
    git_place.open().commit([git_place.namespaced()], [], "x\n\nRequest: 7\nApproved-by: bob\n", author=who)
    author, committer = git_place.git("log", "-1", "--format=%an%n%cn", "main").splitlines()
    assert author == " ".join(who.replace("<", " ").replace(">", " ").split())
    assert committer == "Container cloud portal"
    assert git_place.git("log", "-1", "--format=%(trailers:key=Approved-by,valueonly)", "main") == "bob"
    git_place.git("fsck", "--strict")


@pytest.mark.parametrize("kind", [["ed25519"], ["rsa", "-b", "3072"]], ids=["ed25519", "rsa"])
def test_commit__signing_key__git_verifies_it(git_place: GitPlace, tmp_path: Path, kind: list[str]) -> None:
    key, signers = tmp_path / "signing", tmp_path / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-f", key], check=True)
    signers.write_text(f'portal@example.org namespaces="git" {key.with_suffix(".pub").read_text()}')
    git_place.connection = replace(git_place.connection, signing_key=key.read_text().strip())
    git_place.done(git_place.namespaced())
    git_place.done(git_place.quota())
    verify = ["-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", "main"]
    assert "BEGIN SSH SIGNATURE" in git_place.git("cat-file", "commit", "main")
    git_place.git(*verify)
    git_place.git(*verify[:-1], "main~1")
    signers.write_text("")
    with pytest.raises(subprocess.CalledProcessError):
        git_place.git(*verify)


def test_commit__key_that_cannot_sign__operator_and_nothing_written(git_place: GitPlace, tmp_path: Path) -> None:
    key = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", key], check=True)
    for text in (key.read_text(), "no key"):
        git_place.connection = replace(git_place.connection, signing_key=text)
        with pytest.raises(DriverError, match="without passphrase") as caught:
            git_place.done(git_place.namespaced())
        assert caught.value.operator
        assert git_place.git("for-each-ref") == ""


@pytest.mark.parametrize("which", ["branch", "object"])
def test_commit__lock_of_a_crashed_writer__named_and_after_a_while_removed(git_place: GitPlace, which: str) -> None:
    git_place.done(git_place.namespaced())
    lock = git_place.folder / "refs/heads/main.lock"
    if which == "object":
        lock = _lock_of_the_next_blob(git_place)
    lock.parent.mkdir(exist_ok=True)
    lock.touch()
    with pytest.raises(DriverError, match=f"holds the lock .*{lock.name}.* {STALE_LOCK} s old") as caught:
        GitOpsDriver(git_place.connection, 0.2).commit([git_place.quota()], [], "x\n")
    assert caught.value.transient and lock.exists()
    long_ago = time.time() - STALE_LOCK - 5
    os.utime(lock, (long_ago, long_ago))
    git_place.done(git_place.quota())
    assert git_place.live(git_place.quota().ref) and not lock.exists()


def _lock_of_the_next_blob(place: GitPlace) -> Path:
    """Where the file of place.quota() would be locked while it is written."""
    twin = replace(place, connection=Connection("twin", str(place.folder.parent / "twin.git")))
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", twin.connection.address], check=True)
    twin.open().commit([twin.quota()], [], "x\n")
    twin.folder = Path(twin.connection.address)
    blob = twin.git("rev-parse", f"main:{twin.file(twin.quota().ref)}")
    return place.folder / "objects" / blob[:2] / f"{blob[2:]}.lock"


def _link(clone: Path, place: GitPlace) -> None:
    (clone / place.namespace).symlink_to("/etc")


def _linked_file(clone: Path, place: GitPlace) -> None:
    (clone / place.namespace).mkdir()
    (clone / place.file(place.quota().ref)).symlink_to("../../etc/passwd")


def _folder_for_file(clone: Path, place: GitPlace) -> None:
    folder = clone / place.file(place.quota().ref)
    folder.mkdir(parents=True)
    (folder / "x").touch()


def _file_for_folder(clone: Path, place: GitPlace) -> None:
    (clone / place.namespace).write_text("x")


@pytest.mark.parametrize("change", [_link, _linked_file, _folder_for_file, _file_for_folder])
def test_commit__something_else_in_place_of_folder_or_file__refused_and_untouched(
    git_place: GitPlace, change: Callable[[Path, GitPlace], None]
) -> None:
    other = replace(git_place, namespace=f"{git_place.namespace}-other")
    other.done(other.namespaced())
    git_place.push(lambda clone: change(clone, git_place))
    before = git_place.git("rev-parse", "main")
    for attempt in (git_place.open().apply, lambda wanted: git_place.open().commit([wanted], [], "x\n")):
        with pytest.raises(DriverError, match=r"is not a (folder|plain file)") as caught:
            attempt(git_place.quota())
        assert not caught.value.transient
    assert git_place.git("rev-parse", "main") == before
    assert other.open().observe([other.namespaced().ref])[0].exists


BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nmetadata: {name: x, labels: {c: *b}}\nkind: K\napiVersion: v1\n"


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "[" * 50_000,
        "kind: K\napiVersion: v1\nmetadata: {name: 7}\n",
        "kind: K\napiVersion: v1\nmetadata: {name: x, labels: [a]}\n",
        "kind: K\napiVersion: v1\nmetadata: {name: x, annotations: text}\n",
        "kind: K\napiVersion: v1\nmetadata: {name: x}\nat: 2026-99-99\n",
        "!!python/object/apply:os.system [id]",
        "a: 1\n---\nb: 2\n",
    ],
    ids=["aliases", "deep", "number", "list", "text", "date", "python", "two"],
)
def test_apply__hostile_file__permanent_and_named(git_place: GitPlace, text: str) -> None:
    git_place.done(git_place.namespaced())
    git_place.push(lambda clone: (clone / git_place.file(git_place.quota().ref)).write_text(text))
    for attempt in (
        lambda: git_place.open().apply(git_place.quota()),
        lambda: git_place.open().inventory(git_place.namespace),
        lambda: git_place.open().observe([git_place.quota().ref]),
    ):
        with pytest.raises(DriverError, match=r"resourcequota-project\.yaml .* not a Kubernetes object") as caught:
            attempt()
        assert not caught.value.transient


def test_inventory__file_names_that_are_no_text__read(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced(), git_place.quota())

    def odd(clone: Path) -> None:
        text = (clone / git_place.file(git_place.quota().ref)).read_bytes().replace(b"name: project", b"name: odd")
        with open(os.path.join(os.fsencode(clone / git_place.namespace), b"\xff\xfe.yaml"), "wb") as file:
            file.write(text)

    git_place.push(odd)
    assert {ref.name for ref in git_place.open().inventory(git_place.namespace)} == {"project", "odd"}


def test_commit__local_branch_renamed_away__refused_instead_of_starting_anew(git_place: GitPlace) -> None:
    git_place.done(git_place.namespaced())
    git_place.git("branch", "-m", "main", "old")
    with pytest.raises(DriverError, match="no branch main; it has: old") as caught:
        git_place.done(git_place.quota())
    assert caught.value.operator
    assert git_place.git("for-each-ref", "--format=%(refname)") == "refs/heads/old"


def test_census__folder_of_others_with_anything_in_it__ours_only(git_place: GitPlace) -> None:
    for folder in ("", "clusters/alpha"):
        git_place.connection = replace(git_place.connection, folder=folder)
        git_place.done(git_place.namespaced(2), git_place.quota(3))

        def others(clone: Path, folder: str = folder) -> None:
            (clone / folder / "docs: odd").mkdir()
            (clone / folder / "docs: odd" / "mkdocs.yaml").write_text("site: x")

        git_place.push(others)
        found = {seen.ref: (seen.bundle, seen.revision) for seen in git_place.open().census()}
        assert found == {
            git_place.namespaced().ref: (git_place.bundle, 2),
            git_place.quota().ref: (git_place.bundle, 3),
        }
