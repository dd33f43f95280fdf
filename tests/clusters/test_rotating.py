"""Keys of stored credentials: rotated row by row, beside whoever uses them, and again after an interruption."""

import base64
import os
import sys
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from audit.models import Event
from clusters.access import SEALED, connection_of, place_of
from clusters.models import Cluster
from clusters.services import keys_in_use, rotate_keys
from notify import signing
from script.local import ROOT, processes
from tests.builders import a_cluster, a_user
from tests.waiting import eventually
from web import sealing
from web.errors import Forbidden

NEW = b"n" * 32


def sealed_cluster(name: str, *credentials: str) -> Cluster:
    cluster = a_cluster(name, observer_address="https://127.0.0.1:2")
    for credential in credentials:
        setattr(cluster, f"{credential}_sealed", sealing.seal(f"{credential} of {name}", place_of(cluster, credential)))
    cluster.save()
    return cluster


def rotate(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def old_key(settings) -> str:
    return next(iter(settings.ENCRYPTION_KEYS))


@pytest.fixture
def second_key(settings, old_key):
    """Call it to put a new key in front."""

    def add() -> None:
        settings.ENCRYPTION_KEYS = {"new": NEW, **settings.ENCRYPTION_KEYS}

    return add


def test_sealed_columns__of_all_models__are_those_that_are_rotated():
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.endswith("_sealed")
    }
    assert found == {f"clusters.Cluster.{name}_sealed" for name in SEALED} | {
        f"notify.Endpoint.{name}_sealed" for name in signing.SEALED
    }


@pytest.mark.django_db
def test_rotate__every_credential__new_key_same_text_same_version(settings, second_key, old_key):
    cluster = sealed_cluster("a", *SEALED)
    before = connection_of(cluster)
    second_key()
    done = rotate_keys(by=None, at=timezone.now())
    cluster.refresh_from_db()
    assert (done.changed, done.current, done.unread) == (len(SEALED), 0, [])
    # Equal in everything, version too: a worker's client is kept.
    assert connection_of(cluster) == before
    settings.ENCRYPTION_KEYS = {"new": NEW}
    assert connection_of(cluster) == before
    event = Event.objects.get(action="cluster.rotate-keys")
    assert (event.subject, event.actor) == ("cluster:a", "system")
    assert (event.before, event.after) == (dict.fromkeys(SEALED, old_key), dict.fromkeys(SEALED, "new"))


@pytest.mark.django_db
def test_rotate__again__writes_nothing(second_key):
    cluster = sealed_cluster("a", "token")
    second_key()
    rotate_keys(by=None, at=timezone.now())
    cluster.refresh_from_db()
    done = rotate_keys(by=None, at=timezone.now())
    assert (done.changed, done.current) == (0, 1)
    assert Cluster.objects.get().token_sealed == cluster.token_sealed
    assert Event.objects.filter(action="cluster.rotate-keys").count() == 1


@pytest.mark.django_db
def test_rotate__by_somebody_else__refused(second_key):
    cluster = sealed_cluster("a", "token")
    second_key()
    with pytest.raises(Forbidden):
        rotate_keys(by=a_user("dev"), at=timezone.now())
    assert Cluster.objects.get().token_sealed == cluster.token_sealed


@pytest.mark.django_db
def test_rotate__by_an_administrator__named_in_the_event(second_key):
    sealed_cluster("a", "token")
    second_key()
    rotate_keys(by=a_user("admin", "administrator"), at=timezone.now())
    assert Event.objects.get(action="cluster.rotate-keys").actor == "admin"


@pytest.mark.django_db
def test_command__unreadable_credential__named_left_and_others_go_on(second_key, old_key):
    broken, whole = sealed_cluster("a", "token", "client_key"), sealed_cluster("b", "token")
    # As if it had been copied from another row.
    Cluster.objects.filter(pk=broken.pk).update(token_sealed=whole.token_sealed)
    second_key()
    code, out, err = rotate()
    broken.refresh_from_db()
    assert code == 1
    assert out.startswith("2 encrypted anew, 0 had the first key, 1 unread.")
    assert err.startswith("a, token: ")
    assert "of b" not in out + err
    assert broken.token_sealed == whole.token_sealed
    assert keys_in_use() == {"new": 2, old_key: 1}


@pytest.mark.django_db
def test_command__key_not_configured__named(settings, old_key):
    sealed_cluster("a", "token")
    settings.ENCRYPTION_KEYS = {"new": NEW}
    assert rotate("--check") == (1, f"{old_key} (not configured): 1\n", "")
    code, _out, err = rotate()
    assert (code, err) == (1, f"a, token: No key with the id '{old_key}' is configured.\n")


@pytest.mark.django_db
def test_check__before_and_after__says_which_keys_are_needed(second_key, old_key):
    sealed_cluster("a", "token", "client_key")
    assert rotate("--check") == (0, f"{old_key}: 2\n", "")
    second_key()
    assert rotate("--check") == (1, f"{old_key} (old): 2\n", "")
    assert rotate()[0] == 0
    assert rotate("--check") == (0, "new: 2\n", "")


@pytest.mark.django_db(transaction=True)
def test_command__killed_while_it_waits_for_a_row__goes_on_where_it_was(tmp_path, settings, second_key, old_key):
    first, second = sealed_cluster("a", "token"), sealed_cluster("b", "token")
    keys = {"demo-2": NEW, **settings.ENCRYPTION_KEYS}
    text = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in keys.items())
    address = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    variables = {**os.environ, "PORTAL_DATABASE_URL": address, "PORTAL_ENCRYPTION_KEYS": text}
    command = [sys.executable, "manage.py", "rotate_keys"]
    with transaction.atomic():
        # Somebody registers the second cluster anew at the same moment.
        Cluster.objects.select_for_update().get(pk=second.pk)
        running = processes.start("rotate", command, log=tmp_path / "log", env=variables, cwd=ROOT)
        eventually(lambda: keys_in_use() == {"demo-2": 1, old_key: 1}, seconds=60)
        running.popen.kill()
        running.popen.wait(30)
    assert keys_in_use() == {"demo-2": 1, old_key: 1}
    settings.ENCRYPTION_KEYS = keys
    done = rotate_keys(by=None, at=timezone.now())
    assert (done.changed, done.current, keys_in_use()) == (1, 1, {"demo-2": 2})
    for cluster in (first, second):
        cluster.refresh_from_db()
        assert connection_of(cluster).token == f"token of {cluster.name}"
