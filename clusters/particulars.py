"""What an operator may say of a cluster, field by field, and what is wrong with what was said; asks the network only
for the addresses of names."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.utils.translation import gettext as _

from clusters.access import SEALED
from clusters.addresses import AddressRefused, check_remote, check_server
from clusters.models import Cluster

ENVIRONMENTS = ("dev", "test", "prod")
LABEL_FIELDS = ("ingress_labels", "monitoring_labels")
# What may be said when a cluster is added or edited; the name and the driver are said once.
FIELDS = (
    "description",
    "flavour",
    "address",
    "ca",
    "client_certificate",
    "environments",
    "user_format",
    "group_format",
    *LABEL_FIELDS,
    "network",
    "node_selectors",
    "security_constraints",
    "on_drift",
    "dedicated_to",
    "is_active",
    "git_branch",
    "git_folder",
    "git_username",
    "git_known_hosts",
    "observer_address",
    "observer_ca",
)
_LONGEST_PEM = 32 * 1024
_MOST_LABELS = 10
_LABEL_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
_LABEL_KEY = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_SELECTOR = rf"(?:{_LABEL_KEY}={_LABEL_VALUE}(?:,{_LABEL_KEY}={_LABEL_VALUE}){{0,9}})"
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
# git check-ref-format, without what nobody needs; a segment neither begins nor ends with a dot, nor
# begins with a hyphen, which programs would take for an option.
_SEGMENT = r"(?![.-])(?!.*\.\.)[A-Za-z0-9._-]+(?<!\.)(?<!\.lock)"
_KNOWN_HOST = (
    r"\S{1,300} (?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{1,2000}={0,2}(?: .{0,200})?"
)


def check(name: str, driver: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by JSON pointer, with the cluster's name, driver and the `values` of FIELDS that are given."""
    errors: dict[str, str] = {}
    if not re.fullmatch(_NAME, name):
        errors["/name"] = _("Lower case letters, digits and hyphens, at most 40.")
    if driver not in ("kubernetes", "gitops"):
        errors["/driver"] = _("This is not one of the choices.")
        return errors
    for field, value in values.items():
        rule = _RULES.get(field)
        try:
            if rule is None:
                raise ValueError(_("There is no such field."))
            if field == "address":
                _address(value, check_server if driver == "kubernetes" else check_remote)
            else:
                rule(value)
        except ValueError as error:
            errors[f"/{field}"] = str(error)
    return errors


def check_credentials(driver: str, certificate: str, given: Mapping[str, str], at: datetime) -> dict[str, str]:
    """What is wrong with credentials given anew (of access.SEALED) and the client certificate; never repeats them."""
    errors: dict[str, str] = {}
    for name, value in given.items():
        if name not in SEALED:
            errors[f"/{name}"] = _("There is no such field.")
        # What goes into a header must not end it.
        elif not value.isascii() or len(value) > _LONGEST_PEM or (name.endswith("token") and not _is_token(value)):
            errors[f"/{name}"] = _("A credential is written in printable ASCII, without blanks.")
    if given.get("token") and (given.get("client_key") or certificate):
        errors["/token"] = _("Give either a token or a client certificate with its key.")
    if driver == "kubernetes" and not errors:
        errors |= _check_pair(certificate, given.get("client_key", ""), at)
    return errors


def _is_token(value: str) -> bool:
    return value.isprintable() and " " not in value


def _check_pair(certificate: str, key: str, at: datetime) -> dict[str, str]:
    """The certificate and the key given with it: one without the other cannot be used."""
    if not certificate and not key:
        return {}
    if not certificate or not key:
        missing = "/client_key" if certificate else "/client_certificate"
        return {missing: _("A client certificate and its key belong together.")}
    try:
        found = x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return {"/client_certificate": _("This is not a certificate in PEM.")}
    loaded = _loaded(key)
    if loaded is None:
        return {"/client_key": _("This is not a private key in PEM without a password.")}
    if loaded.public_key() != found.public_key():
        return {"/client_key": _("This key does not belong to the certificate.")}
    if found.not_valid_after_utc < at.astimezone(UTC):
        return {"/client_certificate": _("This certificate has expired.")}
    return {}


def _loaded(key: str) -> PrivateKeyTypes | None:
    try:
        return serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        return None


def _address(value: Any, policy: Callable[[str], None]) -> None:
    text = _text(value, 500)
    try:
        policy(text)
    except AddressRefused as error:
        raise ValueError(str(error.sentence)) from None


