"""What every driver promises, against a real API server and a real Git repository."""

import threading

import pytest

from clusters.drivers.base import REVISION_ANNOTATION, DriverError, ObjectRef
from clusters.drivers.registry import open_driver
from tests.contract.conftest import Place


def test_apply__nothing_there__created_with_label_and_fence(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(team="a"), place.quota(3, pods="4"))
    assert [namespace.outcome, quota.outcome] == ["created", "created"]
    assert namespace.uid and quota.uid
    live = place.live(quota.ref)
    assert live["spec"]["hard"] == {"pods": "4"}
    assert live["metadata"]["labels"]["portal.cloud/managed"] == "true"
    assert live["metadata"]["annotations"][REVISION_ANNOTATION] == f"{place.bundle}/3"


def test_apply__again__unchanged_and_not_written(place: Place) -> None:
    objects = [place.namespaced(team="a"), place.quota(pods="4", requests_cpu="1.5", requests_memory="1Gi")]
    first = place.done(*objects)
    # The quota's controller writes its status once; what counts is that we do not.
    _settled(place, first[1].ref)
    before = [place.version(item.ref) for item in objects]
    again = place.done(*objects)
    assert [item.outcome for item in again] == ["unchanged", "unchanged"]
    assert [place.version(item.ref) for item in objects] == before
    assert [item.uid for item in again] == [item.uid for item in first]


def test_apply__newer_revision__changed(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota(1, pods="4"))
    (changed,) = place.done(place.quota(2, quota.uid, pods="9"))
    assert changed.outcome == "changed" and changed.uid == quota.uid
    live = place.live(quota.ref)
    assert live["spec"]["hard"] == {"pods": "9"}
    assert live["metadata"]["annotations"][REVISION_ANNOTATION] == f"{place.bundle}/2"


def test_apply__field_no_longer_wanted__removed(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(team="a", stage="b"), place.quota(pods="4", services="2"))
    place.done(place.namespaced(2, namespace.uid, team="a"), place.quota(2, quota.uid, pods="4"))
    assert place.live(quota.ref)["spec"]["hard"] == {"pods": "4"}
    labels = place.live(namespace.ref)["metadata"]["labels"]
    assert labels["team"] == "a" and "stage" not in labels


def test_apply__newer_is_live__superseded_and_untouched(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota(5, pods="9"))
    _settled(place, quota.ref)
    before = place.version(quota.ref)
    (late,) = place.done(place.quota(4, quota.uid, pods="1"))
    assert late.outcome == "superseded"
    assert place.version(quota.ref) == before


def test_apply__removed_by_somebody__missing_and_not_created(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota(1))
    place.removed_by_somebody(quota.ref)
    (late,) = place.done(place.quota(2, quota.uid))
    assert late.outcome == "missing"
    assert place.live(quota.ref) is None


def test_apply__object_of_nobody__refused_and_untouched(place: Place) -> None:
    place.done(place.namespaced())
    foreign = place.quota(pods="7").manifest
    place.written_by_somebody(foreign)
    with pytest.raises(DriverError, match="is not the portal's") as caught:
        place.open().apply(place.quota(1, pods="1"))
    assert not caught.value.transient
    with pytest.raises(DriverError, match="is not the portal's"):
        place.open().plan([place.quota(1, pods="1")], [])
    assert place.live(place.quota().ref)["spec"]["hard"] == {"pods": "7"}


def test_apply__object_of_another_bundle__refused_and_untouched(place: Place) -> None:
    holder = place.bundle
    place.done(place.namespaced(), place.quota(1, pods="7"))
    place.bundle = "another"
    with pytest.raises(DriverError, match=holder) as caught:
        place.open().apply(place.quota(9, pods="1"))
    assert not caught.value.transient
    assert place.live(place.quota().ref)["spec"]["hard"] == {"pods": "7"}


def test_apply__stale_and_newer_worker_at_once__newer_wins(place: Place) -> None:
    place.done(place.namespaced())
    for turn in range(8):
        name = f"race-{turn}"
        workers = [place.quota(1, name=name, pods="1"), place.quota(2, name=name, pods="2")]
        start = threading.Barrier(len(workers))
        failures: list[BaseException] = []

        def work(desired, start=start, failures=failures) -> None:
            try:
                start.wait(10)
                place.done(desired)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(desired,)) for desired in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert place.live(workers[0].ref)["spec"]["hard"] == {"pods": "2"}


def test_delete__right_uid__gone(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota())
    driver = place.open()
    driver.delete(quota.ref, quota.uid)
    driver.commit([], [quota.ref], "Remove\n")
    assert place.live(quota.ref) is None
    assert place.open().delete(quota.ref, quota.uid) is True


def test_delete__wrong_uid__refused_and_untouched(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota())
    driver = place.open()
    with pytest.raises(DriverError) as caught:
        driver.delete(quota.ref, "0b6ff3bc-0000-4000-8000-000000000000")
    assert not caught.value.transient
    driver.commit([], [quota.ref], "Remove\n")
    assert place.live(quota.ref) is not None


def test_delete__unknown_uid__only_with_the_bundles_fence(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota())
    driver = place.open()
    for bundle in ("", "another"):
        with pytest.raises(DriverError):
            driver.delete(quota.ref, "", bundle)
    driver.delete(quota.ref, "", place.bundle)
    driver.commit([], [quota.ref], "Remove\n")
    assert place.live(quota.ref) is None


def test_delete__not_there__gone(place: Place) -> None:
    place.done(place.namespaced())
    assert place.open().delete(place.quota().ref, "some-uid") is True


def test_plan__nothing_there__all_added_and_nothing_changed(place: Place) -> None:
    changes = place.open().plan([place.namespaced(), place.quota(pods="4")], [])
    assert [change.action for change in changes] == ["add", "add"]
    assert ("spec.hard.pods", None, "4") in changes[1].fields
    assert place.live(place.namespaced().ref) is None


