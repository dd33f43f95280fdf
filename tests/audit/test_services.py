"""Events are written with the deed and never change."""

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from audit import services
from audit.models import Event
from tests.builders import a_user


def _record() -> Event:
    return services.record(actor=a_user("dev"), action="thing.do", subject="thing:1", at=timezone.now())


@pytest.mark.django_db
def test_record__in_transaction__written():
    event = _record()
    assert (event.actor, event.action, event.subject) == ("dev", "thing.do", "thing:1")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event"], ids=["update", "delete"]
)
def test_event__changed_by_sql__refused_by_the_database(sql):
    _record()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Event.objects.filter(actor="dev").count() == 1


@pytest.mark.django_db(transaction=True)
def test_record__outside_a_transaction__refused():
    with pytest.raises(services.NotInTransaction):
        services.record(actor=None, action="thing.do", subject="thing:1", at=timezone.now())
    assert not Event.objects.filter(subject="thing:1").exists()


@pytest.mark.django_db
def test_record_many__several_deeds__an_event_each_in_one_statement(django_assert_num_queries):
    deeds = [services.Deed(f"thing:{number}", "claims", {"number": number}) for number in range(30)]
    actor = a_user("dev")
    with django_assert_num_queries(1):
        services.record_many(actor=actor, action="thing.do", deeds=deeds, at=timezone.now())
    rows = Event.objects.filter(action="thing.do").order_by("id").values_list("actor", "subject", "tenant", "after")
    assert list(rows) == [("dev", f"thing:{n}", "claims", {"number": n}) for n in range(30)]


@pytest.mark.django_db(transaction=True)
def test_record_many__outside_a_transaction__refused():
    with pytest.raises(services.NotInTransaction):
        services.record_many(actor=None, action="thing.do", deeds=[], at=timezone.now())
