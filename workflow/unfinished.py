"""Values that are not whole: what the schema refuses is taken out, so that a kind can look at the rest in one round."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from workflow.schema import Schema

_NOTHING: dict[str, Any] = {"string": "", "integer": 0, "boolean": False, "array": []}


def emptied(schema: Schema, values: object, errors: Mapping[str, str]) -> dict[str, Any]:
    """The values with nothing in place of what the `errors` (of schema.check, by JSON pointer) are about: the default
    of the field, nothing of its type where it is required, else no such field. Of lists of objects the objects stay in
    their places, unless it cannot be said any more which one is which."""
    given = values if isinstance(values, Mapping) else {}
    found: dict[str, Any] = {}
    for name, field in schema["properties"].items():
        inner = field.get("items", {})
        if "properties" in inner:
            found[name] = _rows(field, given.get(name), _below(errors, f"/{name}"))
        elif _is_wrong(errors, f"/{name}") or name not in given:
            if "default" in field or name in schema.get("required", []):
                found[name] = field.get("default", _nothing(field))
        else:
            found[name] = given[name]
    return found


def _nothing(field: Mapping[str, Any]) -> object:
    # Where an id is expected the column would refuse anything else; nothing has this one.
    return str(UUID(int=0)) if field.get("format") == "uuid" else _NOTHING.get(field.get("type", ""), "")


def _rows(field: Mapping[str, Any], rows: object, errors: Mapping[str, str]) -> list[dict[str, Any]]:
    known = rows if isinstance(rows, list) else []
    key = field["x-form"].get("key", "")
    nameless = key and any(_is_wrong(errors, f"/{place}/{key}") for place in range(len(known)))
    if nameless or not all(isinstance(row, Mapping) for row in known):
        return []
    return [emptied(field["items"], row, _below(errors, f"/{place}")) for place, row in enumerate(known)]


def _is_wrong(errors: Mapping[str, str], pointer: str) -> bool:
    return any(at == pointer or at.startswith(pointer + "/") for at in errors)


def _below(errors: Mapping[str, str], pointer: str) -> dict[str, str]:
    return {at.removeprefix(pointer): text for at, text in errors.items() if at.startswith(pointer + "/")}
