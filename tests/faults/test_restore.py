"""A backup by pg_dump, restored an hour too late: what the cluster has beyond it is shown, and nothing is changed."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from django.utils import timezone

from clusters.drivers.base import REVISION_ANNOTATION
from clusters.models import Bundle, Cluster, Health, Origin
from clusters.services import set_desired
from clusters.services.holding import confirm
from script.local import postgres
from tenants import manifests
from tests.builders import a_user
from tests.faults.test_workers import QUICK, ask_and_approve, quota_of, ready
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Backups:
    """Dumps of the test's database, restored under its name while the current one is put aside."""

    def __init__(self, folder: Path) -> None:
        self._settings = connection.settings_dict
        self._name = self._settings["NAME"]
        self._dump = folder / "portal.dump"
        self._programs = postgres.binaries(Path(os.environ["PORTAL_TEST_FOLDER"], "postgres"))

    def make(self) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self._dump}", self._name)

    def restore(self) -> None:
        """As after a loss: an empty database of the same name, filled from the dump."""
        connections.close_all()
        # Whoever was killed may still count as connected.
        others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'"
        self._run("psql", "-d", "postgres", "-c", others)
        self._run("psql", "-d", "postgres", "-c", f'ALTER DATABASE "{self._name}" RENAME TO "{self._name}_lost"')
        self._run("createdb", self._name)
        self._run("pg_restore", "--no-owner", f"--dbname={self._name}", str(self._dump))

    def tidy(self) -> None:
        """The database that was put aside goes away."""
        self._run("dropdb", "--if-exists", "--force", f"{self._name}_lost")

    def _run(self, program: str, *arguments: str) -> None:
        names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
        access = {variable: str(self._settings[key]) for variable, key in names.items()}
        subprocess.run([self._programs / program, *arguments], env=os.environ | access, check=True, capture_output=True)


@pytest.fixture
def backups(tmp_path: Path) -> Iterator[Backups]:
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("The database server is not the suite's own: nothing is renamed there.")
    made = Backups(tmp_path)
    yield made
    made.tidy()


def everything(kubectl, *namespaces: str) -> dict[str, str]:
    """The resource version of every object of the projects, by name."""
    found = {}
    for namespace in namespaces:
        kinds = "resourcequota,limitrange,networkpolicy,rolebinding"
        for args in (["namespace", namespace], [kinds, f"-n={namespace}"]):
            seen = json.loads(kubectl("get", *args, "-o", "json"))
            for item in seen.get("items", [seen]):
                meta = item["metadata"]
                found[f"{item['kind']} {namespace} {meta['name']}"] = meta["resourceVersion"]
    return found


def test_restore__older_database__shown_and_nothing_changed_until_confirmed(
    portal, real_cluster, kubectl, unique, backups
):
    portal.start("worker", "dispatch", **QUICK)
    old = ask_and_approve(unique("old"))
    bundle = old.outcomes.get().bundle_id
    eventually(ready(bundle, 1), 60, "the first project is there")
    eventually(lambda: Origin.objects.exists(), 30, "the dispatcher knows its database")
    backups.make()

    made = Bundle.objects.get(pk=bundle)
    state = made.revisions.get().state
    state["quota"]["cpu"] = 7000
    wanted = manifests.project(state)
    set_desired(bundle=made, manifests=wanted, state=state, provenance={}, by=None, at=timezone.now())
    eventually(ready(bundle, 2), 60, "its quota is raised after the backup")
    new = ask_and_approve(unique("new"))
    eventually(ready(new.outcomes.get().bundle_id, 1), 60, "and another project is there")
    portal.stop()
    before = everything(kubectl, old.title, new.title)

    backups.restore()
    # An hour ago this was on its way: it must not be done now either.
    unfinished = ask_and_approve(unique("unfinished"))
    portal.start("second-worker", "dispatch", **QUICK)
    eventually(lambda: Cluster.objects.get().held_since, 30, "the dispatcher notices")
    eventually(lambda: Health.objects.get().beyond, 60, "the cluster was looked at")
    told = {(row["sort"], row["namespace"], row["known"], row["live"]) for row in Health.objects.get().beyond}
    ours = {row for row in told if row[1] in (old.title, new.title, unfinished.title)}
    assert ours == {
        ("newer", old.title, 1, 2),
        ("unknown", new.title, 0, 1),
        ("pending", unfinished.title, 1, 0),
    }
    assert Bundle.objects.get(pk=unfinished.outcomes.get().bundle_id).observed_generation == 0
    assert everything(kubectl, old.title, new.title) == before
    assert kubectl("get", "namespace", unfinished.title, "--ignore-not-found") == ""

    admin = a_user("admin", "administrator")
    confirm(name="real", overwrite=[str(made.uid)], by=admin, at=timezone.now())
    eventually(ready(bundle, 3), 90, "the old state is written again, above what is live")
    eventually(ready(unfinished.outcomes.get().bundle_id, 1), 90, "what was on its way arrives")
    quota = quota_of(kubectl, old.title)
    assert quota["spec"]["hard"]["limits.cpu"] == "2"
    assert quota["metadata"]["annotations"][REVISION_ANNOTATION] == f"{made.uid}/3"
    left = everything(kubectl, new.title)
    assert left == {name: version for name, version in before.items() if f" {new.title} " in name}
