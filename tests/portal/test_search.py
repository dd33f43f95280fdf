"""Search: what one may see by its name, whatever is typed, and nothing of others."""

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal import search
from tests.builders import a_cluster, a_tenant, wish
from tests.portal.walk import HIDDEN
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def found(world, who, text):
    return {group.sort: [hit.title for hit in group.hits] for group in search.search(text, world.people[who])}


def test_search__part_of_a_name__each_sort_of_thing_with_its_page(world):
    a_cluster("claims-edge", description="Branch")
    groups = search.search("claims", world.people["dev"])
    hits = {group.sort: group.hits for group in groups}
    assert [hit.url for hit in hits["project"]] == [f"/projects/{world.project.uid}"]
    assert {hit.url for hit in hits["request"]} == {f"/requests/{one.number}" for one in Request.objects.all()}
    assert [(hit.key, hit.url) for hit in hits["tenant"]] == [("claims", "/tenants/claims")]
    assert [(hit.key, hit.text) for hit in hits["cluster"]] == [("claims-edge", "Branch")]


def test_search__case_and_order_of_words__do_not_matter(world):
    for text in ("hidden imaging", "IMAGING Hidden", "  imaging\u3000hid ", "ｈｉｄｄｅｎ"):
        assert found(world, "dev", text)["project"] == ["Hidden imaging"], text
    assert found(world, "dev", "hidden nowhere") == {}


@pytest.mark.parametrize("text", ["{number}", "#{number}", "＃{number}"])
def test_search__number__that_request_first(world, text):
    for _ in range(2):
        submit(kind="new-project", values=wish(), by=world.people["dev"], at=timezone.now())
    wanted = world.request
    Request.objects.exclude(pk=wanted.pk).update(title=f"claims-{wanted.number}")
    assert found(world, "dev", text.format(number=wanted.number))["request"][0].startswith(f"#{wanted.number} ")


def test_search__parent__by_its_number_only(world):
    parts = [{"environment": name, "size": "s"} for name in ("test", "prod")]
    parent = submit(
        kind="new-project", values=wish(name="family") | {"environments": parts}, by=world.people["dev"],
        at=timezone.now(),
    )  # fmt: skip
    titles = found(world, "dev", "family")["request"]
    assert len(titles) == 2 and not any(title.startswith(f"#{parent.number} ") for title in titles)
    assert found(world, "dev", f"#{parent.number}")["request"][0].startswith(f"#{parent.number} ")


def test_search__names_in_both_languages__found(world):
    a_tenant("motor").__class__.objects.filter(code="motor").update(name_zh="车险理赔", name_en="Motor insurance")
    assert found(world, "stranger", "理赔") == {"tenant": ["Motor insurance"]}
    assert found(world, "stranger", "insurance") == {"tenant": ["Motor insurance"]}


def test_search__whole_name__before_those_that_only_contain_it(world):
    for name in ("cloud-two", "cloud", "a-cloud"):
        a_cluster(name)
    assert found(world, "dev", "cloud")["cluster"] == ["cloud", "a-cloud", "cloud-two"]


def test_search__stranger__finds_nothing_of_another_tenant(world):
    a_cluster("claims-own", dedicated_to=a_tenant("claims"))
    for text in ("hidden", "claims", "imaging", f"#{world.request.number}", str(world.request.number), "why"):
        assert found(world, "stranger", text) == {}, text
        for address in ("/search", "/search/panel"):
            answer = world.person("stranger").get(address, {"q": text}, headers=HTMX)
            assert not [needle for needle in HIDDEN if needle in answer.content.decode()], (address, text)
        assert world.program("stranger").get("/api/v1/search", {"q": text}).json() == {"items": []}
    assert found(world, "auditor", "hidden")["project"] == ["Hidden imaging"]


HOSTILE = ["%", "_", "\\", "'", "'; DROP TABLE x; --", "<script>alert(1)</script>", "𝕏", "a b c d e f", "x" * 81]
HOSTILE += ["\x00", "a\x00b", "\u202e", "%00", "#", "#٣", "9" * 16, "(?i)", "*", "()", " "]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_search__hostile__finds_nothing_and_breaks_nothing(world, text):
    for address in ("/search", "/search/panel"):
        answer = world.person("dev").get(f"{address}?q={quote(text)}", headers=HTMX)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()
    assert found(world, "dev", text) == {}
    answer = world.program("dev").get(f"/api/v1/search?q={quote(text)}")
    assert answer.status_code in (200, 422) and answer.json().get("items", []) == []


def test_search__more_than_is_shown__leads_to_the_list(world):
    for _ in range(search.IN_PANEL + 1):
        submit(kind="new-project", values=wish(environment="dev"), by=world.people["dev"], at=timezone.now())
    groups = {group.sort: group for group in search.search("claims", world.people["dev"], search.IN_PANEL)}
    assert len(groups["project"].hits) == search.IN_PANEL
    assert groups["project"].more_url == "/projects?q=claims"
    assert groups["tenant"].more_url == ""


def test_search__whoever__four_queries(world):
    for who in ("dev", "platform"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            search.search("claims imaging", world.people[who])
        assert len(captured) == 4, [query["sql"][:200] for query in captured]


def test_panel__nothing_typed__is_empty(world):
    answer = world.person("dev").get("/search/panel", {"q": " "}, headers=HTMX)
    assert answer.status_code == 200 and answer.content.strip() == b""


def test_panel__opened_by_hand__the_page(world):
    assert world.person("dev").get("/search/panel", {"q": "claims"}).url == "/search?q=claims"


def test_rest__too_much__said_at_the_parameter(world):
    answer = world.program("dev").get("/api/v1/search", {"q": "x" * 81})
    assert answer.status_code == 422 and [error["pointer"] for error in answer.json()["errors"]] == ["/q"]
