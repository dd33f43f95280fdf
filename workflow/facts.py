"""The facts a policy's condition may name: those of every request, and those the other rooms declare."""

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


# What policies see where nothing limits: the largest number that CEL and the database know. A policy on large amounts
# is then about it too.
NO_LIMIT = 2**63 - 1


def is_amount(fact: object) -> bool:
    """Whether a fact is a number that is worth showing, not one that comes of there being no limit."""
    return isinstance(fact, int) and abs(fact) < NO_LIMIT // 2


class Fact(NamedTuple):
    """What a fact is: `type` is str, int or bool; label and unit are for people, lazily translated."""

    type: type[str] | type[int] | type[bool]
    label: "StrOrPromise"
    unit: "StrOrPromise" = ""


COMMON: dict[str, Fact] = {
    "kind": Fact(str, gettext_lazy("Kind of request")),
    "tenant": Fact(str, gettext_lazy("Code of the tenant")),
    "environment": Fact(str, gettext_lazy("Environment: dev, test or prod")),
    "cluster": Fact(str, gettext_lazy("Name of the cluster")),
    "asker.username": Fact(str, gettext_lazy("Who asks")),
    "asker.is_tenant_owner": Fact(bool, gettext_lazy("Who asks is an owner of the tenant")),
    "asker.is_administrator": Fact(bool, gettext_lazy("Who asks is a platform administrator")),
    "asker.is_service_account": Fact(bool, gettext_lazy("A service account asks")),
}


def declared() -> dict[str, Fact]:
    """All facts by their dotted name, from the dicts that settings.POLICY_FACTS names."""
    facts: dict[str, Fact] = {}
    for path in settings.POLICY_FACTS:
        more: dict[str, Fact] = import_string(path)
        # One silently hiding another would change what saved conditions mean.
        if twice := facts.keys() & more.keys():
            raise ImproperlyConfigured(f"{path} declares facts a second time: {', '.join(sorted(twice))}")
        facts |= more
    return facts
