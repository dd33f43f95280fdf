"""What a kind of request is, and the list of all kinds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.models import Cluster
from clusters.rules import Manifest, digest_of
from web.errors import Conflict, NotFound
from workflow.models import Plan, Request

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Row = dict[str, Any]
# (apiVersion, kind, namespace, name) of an object, as clusters.rules.reference answers it.
Reference = tuple[str, str, str, str]


@dataclass(frozen=True)
class Target:
    """What a checked wish is about. `keys` name the things no other open request may be about, the first of them the
    request itself ("namespace:claims-imaging-dev"); `cluster` is None where no cluster, or none yet, is touched."""

    keys: tuple[str, ...]
    # A tenants.Tenant, which this room may not import; None for what belongs to no tenant.
    tenant: Any
    environment: str
    cluster: Cluster | None
    title: str


@dataclass(frozen=True)
class Piece:
    """What a request wants of one bundle: `owner` names it ("project:<uid>"), `state` is what it is rendered from,
    `adopted` are uids of live objects that the bundle takes over."""

    owner: str
    namespace: str
    state: dict[str, Any]
    adopted: Mapping[Reference, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Alteration:
    """What a request changes in the portal's own rows, as plain data: shown, and part of the plan's digest."""

    # A word for the thing, as kinds of objects are called: "Tenant", "Policy".
    kind: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RendersDifferently(Conflict):
    """A kind's renderer is not pure: what it makes of one state is not always the same."""

    code = "renders-differently"

    def __init__(self, slug: str) -> None:
        super().__init__(
            _("What was asked for came out differently when it was made twice, so it is refused."), kind=slug
        )


class Kind(ABC):
    """One kind of request: a class in one file under `<app>/kinds/`, named in settings.REQUEST_KINDS.

    What it does to clusters is `pieces` and `render`, what it does to the portal's rows `alterations`; both make up
    the plan that people decide on. `carry_out` does both once it is approved.
    """

    slug: str
    # Lazily translated.
    title: "StrOrPromise"
    summary: "StrOrPromise"
    # JSON Schema 2020-12 with hints for the form (workflow.schema).
    schema: dict[str, Any]
    # The field that is marked when another request or thing is in the way.
    name_field: str = ""
    # The list of objects in the schema that `parts` takes apart, "" if it takes nothing apart.
    parts_field: str = ""
    # A template of its own for the fields of the form, else they are laid out by the schema's sections.
    template: str = ""
    # URL name of a page of its own instead of the form made from the schema; it takes `?request=<number>`.
    form_page: str = ""
    # Whether it is offered among things to ask for; else it is reached from the thing it is about.
    is_offered: bool = True
    # Whether it takes its bundles away: what follows its approval is then told by `moments` alone.
    removes: bool = False

    @abstractmethod
    def may_ask(self, user: User) -> bool:
        """Whether this person could ask for anything of this kind at all."""

    @abstractmethod
    def may_still_ask(self, request: Request) -> bool:
        """Whether who asked could still ask for this, at the time of the decision."""

    def may_be_placed(self, request: Request) -> bool:
        """Whether the request's cluster, as it is now, still takes it from this tenant."""
        return True

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """Choices that depend on the person and what is filled in, by field name: [{"value", "label", "help"}]."""
        return {}

    def prefilled(self, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """Unfinished values with what is known beside them, for the empty form (the members as they are now)."""
        return dict(values)

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """What the form is about, by unfinished values: {"label", "url", "rows": [(label, text)]}; {} where it is about
        nothing yet, or about what the person may not see."""
        return {}

    def preview(self, values: Mapping[str, Any], user: User) -> Row:
        """What the form's own template shows of unfinished values (a name, a place); never of what is not the
        person's."""
        return {}

    @abstractmethod
    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """What the schema cannot say: references and every right that is needed to ask for this. Answers the values to
        be stored; raises Invalid."""

    def parts(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The checked values of each request that is decided by itself: several make children of one parent."""
        return [values]

    @abstractmethod
    def target(self, values: dict[str, Any], uid: str) -> Target:
        """What the checked values are about; `uid` is the request's. Raises Invalid where it has no place."""

    def edited_target(self, values: dict[str, Any], request: Request) -> Target:
        """As `target`, of new values for a request that is open already."""
        return self.target(values, str(request.uid))

    @abstractmethod
    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """What policies may ask about besides workflow.facts.COMMON: integers in millicores, bytes and pieces."""

    def known_facts(self, values: Mapping[str, Any], by: User) -> list[tuple[str, dict[str, Any]]]:
        """(label, facts) of each part as far as unfinished, unchecked values say them, to foresee who decides."""
        return [("", {})]

    def pieces(self, request: Request) -> list[Piece]:
        """What it wants of each bundle; all of them in `request.cluster`."""
        return []

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """Pure: the wanted state of one bundle as manifests, in the order in which they are applied. Asked for through
        `rendered` alone."""
        return []

    def rendered(self, state: dict[str, Any]) -> list[Manifest]:
        """`render`, done twice: what people see must be what is applied later, so what differs by itself (a clock, a
        random value, a renderer that writes into its state) is refused. Raises RendersDifferently."""
        before = digest_of(state)
        manifests = self.render(state)
        if digest_of(self.render(state)) != digest_of(manifests) or digest_of(state) != before:
            raise RendersDifferently(self.slug)
        return manifests

    def alterations(self, request: Request) -> list[Alteration]:
        """What it changes in the portal's own rows, as far as people decide about that."""
        return []

    def check_seen(self, request: Request, plan: Plan) -> None:  # noqa: B027
        """After each look at the cluster, when asked and when decided (`plan` need not be stored): raises Invalid or
        Conflict for what may not be, such as a quota below its use."""

    def on_submit(self, request: Request, at: datetime) -> None:  # noqa: B027
        """In the transaction that submits or edits: holds what it needs. Raises Conflict or Invalid."""

    def on_close(self, request: Request, at: datetime) -> None:  # noqa: B027
        """In the transaction that ends it without approval, or before it is edited: gives back what is held."""

    @abstractmethod
    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """In the transaction of the approval: rows, and revisions of bundles through services.outcomes.set_desired."""

    @abstractmethod
    def facts(self, request: Request) -> list[tuple[str, str]]:
        """(label, value) rows for the person who decides, in the reader's language."""

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """Before-and-after bars (web component quota_bar) with a heading: [{"title", "bars": [...], "note"}]."""
        return []

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Sentences on what could go wrong, for who decides, with the `bars` at hand; none known: []."""
        return []

    def moments(self, request: Request) -> list[Row]:
        """What follows an approval beyond its bundles, as rows of the timeline (web component timeline)."""
        return []

    def result_url(self, request: Request) -> str:
        """Where what was asked for can be seen once it is carried out, else ""."""
        return ""


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
