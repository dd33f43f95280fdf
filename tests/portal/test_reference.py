"""The reference of the REST API as pages: every operation has one, and its example works as it stands."""

import json
import re
import shlex
import subprocess

import pytest
from django.test import Client

from portal.document_api import document
from portal.reference import operation_page, sample, sections, type_text
from tests.portal.problems import label

pytestmark = pytest.mark.django_db


def operations():
    return [row["id"] for section in sections(document("en")) for row in section["operations"]]


def test_list__every_operation__is_on_it_once():
    ids = {one["operationId"] for methods in document("en")["paths"].values() for one in methods.values()}
    assert sorted(operations()) == sorted(ids)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("POST /api/v1/requests", 7), ("REQUESTS bulk", 1), ("", 60), ("<script>", 0), ("requests moon", 0)],
)
def test_sections__search__all_words_are_found(text, wanted):
    found = sum(len(section["operations"]) for section in sections(document("en"), text))
    assert found >= wanted if wanted else found == 0


@pytest.mark.parametrize("name", operations())
def test_page__every_operation__in_both_languages(world, name):
    client = world.person("guest")
    for language, words in (("en", "How to call it"), ("zh-hans", "如何调用")):
        page = client.get(f"/reference/{name}", headers={"Accept-Language": language})
        assert page.status_code == 200 and words in page.content.decode()
    assert operation_page(document("en"), name)["path"] in page.content.decode()


@pytest.mark.parametrize("name", operations())
def test_example__every_operation__is_a_command_a_shell_reads(name):
    found = operation_page(document("en"), name)["example"]
    words = shlex.split("\n".join(found["lines"]))
    assert words[0] == "curl" and words == shlex.split(found["text"])
    assert subprocess.run(["bash", "-n", "-c", found["text"]], capture_output=True, timeout=20).returncode == 0
    if "-d" in words:
        json.loads(words[words.index("-d") + 1])


def test_example__foresee__answers_as_it_stands(world):
    words = shlex.split(operation_page(document("en"), "requests_foresee")["example"]["text"])
    body = words[words.index("-d") + 1]
    answer = world.program("dev").post("/api/v1/requests/foresee", body, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["nothing", "requests-create", "x" * 500, "requests_creat"])
def test_page__no_such_operation__404(world, name):
    assert world.person("dev").get(f"/reference/{name}").status_code == 404


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "%00", "x" * 9000, "a " * 400, "\u202e"], ids=label)
def test_list__hostile_search__shown_as_text(world, text):
    answer = world.person("dev").get("/reference", {"q": text})
    assert answer.status_code == 200 and "<script>alert" not in answer.content.decode()


def test_list__search__what_fits_and_the_way_back(world):
    page = world.person("dev").get("/reference", {"q": "bulk"}).content.decode()
    assert "requests_create_many" in page and "/reference/bundles_list" not in page


def test_menu__on_every_page__leads_there(world):
    assert 'href="/reference"' in world.person("dev").get("/").content.decode()


def test_page__foreign_hosts__none(world):
    for address in ("/reference", "/reference/requests_create"):
        page = world.person("dev").get(address).content.decode()
        assert not re.search(r'(src|href)="(https?:)?//', page)
    assert Client().get("/reference").status_code == 302


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "maxLength": 64}, "string …64"),
        ({"type": "integer", "minimum": 1, "maximum": 200}, "integer 1…200"),
        ({"enum": ["dev", "test"]}, "dev | test"),
        ({"type": ["string", "null"], "format": "date-time"}, "string | null (date-time)"),
        ({"type": "array", "items": {"type": "string"}}, "[string]"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Request"}}, "[Request]"),
        ({"const": "new-project"}, '"new-project"'),
        ({}, "any"),
    ],
    ids=str,
)
def test_type_text__for_programmers(schema, text):
    assert type_text(schema) == text


def test_sample__schema_that_contains_itself__ends():
    whole = {
        "components": {"schemas": {"A": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}}}
    }
    assert json.dumps(sample(whole, {"$ref": "#/components/schemas/A"})).count("a") < 10
