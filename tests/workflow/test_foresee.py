"""Who will have to decide, known before asking: exact for whole values, what is known for others, never an error."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.builders import a_tenant, a_user, ready_portal, wish
from workflow import policy_rows, queries
from workflow.kinds import kind_of
from workflow.models import Policy, Request
from workflow.services import submit
from workflow.services.foresee import foresee

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(gitops_cluster):
    ready_portal()
    a_tenant("claims", dev="developer", owner="owner")
    return {"dev": a_user("dev"), "stranger": a_user("stranger"), "admin": a_user("admin", "administrator")}


def foreseen(by, values, kind="new-project"):
    return foresee(kind=kind_of(kind), values=values, by=by, at=timezone.now())


def several(*environments: str) -> dict[str, object]:
    one = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    return wish(environments=[one | {"environment": name} for name in environments])


def test_foresee__whole_values__as_asking_then_does(people):
    values = several("dev", "prod")
    found = foreseen(people["dev"], values)
    assert not Request.objects.exists()
    assert [(one.label, one.policy.slug, one.groups, one.is_complete) for one in found] == [
        ("Development", "dev", [], True),
        ("Production", "prod", ["Data centre", "Security"], True),
    ]
    assert found[0].reason == 'Because of the policy "Development approves by itself": environment == "dev"'
    parent = submit(kind="new-project", values=values, by=people["dev"], at=timezone.now())
    assert [child.policy.slug for child in parent.children.order_by("id")] == ["dev", "prod"]


def test_foresee__single_environment__no_label(people):
    assert [one.label for one in foreseen(people["dev"], several("test"))] == [""]


def test_foresee__condition_without_an_answer__people_decide_and_why(people):
    Policy.objects.filter(slug="dev").update(condition="used.cpu > 1")
    found = foreseen(people["dev"], several("dev"))[0]
    assert found.policy.slug == "otherwise" and "used.cpu" in found.reason


def test_foresee__unfinished__what_follows_from_what_is_known(people):
    values = {"tenant": "claims", "environments": [{"environment": "dev"}, {"environment": "prod"}]}
    found = foreseen(people["dev"], values)
    assert [(one.policy.slug, one.is_complete) for one in found] == [("dev", False), ("prod", False)]


def test_foresee__fact_is_not_known_yet__depends(people):
    Policy.objects.filter(slug="dev").update(condition='environment == "dev" && requested.cpu < 4000')
    values = {"tenant": "claims", "environments": [{"environment": "dev"}, {"environment": "prod"}]}
    dev, prod = foreseen(people["dev"], values)
    assert (dev.policy, dev.reason) == (None, "Depends on what you fill in.")
    # For another environment the missing fact does not matter.
    assert prod.policy.slug == "prod"


def test_foresee__nothing_filled_in__depends(people):
    assert [(one.label, one.policy) for one in foreseen(people["dev"], {})] == [("", None)]


def test_foresee__no_policy__said(people):
    Policy.objects.all().delete()
    assert "No policy" in foreseen(people["dev"], several("dev"))[0].reason


def test_foresee__change_of_a_policy__the_other_administrators(people):
    found = foreseen(people["admin"], {"action": "retire", "slug": "dev"}, kind="change-policy")
    assert [(one.groups, one.is_complete) for one in found] == [(["Platform administrators"], True)]


def test_foresee__may_not_ask__what_is_known_and_no_error(people):
    assert all(one.policy is None or one.policy.slug for one in foreseen(people["stranger"], several("dev")))


HOSTILE = [None, 7, "x", [], "\0", "x" * 1_000_000, {"environments": []}, [{"environment": "\0"}], [None], {"\0": "\0"}]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["", "tenant", "name", "environments", "developers", "isolation", "nowhere"])
def test_foresee__hostile_values__an_answer(people, field, value):
    values = wish(**{field: value}) if field else value
    assert foreseen(people["dev"], values)
    assert foreseen(people["admin"], values, kind="change-policy")


def test_foresee__queries__few(people):
    with CaptureQueriesContext(connection) as captured:
        foreseen(people["dev"], several("dev", "test", "prod"))
    whole = len(captured)
    with CaptureQueriesContext(connection) as captured:
        foreseen(people["dev"], {"environments": [{"environment": name} for name in ("dev", "test", "prod")]})
    assert len(captured) <= 4 and whole <= 60, (len(captured), whole)


def test_rows__for_the_form__words_steps_and_why(people):
    rows = policy_rows.foreseen_rows(foreseen(people["dev"], several("dev", "prod")), queries.group_names())
    assert [(row["label"], row["text"], row["is_automatic"]) for row in rows] == [
        ("Development", "Approved automatically.", True),
        ("Production", "Decided by, in this order:", False),
    ]
    assert [step["who"] for step in rows[1]["steps"]] == ["Data centre", "Security"]
    assert rows[1]["why"][0]["name"] == "environment" and rows[1]["why"][0]["value"] == "prod"
