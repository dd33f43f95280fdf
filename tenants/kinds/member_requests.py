"""What requests about members have in common: the fields of their lists, reading them, and what a change comes to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rules import LONGEST_DN, normal_dn
from tenants import people
from tenants.words import role_label

# Role by subject ("user:<name>", "group:<dn>").
Members = dict[str, str]

# The lists of people and of groups for each role, the weakest first: whoever is named twice has the strongest.
LISTS = {
    "viewer": ("viewers", "viewer_groups"),
    "developer": ("developers", "developer_groups"),
    "owner": ("owners", "owner_groups"),
}
_LABELS = {
    "owners": gettext_lazy("Owners"),
    "developers": gettext_lazy("Developers"),
    "viewers": gettext_lazy("Viewers"),
    "owner_groups": gettext_lazy("Owner groups"),
    "developer_groups": gettext_lazy("Developer groups"),
    "viewer_groups": gettext_lazy("Viewer groups"),
}
_PERSON = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$", "maxLength": 64}
_GROUP = {"type": "string", "minLength": 1, "maxLength": 500}

REASON = {
    "type": "string",
    "maxLength": 1000,
    "default": "",
    "x-form": {
        "section": "why",
        "label": gettext_lazy("Reason"),
        "widget": "textarea",
        "help": gettext_lazy("Helps those who decide"),
    },
}


def fields(*roles: str) -> dict[str, dict[str, Any]]:
    """The lists of these roles as fields of a schema: people in the section "people", groups in "groups"."""
    named = {LISTS[role][0]: _people_list(LISTS[role][0]) for role in roles}
    return named | {LISTS[role][1]: _group_list(LISTS[role][1]) for role in roles}


def _people_list(name: str) -> dict[str, Any]:
    hints = {
        "section": "people",
        "label": _LABELS[name],
        "help": gettext_lazy("User names, separated by spaces or commas"),
        "widget": "people",
        "grammar": gettext_lazy("A user name has letters, digits and . _ @ - only."),
    }
    return _list(_PERSON, 100, hints)


def _group_list(name: str) -> dict[str, Any]:
    hints = {
        "section": "groups",
        "label": _LABELS[name],
        "help": gettext_lazy("Distinguished names of LDAP groups, one a line"),
        "widget": "people",
        # Distinguished names hold commas and spaces.
        "separator": "lines",
    }
    return _list(_GROUP, 20, hints)


def _list(item: Mapping[str, Any], most: int, hints: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "array",
        "items": dict(item),
        "maxItems": most,
        "uniqueItems": True,
        "default": [],
        "x-form": dict(hints),
    }


def members_of(values: Mapping[str, Any]) -> Members:
    """Role by subject of checked values; lists that the kind has not are empty."""
    found: Members = {}
    for role, (people_list, group_list) in LISTS.items():
        found |= {f"user:{name}": role for name in values.get(people_list, ())}
        found |= {f"group:{dn}": role for dn in values.get(group_list, ())}
    return dict(sorted(found.items()))


def lists_of(members: Mapping[str, str], roles: Iterable[str]) -> dict[str, list[str]]:
    """The members as the lists of these roles, sorted."""
    lists: dict[str, list[str]] = {}
    for role in roles:
        for prefix, name in zip(("user:", "group:"), LISTS[role], strict=True):
            own = (subject for subject, has in members.items() if has == role and subject.startswith(prefix))
            lists[name] = sorted(subject.removeprefix(prefix) for subject in own)
    return lists


def read(
    values: Mapping[str, Any],
    roles: Sequence[str],
    known: Iterable[str] = (),
    spelt: Callable[[str], str] = str,
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """(lists, errors by JSON pointer) of the wanted members: people in lower case, groups as the directory spells them
    and then as `spelt` says, each named once. Of `known` subjects nobody is asked: who left the company must not keep
    others from being added."""
    same = {_compared(subject): subject for subject in known}
    groups, errors = _groups_of(values, [LISTS[role][1] for role in roles], same)
    named = {LISTS[role][0]: [name.lower() for name in values[LISTS[role][0]]] for role in roles}
    errors |= _people_errors(values, list(named), same)
    if errors:
        return {}, errors
    return lists_of(members_of(named | {name: [spelt(dn) for dn in dns] for name, dns in groups.items()}), roles), {}


def _compared(subject: str) -> str:
    kind, _colon, name = subject.partition(":")
    return f"group:{_normal(name)}" if kind == "group" else subject.lower()


def _normal(dn: str) -> str:
    try:
        return normal_dn(dn)
    except ValueError:
        return dn


def _people_errors(values: Mapping[str, Any], names: Iterable[str], same: Mapping[str, str]) -> dict[str, str]:
    asked = [(f"/{name}/{place}", who) for name in names for place, who in enumerate(values[name])]
    asked = [(pointer, who) for pointer, who in asked if f"user:{who.lower()}" not in same]
    found = people.people_errors({"all": [who for _pointer, who in asked]}, "all")
    return {pointer: found[f"/all/{place}"] for place, (pointer, _who) in enumerate(asked) if f"/all/{place}" in found}


def _groups_of(
    values: Mapping[str, Any], names: Iterable[str], same: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    groups: dict[str, list[str]] = {}
    errors: dict[str, str] = {}
    for name in names:
        groups[name] = []
        for place, dn in enumerate(values[name]):
            known = same.get(f"group:{_normal(dn)}")
            if known is not None:
                groups[name].append(known.removeprefix("group:"))
                continue
            found, problems = people.groups_of([dn], "all")
            if found and len(found[0]) > LONGEST_DN:
                problems = {"/all/0": _("At most %(limit)s characters.") % {"limit": LONGEST_DN}}
            errors |= {f"/{name}/{place}": sentence for sentence in problems.values()}
            groups[name] += found
    return groups, errors


def change_facts(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | int | bool]:
    """members.added, members.removed and groups.added. Another role counts as one removed and one added, so that a
    policy about additions is also one about promotions."""
    added, removed = after.items() - before.items(), before.items() - after.items()
    return {
        "members.added": _people_in(added),
        "members.removed": _people_in(removed),
        "groups.added": len(added) - _people_in(added),
    }


def _people_in(pairs: Iterable[tuple[str, str]]) -> int:
    return sum(subject.startswith("user:") for subject, _role in pairs)


def change_rows(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    """(label, text) of who is added, removed, or has another role, for who decides."""
    added = [_named(subject, role) for subject, role in sorted(after.items()) if subject not in before]
    removed = [_named(subject, role) for subject, role in sorted(before.items()) if subject not in after]
    moved = [
        f"{_name(subject)}: {role_label(before[subject])} → {role_label(role)}"
        for subject, role in sorted(after.items())
        if before.get(subject, role) != role
    ]
    rows = [(_("Added"), added), (_("Removed"), removed), (_("Another role"), moved)]
    return [(label, ", ".join(texts) or _("none")) for label, texts in rows]


def _named(subject: str, role: str) -> str:
    return f"{_name(subject)} ({role_label(role)})"


def _name(subject: str) -> str:
    return subject.partition(":")[2]


def role_rows(members: Mapping[str, str], roles: Iterable[str]) -> list[tuple[str, str]]:
    """(label, names) of each role, people first."""
    lists = lists_of(members, roles)
    return [
        (str(_LABELS[LISTS[role][0]]), ", ".join(lists[LISTS[role][0]] + lists[LISTS[role][1]]) or _("none"))
        for role in roles
    ]
