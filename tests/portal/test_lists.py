"""Every list of the portal: its columns sort, its filters narrow, its file holds what the list shows."""

import csv
import io
import itertools
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters.models import Cluster
from tenants.models import Project, Tenant
from tests.builders import a_cluster, a_tenant, wish
from tests.portal.walk import HIDDEN
from workflow.models import Request
from workflow.services import submit

pytestmark = pytest.mark.django_db

# By address: who looks, and the columns that sort.
LISTS = {
    "/requests": ("dev", {"request", "tenant", "asked"}),
    "/requests/mine": ("dev", {"request", "tenant", "asked"}),
    "/inbox": ("platform", {"", "age", "risk"}),
    "/projects": ("dev", {"project", "tenant", "quota"}),
    "/tenants": ("auditor", {"tenant", "projects"}),
    "/clusters": ("dev", {"cluster"}),
    "/policies": ("admin", {"priority", "policy", "about"}),
    "/account/tokens": ("dev", {"token", "used", "expires"}),
    "/delegations": ("platform", {"to", "by", "from", "until"}),
}


def get(world, address, query="", who=""):
    answer = world.person(who or LISTS[address][0]).get(f"{address}?{query}")
    assert answer.status_code == 200, answer.content[:300]
    return answer


def file_of(world, address, query="", who=""):
    answer = get(world, address, f"export=csv&{query}", who)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def sorts_of(page):
    return {found.removeprefix("-") for found in re.findall(r'class="pt-sort" href="\?[^"]*sort=(-?[a-z]*)', page)}


@pytest.mark.parametrize("address", LISTS)
def test_list__columns_that_sort__each_in_both_directions_and_said_aloud(world, address):
    page = get(world, address).content.decode()
    sorts = sorts_of(page)
    # The inbox has the order that it is in as no link.
    assert sorts <= LISTS[address][1] and len(sorts) >= len(LISTS[address][1]) - 1
    for name in sorts - {""}:
        for order in (name,) if address == "/inbox" else (name, f"-{name}"):
            page = get(world, address, f"sort={order}").content.decode()
            assert len(re.findall("aria-sort=", page)) >= 1, (address, order)


@pytest.mark.parametrize("address", LISTS)
def test_list__file__heads_and_a_row_for_each_that_is_shown(world, address):
    page = unescape(get(world, address).content.decode())
    rows = file_of(world, address)
    assert len(rows) >= 2 and len({len(row) for row in rows}) == 1, rows
    known = {"/projects": 0, "/tenants": 1, "/clusters": 0, "/policies": 2, "/account/tokens": 0}
    for row in rows[1:]:
        assert row[known.get(address, 0)] in page or address == "/tenants", (address, row)


@pytest.mark.parametrize("address", LISTS)
def test_list__stranger__file_holds_nothing_of_another_tenant(world, address):
    for row in file_of(world, address, who="stranger"):
        assert not [needle for needle in HIDDEN if needle in " ".join(row)], row


@pytest.mark.parametrize("address", ["/requests", "/requests/mine", "/projects", "/tenants", "/inbox"])
def test_file__ten_times_the_rows__same_queries(world, address):
    numbers = itertools.count()

    def grow(times):
        for _ in range(times):
            for environment in ("dev", "test"):
                values = wish(environment=environment)
                submit(kind="new-project", values=values, by=world.people["dev"], at=timezone.now())
            a_tenant(f"more{next(numbers)}")

    counts = []
    for times in (2, 20):
        grow(times)
        with CaptureQueriesContext(connection) as captured:
            assert len(file_of(world, address)) > times // 2
        counts.append(len(captured))
    assert counts[0] == counts[1], counts


def test_file__names_that_are_formulas__are_text(world):
    Project.objects.update(display_name="=cmd|' /C calc'!A0")
    assert file_of(world, "/projects")[1][0] == "'=cmd|' /C calc'!A0"


