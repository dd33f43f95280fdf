"""What a project used over time: on its page, as a fragment of it, and in REST."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from clusters import sampling
from clusters.models import BundleObject
from tests.portal.walk import World, build

pytestmark = pytest.mark.django_db
GI = 1024**3


@pytest.fixture
def world(gitops_cluster) -> World:
    return build()


@pytest.fixture
def observed(world) -> World:
    """A day of samples, an hour apart: the CPU highest 20 hours ago."""
    now = timezone.now()
    for hours in range(24):
        cpu = "3100m" if hours == 20 else "1200m"
        used = {"limits.cpu": cpu, "limits.memory": "1Gi", "pods": "3"}
        hard = {"limits.cpu": "4", "limits.memory": "8Gi", "pods": "20"}
        row = BundleObject(kind="ResourceQuota", usage={"used": used, "hard": hard})
        sampling.take(world.project.bundle, [row], now - timedelta(hours=hours))
    return world


def page_of(world: World, query: str = "", who: str = "dev") -> str:
    response = world.person(who).get(f"/projects/{world.project.uid}{query}")
    assert response.status_code == 200
    return response.content.decode()


def drawn(html: str) -> dict:
    found = re.search(r'data-chart="([^"]*)"', html)
    assert found is not None
    return json.loads(unescape(found[1]))


def test_page__samples__sentence_picture_and_table(observed):
    html = page_of(observed)
    high = timezone.localtime(sampling.begins(timezone.now() - timedelta(hours=20), sampling.FINE))
    assert f"CPU: 1.2 cores of 4 cores in use; highest 3.1 cores on {high:%Y-%m-%d %H:%M}." in html
    chart = drawn(html)
    assert (max(n for n in chart["used"] if n is not None), set(chart["limit"])) == (3.1, {4, None})
    assert len(chart["at"]) == len(chart["used"]) == len(chart["limit"])
    # An hour between looks is a gap each time.
    assert chart["used"].count(None) == 23
    table = html.partition('aria-label="CPU over time"')[2].partition("</table>")[0]
    assert table.count("1.2 cores") == 23 and "3.1 cores" in table and "78%" in table
    assert (
        re.search(r'data-program="[^"]*dist/chart\.[^"]*js"', html)
        and "<script" not in html.partition("data-chart")[2].partition("</section>")[0]
    )


@pytest.mark.parametrize(
    ("query", "resource", "text"),
    [
        ("?range=week&resource=memory", "Memory", "Memory: 1 Gi of 8 Gi in use"),
        ("?range=year&resource=pods", "Pods", "Pods: 3 of 20 in use; highest 3 on"),
        ("?range=aeon&resource=gold", "CPU", "CPU: 1.2 cores of 4 cores in use"),
        # No limit and no use of it is in the samples; this cluster is written through Git only.
        ("?range=month&resource=storage", "Storage", "Use is not known"),
    ],
)
def test_page__range_and_resource_of_the_address__shown_and_marked(observed, query, resource, text):
    html = page_of(observed, query)
    assert text in html
    assert re.search(rf'aria-current="true"[^>]*><span class="[^"]*">{resource}</span>', html)


def test_fragment__asked_by_the_page__the_part_alone_else_the_page(observed):
    address = f"/projects/{observed.project.uid}/usage?range=week&resource=pods"
    client = observed.person("dev")
    part = client.get(address, headers={"HX-Request": "true"})
    assert part.status_code == 200 and part.content.lstrip().startswith(b"<section")
    whole = client.get(address)
    assert (whole.status_code, whole["Location"]) == (
        302,
        f"/projects/{observed.project.uid}?range=week&resource=pods#project-usage",
    )


def test_page__written_through_git_only__says_that_use_is_not_known(world):
    assert "Use is not known: this cluster is written through Git only." in page_of(world)


def api(world: World, query: str = "", who: str = "dev", status: int = 200) -> dict:
    response = world.program(who).get(f"/api/v1/projects/{world.project.uid}/usage{query}")
    assert response.status_code == status, response.content
    return response.json()


def test_api__a_day__series_of_every_resource(observed):
    told = api(observed)
    assert told["step_seconds"] == 300
    series = {one["resource"]: one for one in told["series"]}
    assert {name: one["unit"] for name, one in series.items()} == {
        "cpu": "millicores",
        "memory": "bytes",
        "storage": "bytes",
        "pods": "pieces",
    }
    assert series["cpu"]["used"][-1] == 1200 and max(n or 0 for n in series["cpu"]["used"]) == 3100
    assert series["memory"]["limit"][-1] == 8 * GI
    assert all(len(one["used"]) == len(one["limit"]) == len(told["at"]) for one in told["series"])


def test_api__time_and_resource__that_alone(observed):
    since = (timezone.now() - timedelta(hours=22)).isoformat()
    until = (timezone.now() - timedelta(hours=18, minutes=30)).isoformat()
    told = api(observed, f"?from={since}&to={until}&resource=cpu".replace("+", "%2B"))
    assert [one["resource"] for one in told["series"]] == ["cpu"]
    # The step of the beginning belongs to it.
    assert [n for n in told["series"][0]["used"] if n is not None] == [1200, 1200, 3100, 1200]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("?resource=gold", "/resource"),
        ("?resource=", "/resource"),
        ("?from=yesterday", "/from"),
        ("?from=2026-11-23T10:00:00", "/from"),
        ("?to=2026-13-23T10:00:00Z", "/to"),
        ("?to=9999-12-31T23:59:59-12:00", "/to"),
        ("?from=2026-11-23T10:00:00Z&to=2026-11-23T10:00:00Z", "/from"),
        ("?from=" + "9" * 4000, "/from"),
    ],
)
def test_api__parameters_that_say_nothing__refused_with_their_name(world, query, pointer):
    assert [error["pointer"] for error in api(world, query, status=422)["errors"]] == [pointer]


def test_api__of_another_tenant__as_if_there_were_none(observed):
    assert api(observed, who="stranger", status=404)["type"].endswith("not-found")
