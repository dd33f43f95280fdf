"""Form fields made ready for the page."""

from web import fields


def test_prepared__text_with_everything__names_all_that_describes_it():
    ready = fields.prepared(
        {
            "name": "cpu",
            "label": "CPU",
            "kind": "number",
            "value": 4,
            "help": "At most 16",
            "suffix": "cores",
            "required": True,
            "errors": ["Too many."],
            "attrs": {"min": 1, "max": 16},
        }
    )
    assert ready["described_by"] == "id_cpu-unit id_cpu-help id_cpu-error"
    for attribute in ('id="id_cpu"', 'type="number"', 'value="4"', 'max="16"', " required", 'aria-invalid="true"'):
        assert attribute in ready["attributes"]


def test_prepared__value_with_markup__is_escaped():
    ready = fields.prepared({"name": "n", "label": "N", "kind": "text", "value": '"><script>'})
    assert "<script>" not in ready["attributes"]


def test_prepared__select__marks_the_option_with_the_value():
    options = [{"value": 1, "label": "one"}, {"value": 2, "label": "two"}]
    ready = fields.prepared({"name": "n", "label": "N", "kind": "select", "value": "2", "options": options})
    assert [option["checked"] for option in ready["options"]] == [False, True]
    assert ready["shown"] == "two"


def test_prepared__option_says_itself_whether_it_is_chosen__is_believed():
    options = [{"value": "a", "label": "A", "checked": True}, {"value": "b", "label": "B", "checked": False}]
    ready = fields.prepared({"name": "n", "label": "N", "kind": "radio", "value": "b", "options": options})
    assert [option["checked"] for option in ready["options"]] == [True, False]


def test_prepared__several_checkboxes__takes_a_list():
    options = [{"value": "r", "label": "read"}, {"value": "w", "label": "write"}]
    ready = fields.prepared({"name": "s", "label": "S", "kind": "checkbox", "value": ["w"], "options": options})
    assert [option["checked"] for option in ready["options"]] == [False, True]


def test_prepared__single_checkbox__is_checked_by_its_value():
    ready = fields.prepared({"name": "c", "label": "C", "kind": "checkbox", "value": True})
    assert 'type="checkbox"' in ready["attributes"] and " checked" in ready["attributes"]


def test_prepared__people__one_name_a_line():
    ready = fields.prepared({"name": "p", "label": "P", "kind": "people", "value": ["dev-a", "dev-b"]})
    assert ready["value"] == "dev-a\ndev-b"


def test_prepared__no_value__is_empty_not_none():
    assert fields.prepared({"name": "n", "label": "N", "kind": "textarea", "value": None})["value"] == ""
