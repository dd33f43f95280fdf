"""Rows for the form from a schema: lists of objects, choices, errors by their place."""

from tenants.kinds.new_project_schema import SCHEMA
from workflow import fields

ONE = {"environment": "prod", "cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
SIZES = {"environments.size": [{"value": "s", "label": "Small", "help": "CPU 2"}, {"value": "", "label": "Own"}]}


def made(values, errors=None, options=None):
    return fields.by_name(fields.sections(SCHEMA, values, errors or {}, options or {}))


def part(row, key):
    return next(one for one in row["rows"] if one["key"] == key)


def chosen(field):
    return [option["value"] for option in field["options"] if option["checked"]]


def test_rows__a_list_of_objects__one_for_each_known_key():
    group = made({"environments": [ONE]})["environments"]
    assert [(one["key"], one["is_wanted"]) for one in group["rows"]] == [
        ("dev", False),
        ("test", False),
        ("prod", True),
    ]
    assert part(group, "prod")["fields"]["cpu"]["value"] == "2"
    assert part(group, "prod")["fields"]["cpu"]["name"] == "environments.prod.cpu"
    assert "environment" not in part(group, "prod")["fields"]


def test_rows__errors__found_at_the_row_of_that_place():
    values = {"environments": [{"environment": "test"}, ONE]}
    errors = {"/environments/1/cpu": "Too much", "/environments/0": "No", "/environments": "Twice"}
    group = made(values, errors)["environments"]
    assert part(group, "prod")["fields"]["cpu"]["errors"] == ["Too much"]
    assert part(group, "test")["fields"]["cpu"]["errors"] == []
    assert part(group, "test")["errors"] == ["No"]
    assert group["errors"] == ["Twice"]


def test_rows__nonsense_for_a_list__no_row_is_wanted():
    for value in (None, "x", 1, {"environment": "dev"}, [1, "x", None], [{"environment": ["dev"]}]):
        group = made({"environments": value})["environments"]
        assert not any(one["is_wanted"] for one in group["rows"]), value


def test_rows__size__first_choice_until_asked_for_then_what_is_said():
    group = made({"environments": [ONE]}, options=SIZES)["environments"]
    assert chosen(part(group, "dev")["fields"]["size"]) == ["s"]
    assert chosen(part(group, "prod")["fields"]["size"]) == [""]
    assert part(group, "dev")["fields"]["size"]["options"][0]["label"] == "Small — CPU 2"


def test_rows__fewer_keys_offered__only_those():
    only = {"environments": [{"value": "prod", "label": "Production"}]}
    assert [one["key"] for one in made({"environments": [ONE]}, options=only)["environments"]["rows"]] == ["prod"]


def test_select__needed_and_nothing_chosen__asks_to_choose():
    options = {"tenant": [{"value": "claims", "label": "Claims"}, {"value": "motor", "label": "Motor"}]}
    assert [option["value"] for option in made({}, options=options)["tenant"]["options"]] == ["", "claims", "motor"]
    assert chosen(made({"tenant": "motor"}, options=options)["tenant"]) == ["motor"]


def test_select__chosen_what_is_no_choice_any_more__still_shown():
    options = {"tenant": [{"value": "claims", "label": "Claims"}]}
    assert chosen(made({"tenant": "gone"}, options=options)["tenant"]) == ["gone"]


def test_place_options__candidates__what_does_not_fit_cannot_be_chosen():
    candidates = [{"name": "a", "fits": True, "text": "left: 4"}, {"name": "b", "fits": False, "text": "too full"}]
    places = {"prod": {"chosen": "a", "why": "", "candidates": candidates}}
    options = fields.place_options("environments", {"places": places})
    assert [(one["value"], one.get("disabled", False)) for one in options["environments.prod.cluster"]] == [
        ("", False),
        ("a", False),
        ("b", True),
    ]
    group = made({"environments": [ONE | {"cluster": "a"}]}, options=options)["environments"]
    assert chosen(part(group, "prod")["fields"]["cluster"]) == ["a"]
    assert chosen(part(group, "dev")["fields"]["cluster"]) == [""]


def test_in_form__sections__without_what_is_for_programs():
    shown = fields.in_form(SCHEMA)
    assert "environments" in shown and "developer_groups" not in shown
