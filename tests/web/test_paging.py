"""Pages by keyset: every row once, in every order, whatever the cursor is made of."""

import base64
import json

import pytest
from django.http import QueryDict

from clusters.models import Cluster
from tests.builders import a_cluster
from web.errors import Invalid
from web.paging import BY_AGE, MOST, ordered_page, page_of

pytestmark = pytest.mark.django_db

ORDERS = {"name": "name", "-name": "-name", "flavour": "flavour", "-flavour": "-flavour"} | BY_AGE


def clusters(count: int) -> None:
    for number in range(count):
        a_cluster(f"c{number * 7 % count:02}", flavour=["kubernetes", "openshift"][number % 2])


def walk(order: str, limit: int = 3) -> list[Cluster]:
    found, after = [], ""
    while True:
        query = QueryDict(mutable=True)
        query.update({"order": order, "limit": str(limit)} | ({"after": after} if after else {}))
        rows, after = ordered_page(Cluster.objects.all(), query, ORDERS)
        found += rows
        if not after:
            return found


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_ordered_page__every_order__each_row_once_as_the_database_sorts(order):
    clusters(11)
    field = ORDERS[order]
    tie = "-pk" if field.startswith("-") else "pk"
    assert walk(order) == list(Cluster.objects.order_by(field, tie))


def test_ordered_page__rows_come_and_go__the_rest_is_seen_once():
    clusters(6)
    first, after = ordered_page(Cluster.objects.all(), QueryDict("order=name&limit=2"), ORDERS)
    Cluster.objects.filter(pk=first[-1].pk).delete()
    a_cluster("a-first")
    rest = ordered_page(Cluster.objects.all(), QueryDict(f"order=name&after={after}"), ORDERS)[0]
    assert [one.name for one in rest] == ["c02", "c03", "c04", "c05"]


def test_ordered_page__no_order_named__the_first():
    clusters(3)
    assert ordered_page(Cluster.objects.all(), QueryDict(""), ORDERS)[0][0].name == "c00"
    assert ordered_page(Cluster.objects.all(), QueryDict(""))[0][0] == Cluster.objects.latest("pk")


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "after",
    ["", "x", "1", "%00", "=", "9" * 5000, "W10", *map(_cursor, [[], 1, None, ["a"], ["a", "b"], [1, 1], ["a", True]])]
    + [_cursor(["a\x00", 1]), _cursor(["a", -1]), _cursor(["a", 10**16]), _cursor([["a"], 1]), "[" * 3000],
)
def test_ordered_page__cursor_that_is_none__invalid_with_its_name(after):
    query = QueryDict(mutable=True)
    query.update({"order": "name", "after": after})
    with pytest.raises(Invalid) as caught:
        ordered_page(Cluster.objects.all(), query, ORDERS)
    assert list(caught.value.fields) == ["/after"]


@pytest.mark.parametrize("query", ["order=x", "order=", "order=pk", "order=name%00"])
def test_ordered_page__unknown_order__invalid(query):
    with pytest.raises(Invalid) as caught:
        ordered_page(Cluster.objects.all(), QueryDict(query), ORDERS)
    assert list(caught.value.fields) == ["/order"]


@pytest.mark.parametrize("limit", ["0", str(MOST + 1), "-1", "x", "1.0", "٣"])
@pytest.mark.parametrize("paged", [page_of, ordered_page])
def test_limit__out_of_bounds__invalid(limit, paged):
    query = QueryDict(mutable=True)
    query["limit"] = limit
    with pytest.raises(Invalid) as caught:
        paged(Cluster.objects.all(), query)
    assert list(caught.value.fields) == ["/limit"]