def _observer(value: Any) -> None:
    if value:
        _address(value, check_server)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(_("A text of at most %(most)d characters.") % {"most": most})
    if any(not char.isprintable() for char in value if char not in "\n\r\t"):
        raise ValueError(_("It contains characters that cannot be shown."))
    return value


def _line(most: int) -> Callable[[Any], None]:
    def rule(value: Any) -> None:
        if not _text(value, most).isprintable():
            raise ValueError(_("One line, please."))

    return rule


def _matching(pattern: str, most: int) -> Callable[[Any], None]:
    def rule(value: Any) -> None:
        if not re.fullmatch(pattern, _text(value, most)):
            raise ValueError(_("This is not written as it should be."))

    return rule


def _one_of(field: str) -> Callable[[Any], None]:
    def rule(value: Any) -> None:
        choices = [choice for choice, _label in getattr(Cluster._meta.get_field(field), "choices", None) or []]
        if value not in choices:
            raise ValueError(_("This is not one of the choices."))

    return rule


def _certificates(value: Any) -> None:
    """PEM of at least one certificate, or nothing."""
    text = _text(value, _LONGEST_PEM)
    if "PRIVATE KEY" in text:
        raise ValueError(_("This holds a private key, which must not be given here."))
    try:
        if text.strip():
            x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValueError(_("This is not a certificate in PEM.")) from None


def _environments(value: Any) -> None:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise ValueError(_("Choose at least one environment."))
    if any(name not in ENVIRONMENTS for name in value):
        raise ValueError(_("This is not one of the choices."))


def _format(*known: str) -> Callable[[Any], None]:
    """Exactly one plain field, else nobody or all would be bound."""
    return _matching(rf"[^{{}}]*\{{(?:{'|'.join(known)})\}}[^{{}}]*", 80)


def _labels(value: Any) -> None:
    if not isinstance(value, dict) or len(value) > _MOST_LABELS:
        raise ValueError(_("At most %(most)d labels, each as name=value.") % {"most": _MOST_LABELS})
    for key, text in value.items():
        if not isinstance(text, str) or not re.fullmatch(_LABEL_KEY, str(key)) or not re.fullmatch(_LABEL_VALUE, text):
            raise ValueError(_("At most %(most)d labels, each as name=value.") % {"most": _MOST_LABELS})


def _node_selectors(value: Any) -> None:
    if not isinstance(value, dict) or any(name not in ENVIRONMENTS for name in value):
        raise ValueError(_("A label selector by environment."))
    for text in value.values():
        if not isinstance(text, str) or not re.fullmatch(_SELECTOR, text):
            raise ValueError(_("A label selector is written as name=value,name=value."))


def _known_hosts(value: Any) -> None:
    lines = [line for line in _text(value, _LONGEST_PEM).splitlines() if line.strip() and not line.startswith("#")]
    if not all(re.fullmatch(_KNOWN_HOST, line.strip()) for line in lines):
        raise ValueError(_("Lines as ssh-keyscan writes them, please."))


def _is_bool(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(_("This is not written as it should be."))


def _dedicated(value: Any) -> None:
    """The code of a tenant, or nobody; whether there is one is asked of the database."""
    if value is not None:
        _line(12)(value)


_RULES: dict[str, Callable[[Any], None]] = {
    "description": _line(200),
    "flavour": _one_of("flavour"),
    "address": _line(500),
    "ca": _certificates,
    "client_certificate": _certificates,
    "environments": _environments,
    "user_format": _format("username"),
    "group_format": _format("cn", "dn"),
    "ingress_labels": _labels,
    "monitoring_labels": _labels,
    "network": _one_of("network"),
    "node_selectors": _node_selectors,
    "security_constraints": _matching(r"|[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?", 63),
    "on_drift": _one_of("on_drift"),
    "dedicated_to": _dedicated,
    "is_active": _is_bool,
    "git_branch": _matching(rf"{_SEGMENT}(?:/{_SEGMENT})*", 100),
    "git_folder": _matching(rf"|{_SEGMENT}(?:/{_SEGMENT})*", 200),
    "git_username": _matching(r"[A-Za-z0-9._@+-]*", 100),
    "git_known_hosts": _known_hosts,
    "observer_address": _observer,
    "observer_ca": _certificates,
}
