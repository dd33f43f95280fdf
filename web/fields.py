"""A form field as views describe it, made ready for the page: ids, attributes, what describes it to a reader.

A field is a mapping: name, label, help, kind (text, textarea, number, date, select, radio, checkbox, people, hidden),
value, required, errors (texts), options (value, label, help, disabled, reason, checked), suffix (a unit), attrs
(further HTML attributes), readonly, and look: "cards" draws the options of a radio field as cards.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.forms.utils import flatatt

# PatternFly's mark-up differs by control, not by what is asked.
_INPUT_TYPES = {"text": "text", "number": "number", "date": "date", "hidden": "hidden"}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _chosen(field: Mapping[str, Any]) -> set[str]:
    value = field.get("value")
    if isinstance(value, list | tuple | set):
        return {_text(item) for item in value}
    return {_text(value)}


def _options(field: Mapping[str, Any], identity: str, chosen: set[str]) -> list[dict[str, Any]]:
    options = []
    for place, option in enumerate(field.get("options") or []):
        checked = option.get("checked")
        options.append(
            {
                "id": f"{identity}-{place}",
                "value": _text(option.get("value")),
                "label": option["label"],
                "help": option.get("help", ""),
                "disabled": bool(option.get("disabled")),
                "reason": option.get("reason", ""),
                "checked": _text(option.get("value")) in chosen if checked is None else bool(checked),
            }
        )
    return options


def _described_by(identity: str, field: Mapping[str, Any], errors: Sequence[str]) -> str:
    parts = [(field.get("suffix"), "unit"), (field.get("help"), "help"), (errors, "error")]
    return " ".join(f"{identity}-{name}" for present, name in parts if present)


def _attributes(field: Mapping[str, Any], identity: str, errors: Sequence[str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {"id": identity, "name": field["name"]}
    attributes |= field.get("attrs") or {}
    for name in ("required", "readonly"):
        if field.get(name):
            attributes[name] = True
    if described := _described_by(identity, field, errors):
        attributes["aria-describedby"] = described
    if errors:
        attributes["aria-invalid"] = "true"
    return attributes


def prepared(field: Mapping[str, Any]) -> dict[str, Any]:
    """The field with `id`, `described_by`, `attributes` (escaped, ready to print), prepared options and the text
    `value`; `shown` is what is read where it cannot be changed. Raises KeyError without name, label or kind."""
    kind = field["kind"]
    identity = f"id_{field['name']}"
    errors = list(field.get("errors") or [])
    options = _options(field, identity, _chosen(field))
    attributes = _attributes(field, identity, errors)
    value = field.get("value")
    if kind == "people" and isinstance(value, list | tuple):
        value = "\n".join(_text(name) for name in value)
    if kind in _INPUT_TYPES:
        attributes |= {"type": _INPUT_TYPES[kind], "value": _text(value)}
    if kind == "checkbox" and not options:
        attributes |= {"type": "checkbox", "value": "true", "checked": bool(value)}
    return {
        **field,
        "id": identity,
        "errors": errors,
        "options": options,
        "value": _text(value),
        "attributes": flatatt(attributes),
        "described_by": _described_by(identity, field, errors),
        "shown": ", ".join(option["label"] for option in options if option["checked"]) or _text(value),
        "rows": (field.get("attrs") or {}).get("rows") or (2 if kind == "people" else 3),
    }
