"""Forms looked at while one types: schema and kind in one round, only where somebody was, and nothing is kept."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Event
from tests.builders import as_form, wish
from web.errors import Invalid, UserError
from workflow import schema
from workflow.kinds import all_kinds
from workflow.models import OpenTarget, Request
from workflow.services import submit
from workflow.services.foresee import look_over
from workflow.services.submit import checked_values
from workflow.unfinished import emptied

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ADDRESS = "/requests/new/new-project/check"


@pytest.fixture
def checked(people):
    """What the server says of a form: by the id of each field its errors, "" for none."""

    def answer(typed, touched="", who="dev", address=ADDRESS):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(people[who], backend="accounts.backends.DirectoryBackend")
        response = client.post(address, typed | {"touched": touched}, headers=HTMX)
        assert response.status_code == 200
        slots = re.findall(r'id="([^"]+)-problem" hx-swap-oob="innerHTML">(.*?)</div>', response.content.decode(), re.S)
        return {name: re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text)).strip() for name, text in slots}

    return answer


def marked(answer):
    return {name for name, text in answer.items() if text}


def test_check__nobody_was_anywhere__nothing_is_wrong_yet(checked):
    answer = checked({})
    assert marked(answer) == set() and {"id_name", "id_tenant", "id_environments"} <= set(answer)


def test_check__only_fields_somebody_was_in__say_what_is_wrong(checked):
    typed = {"tenant": "claims", "name": "Not A Name", "display_name": ""}
    assert marked(checked(typed, "name")) == {"id_name"}
    assert marked(checked(typed, "name,display_name")) == {"id_name", "id_display_name"}
    assert "Small letters" in checked(typed, "name")["id_name"]


def test_check__corrected__says_nothing_any_more(checked):
    assert marked(checked({"name": "imaging"}, "name")) == set()


def test_check__schema_and_kind__in_one_round(checked):
    typed = as_form(wish(name="Not A Name", developers=["dev", "nobody-of-this-name"], cpu="much", reason="x" * 1001))
    answer = checked(typed, "name,developers,environments.test.cpu,reason")
    assert marked(answer) == {"id_name", "id_developers", "id_environments.test.cpu", "id_reason"}
    assert "nobody-of-this-name is not in the directory." in answer["id_developers"]


def test_check__row_that_is_chosen_without_figures__marked_where_somebody_was(checked):
    typed = {"tenant": "claims", "environments.test": "on"}
    assert marked(checked(typed, "environments.test,environments.test.memory")) == {"id_environments.test.memory"}


def test_check__no_environment_once_somebody_was_there__said_of_the_list(checked):
    assert marked(checked({"tenant": "claims"}, "environments.test")) == {"id_environments"}


def test_check__name_that_an_open_request_asks_for__said_before_it_is_sent(checked, ask):
    request = ask(name="taken")
    typed = as_form(request.values)
    assert "already an open request" in checked(typed, "name")["id_name"]
    # While it is changed it is not in its own way.
    assert marked(checked(typed, "name", address=f"{ADDRESS}?editing={request.number}")) == set()


def test_check__everything_well__kept_nowhere(checked):
    events = Event.objects.count()
    assert marked(checked(as_form(wish()), "name,tenant,environments.test,environments.test.cpu")) == set()
    assert not Request.objects.exists() and not OpenTarget.objects.exists() and Event.objects.count() == events


def test_check__who_may_not_ask__is_told_nothing_of_the_tenant(checked, ask):
    ask(name="taken")
    answer = checked(as_form(wish(name="taken")), "name,tenant", who="stranger")
    assert marked(answer) == {"id_tenant"}


def test_submit__schema_and_kind__all_problems_at_once(people):
    values = wish(name="Not A Name", developers=["nobody-of-this-name"]) | {"colour": "red"}
    with pytest.raises(Invalid) as raised:
        submit(kind="new-project", values=values, by=people["dev"], at=timezone.now())
    assert set(raised.value.fields) == {"/name", "/colour", "/developers/0"}


def test_look_over__whole_and_fine__no_errors_and_who_decides(people):
    found = look_over(kind=all_kinds()["new-project"], values=wish(), by=people["dev"], at=timezone.now())
    assert (found.errors, found.sentence) == ({}, "") and [one.is_complete for one in found.foreseen] == [True]


@pytest.mark.parametrize("slug", sorted(all_kinds()))
@pytest.mark.parametrize("values", [{}, {"nothing": 1}, [], None, "text"], ids=repr)
def test_kinds__values_with_nothing_in_them__each_says_so_in_words(people, slug, values):
    kind = all_kinds()[slug]
    for who in ("dev", "owner", "admin"):
        with pytest.raises(UserError):
            checked_values(kind, values, people[who])
        # Whatever is missing, the kind looks at the rest.
        try:
            kind.check(emptied(kind.schema, values, {}), people[who])
        except UserError as error:
            assert error.sentence


@pytest.mark.parametrize("slug", sorted(all_kinds()))
def test_kinds__every_field_of_a_wrong_type__refused_by_field(people, slug):
    kind = all_kinds()[slug]
    values = {name: {"wrong": "type"} for name in kind.schema["properties"]}
    with pytest.raises(UserError) as raised:
        checked_values(kind, values, people["admin"])
    if isinstance(raised.value, Invalid):
        assert {pointer.split("/")[1] for pointer in raised.value.fields} <= set(values)


def test_emptied__lists_of_objects__stay_in_their_places_unless_they_have_no_name(people):
    kind = all_kinds()["new-project"]
    values = wish(environments=[{"environment": "dev", "pods": "x"}, {"environment": "test", "size": "s"}])
    with pytest.raises(Invalid) as raised:
        schema.check(kind.schema, values)
    found = emptied(kind.schema, values, raised.value.fields)
    assert [(one["environment"], one.get("pods"), one["size"]) for one in found["environments"]] == [
        ("dev", None, ""), ("test", None, "s")
    ]  # fmt: skip
    values["environments"][1]["environment"] = "moon"
    with pytest.raises(Invalid) as raised:
        schema.check(kind.schema, values)
    assert emptied(kind.schema, values, raised.value.fields)["environments"] == []
