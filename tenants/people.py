"""People and groups named in a request: whether the directory has them, and how it spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts import directory
from accounts.models import User


def people_errors(values: Mapping[str, Any], *fields: str) -> dict[str, str]:
    """Errors by JSON pointer for user names in these fields (lists) that are not in the directory; while it does not
    answer, those the portal knows are accepted."""
    errors = {}
    named = [(f"/{field}/{place}", name) for field in fields for place, name in enumerate(values[field])]
    known = _known_people({name for _pointer, name in named})
    for pointer, name in named:
        if name not in known:
            errors[pointer] = _("%(name)s is not in the directory.") % {"name": name}
    return errors


def groups_of(dns: Sequence[str], field: str) -> tuple[list[str], dict[str, str]]:
    """The DNs of the groups in the directory's own spelling, and errors by JSON pointer for the others."""
    groups, errors = [], {}
    for place, dn in enumerate(dns):
        try:
            groups.append(directory.group_named(dn).dn)
        except directory.UnusableGroup as error:
            errors[f"/{field}/{place}"] = _unusable_group(str(error)) % {"name": dn}
    return groups, errors


def groups_by_person(names: Sequence[str]) -> dict[str, list[str] | None]:
    """The normal DNs of each person's groups, None where the directory has nobody of this name; while it does not
    answer, as the portal last saw them."""
    try:
        # A dead directory is asked once, not once for each of 200 names.
        return {name: directory.groups_of_person(name) for name in names}
    except directory.DirectoryUnavailable:
        seen = User.objects.filter(username__in=[name.lower() for name in names], is_active=True)
        groups = dict(seen.values_list("username", "directory_groups"))
        return {name: groups.get(name.lower()) for name in names}


def _unusable_group(reason: str) -> str:
    return {
        "missing": _("%(name)s is not in the directory."),
        "unnamed": _("%(name)s is not named by its cn, so no cluster can be told of it."),
        "ambiguous": _("Another group has the same cn as %(name)s, and clusters could not tell them apart."),
    }[reason]


def _known_people(names: set[str]) -> set[str]:
    """Those of the names that somebody has. A dead directory is asked once, not once for each of 200 names."""
    try:
        return {name for name in names if directory.person_exists(name)}
    except directory.DirectoryUnavailable:
        lower = [name.lower() for name in names]
        users = set(User.objects.filter(username__in=lower, is_active=True).values_list("username", flat=True))
        return {name for name in names if name.lower() in users}
