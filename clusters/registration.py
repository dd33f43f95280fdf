"""What an administrator fills in to register a cluster or to say more of it: entries of the form, and back."""

from collections.abc import Mapping
from typing import Any, TypedDict

from django.http import QueryDict
from django.utils.translation import gettext as _

from clusters import services
from clusters.access import SEALED
from clusters.models import Cluster
from clusters.particulars import ENVIRONMENTS, LABEL_FIELDS
from clusters.words import environment_label
from web.errors import Invalid

Entries = dict[str, Any]

# One line or several of plain text, as they are stored.
_PLAIN = (
    *("description", "flavour", "address", "ca", "user_format", "group_format", "network", "security_constraints"),
    *("on_drift", "git_branch", "git_folder", "git_username", "git_known_hosts", "observer_address", "observer_ca"),
)
_SELECTORS = {f"node_selector_{environment}": environment for environment in ENVIRONMENTS}
# Never shown again, not even to whoever typed them: the page may stay open.
_SECRET = (*SEALED, "client_certificate", "kubeconfig")
_FIELDS = ("name", "driver", "context", "dedicated_to", "is_active", *_PLAIN, *LABEL_FIELDS, *_SELECTORS, *_SECRET)


class Given(TypedDict):
    """Arguments of clusters.services.add_cluster."""

    values: dict[str, Any]
    credentials: dict[str, str]


def first_entries() -> Entries:
    """The form as it is first shown."""
    return entries_of(Cluster(driver="kubernetes", flavour="kubernetes", environments=[]))


def entries_of(cluster: Cluster) -> Entries:
    """What is said of the cluster, as the form shows it; without credentials."""
    entries: Entries = {name: getattr(cluster, name) for name in ("name", "driver", "environments", *_PLAIN)}
    entries |= {name: _lines(getattr(cluster, name)) for name in LABEL_FIELDS}
    entries |= {name: cluster.node_selectors.get(place, "") for name, place in _SELECTORS.items()}
    dedicated = cluster.dedicated_to.code if cluster.dedicated_to else ""
    return entries | {"dedicated_to": dedicated, "is_active": "on" if cluster.is_active else ""}


def posted_entries(posted: QueryDict) -> Entries:
    """What the browser sent, without blanks around it; a field it did not send is not in it."""
    entries: Entries = {name: str(posted[name]).strip().replace("\r\n", "\n") for name in _FIELDS if name in posted}
    entries["environments"] = posted.getlist("environments")
    return {"name": "", "driver": "", **entries}


def read(entries: Entries, *, is_new: bool) -> Given:
    """What the entries say, as services take it; a kubeconfig's server and credentials come before those beside it.

    Raises Invalid, with errors by JSON pointer as services say them.
    """
    values: dict[str, Any] = {name: entries[name] for name in _PLAIN if name in entries}
    errors: dict[str, str] = {}
    for name in LABEL_FIELDS:
        if name in entries:
            try:
                values[name] = _labels(entries[name])
            except ValueError as error:
                errors[f"/{name}"] = str(error)
    if _SELECTORS.keys() & entries.keys():
        given = {place: entries.get(name, "") for name, place in _SELECTORS.items()}
        values["node_selectors"] = {place: text for place, text in given.items() if text}
    if "dedicated_to" in entries:
        values["dedicated_to"] = entries["dedicated_to"] or None
    # A browser says nothing of a box that is not ticked; a new cluster is told of by a whole form, with the address.
    if is_new or "address" in entries:
        values["environments"] = entries["environments"]
        values["is_active"] = is_new or bool(entries.get("is_active"))
    if entries.get("client_certificate"):
        values["client_certificate"] = entries["client_certificate"]
    credentials = {name: entries[name] for name in SEALED if entries.get(name)}
    if errors:
        raise Invalid(_("Please correct the marked fields."), errors)
    if entries.get("kubeconfig"):
        taken = services.taken_from_kubeconfig(entries["kubeconfig"], entries.get("context", ""))
        values, credentials = values | taken[0], credentials | taken[1]
    return {"values": values, "credentials": credentials}


def field_errors(fields: Mapping[str, str]) -> dict[str, str]:
    """Errors of the service (by JSON pointer) by field of the form."""
    errors = {pointer[1:]: sentence for pointer, sentence in fields.items()}
    if sentence := errors.pop("node_selectors", ""):
        errors |= dict.fromkeys(_SELECTORS, sentence)
    return errors


def _lines(labels: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in labels.items())


def _labels(text: str) -> dict[str, str]:
    """Labels from lines of name=value."""
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or name in found:
            raise ValueError(_("One label per line, as name=value."))
        found[name] = value
    return found


def sections(entries: Entries, errors: Mapping[str, str], driver: str) -> list[dict[str, Any]]:
    """[{id, title, fields}] for the page; `driver` is that of a cluster that is registered, "" for a new one."""
    described = [
        ("cluster", _("The cluster"), _identity(driver)),
        ("kubeconfig", _("By kubeconfig"), _by_kubeconfig()),
        ("reached", _("How it is reached"), _connection()),
        ("takes", _("What it accepts"), _placing(driver)),
        ("called", _("How things are called there"), _naming()),
        ("git", _("Git repository"), _git()),
        ("observer", _("A second, read-only way to the API server behind a Git repository"), _observer()),
    ]
    hidden = {"gitops": ("kubeconfig",), "kubernetes": ("git", "observer")}.get(driver, ())
    return [
        {"id": identity, "title": title, "fields": [_filled(field, entries, errors) for field in fields]}
        for identity, title, fields in described
        if identity not in hidden
    ]


