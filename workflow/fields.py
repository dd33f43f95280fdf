"""Rows for the form template, made from a kind's schema."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from workflow.schema import Schema

MOST_SENTENCES = 3

Option = dict[str, Any]


def sections(
    schema: Schema,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    options: Mapping[str, list[Option]],
) -> list[dict[str, Any]]:
    """[{"title", "help", "fields": [field row]}] in the schema's order; `errors` by JSON pointer."""
    rows = []
    for section in schema["x-sections"]:
        fields = [
            field_row(name, field, name in schema["required"], values, errors, options.get(name))
            for name, field in schema["properties"].items()
            if field["x-form"]["section"] == section["id"]
        ]
        rows.append({"title": str(section["title"]), "help": str(section.get("help", "")), "fields": fields})
    return rows


def field_row(
    name: str,
    field: Mapping[str, Any],
    required: bool,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    options: list[Option] | None,
) -> dict[str, Any]:
    """One field as the component `field` wants it."""
    hints = field["x-form"]
    value = values.get(name, field.get("default", ""))
    shown = value if isinstance(value, list) else str(value)
    chosen = [
        {**option, "label": str(option["label"]), "checked": option["value"] == shown}
        for option in options or hints.get("options", [])
    ]
    own = [text for pointer, text in errors.items() if pointer == f"/{name}" or pointer.startswith(f"/{name}/")]
    return {
        "name": name,
        "label": str(hints["label"]),
        "help": str(hints.get("help", "")),
        "kind": hints.get("widget", "text"),
        "value": shown,
        "required": required,
        "errors": _few(list(dict.fromkeys(own))),
        "options": chosen,
        "suffix": str(hints.get("unit", "")),
        "attrs": _attributes(field, hints),
    }


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
