"""Registering a cluster, saying more of it, and taking it out of service."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import kubeconfig, particulars, permissions
from clusters.access import SEALED, place_of
from clusters.models import Bundle, Capacity, Cluster, Health
from clusters.services.capacity import can_read_nodes
from web import sealing
from web.errors import Conflict, Invalid, NotFound
from web.etags import IfMatch, etag

# Which stored credentials are sent to what these columns name: whoever changes one of them gives those anew, so that
# a stolen session cannot send a token to another host.
_SENT_TO = {
    ("address", "ca", "git_known_hosts"): ("token", "client_key"),
    ("observer_address", "observer_ca"): ("observer_token",),
}
# Long and public: the event says which one it was by its fingerprint.
_LONG = ("ca", "client_certificate", "git_known_hosts", "observer_ca")
_OF_CONNECTION = (*_LONG, "address", "observer_address", "git_branch", "git_folder", "git_username")


def register_cluster(*, name: str, by: User | None, at: datetime, driver: str, **given: Any) -> Cluster:
    """Registers or replaces the cluster `name`, for set-ups that say all they know: `given` are fields of
    particulars.FIELDS and credentials of access.SEALED, which are kept encrypted; "" is none.

    `by` is a platform administrator, or None for the portal's own set-up. Raises Forbidden, Invalid.
    """
    if by is not None:
        permissions.check_keep_clusters(by)
    credentials = {key: given.pop(key) for key in SEALED if key in given}
    _check(name, driver, given, {key: value for key, value in credentials.items() if value}, at)
    with transaction.atomic():
        cluster = Cluster.objects.select_for_update().filter(name=name).first() or Cluster(name=name)
        cluster.driver = driver
        return _written(cluster, "cluster.register", given, credentials, by, at)


def add_cluster(
    *, name: str, driver: str, values: Mapping[str, Any], credentials: Mapping[str, str], by: User, at: datetime
) -> Cluster:
    """Registers a new cluster: `values` of particulars.FIELDS, `credentials` of access.SEALED ("" is none).

    A Kubernetes cluster needs a token or a client certificate. Raises Forbidden, Invalid with errors by JSON pointer.
    """
    permissions.check_keep_clusters(by)
    # The address of the page that adds one.
    if name == "new":
        _raise_if({"/name": _("This name is taken by the portal itself.")})
    given = {key: value for key, value in credentials.items() if value}
    _check(name, driver, values, given, at)
    missing = {f"/{field}": _("Please fill this in.") for field in ("flavour", "address", "environments")}
    missing = {pointer: sentence for pointer, sentence in missing.items() if pointer[1:] not in values}
    if driver == "kubernetes" and not given.keys() & {"token", "client_key"}:
        missing["/token"] = _("The portal needs a token, or a client certificate with its key.")
    _raise_if(missing)
    with transaction.atomic():
        cluster, is_new = Cluster.objects.get_or_create(name=name, defaults={"driver": driver, "environments": []})
        if not is_new:
            _raise_if({"/name": _("There is a cluster of this name already.")})
        return _written(cluster, "cluster.register", values, given, by, at)


def edit_cluster(
    *,
    name: str,
    values: Mapping[str, Any],
    credentials: Mapping[str, str],
    by: User,
    at: datetime,
    if_match: IfMatch | None = None,
) -> Cluster:
    """Changes what is said of a cluster: the `values` given alone. Credentials that are not given, or "", stay;
    a token given takes the place of a client certificate, and the other way round.

    Taken out of service (is_active False) it takes no new projects; what is there goes on. Where the portal connects
    to changes only together with the credentials it sends there; and anything at all only in one of the states of
    `if_match` (`tag_of_cluster`). Raises Forbidden, NotFound, Invalid, Stale.
    """
    permissions.check_keep_clusters(by)
    known = Cluster.objects.filter(name=name).first()
    if known is None:
        raise NotFound(_("There is no such cluster."))
    given = {key: value for key, value in credentials.items() if value}
    # What stays as it is was checked when it was written, and a name that is unknown today must not hold up the rest.
    said = _said(known)
    changed = {field: value for field, value in values.items() if field not in said or said[field] != value}
    _check(name, known.driver, changed | _pair(values), given, at)
    with transaction.atomic():
        cluster = Cluster.objects.select_for_update().get(pk=known.pk)
        if if_match:
            if_match.check(tag_of_cluster(cluster))
        if cluster.version != known.version:
            raise Conflict(_("Somebody else has just changed how this cluster is reached; please look again."))
        _check_not_redirected(cluster, changed, given)
        return _written(cluster, "cluster.edit", changed, given, by, at)


def tag_of_cluster(cluster: Cluster) -> str:
    """The entity tag of all that is said of a cluster; credentials count by their version."""
    return etag("cluster", cluster.pk, cluster.version, _said(cluster))


def taken_from_kubeconfig(text: str, context: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """(values, credentials) for `add_cluster` and `edit_cluster` out of a kubeconfig; raises KubeconfigRefused."""
    access = kubeconfig.read(text, context)
    values = {"address": access.server, "ca": access.ca} | _pair({"client_certificate": access.client_certificate})
    credentials = {"token": access.token, "client_key": access.client_key}
    return values, {name: value for name, value in credentials.items() if value}


def _pair(values: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate, which is checked with the key that comes along even where it stays as it is; "" keeps it."""
    return {"client_certificate": values["client_certificate"]} if values.get("client_certificate") else {}