def test_plan__something_differs__owned_fields_only_and_nothing_changed(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(), place.quota(pods="4", services="2"))
    _settled(place, quota.ref)
    before = place.version(quota.ref)
    wanted = [place.namespaced(1, namespace.uid), place.quota(2, quota.uid, pods="9", requests_cpu="1.5")]
    changes = place.open().plan(wanted, [ObjectRef("v1", "ResourceQuota", place.namespace, "never-there")])
    assert [change.action for change in changes] == ["keep", "change", "keep"]
    cpu = "1500m" if place.open().capabilities.can_dry_run else "1.5"
    assert changes[1].fields == (
        ("spec.hard.pods", "4", "9"),
        ("spec.hard.requests.cpu", None, cpu),
        ("spec.hard.services", "2", None),
    )
    assert place.version(quota.ref) == before


def test_plan__live_quota__its_use_where_it_can_be_observed(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(), place.quota(pods="4"))
    _settled(place, quota.ref)
    known = {"hard": {"pods": "4"}, "used": {"pods": "0"}} if place.open().capabilities.can_observe else {}
    changes = place.open().plan([place.namespaced(1, namespace.uid), place.quota(2, quota.uid, pods="9")], [])
    assert [change.usage for change in changes] == [{}, known]
    assert place.open().plan([], [quota.ref])[0].usage == known
    assert place.open().plan([place.quota(name="new")], [])[0].usage == {}


def test_survey__where_nothing_can_be_seen__permanent(place: Place) -> None:
    driver = place.open()
    if driver.capabilities.can_survey:
        place.done(place.namespaced())
        (found,) = driver.survey(names=[place.namespace])
        assert found.is_open and found.bundle == place.bundle
        assert driver.capacity().nodes >= driver.capacity().ready >= 0
        return
    for attempt in (driver.survey, driver.capacity):
        with pytest.raises(DriverError, match="Git") as caught:
            attempt()
        assert not caught.value.transient and not caught.value.operator


def test_plan__object_to_be_removed__said(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota())
    (change,) = place.open().plan([], [quota.ref])
    assert change.action == "remove"


def test_inventory__objects_of_ours_and_others__ours_only(place: Place) -> None:
    _, quota = place.done(place.namespaced(), place.quota())
    place.written_by_somebody(place.quota(name="foreign").manifest)
    assert place.open().inventory(place.namespace) == (quota.ref,)


def test_drift__as_applied__nothing_though_it_is_written_in_another_form(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(team="a"), place.quota(pods="4", requests_cpu="1.5"))
    desired = [
        place.namespaced(1, namespace.uid, team="a"),
        place.quota(1, quota.uid, pods="4", requests_cpu="1.5"),
    ]
    assert place.open().drift(desired, place.namespace) == ()


def test_drift__removed_and_beside__missing_and_foreign_and_nothing_written(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(team="a"), place.quota())
    place.removed_by_somebody(quota.ref)
    place.written_by_somebody(place.quota(name="foreign").manifest)
    before = place.version(namespace.ref)
    found = place.open().drift(
        [place.namespaced(1, namespace.uid, team="a"), place.quota(1, quota.uid)], place.namespace
    )
    assert [(one.sort, one.ref.name, one.refused, one.place) for one in found] == [
        ("missing", "project", None, ""),
        ("foreign", "foreign", None, ""),
    ]
    assert place.live(quota.ref) is None and place.version(namespace.ref) == before


def test_drift__wanted_otherwise__changed_with_live_and_wanted_value(place: Place) -> None:
    namespace, quota = place.done(place.namespaced(team="a"), place.quota(pods="4"))
    desired = [place.namespaced(1, namespace.uid, team="a"), place.quota(1, quota.uid, pods="9")]
    (found,) = place.open().drift(desired, place.namespace)
    assert (found.sort, found.ref) == ("changed", quota.ref)
    assert found.fields == (("spec.hard.pods", "4", "9"),)


def test_drift__somebody_elses_in_its_place__said_why_it_cannot_be_brought_back(place: Place) -> None:
    (namespace,) = place.done(place.namespaced(team="a"))
    theirs = place.quota()
    theirs.manifest["metadata"]["annotations"] = {REVISION_ANNOTATION: "0b6ff3bc-0000-4000-8000-000000000000/1"}
    place.written_by_somebody(theirs.manifest)
    (found,) = place.open().drift([place.namespaced(1, namespace.uid, team="a"), place.quota()], place.namespace)
    assert found.sort == "changed" and found.refused is not None
    assert "0b6ff3bc" in found.refused.english


def test_observe__there_and_not_there__said(place: Place) -> None:
    namespace, _ = place.done(place.namespaced(), place.quota())
    there, absent = place.open().observe([namespace.ref, place.quota(name="never").ref])
    assert there.exists and there.bundle == place.bundle and there.uid == namespace.uid
    assert not absent.exists and not absent.ready and "never" in absent.message.english


def test_probe__healthy__version_and_no_problems(place: Place) -> None:
    probe = place.open().probe()
    assert probe.version and probe.problems == ()
    assert probe.at.tzinfo is not None


def test_open_driver__unknown_name__key_error(place: Place) -> None:
    with pytest.raises(KeyError):
        open_driver("nomad", place.connection, 1)


def _settled(place: Place, ref: ObjectRef) -> None:
    """Returns when the object's controller, if it has one, has nothing more to write."""
    driver = place.open()
    waited = threading.Event()
    for _turn in range(200):
        if not driver.capabilities.can_observe or driver.observe([ref])[0].ready:
            return
        waited.wait(0.05)
    pytest.fail(f"{ref} did not become ready.")
