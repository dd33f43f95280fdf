"""What two rounds of a request have differently, field by field, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from workflow.schema import Schema

Row = dict[str, Any]


def changed_fields(schema: Schema, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """[{"label", "before", "after", "added", "removed"}] of the fields that differ, in the schema's order: texts; of
    lists of names only who came and who went. What a kind keeps beside the schema's fields is not compared."""
    rows = []
    for name, field in schema["properties"].items():
        old, new = before.get(name, field.get("default")), after.get(name, field.get("default"))
        # What a kind found out itself is no wish.
        if old == new or isinstance(old, Mapping) or isinstance(new, Mapping):
            continue
        label = str(field["x-form"]["label"])
        if "properties" in field.get("items", {}):
            rows += _changed_rows(field, label, old, new)
        elif field.get("type") == "array":
            rows.append(_names(label, old, new))
        else:
            rows.append(_row(label, shown_value(field, old), shown_value(field, new)))
    return rows


def _row(label: str, before: str, after: str, added: Sequence[str] = (), removed: Sequence[str] = ()) -> Row:
    return {"label": label, "before": before, "after": after, "added": list(added), "removed": list(removed)}


def _names(label: str, old: object, new: object) -> Row:
    was, now = _texts(old), _texts(new)
    return _row(label, "", "", [one for one in now if one not in was], [one for one in was if one not in now])


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _changed_rows(field: Mapping[str, Any], label: str, old: object, new: object) -> list[Row]:
    """Objects of a list, found again by their key; without one the list is compared place by place."""
    key = field["x-form"].get("key", "")
    options = {option["value"]: str(option["label"]) for option in field["x-form"].get("options", [])}
    was, now = _keyed(old, key), _keyed(new, key)
    rows = []
    for one in dict.fromkeys([*was, *now]):
        name = pgettext("a part of a thing", "%(whole)s %(part)s") % {"whole": label, "part": options.get(one, one)}
        if one not in was or one not in now:
            rows.append(_row(name, "" if one not in was else _("asked for"), _("asked for") if one in now else ""))
            continue
        inner = changed_fields(field["items"], was[one], now[one])
        rows += [row | {"label": f"{options.get(one, one)} · {row['label']}"} for row in inner]
    return rows


def _keyed(rows: object, key: str) -> dict[str, Mapping[str, Any]]:
    known = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return {str(row.get(key) if key else place): row for place, row in enumerate(known, start=1)}


def shown_value(field: Mapping[str, Any], value: object) -> str:
    """A value as the form shows it: the label of a choice, words for yes and no, "" for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    options = {option["value"]: str(option["label"]) for option in field["x-form"].get("options", [])}
    return options.get(value, str(value)) if isinstance(value, str) else str(value)
