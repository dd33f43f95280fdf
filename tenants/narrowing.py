"""What an address says about which projects and tenants to show."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tenants import rules
from tenants.models import Project, Tenant
from web.searching import matching, words_of

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Wanted(NamedTuple):
    """Filters; "" is any. Each word of `text` is somewhere in the name or namespace."""

    text: str = ""
    environment: str = ""
    tenant: str = ""
    cluster: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return any(self)


def read(parameters: Mapping[str, str], *names: str) -> Wanted:
    """The filters among these names that say something known; `text` is called q in an address."""
    given = {name: parameters.get("q" if name == "text" else name, "").strip() for name in names}
    return Wanted(**{name: value for name, value in given.items() if _is_known(name, value)})


def _is_known(name: str, value: str) -> bool:
    if name == "text":
        return bool(words_of(value))
    if name == "environment":
        return value in rules.ENVIRONMENTS
    return _SLUG.fullmatch(value) is not None


def narrowed_projects(projects: QuerySet[Project], wanted: Wanted) -> QuerySet[Project]:
    """The projects that fit."""
    exact = {
        "environment": wanted.environment,
        "tenant__code": wanted.tenant,
        "bundle__cluster__name": wanted.cluster,
    }
    fitting = projects.filter(**{name: value for name, value in exact.items() if value})
    return fitting.filter(_named(wanted, "display_name", "namespace"))


def narrowed_tenants(tenants: QuerySet[Tenant], wanted: Wanted) -> QuerySet[Tenant]:
    """The tenants that fit."""
    return tenants.filter(_named(wanted, "code", "name_zh", "name_en"))


def _named(wanted: Wanted, *fields: str) -> Q:
    return matching(words_of(wanted.text), *fields)
