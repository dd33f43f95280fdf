"""One schema for form, validation and document: what it takes, and how it names what it refuses."""

import json
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from tests.builders import wish
from web.errors import Invalid
from workflow import schema
from workflow.kinds import all_kinds

NOTE = {"type": "string", "maxLength": 5, "default": "", "x-form": {"section": "", "label": "Note"}}
A_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "count"],
    "x-sections": [],
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "pattern": "^[a-z]+$",
            "x-form": {"section": "", "label": gettext_lazy("Name"), "help": "Small letters", "grammar": "Letters!"},
        },
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2, "x-form": {"label": "Count"}},
        "note": NOTE,
        "story": NOTE | {"maxLength": 50, "x-form": {"widget": "textarea"}},
        "people": {
            "type": "array",
            "items": {"type": "string", "pattern": "^[a-z]+$"},
            "maxItems": 2,
            "uniqueItems": True,
            "default": [],
            "x-form": {"label": "People"},
        },
    },
}


def faults(values: object) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        schema.check(A_SCHEMA, values)
    return refused.value.fields


def test_check__only_what_is_needed__defaults_are_filled_in():
    expected = {"name": "ab", "count": 2, "note": "", "story": "", "people": []}
    assert schema.check(A_SCHEMA, {"name": "ab"}) == expected


def test_check__values__are_not_changed_in_place():
    values = {"name": "ab"}
    schema.check(A_SCHEMA, values)
    assert values == {"name": "ab"}


@pytest.mark.parametrize("values", [None, [], "x", 3, True])
def test_check__no_object__is_told_so_at_the_root(values):
    assert faults(values) == {"": "Expected an object."}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"/name": "This is needed."}),
        ({"name": ""}, {"/name": "This is needed."}),
        ({"name": "A"}, {"/name": "Letters!"}),
        ({"name": None}, {"/name": "This has the wrong type."}),
        ({"name": "a", "count": "2"}, {"/count": "This has the wrong type."}),
        ({"name": "a", "count": True}, {"/count": "This has the wrong type."}),
        ({"name": "a", "count": 1.5}, {"/count": "This has the wrong type."}),
        ({"name": "a", "count": float("inf")}, {"/count": "This has the wrong type."}),
        ({"name": "a", "count": 0}, {"/count": "At least 1."}),
        ({"name": "a", "count": 10}, {"/count": "At most 9."}),
        ({"name": "a", "note": "123456"}, {"/note": "At most 5 characters."}),
        ({"name": "a", "people": ["a", "a"]}, {"/people": "An entry is there twice."}),
        ({"name": "a", "people": ["a", "b", "c"]}, {"/people": "At most 2 entries."}),
        ({"name": "a", "people": ["a", "B"]}, {"/people/1": "This is not written as it should be."}),
        ({"name": "a", "more": 1}, {"/more": "There is no such field."}),
        ({"name": "a", "~a/b": 1}, {"/~0a~1b": "There is no such field."}),
        (
            {"name": "A", "count": 0, "x": 1},
            {"/name": "Letters!", "/count": "At least 1.", "/x": "There is no such field."},
        ),
    ],
)
def test_check__not_valid__one_sentence_for_each_field(values, expected):
    assert faults(values) == expected


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x7f", "\x85", "\u200e", "\u2028", "\u202e", "\u2066", "\ud800"])
@pytest.mark.parametrize("field", ["note", "story"])
def test_check__letter_that_cannot_be_shown__refused(field, letter):
    assert faults({"name": "a", field: f"a{letter}b"}) == {f"/{field}": "Contains characters that cannot be shown."}


def test_check__end_of_line__in_a_text_area_only():
    assert schema.check(A_SCHEMA, {"name": "a", "story": "one\r\n\ttwo"})["story"] == "one\r\n\ttwo"
    assert set(faults({"name": "a", "note": "a\nb"})) == {"/note"}
    # A pattern's $ also matches before the last end of line.
    assert set(faults({"name": "a\n"})) == {"/name"}


def test_check__family_and_other_scripts__taken():
    assert schema.check(A_SCHEMA, {"name": "a", "note": "影像👨\u200d👩"})["note"] == "影像👨\u200d👩"


def test_check__whole_number_as_float__becomes_an_integer():
    count = schema.check(A_SCHEMA, {"name": "a", "count": 3.0})["count"]
    assert (count, type(count)) == (3, int)


def test_public__hints__are_left_out_and_help_becomes_the_description():
    public = schema.public(A_SCHEMA)
    assert "x-sections" not in public
    assert public["properties"]["name"]["description"] == "Small letters"
    assert public["properties"]["count"]["description"] == "Count"
    assert not any(key.startswith("x-") for field in public["properties"].values() for key in field)
    assert json.loads(json.dumps(public)) == public


@pytest.mark.parametrize(
    ("posted", "expected"),
    [
        ({}, {"people": []}),
        ({"name": " ab "}, {"name": "ab", "people": []}),
        ({"name": " "}, {"people": []}),
        ({"count": "7"}, {"count": 7, "people": []}),
        ({"count": "-7"}, {"count": -7, "people": []}),
        ({"count": "٣"}, {"count": "٣", "people": []}),
        ({"count": "1e3"}, {"count": "1e3", "people": []}),
        ({"count": "9" * 400}, {"count": "9" * 400, "people": []}),
        ({"people": "a, b;c\nd，e、f"}, {"people": ["a", "b", "c", "d", "e", "f"]}),
        ({"unknown": "x"}, {"people": []}),
    ],
)
def test_from_form__texts__become_what_the_schema_says(posted, expected):
    assert schema.from_form(A_SCHEMA, posted) == expected


def test_kinds__every_schema__is_one_and_has_hints_for_every_field():
    for kind in all_kinds().values():
        schema.Draft202012Validator.check_schema(schema.public(kind.schema))
        sections = {section["id"] for section in kind.schema["x-sections"]} | {""}
        for name, field in kind.schema["properties"].items():
            assert str(field["x-form"]["label"]), name
            assert field["x-form"]["section"] in sections, name


def test_check__list_of_thousands_that_are_no_texts__refused_before_they_are_compared():
    """The validator compares each with each; this would take hours."""
    values = wish(developers=[{"a": number} for number in range(20_000)])
    with pytest.raises(Invalid) as refused:
        schema.check(all_kinds()["new-project"].schema, values)
    assert refused.value.fields["/developers"] == "At most 100 entries."


def test_check__a_text_twice__said_once():
    with pytest.raises(Invalid) as refused:
        schema.check(all_kinds()["new-project"].schema, wish(developers=["dev", "owner", "dev"]))
    assert refused.value.fields == {"/developers": "An entry is there twice."}