def _check(name: str, driver: str, values: Mapping[str, Any], given: Mapping[str, str], at: datetime) -> None:
    """Raises Invalid with what is wrong; outside any transaction, since names are resolved."""
    errors = particulars.check(name, driver, values)
    certificate = values.get("client_certificate", "")
    if "/client_certificate" not in errors:
        errors |= particulars.check_credentials(driver, certificate, given, at)
    _raise_if(errors)


def _raise_if(errors: Mapping[str, str]) -> None:
    if errors:
        raise Invalid(_("Please correct the marked fields."), errors)


def _check_not_redirected(cluster: Cluster, changed: Mapping[str, Any], given: Mapping[str, str]) -> None:
    errors: dict[str, str] = {}
    for columns, names in _SENT_TO.items():
        kept = [name for name in names if getattr(cluster, f"{name}_sealed")]
        if kept and not given.keys() & set(names):
            sentence = _("Whoever changes where the portal connects to gives the credentials anew.")
            errors |= {f"/{column}": sentence for column in columns if column in changed}
    _raise_if(errors)


def _written(
    cluster: Cluster,
    action: str,
    values: Mapping[str, Any],
    credentials: Mapping[str, str],
    by: User | None,
    at: datetime,
) -> Cluster:
    """Writes row, event and what follows in the caller's transaction, which holds the row's lock."""
    before = _said(cluster) if cluster.pk else {}
    values = dict(values)
    if "dedicated_to" in values:
        cluster.dedicated_to = _tenant(cluster, values.pop("dedicated_to"))
    for field, value in values.items():
        setattr(cluster, field, value)
    _seal(cluster, credentials)
    after = _said(cluster)
    if any(before.get(field) != after[field] for field in _OF_CONNECTION) or credentials or not cluster.pk:
        cluster.version = Cluster._meta.get_field("version").get_default()
    cluster.full_clean()
    cluster.save()
    changed = [field for field, value in after.items() if before.get(field) != value]
    said: dict[str, Any] = {field: _in_event(field, after[field]) for field in changed}
    if names := sorted(name for name, value in credentials.items() if value):
        # Which ones were given, never what they are.
        said["credentials"] = names
    earlier = {field: _in_event(field, before[field]) for field in changed if field in before}
    subject = f"cluster:{cluster.name}"
    if said:
        audit.record(actor=by, action=action, subject=subject, before=earlier or None, after=said, at=at)
    Health.objects.update_or_create(cluster=cluster, defaults={"lane": f"probe:{cluster.name}", "due_at": at})
    if can_read_nodes(cluster):
        due = {"lane": cluster.name, "generation": 1, "due_at": at}
        Capacity.objects.get_or_create(cluster=cluster, defaults={"source": "nodes", **due})
    return cluster


def _seal(cluster: Cluster, credentials: Mapping[str, str]) -> None:
    for name, value in credentials.items():
        setattr(cluster, f"{name}_sealed", sealing.seal(value, place_of(cluster, name)))
    if credentials.get("token"):
        cluster.client_certificate = cluster.client_key_sealed = ""
    elif credentials.get("client_key"):
        cluster.token_sealed = ""  # nosec B105  # none


def _tenant(cluster: Cluster, code: Any) -> Any:
    """The tenant of that code, whose model is above this room. Raises Invalid where others' projects are there."""
    if not code or not isinstance(code, str):
        return code or None
    tenants = Cluster._meta.get_field("dedicated_to").related_model._default_manager
    tenant: Any = tenants.filter(code=code).first()
    if tenant is None:
        _raise_if({"/dedicated_to": _("There is no such tenant.")})
    if cluster.pk and Bundle.objects.filter(cluster=cluster).exclude(tenant=tenant).exists():
        _raise_if({"/dedicated_to": _("Projects of other tenants are on this cluster.")})
    return tenant


def _said(cluster: Cluster) -> dict[str, Any]:
    """The cluster's fields as they are said: as particulars.FIELDS, the tenant by its code."""
    values = {field: getattr(cluster, field) for field in particulars.FIELDS if field != "dedicated_to"}
    tenant = cluster.dedicated_to
    return values | {"driver": cluster.driver, "dedicated_to": tenant.code if tenant else None}


def _in_event(field: str, value: Any) -> Any:
    if field in _LONG and value:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()[:16]}"
    return value
