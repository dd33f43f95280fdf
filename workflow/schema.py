"""One JSON Schema per kind makes the form, the validation and the API document: reading, checking, field rows.

Hints for the form live in `x-form` of each property: label and help (translatable), section, widget, unit, source of
options. They are taken out of what the API document shows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from web.errors import Invalid

Schema = dict[str, Any]
# Control characters and those that reorder text on screen have no place in a name or a sentence.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
LINE_END = re.compile("[\t\r\n]")


def public(schema: Schema) -> Schema:
    """The schema without the form's hints, with translated labels as descriptions: for the API document."""
    plain = {key: value for key, value in schema.items() if key != "properties" and not key.startswith("x-")}
    plain["properties"] = {name: _public_field(field) for name, field in schema["properties"].items()}
    return plain


def _public_field(field: Mapping[str, Any]) -> Schema:
    hints = field.get("x-form", {})
    shown = {key: value for key, value in field.items() if key != "x-form"}
    if "properties" in shown.get("items", {}):
        shown["items"] = public(shown["items"])
    if hints:
        shown["description"] = str(hints.get("help") or hints.get("label", ""))
    return shown


def check(schema: Schema, values: object) -> dict[str, Any]:
    """The values with defaults filled in; raises Invalid with one sentence per field, by JSON pointer."""
    if not isinstance(values, Mapping):
        raise Invalid(_("Expected an object."), {"": _("Expected an object.")})
    filled = _filled(schema, values)
    errors: dict[str, str] = {}
    for error in Draft202012Validator(_bounded(public(schema)), format_checker=FormatChecker()).iter_errors(filled):
        for pointer, sentence in _sentences(schema, error):
            errors.setdefault(pointer, sentence)
    for name, field in schema["properties"].items():
        if field.get("uniqueItems") and f"/{name}" not in errors and _has_twice(filled.get(name)):
            errors[f"/{name}"] = _("An entry is there twice.")
    for name, value in filled.items():
        lines = schema["properties"].get(name, {}).get("x-form", {}).get("widget") == "textarea"
        for pointer, text in _texts(value, _pointer([name])):
            if not is_printable(text) or (LINE_END.search(text) and not lines):
                errors.setdefault(pointer, _("Contains characters that cannot be shown."))
    if errors:
        raise Invalid(_("Please correct the marked fields."), errors)
    return {name: _whole(schema["properties"][name], value) for name, value in filled.items()}


def _bounded(schema: Schema) -> Schema:
    """The schema without what the validator would take quadratic time for; see `_has_twice`."""
    fields = {name: {k: v for k, v in f.items() if k != "uniqueItems"} for name, f in schema["properties"].items()}
    return schema | {"properties": fields}


def _has_twice(entries: Any) -> bool:
    texts = [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []
    return len(set(texts)) != len(texts)


def _filled(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the defaults of what is not named, also inside of lists of objects."""
    filled = {n: f["default"] for n, f in schema["properties"].items() if "default" in f and n not in values}
    filled |= dict(values)
    for name, field in schema["properties"].items():
        inner = field.get("items", {})
        if "properties" in inner and isinstance(filled.get(name), list):
            filled[name] = [_filled(inner, one) if isinstance(one, Mapping) else one for one in filled[name]]
    return filled


def is_printable(text: str) -> bool:
    """Whether a row can hold it and a page show it as it is; ends of lines count as printable."""
    return not UNPRINTABLE.search(text)


def _whole(field: Mapping[str, Any], value: Any) -> Any:
    """20.0 is an integer to JSON Schema, but would be written into manifests as it stands."""
    inner = field.get("items", {}).get("properties")
    if inner:
        return [{name: _whole(inner[name], part) for name, part in one.items()} for one in value]
    return int(value) if field.get("type") == "integer" else value


def _field_at(schema: Schema, path: list[Any]) -> Mapping[str, Any]:
    """The field a path leads to ("environments", 1, "cpu"), {} where it leads nowhere."""
    field: Mapping[str, Any] = schema
    for part in path:
        known = field if "properties" in field else field.get("items", {})
        if isinstance(part, str):
            if part not in known.get("properties", {}):
                break
            field = known["properties"][part]
    return field


def _pointer(path: Iterable[object]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _sentences(schema: Schema, error: ValidationError) -> list[tuple[str, str]]:
    """(pointer, sentence) of a validator's error; a missing field is marked at the field, not at its parent."""
    path = list(error.absolute_path)
    pointer = _pointer(path)
    limit: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "required":
        missing = [name for name in limit if name not in instance]
        return [(_pointer([*path, name]), _("This is needed.")) for name in missing]
    if error.validator == "additionalProperties":
        known: Any = error.schema
        extra = [name for name in instance if name not in known["properties"]]
        return [(_pointer([*path, name]), _("There is no such field.")) for name in extra]
    hints = _field_at(schema, path).get("x-form", {})
    sentences = {
        "type": _("This has the wrong type."),
        "enum": _("This is not one of the choices."),
        "pattern": str(hints.get("grammar", _("This is not written as it should be."))),
        "minLength": _("This is needed."),
        "maxLength": _("At most %(limit)s characters.") % {"limit": limit},
        "minimum": _("At least %(limit)s.") % {"limit": limit},
        "maximum": _("At most %(limit)s.") % {"limit": limit},
        "minItems": _("This is needed."),
        "maxItems": _("At most %(limit)s entries.") % {"limit": limit},
    }
    return [(pointer, sentences.get(str(error.validator), _("This is not valid.")))]


def _texts(value: Any, pointer: str = "") -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(pointer, value)]
    if isinstance(value, Mapping):
        return [found for key, inner in value.items() for found in _texts(inner, f"{pointer}/{key}")]
    if isinstance(value, list):
        return [found for key, inner in enumerate(value) for found in _texts(inner, f"{pointer}/{key}")]
    return []


def from_form(schema: Schema, posted: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """Form fields as the schema's types; what cannot be read is passed on as text, so that `check` names it.

    A list of objects is posted as a row for each known value of its key: `environments.dev` says that the row is
    wanted, `environments.dev.cpu` is a field of it.
    """
    values: dict[str, Any] = {}
    for name, field in schema["properties"].items():
        text = posted.get(prefix + name, "").strip()
        if "properties" in field.get("items", {}):
            values[name] = _rows_from_form(field, posted, prefix + name)
        elif field["type"] == "array" and "options" in field.get("x-form", {}):
            values[name] = _chosen(posted, prefix + name)
        elif field["type"] == "array":
            # A distinguished name has commas of its own, so groups stand in lines.
            lines = field.get("x-form", {}).get("separator") == "lines"
            parts = text.splitlines() if lines else re.split(r"[\s,;，；、]+", text)
            values[name] = [part.strip() for part in parts if part.strip()]
        elif not text:
            continue
        elif field["type"] == "integer":
            values[name] = int(text) if re.fullmatch(r"-?[0-9]{1,12}", text) else text
        elif field["type"] == "boolean":
            values[name] = text in ("on", "true")
        else:
            values[name] = text
    return values


def _chosen(posted: Mapping[str, str], name: str) -> list[str]:
    """What is ticked of several boxes of one name."""
    many = getattr(posted, "getlist", None)
    return list(many(name)) if many else [posted[name]] if name in posted else []


def _rows_from_form(field: Mapping[str, Any], posted: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    hints = field["x-form"]
    return [
        from_form(field["items"], posted, f"{name}.{option['value']}.") | {hints["key"]: option["value"]}
        for option in hints["options"]
        if posted.get(f"{name}.{option['value']}")
    ]