def _filled(field: dict[str, Any], entries: Entries, errors: Mapping[str, str]) -> dict[str, Any]:
    name = field["name"]
    value = "" if name in _SECRET else entries.get(name, "")
    if field["kind"] == "checkbox" and "options" not in field:
        field = field | {"attrs": {"checked": True} if value else {}}
        value = "on"
    found = {"value": value, "errors": [errors[name]] if name in errors else []}
    # A browser that keeps what was typed when a session ends (static/src/session.js) does not keep these.
    secret = {"data-secret": True} if name in _SECRET else {}
    return {"attrs": {"autocomplete": "off", "spellcheck": "false"} | secret, **field, **found}


def _field(name: str, label: str, help: str = "", kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "label": label, "help": help, "kind": kind, **more}


def _choices(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in pairs]


def _identity(driver: str) -> list[dict[str, Any]]:
    drivers = _choices(("kubernetes", _("Kubernetes API")), ("gitops", "GitOps"))
    flavours = _choices(("kubernetes", "Kubernetes"), ("openshift", "OpenShift"))
    once = [
        _field("name", _("Name"), _("Lower case letters, digits and hyphens, at most 40."), required=True),
        _field("driver", _("How the portal writes to it"), kind="select", options=drivers),
    ]
    return [
        *([] if driver else once),
        _field("description", _("Description")),
        _field("flavour", _("Flavour"), kind="select", options=flavours),
    ]


def _by_kubeconfig() -> list[dict[str, Any]]:
    taken = _("Only server, authority, and token or client certificate are taken; they replace what is typed below.")
    return [
        _field("kubeconfig", _("Text of a kubeconfig"), taken, "textarea"),
        _field("context", _("Context"), _("Empty: the current one")),
    ]


def _connection() -> list[dict[str, Any]]:
    where = _("The API server, https://host:port, or the Git repository; whoever changes it gives the credentials anew")
    return [
        _field("address", _("Address"), where),
        _field("ca", _("Certificate authority"), _("PEM; empty: those that the machine trusts"), "textarea"),
        _field("token", _("Token"), _("Never shown again; empty keeps it"), "textarea"),
        _field("client_certificate", _("Client certificate"), _("PEM; instead of a token"), "textarea"),
        _field("client_key", _("Key"), _("PEM, of the certificate or for SSH; empty keeps it"), "textarea"),
    ]


def _placing(driver: str) -> list[dict[str, Any]]:
    environments = _choices(*((name, environment_label(name)) for name in ENVIRONMENTS))
    networks = _choices(
        ("networkpolicy", "NetworkPolicy"), ("openshift-sdn-multitenant", _("OpenShift SDN, multitenant"))
    )
    drifts = _choices(("report", _("report it")), ("repair", _("repair it")))
    selector = _("name=value,name=value; empty: any node")
    selectors = [
        _field(name, _("Nodes for %(environment)s") % {"environment": environment_label(place)}, selector)
        for name, place in _SELECTORS.items()
    ]
    out_of_service = _("Unticked, it takes no new projects; what is there goes on.")
    return [
        _field("environments", _("Environments"), kind="checkbox", options=environments),
        _field("dedicated_to", _("Only for the tenant"), _("Its code; empty: shared by all tenants")),
        *([_field("is_active", _("In service"), out_of_service, "checkbox")] if driver else []),
        *selectors,
        _field("network", _("How projects are kept apart"), kind="select", options=networks),
        _field("on_drift", _("When somebody else changed what the portal keeps"), kind="select", options=drifts),
    ]


def _naming() -> list[dict[str, Any]]:
    labels = _("One label per line, as name=value.")
    return [
        _field("user_format", _("Users are called"), _("For example {username} or oidc:{username}")),
        _field("group_format", _("Groups are called"), _("{cn} or {dn}, with whatever is around it")),
        _field("ingress_labels", _("Labels of the namespaces of ingress controllers"), labels, "textarea"),
        _field("monitoring_labels", _("Labels of the namespaces of monitoring"), labels, "textarea"),
        _field("security_constraints", _("SecurityContextConstraints for projects"), _("On OpenShift; empty: default")),
    ]


def _git() -> list[dict[str, Any]]:
    return [
        _field("git_branch", _("Branch")),
        _field("git_folder", _("Folder"), _("Empty: the whole repository")),
        _field("git_username", _("User name")),
        _field("git_known_hosts", _("Known hosts"), _("Of an SSH remote, as ssh-keyscan writes them"), "textarea"),
        _field("signing_key", _("Key that signs commits"), _("Never shown again; empty keeps it"), "textarea"),
    ]


def _observer() -> list[dict[str, Any]]:
    return [
        _field("observer_address", _("Address"), _("https://host:port; empty: none")),
        _field("observer_ca", _("Certificate authority"), _("PEM; empty: those that the machine trusts"), "textarea"),
        _field("observer_token", _("Token"), _("Never shown again; empty keeps it"), "textarea"),
    ]
