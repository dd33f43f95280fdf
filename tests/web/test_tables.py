"""Tables: the order of the address, its heads, and pages that stay right in it."""

import random
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.test import RequestFactory
from django.utils import timezone

from tenants.models import Tenant
from tests.builders import a_tenant
from web.errors import Invalid
from web.tables import Column, Table

COLUMNS = [
    Column("name", "Name", "name_en"),
    Column("since", "Since", "created_at", sort="time"),
    Column("id", "Id", "pk", sort="number"),
    Column("more", "More"),
]
ORDERS = {
    "": lambda one: -one.pk,
    "name": lambda one: (one.name_en, -one.pk),
    "-name": None,
    "since": lambda one: (one.created_at, -one.pk),
    "-since": None,
    "id": lambda one: one.pk,
    "-id": lambda one: -one.pk,
}


def table(query=""):
    return Table(RequestFactory().get(f"/things?{query}"), COLUMNS)


@pytest.fixture
def tenants(db):
    """Thirty of them, with few names and few times among them."""
    chance, now = random.Random(7), timezone.now()
    for number in range(30):
        one = a_tenant(f"t{number}")
        one.name_en = chance.choice(["Claims", "motor", "~tilde", "车险", "a b"])
        one.created_at = now + timedelta(microseconds=chance.randrange(4))
        one.save()
    return list(Tenant.objects.all())


def in_order(tenants, order):
    if order.startswith("-") and ORDERS[order] is None:
        rising = ORDERS[order[1:]]
        # From the end by the column, and still newest first among equals.
        tenants = sorted(tenants, key=lambda one: -one.pk)
        return sorted(tenants, key=lambda one: rising(one)[0], reverse=True)
    return sorted(tenants, key=ORDERS[order])


def walked(order, size, between=lambda: None):
    """All pages one after the other, as somebody who clicks meets them."""
    found, query = [], f"sort={order}&limit={size}"
    while query:
        one = table(query)
        found += one.page(Tenant.objects.all())
        query = one.next_url.removeprefix("?")
        between()
    return found


@pytest.mark.parametrize("size", [1, 7, 30, 31])
@pytest.mark.parametrize("order", ORDERS)
def test_page__each_order__all_rows_once_and_in_order(tenants, order, size):
    assert [one.code for one in walked(order, size)] == [one.code for one in in_order(tenants, order)]


@pytest.mark.parametrize("order", ORDERS)
def test_page__rows_come_between_pages__none_of_the_others_twice_or_missing(tenants, order):
    numbers = iter(range(100, 200))
    found = walked(order, 4, between=lambda: a_tenant(f"t{next(numbers)}") if len(Tenant.objects.all()) < 60 else None)
    codes = [one.code for one in found]
    assert len(codes) == len(set(codes)) and {one.code for one in tenants} <= set(codes)


@pytest.mark.parametrize("order", ["", "name", "-since"])
def test_every__chunks__as_the_pages_say_and_no_more_than_the_most(tenants, order):
    found = list(table(f"sort={order}").every(Tenant.objects.all(), 12))
    assert [one.code for one in found] == [one.code for one in in_order(tenants, order)[:12]]


AFTER = ["x", "1", "~", "1~", "~a", "1~x", "1~2026-01-01", "1~2026-01-01T00:00:00", "1~\x00", "1~" + "9" * 30, "٣~a"]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("order", ["", "name", "since", "id"])
def test_page__hostile_place__refused_or_taken_as_a_place(tenants, order, after):
    one = Table(RequestFactory().get("/things", {"sort": order, "after": after}), COLUMNS)
    try:
        assert len(one.page(Tenant.objects.all())) <= 30
    except Invalid as error:
        assert list(error.fields) == ["/after"]


@pytest.mark.parametrize("text", ["more", "-more", "nothing", "--name", "name_en", "pk", "-", "name; --"])
def test_order__unknown__the_lists_own(text):
    assert table(f"sort={text}").order.text == ""


def test_heads__sorted__say_so_and_turn_round():
    heads = {head["name"]: head for head in table("sort=-name&q=x&after=3&page=2").heads}
    assert (heads["name"]["aria"], heads["name"]["icon"]) == ("descending", "down")
    assert parse_qs(heads["name"]["url"].removeprefix("?")) == {"sort": ["name"], "q": ["x"]}
    # What is new is looked for first.
    assert parse_qs(heads["since"]["url"].removeprefix("?")) == {"sort": ["-since"], "q": ["x"]}
    assert heads["more"]["url"] == "" and heads["since"]["aria"] == ""


def test_csv_url__filters_and_order__kept_but_not_the_page():
    wanted = parse_qs(table("sort=name&q=a+b&after=1~x&page=3").csv_url.removeprefix("?"))
    assert wanted == {"sort": ["name"], "q": ["a b"], "export": ["csv"]}


def test_sort_field__narrow_screens__each_column_in_both_directions():
    field = table("sort=-since").sort_field
    assert [option["value"] for option in field["options"]] == ["", "name", "-name", "since", "-since", "id", "-id"]
    assert [option["value"] for option in field["options"] if option["checked"]] == ["-since"]


def test_sorted__prepared_rows__without_a_value_last_in_both_directions():
    rows = [{"name_en": "b"}, {"name_en": None}, {"name_en": "A"}, {"name_en": "c"}]
    assert [row["name_en"] for row in table("sort=name").sorted(rows)] == ["A", "b", "c", None]
    assert [row["name_en"] for row in table("sort=-name").sorted(rows)] == ["c", "b", "A", None]
    assert table().sorted(rows) == rows
