"""Rows for the form template, made from a kind's schema."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from workflow.schema import Schema

MOST_SENTENCES = 3

Option = dict[str, Any]
Row = dict[str, Any]
Options = Mapping[str, list[Option]]


def sections(schema: Schema, values: Mapping[str, Any], errors: Mapping[str, str], options: Options) -> list[Row]:
    """[{"id", "title", "help", "fields": [field row]}] in the schema's order; `errors` by JSON pointer.

    A list of objects is a field of kind "rows" (see `row_group`).
    """
    rows = []
    for section in schema["x-sections"]:
        fields = [
            field_row(name, field, name in schema["required"], values, errors, options)
            for name, field in schema["properties"].items()
            if field["x-form"].get("section") == section["id"]
        ]
        title, text = str(section["title"]), str(section.get("help", ""))
        rows.append({"id": section["id"], "title": title, "help": text, "fields": fields})
    return rows


def by_name(sections: Sequence[Row]) -> dict[str, Row]:
    """The same fields by name, for a template that lays them out itself."""
    return {field["name"]: field for section in sections for field in section["fields"]}


def problems(sections: Sequence[Row], touched: set[str]) -> list[Row]:
    """[{"id", "errors"}] of each field and row of the form, by the id of its control; of those that nobody has been in
    yet nothing is said."""
    found = []
    for section in sections:
        for field in section["fields"]:
            rows = field["rows"] if field["kind"] == "rows" else []
            inner = [one for row in rows for one in [row, *row["fields"].values()]]
            # Whoever was in one of its rows was in the list.
            if any(row["name"] in touched for row in rows):
                touched = touched | {field["name"]}
            found += [field, *inner]
    return [
        {"id": f"id_{one['name']}", "errors": one["errors"] if one["name"] in touched else []}
        for one in found
        if one.get("kind") != "hidden"
    ]


def in_form(schema: Schema) -> set[str]:
    """The fields that the form shows; others are for programs, and stay as they are when a person edits."""
    shown = {section["id"] for section in schema["x-sections"]}
    return {name for name, field in schema["properties"].items() if field["x-form"].get("section") in shown}


def field_row(
    name: str,
    field: Mapping[str, Any],
    required: bool,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    options: Options,
    prefix: str = "",
) -> Row:
    """One field as the component `field` wants it; `prefix` stands before its name in the form and in `options`."""
    hints = field["x-form"]
    if "properties" in field.get("items", {}):
        return row_group(name, field, values, errors, options)
    value = values.get(name, field.get("default", ""))
    shown = value if isinstance(value, list) else str(value)
    kind = hints.get("widget", "text")
    chosen = [
        {**option, "label": str(option["label"]), "checked": option["value"] == shown}
        for option in _options_of(name, prefix, options, hints)
    ]
    if kind == "select":
        chosen = _selectable(chosen, shown, required)
    return {
        "name": prefix + name,
        "label": str(hints["label"]),
        "help": str(hints.get("help", "")),
        "kind": kind,
        "value": shown if kind != "checkbox" else value in (True, "on", "true"),
        "required": required,
        "errors": _own_errors(errors, f"/{name}"),
        "options": chosen,
        "suffix": str(hints.get("unit", "")),
        "attrs": _attributes(field, hints),
        # Names are found in the directory while one types.
        "lookup": ("groups" if hints.get("separator") == "lines" else "people") if kind == "people" else "",
    }


def _options_of(name: str, prefix: str, options: Options, hints: Mapping[str, Any]) -> Sequence[Option]:
    """Those of this very field, of the field in all rows alike ("environments.size"), or of the schema."""
    in_all_rows = f"{prefix.partition('.')[0]}.{name}"
    return options.get(prefix + name) or options.get(in_all_rows) or hints.get("options", [])


def _selectable(options: list[Option], value: object, required: bool) -> list[Option]:
    """Options of a select that show what is chosen, also where that is nothing yet or no choice any more; there is no
    room for their help but in the label."""
    options = [{**one, "label": f"{one['label']} — {one['help']}"} if one.get("help") else one for one in options]
    if any(option["checked"] for option in options):
        return options
    if value:
        return [*options, {"value": value, "label": str(value), "checked": True}]
    if required and len(options) > 1:
        return [{"value": "", "label": _("Please choose"), "checked": True}, *options]
    return options


def row_group(
    name: str, field: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, str], options: Options
) -> Row:
    """A list of objects with a row for each known value of its key: {"kind": "rows", "name", "label", "errors",
    "rows": [{"key", "label", "wanted": checkbox, "fields": {name: field row}, "errors"}]}.

    `errors` point at places in `values`, which are found again by the key.
    """
    hints = field["x-form"]
    key, inner = hints["key"], field["items"]
    given = values.get(name)
    wanted = [row for row in given if isinstance(row, Mapping)] if isinstance(given, list) else []
    places = {row[key]: place for place, row in enumerate(wanted) if isinstance(row.get(key), str)}
    rows = []
    for option in options.get(name) or hints["options"]:
        place = places.get(option["value"])
        own, below = (wanted[place], f"/{name}/{place}") if place is not None else ({}, None)
        rows.append(
            {
                "key": option["value"],
                "label": str(option["label"]),
                "name": f"{name}.{option['value']}",
                "problem_id": f"id_{name}.{option['value']}",
                "is_wanted": place is not None,
                "fields": _inner_fields(name, option["value"], inner, key, own, _below(errors, below), options),
                "errors": [text for pointer, text in errors.items() if pointer == below],
            }
        )
    whole = [text for pointer, text in errors.items() if pointer == f"/{name}"]
    label, text = str(hints["label"]), str(hints.get("help", ""))
    group = {"name": name, "kind": "rows", "label": label, "help": text, "errors": whole, "rows": rows}
    return group | {"problem_id": f"id_{name}"}


def _inner_fields(
    name: str,
    value: str,
    inner: Mapping[str, Any],
    key: str,
    row: Mapping[str, Any],
    errors: Mapping[str, str],
    options: Options,
) -> dict[str, Row]:
    prefix = f"{name}.{value}."
    found = {}
    for inner_name, inner_field in inner["properties"].items():
        if inner_name == key:
            continue
        made = field_row(inner_name, inner_field, inner_name in inner.get("required", []), row, errors, options, prefix)
        # What is not asked for yet begins with the first choice, not with what an empty value stands for.
        if not row and made["kind"] == "select" and made["options"]:
            made["options"] = [option | {"checked": not at} for at, option in enumerate(made["options"])]
        found[inner_name] = made
    return found


def _below(errors: Mapping[str, str], pointer: str | None) -> dict[str, str]:
    """The errors below a pointer, by what remains of theirs."""
    if pointer is None:
        return {}
    return {at.removeprefix(pointer): text for at, text in errors.items() if at.startswith(pointer + "/")}


def place_options(parts_field: str, preview: Mapping[str, Any]) -> dict[str, list[Option]]:
    """Choices of a cluster for each row of `parts_field`, from what Kind.preview says of its place."""
    whichever = {"value": "", "label": _("Any that fits")}
    found = {f"{parts_field}.cluster": [whichever]}
    for key, place in preview.get("places", {}).items():
        named = [
            {
                "value": one["name"],
                "label": f"{one['name']} — {one['text']}",
                "disabled": not one["fits"] and place["chosen"] != one["name"],
            }
            for one in place["candidates"]
        ]
        found[f"{parts_field}.{key}.cluster"] = [whichever, *named]
    return found


def _own_errors(errors: Mapping[str, str], pointer: str) -> list[str]:
    own = [text for at, text in errors.items() if at == pointer or at.startswith(pointer + "/")]
    return _few(list(dict.fromkeys(own)))


def _few(sentences: list[str]) -> list[str]:
    """The first sentences about a field with many entries, and how many more there are."""
    if len(sentences) <= MOST_SENTENCES:
        return sentences
    more = _("And %(count)s more.") % {"count": len(sentences) - MOST_SENTENCES}
    return [*sentences[:MOST_SENTENCES], more]


def _attributes(field: Mapping[str, Any], hints: Mapping[str, Any]) -> dict[str, str]:
    """HTML attributes that let the browser check what the server will check."""
    attributes = dict(hints.get("attrs", {}))
    for schema_key, html_key in (("maxLength", "maxlength"), ("minimum", "min"), ("maximum", "max")):
        if schema_key in field:
            attributes[html_key] = str(field[schema_key])
    return attributes
