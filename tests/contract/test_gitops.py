"""What only the GitOps driver promises: one commit a pass, nobody's push lost, and the same text every time."""

import threading
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from clusters.drivers.base import Connection, Desired, DriverError, ObjectRef
from clusters.drivers.files import path_of
from clusters.drivers.gitops import GitOpsDriver
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
