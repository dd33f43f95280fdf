"""Every address of the API is an Endpoint, and the document says what all of them do."""

import json

import pytest
from django.urls import get_resolver
from django.utils import translation

from accounts.endpoint import Endpoint
from portal.access import ACCESS
from portal.document_api import document

METHODS = ("get", "post", "put", "patch", "delete")


def views(patterns=None, prefix=""):
    """(address, view class) of everything below /api/."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns, address)
        elif address.startswith("api/"):
            yield address, pattern.name, getattr(pattern.callback, "cls", None)


def operations():
    with translation.override("en"):
        for address, methods in document("en")["paths"].items():
            for method, operation in methods.items():
                yield f"{method.upper()} {address}", operation


OPERATIONS = dict(operations())


def test_views__every_address_of_the_api__is_an_endpoint():
    found = list(views())
    assert len(found) > 30
    for address, name, view in found:
        assert view is not None and issubclass(view, Endpoint), address
        assert ACCESS[name] == "api", address


def test_document__every_method_of_every_view__is_in_it():
    have = {
        f"{method.upper()} {name}"
        for _address, name, view in views()
        for method in METHODS
        if callable(getattr(view, method, None))
    }
    assert len(OPERATIONS) == len(have)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_document__operation__says_what_it_may_answer(name):
    operation = OPERATIONS[name]
    method = name.partition(" ")[0]
    answers = operation["responses"]
    wanted = {"400", "401", "403", "406", "422", "429", "503"}
    wanted |= {"404"} if "{" in name or method != "GET" else set()
    wanted |= {"409", "413", "415"} if method != "GET" else set()
    assert wanted <= answers.keys()
    assert [status for status in answers if status.startswith("2")]
    headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
    assert ("Idempotency-Key" in headers) == (method == "POST")
    assert ("If-Match" in headers) == ({"412", "428"} <= answers.keys())
    assert operation["summary"] and operation["operationId"] and operation["tags"]


def test_document__references__lead_somewhere():
    whole = document("en")
    wanted = {part.split('"')[0] for part in json.dumps(whole).split('"$ref": "')[1:]}
    for reference in wanted:
        found = whole
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    assert "#/components/responses/Problem429" in wanted


def test_document__operation_ids__are_names_of_their_own():
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
