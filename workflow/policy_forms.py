"""The form of a policy: entries as they were typed, read into values and laid out as fields again."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from workflow import schema
from workflow.kinds import all_kinds
from workflow.kinds.change_policy_schema import LONGEST_DEADLINE, MOST_PEOPLE, MOST_STEPS, SCHEMA
from workflow.models import Policy

Row = dict[str, Any]
# Entries are texts by the name of the form's field; a step's are "steps-0-group" and so on.
Entries = dict[str, str]

_PLAIN = ("action", "slug", "name_zh", "name_en", "kind", "condition", "priority", "reason")
_OF_STEP = ("group", "minimum", "deadline", "unit")
_HOURS = {"days": 24, "hours": 1}
_NO_STEP = {"group": "", "minimum": 1, "deadline_hours": 240}


def empty_entries() -> Entries:
    """Of a policy that is yet to be made."""
    return _with_steps({name: "" for name in _PLAIN} | {"action": "create"}, [])


def entries_of(values: Mapping[str, Any]) -> Entries:
    """Of values of the kind "change-policy"; those of a policy are its definition with action and slug."""
    plain = {name: str(values.get(name, "")) for name in _PLAIN}
    return _with_steps(plain, values.get("steps", []))


def posted_entries(posted: Mapping[str, str]) -> Entries:
    """What the browser sent of the form's fields."""
    steps = [f"steps-{place}-{name}" for place in range(MOST_STEPS) for name in _OF_STEP]
    return {name: posted.get(name, "") for name in (*_PLAIN, *steps)}


def values_of(entries: Entries) -> dict[str, Any]:
    """The values to ask with; what cannot be read is passed on as text, so that the check names it."""
    values: dict[str, Any] = {name: entries[name].strip() for name in _PLAIN}
    if values["action"] == "retire":
        return {name: values[name] for name in ("action", "slug", "reason")}
    values["priority"] = _whole(values["priority"])
    if values["priority"] == "":
        del values["priority"]
    values["steps"] = [_step(entries, place) for place in _filled(entries)]
    return values


def fields_of(
    entries: Entries, errors: Mapping[str, str], names: Mapping[str, str]
) -> tuple[dict[str, Row], list[dict[str, Row]]]:
    """The fields by name, and those of each step, for the component `field`; `errors` by JSON pointer, `names` are
    those of the approver groups by slug."""
    plain = {name: _plain_field(name, entries[name], errors.get(f"/{name}", "")) for name in _PLAIN}
    plain["slug"] |= {"readonly": entries["action"] != "create"}
    plain["kind"] |= {"kind": "select", "options": _kinds(), "help": ""}
    plain["priority"] |= {"kind": "number"}
    plain["condition"]["attrs"] |= {"rows": "4", "spellcheck": "false", "autocapitalize": "none"}
    positions = {place: position for position, place in enumerate(_filled(entries))}
    steps = [_step_fields(entries, place, positions.get(place), errors, names) for place in range(MOST_STEPS)]
    return plain, steps


def definition_values(policy: Policy, action: str) -> dict[str, Any]:
    """The values that would ask for the policy as it is."""
    names = ("slug", "name_zh", "name_en", "kind", "condition", "priority", "steps")
    return {"action": action, "reason": "", **{name: getattr(policy, name) for name in names}}


def _with_steps(entries: Entries, steps: Sequence[Mapping[str, Any]]) -> Entries:
    for place in range(MOST_STEPS):
        step: Mapping[str, Any] = steps[place] if place < len(steps) else _NO_STEP
        unit = "hours" if step["deadline_hours"] % 24 else "days"
        row = (step["group"], step["minimum"], step["deadline_hours"] // _HOURS[unit], unit)
        entries |= {f"steps-{place}-{name}": str(entry) for name, entry in zip(_OF_STEP, row, strict=True)}
    return entries


def _filled(entries: Entries) -> list[int]:
    """The rows that are steps: a group is chosen."""
    return [place for place in range(MOST_STEPS) if entries[f"steps-{place}-group"].strip()]


def _step(entries: Entries, place: int) -> dict[str, Any]:
    group, minimum, deadline, unit = (entries[f"steps-{place}-{name}"].strip() for name in _OF_STEP)
    hours = _whole(deadline)
    return {
        "group": group,
        "minimum": _whole(minimum),
        "deadline_hours": hours * _HOURS.get(unit, 1) if isinstance(hours, int) else hours,
    }


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text, re.ASCII) else text


def _plain_field(name: str, value: str, error: str) -> Row:
    described = SCHEMA["properties"][name]
    hints = described["x-form"]
    bounds = (("maxLength", "maxlength"), ("minimum", "min"), ("maximum", "max"))
    return {
        "name": name,
        "label": str(hints["label"]),
        "help": str(hints.get("help", "")),
        "kind": hints.get("widget", "text"),
        "value": value,
        "required": name in ("slug", "name_zh", "name_en", "priority"),
        "errors": [error] if error else [],
        "attrs": {html: str(described[key]) for key, html in bounds if key in described},
    }


def _kinds() -> list[Row]:
    """What a policy can be about; who decides about policies is fixed."""
    others = [
        {"value": slug, "label": str(kind.title)} for slug, kind in all_kinds().items() if slug != "change-policy"
    ]
    return [{"value": "", "label": _("Any kind")}, *others]


def _step_fields(
    entries: Entries, place: int, position: int | None, errors: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, Row]:
    """The fields of one row; `position` is that of the step among those that are filled in."""

    def described(name: str, label: str, kind: str, pointer: str, **more: Any) -> Row:
        at = f"/steps/{position}/{pointer}"
        own = [errors[at]] if pointer and at in errors else []
        value = entries[f"steps-{place}-{name}"]
        return {"name": f"steps-{place}-{name}", "label": label, "kind": kind, "value": value, "errors": own, **more}

    groups = [{"value": "", "label": _("no step")}] + [{"value": s, "label": n} for s, n in names.items()]
    chosen = entries[f"steps-{place}-group"]
    if chosen and chosen not in names and schema.is_printable(chosen):
        groups.append({"value": chosen, "label": chosen[:40]})
    units = [{"value": "days", "label": _("days")}, {"value": "hours", "label": _("hours")}]
    return {
        "group": described("group", _("Group"), "select", "group", options=groups),
        "minimum": described("minimum", _("People"), "number", "minimum", attrs={"min": "1", "max": str(MOST_PEOPLE)}),
        "deadline": described(
            "deadline", _("Within"), "number", "deadline_hours", attrs={"min": "1", "max": str(LONGEST_DEADLINE)}
        ),
        "unit": described("unit", _("Unit"), "select", "", options=units),
    }
