"""Whoever changes the past by SQL, past the triggers, is found; the first difference is named."""

import io
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from audit import sealing, services
from audit.models import Event, Seal, Unsealed
from audit.verifying import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed():
    """Three seals over nine events: [ids of the first], [of the second], [of the third]."""
    batches = []
    for batch in range(3):
        for number in range(3):
            after = {"number": number, "said": "理赔"}
            subject = f"thing:{batch}"
            services.record(actor=None, action="thing.do", subject=subject, after=after, at=timezone.now())
        batches.append(list(Event.objects.filter(subject=f"thing:{batch}").order_by("pk").values_list("pk", flat=True)))
        sealing.seal_waiting(at=timezone.now())
    return batches


@contextmanager
def _past_the_triggers():
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor.execute
        cursor.execute("SET session_replication_role = DEFAULT")


def _difference(anchor="", limit=timedelta(hours=1)):
    return verify(at=timezone.now(), limit=limit, anchor=anchor).difference


def test_verify__untouched__no_difference(sealed):
    report = verify(at=timezone.now(), limit=timedelta(hours=1))
    newest = Seal.objects.first()
    assert (report.seals, report.events, report.waiting, report.head) == (3, 9, 0, newest.hash)
    assert report.difference == ""


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'somebody'",
        "at = at + interval '1 microsecond'",
        "action = 'thing.undo'",
        "subject = 'thing:9'",
        "tenant = 'motor'",
        "before = '{}'",
        "after = jsonb_set(after, '{number}', '7')",
        "request_id = 'x'",
    ],
)
def test_verify__an_event_changed__found(sealed, change):
    pk = sealed[1][1]
    with _past_the_triggers() as execute:
        execute(f"UPDATE audit_event SET {change} WHERE id = %s", [pk])
    assert _difference() == f"event {pk} of seal 2 was changed"


def test_verify__an_event_removed__found(sealed):
    pk = sealed[1][2]
    with _past_the_triggers() as execute:
        execute("DELETE FROM audit_event WHERE id = %s", [pk])
    assert _difference() == f"event {pk} of seal 2 is missing"


def test_verify__two_events_change_places__found(sealed):
    one, other = sealed[0][0], sealed[0][2]
    with _past_the_triggers() as execute:
        execute("UPDATE audit_event SET id = -1 WHERE id = %s", [one])
        execute("UPDATE audit_event SET id = %s WHERE id = %s", [one, other])
        execute("UPDATE audit_event SET id = %s WHERE id = -1", [other])
    assert _difference() == f"event {one} of seal 1 was changed"


def test_verify__an_event_inserted_past_the_portal__found(sealed):
    columns = "at, actor, action, subject, tenant, before, after, request_id"
    with _past_the_triggers() as execute:
        execute(
            f"INSERT INTO audit_event (id, {columns}) SELECT -5, {columns} FROM audit_event WHERE id = %s",
            [sealed[0][0]],
        )
    assert _difference().startswith("event -5 is in no seal and does not wait for one")


def test_verify__an_event_removed_before_it_was_sealed__found(sealed):
    event = services.record(actor=None, action="thing.do", subject="thing:4", at=timezone.now())
    with _past_the_triggers() as execute:
        execute("DELETE FROM audit_event WHERE id = %s", [event.pk])
    sealing.seal_waiting(at=timezone.now())
    assert _difference() == f"event {event.pk} is missing: it was removed before it was sealed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("count = 2", "seal 2 was changed"),
        ("at = at - interval '1 day'", "seal 2 was changed"),
        ("root = repeat('a', 64)", "seal 2 was changed"),
        ("previous = repeat('a', 64)", "seal 2 was changed"),
        ("hash = repeat('a', 64)", "seal 2 was changed"),
        ("run_lasts[1] = run_lasts[1] - 1", "seal 2 was changed"),
        ("run_lasts = '{}'", "seal 2 was changed"),
        ("first_id = 0", "seal 2 was changed: it does not agree with its own digests"),
        ("digests = decode(repeat('00', 96), 'hex')", "seal 2 was changed: it does not agree with its own digests"),
    ],
)
def test_verify__a_seal_changed__found(sealed, change, said):
    with _past_the_triggers() as execute:
        execute(f"UPDATE audit_seal SET {change} WHERE number = 2")
    assert _difference() == said


