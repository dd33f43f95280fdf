"""What an address says about which bundles to show: by cluster, tenant and state."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from clusters.models import Bundle, BundleObject
from clusters.rules import State
from web.errors import Invalid

# "attention" is what does not go on as it should: it failed, is being tried again, or differs from what was approved.
STATES = ("attention", "drift", *get_args(State))

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Wanted(NamedTuple):
    """Filters; "" is any."""

    state: str = ""
    tenant: str = ""
    cluster: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return any(self)


def read(parameters: Mapping[str, str], *names: str) -> Wanted:
    """The filters among these names that say something known."""
    given = {name: parameters.get(name, "") for name in names}
    return Wanted(**{name: value for name, value in given.items() if _is_known(name, value)})


def read_strictly(parameters: Mapping[str, str], *names: str) -> Wanted:
    """As `read`, for programs; raises Invalid for what is not known, and for names without a value."""
    for name in names:
        if name in parameters and not _is_known(name, parameters[name]):
            raise Invalid(_("The filter is not known."), {f"/{name}": _("This is not one of the choices.")})
    return read(parameters, *names)


def _is_known(name: str, value: str) -> bool:
    return value in STATES if name == "state" else _SLUG.fullmatch(value) is not None


def narrowed(bundles: QuerySet[Bundle], wanted: Wanted) -> QuerySet[Bundle]:
    """The bundles that fit."""
    if wanted.state:
        bundles = bundles.filter(in_state(wanted.state))
    if wanted.tenant:
        bundles = bundles.filter(tenant__code=wanted.tenant)
    if wanted.cluster:
        bundles = bundles.filter(cluster__name=wanted.cluster)
    return bundles


def living(bundles: QuerySet[Bundle]) -> QuerySet[Bundle]:
    """Those that have, or are to have, something in their cluster."""
    kept: QuerySet[Any] = BundleObject.objects.filter(bundle=OuterRef("pk")).exclude(state="gone")
    return bundles.filter(Q(Exists(kept)) | Q(observed_generation__lt=F("generation")) | Q(blocked=True))


def in_state(state: str) -> Q:
    """As rules.state_of says it, for the database."""
    agreed = Q(blocked=False, observed_generation__gte=F("generation"))
    going = Q(blocked=False, observed_generation__lt=F("generation"))
    observed = ~Q(cluster__driver="gitops") | ~Q(cluster__observer_address="")
    fresh, in_git = going & Q(attempts=0), ~Q(committed="")
    started = Q(lease_owner__isnull=False) | Q(message__isnull=False)
    return {
        "attention": Q(blocked=True) | going & Q(attempts__gt=0) | Q(drift__found_at__isnull=False),
        "drift": Q(drift__found_at__isnull=False),
        "blocked": Q(blocked=True),
        "ready": agreed & observed,
        "committed": agreed & ~observed | fresh & in_git,
        "retrying": going & Q(attempts__gt=0),
        "applying": fresh & ~in_git & started,
        "queued": fresh & ~in_git & ~started,
    }[state]
