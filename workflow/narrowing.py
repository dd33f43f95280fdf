"""What an address says about which requests to show: filters of lists and of the inbox."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from web.errors import Invalid
from web.searching import matching, number_in, words_of
from workflow import machine
from workflow.kinds import all_kinds
from workflow.models import Request

ENVIRONMENTS = ("dev", "test", "prod")
# By rising weight.
RISKS = ("low", "medium", "high")
AGES = ("overdue", "soon")
ORDERS = ("deadline", "age", "risk")

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_Rows = TypeVar("_Rows", bound=models.QuerySet[Request, Any])


class Wanted(NamedTuple):
    """Filters; "" is any. `text` is searched in number, title, tenant and asker."""

    state: str = ""
    kind: str = ""
    tenant: str = ""
    environment: str = ""
    group: str = ""
    risk: str = ""
    age: str = ""
    text: str = ""
    order: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return any(value for name, value in self._asdict().items() if name != "order")


def read(parameters: Mapping[str, str], *names: str) -> Wanted:
    """The filters among these names that say something known; `text` is called q in an address, `order` sort."""
    given = {name: parameters.get({"text": "q", "order": "sort"}.get(name, name), "") for name in names}
    return Wanted(**{name: value for name, value in given.items() if _is_known(name, value)})


def read_strictly(parameters: Mapping[str, str], *names: str) -> Wanted:
    """As `read`, for programs; raises Invalid for what is not known, and for names without a value."""
    for name in names:
        sent = {"text": "q", "order": "sort"}.get(name, name)
        if sent in parameters and not (parameters[sent] and _is_known(name, parameters[sent])):
            wrong = _("This is not one of the choices.")
            sentence = _("There is no such state.") if name == "state" else _("The filter is not known.")
            raise Invalid(sentence, {f"/{sent}": wrong})
    return read(parameters, *names)


def _is_known(name: str, value: str) -> bool:
    choices: dict[str, Any] = {
        "state": machine.STATES,
        "kind": all_kinds(),
        "environment": ENVIRONMENTS,
        "risk": RISKS,
        "age": AGES,
        "order": ORDERS,
    }
    if name in choices:
        return value in choices[name]
    if name == "text":
        return bool(words_of(value))
    return _SLUG.fullmatch(value) is not None


def narrowed(requests: _Rows, wanted: Wanted) -> _Rows:
    """The requests that fit state, kind, tenant, environment and text; a parent fits with the environment of a child.

    Group, risk and age are the inbox's own.
    """
    if wanted.state:
        requests = requests.filter(state=wanted.state)
    if wanted.kind:
        requests = requests.filter(kind=wanted.kind)
    if wanted.tenant:
        requests = requests.filter(tenant__code=wanted.tenant)
    if wanted.environment:
        parents = Request.objects.filter(environment=wanted.environment, parent__isnull=False).values("parent")
        requests = requests.filter(Q(environment=wanted.environment) | Q(pk__in=parents))
    if wanted.text:
        requests = requests.filter(_matches(wanted.text))
    return requests


def _matches(text: str) -> Q:
    """Each word is in the title, or in a name of asker or tenant; or it is the number of the request or its parent."""
    words = words_of(text)
    named = ("title", "asker__username", "asker__display_name", "tenant__code", "tenant__name_zh", "tenant__name_en")
    found, number = matching(words, *named), number_in(words)
    return found if number is None else found | Q(pk=number) | Q(parent=number)