@pytest.mark.parametrize(("number", "said"), [(1, "seal 1 is missing"), (2, "seal 2 is missing")])
def test_verify__a_seal_removed__found(sealed, number, said):
    with _past_the_triggers() as execute:
        execute("DELETE FROM audit_seal WHERE number = %s", [number])
    assert _difference() == said


def test_verify__the_last_seal_removed_but_not_its_events__found(sealed):
    with _past_the_triggers() as execute:
        execute("DELETE FROM audit_seal WHERE number = 3")
    assert _difference().startswith(f"event {sealed[2][0]} is in no seal and does not wait for one")


def test_verify__an_event_changed_and_its_seal_made_anew__found_by_the_next_seal(sealed):
    pk = sealed[1][0]
    with _past_the_triggers() as execute:
        execute("UPDATE audit_event SET actor = 'somebody' WHERE id = %s", [pk])
        _forge(execute, 2, sealed[1])
    assert _difference() == "seal 3 does not follow seal 2: one of the two was replaced"


def test_verify__the_end_of_the_chain_made_anew__found_by_the_anchor_alone(sealed):
    anchor = Seal.objects.get(number=3).hash
    assert _difference(anchor) == ""
    with _past_the_triggers() as execute:
        execute("UPDATE audit_event SET actor = 'somebody' WHERE id = %s", [sealed[2][0]])
        _forge(execute, 3, sealed[2])
    assert _difference() == ""
    assert _difference(anchor).startswith(f"no seal has the hash {anchor}")


def _forge(execute, number, ids):
    """What somebody could do who knows how seals are made: remove the seal and seal the changed events again."""
    later = list(Seal.objects.filter(number__gt=number))
    execute("DELETE FROM audit_seal WHERE number >= %s", [number])
    execute("INSERT INTO audit_unsealed (event_id) SELECT unnest(%s::bigint[])", [ids])
    sealing.seal_waiting(at=timezone.now())
    for seal in later:
        seal.save(force_insert=True)


def test_verify__an_event_that_waits_too_long__found(sealed):
    long_ago = timezone.now() - timedelta(hours=2)
    event = services.record(actor=None, action="thing.do", subject="thing:4", at=long_ago)
    assert _difference(limit=timedelta(hours=3)) == ""
    assert _difference().startswith(f"event {event.pk} of ")
    assert Unsealed.objects.get().pk == event.pk


def _command(*arguments):
    said = io.StringIO()
    call_command("audit_verify", *arguments, stdout=said)
    return said.getvalue()


def test_command__untouched__says_how_much_and_the_newest_hash(sealed):
    newest = Seal.objects.first().hash
    said = _command("--anchor", newest)
    assert "3 seals over 9 events" in said
    assert newest in said


def test_command__a_difference__ends_with_1_and_names_it(sealed):
    with _past_the_triggers() as execute:
        execute("DELETE FROM audit_event WHERE id = %s", [sealed[0][0]])
    with pytest.raises(CommandError, match=f"event {sealed[0][0]} of seal 1 is missing") as refused:
        _command()
    assert refused.value.returncode == 1


def test_command__an_anchor_that_is_no_hash__refused():
    with pytest.raises(CommandError, match="64 hexadecimal digits"):
        _command("--anchor", "abc")


@pytest.mark.django_db(transaction=True)
def test_verify__beside_somebody_who_records__sees_one_state():
    with transaction.atomic():
        services.record(actor=None, action="thing.do", subject="thing:1", at=timezone.now())
        sealing.seal_waiting(at=timezone.now())
    assert verify(at=timezone.now(), limit=timedelta(hours=1)).difference == ""
