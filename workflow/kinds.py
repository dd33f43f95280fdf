"""What a kind of request is, and the list of all kinds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.models import BundleRevision, Cluster
from clusters.rules import Manifest
from web.errors import NotFound
from workflow.models import Request

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Target:
    """What a checked wish is about. `key` is one per open request; `owner` names the bundle ("project:<uid>")."""

    key: str
    # A tenants.Tenant, which this room may not import.
    tenant: Any
    environment: str
    cluster: Cluster
    owner: str
    title: str


class Kind(ABC):
    """One kind of request: a class in one file under `<app>/kinds/`, named in settings.REQUEST_KINDS."""

    slug: str
    # Lazily translated.
    title: "StrOrPromise"
    summary: "StrOrPromise"
    schema: dict[str, Any]
    # The field that is marked when the name is taken.
    name_field: str

    @abstractmethod
    def may_ask(self, user: User) -> bool:
        """Whether this person could ask for anything of this kind at all."""

    @abstractmethod
    def may_still_ask(self, request: Request) -> bool:
        """Whether who asked could still ask for this, at the time of the decision."""

    @abstractmethod
    def options(self, user: User) -> dict[str, list[dict[str, Any]]]:
        """Choices that depend on the person, by field name: [{"value", "label", "help"}]."""

    @abstractmethod
    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """What the schema cannot say: references and every right that is needed to ask for this. Answers the values to
        be stored; raises Invalid."""

    @abstractmethod
    def target(self, values: dict[str, Any], uid: str) -> Target:
        """What the checked values are about; `uid` is the request's. Raises Invalid where it has no place."""

    @abstractmethod
    def state(self, request: Request) -> dict[str, Any]:
        """The wanted state as plain data, from the request and rows: what `render` needs and a revision keeps."""

    @abstractmethod
    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """Pure: the wanted state as manifests, in the order in which they are applied."""

    @abstractmethod
    def carry_out(self, request: Request, manifests: list[Manifest], by: User | None, at: datetime) -> BundleRevision:
        """In the transaction of the approval: rows and a revision of the bundle."""

    @abstractmethod
    def facts(self, request: Request) -> list[tuple[str, str]]:
        """(label, value) rows for the person who decides, in the reader's language."""

    @abstractmethod
    def name_preview(self, values: dict[str, Any], user: User) -> tuple[str, str]:
        """(name, problem) of what would be created from unfinished values; both empty for what is not the person's."""

    @abstractmethod
    def result_url(self, request: Request) -> str:
        """Where what was asked for can be seen once it is carried out, else ""."""


@cache
def all_kinds() -> dict[str, Kind]:
    """Every kind by its slug, in the order of settings.REQUEST_KINDS."""
    kinds = [import_string(path)() for path in settings.REQUEST_KINDS]
    return {kind.slug: kind for kind in kinds}


def kind_of(slug: str) -> Kind:
    """The kind with this slug; raises NotFound."""
    try:
        return all_kinds()[slug]
    except KeyError:
        raise NotFound(_("There is no such kind of request.")) from None