def test_file__filters_and_order__as_the_list_has_them(world):
    for name in ("zulu", "alpha"):
        submit(kind="new-project", values=wish(name=name), by=world.people["dev"], at=timezone.now())
    names = [row[2] for row in file_of(world, "/requests", "sort=request&environment=test&q=claims")[1:]]
    assert names == ["claims-alpha-test", "claims-hiddentest-test", "claims-zulu-test"]
    assert [row[2] for row in file_of(world, "/requests", "sort=-request&q=alpha")[1:]] == ["claims-alpha-test"]


def test_file__request_for_several_environments__a_row_for_each_that_is_decided(world):
    parts = [{"environment": name, "size": "s"} for name in ("test", "prod")]
    submit(kind="new-project", values=wish(name="family") | {"environments": parts}, by=world.people["dev"],
           at=timezone.now())  # fmt: skip
    assert {row[2] for row in file_of(world, "/requests", "q=family")[1:]} == {
        "claims-family-test", "claims-family-prod"
    }  # fmt: skip


def test_projects__together__what_fits_not_what_the_page_shows(world):
    one = Project.objects.get()
    for name in ("second", "third"):
        submit(kind="new-project", values=wish(name=name, environment="dev"), by=world.people["dev"], at=timezone.now())
    cores = (one.cpu_millicores + 2 * 2000) // 1000
    assert f"3 projects · CPU {cores} cores" in get(world, "/projects", "limit=1").content.decode()
    assert "1 project · CPU 2 cores" in get(world, "/projects", "q=second").content.decode()


@pytest.mark.parametrize(
    ("address", "query", "shown", "hidden"),
    [
        ("/projects", "q=hidden+imaging", "claims-hiddendev-dev", None),
        ("/projects", "q=nowhere", "No project fits these filters.", "claims-hiddendev-dev"),
        ("/projects", "environment=prod", "No project fits these filters.", "claims-hiddendev-dev"),
        ("/projects", "tenant=motor", "No project fits these filters.", "claims-hiddendev-dev"),
        ("/projects", "cluster=gitops", "claims-hiddendev-dev", None),
        ("/projects", "cluster=%00&q=%00&tenant=%2A&environment=moon", "claims-hiddendev-dev", None),
        ("/tenants", "q=motor", "<code>motor</code>", "<code>claims</code>"),
        ("/clusters", "q=nowhere", "No cluster fits these filters.", "data-row>gitops"),
        ("/clusters", "environment=dev", "data-row>gitops", None),
        ("/policies", "q=nowhere", "No policy fits these filters.", "<code>otherwise</code>"),
        ("/account/tokens", "state=revoked", "No token fits these filters.", None),
        ("/delegations", "state=over", "Nobody does.", "data-label=\"From\""),
    ],
)  # fmt: skip
def test_list__filter__narrows(world, address, query, shown, hidden):
    page = get(world, address, query).content.decode()
    assert shown in page
    assert hidden is None or hidden not in page


def test_tenants__sorted_by_projects__most_first(world):
    rows = file_of(world, "/tenants", "sort=-projects")
    assert [row[0] for row in rows[1:]] == ["claims", "motor"]
    assert [row[0] for row in file_of(world, "/tenants", "sort=projects")[1:]] == ["motor", "claims"]
    assert Tenant.objects.count() == 2


def test_clusters__sorted_by_name__instead_of_by_need(world):
    a_cluster("aaa")
    Cluster.objects.filter(name="gitops").update(held_since=timezone.now())
    assert [row[0] for row in file_of(world, "/clusters")[1:]] == ["gitops", "aaa"]
    assert [row[0] for row in file_of(world, "/clusters", "sort=cluster")[1:]] == ["aaa", "gitops"]


def test_requests__sorted_list__next_page_goes_on_where_it_ended(world):
    for name in ("bravo", "alpha", "charlie"):
        submit(kind="new-project", values=wish(name=name), by=world.people["dev"], at=timezone.now())
    seen, query = [], "sort=request&limit=2&environment=test"
    while query:
        page = get(world, "/requests", query).content.decode()
        seen += re.findall(r"data-row>#\d+ ([^<]+)<", page)
        following = re.search(r'href="\?([^"]*)" rel="next"', page)
        query = unescape(following[1]) if following else ""
    assert seen == sorted(seen) and len(seen) == Request.objects.filter(environment="test").count()
