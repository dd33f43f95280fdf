"""Reading a kubeconfig: only server, authority, and token or client certificate are taken from it; whatever would make
the portal run a program, read a file of its own machine or trust blindly is refused by its name."""

import base64
import binascii
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.utils.translation import gettext as _

from web.errors import Invalid

LARGEST_BYTES = 64 * 1024
_DEEPEST = 20
# By kind of entry: what cannot be taken, or must not be.
_REFUSED = {
    "cluster": ("certificate-authority", "insecure-skip-tls-verify", "proxy-url", "tls-server-name"),
    "user": (
        "exec",
        "auth-provider",
        "client-certificate",
        "client-key",
        "tokenFile",
        "username",
        "password",
        "as",
        "as-uid",
        "as-groups",
        "as-user-extra",
    ),
}


class KubeconfigRefused(Invalid):
    """The text is no kubeconfig, or holds what the portal does not take; said at the field /kubeconfig."""

    def __init__(self, sentence: str, pointer: str = "/kubeconfig") -> None:
        super().__init__(_("Please correct the marked fields."), {pointer: sentence})


@dataclass(frozen=True)
class Access:
    """What was taken: `server` is the URL, `ca` and the certificate are PEM, "" where there is none.

    `context` is its name, `contexts` are all that there are. Either the token or certificate and key are given.
    """

    context: str
    contexts: tuple[str, ...]
    server: str
    ca: str = ""
    token: str = field(default="", repr=False)
    client_certificate: str = ""
    client_key: str = field(default="", repr=False)


class _Loader(yaml.SafeLoader):
    """Plain YAML: no references, no types beside text, true, false and null, and every key once."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag.endswith((":bool", ":null"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping; refuses a key that comes twice, of which readers would take one or the other."""
        keys = [key.value if isinstance(key, yaml.ScalarNode) else None for key, _value in node.value]
        if None in keys or len(set(keys)) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key comes twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read(text: str, context: str = "") -> Access:
    """What the portal takes of the kubeconfig `text`: of the context named, else of its current one.

    Raises KubeconfigRefused with a sentence for the person who pasted it; it never repeats a value.
    """
    config = _parsed(text)
    contexts = _entries(config, "contexts", "context")
    named = context or _text(config, "current-context")
    if not named and len(contexts) == 1:
        named = next(iter(contexts))
    if named not in contexts:
        known = ", ".join(sorted(contexts))[:200] or "-"
        pointer = "/context" if context else "/kubeconfig"
        raise KubeconfigRefused(_("There is no such context in it; there are: %(known)s.") % {"known": known}, pointer)
    chosen = contexts[named]
    cluster = _named(config, "clusters", "cluster", _text(chosen, "cluster"))
    user = _named(config, "users", "user", _text(chosen, "user"))
    token = _text(user, "token").strip()
    certificate = "" if token else _decoded(user, "client-certificate-data")
    key = "" if token else _decoded(user, "client-key-data")
    server = _text(cluster, "server").strip()
    if not server:
        raise KubeconfigRefused(_("It names no server."))
    if bool(certificate) != bool(key):
        raise KubeconfigRefused(_("A client certificate and its key belong together; one of them is missing."))
    if not token and not certificate:
        raise KubeconfigRefused(_("It holds neither a token nor a client certificate."))
    ca = _decoded(cluster, "certificate-authority-data")
    return Access(named, tuple(sorted(contexts)), server, ca, token, certificate, key)


def _parsed(text: str) -> dict[Any, Any]:
    if len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise KubeconfigRefused(_("A kubeconfig has at most %(most)d kB.") % {"most": LARGEST_BYTES // 1024})
    try:
        _check_plain(text)
        config = yaml.load(text, _Loader)  # nosec B506  # a SafeLoader, of plain text
    except KubeconfigRefused:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        # The parser's own words would repeat lines of the text, and with them secrets.
        where = _(" (line %(line)d)") % {"line": mark.line + 1} if mark else ""
        raise KubeconfigRefused(_("This is not written as a kubeconfig is%(where)s.") % {"where": where}) from None
    if not isinstance(config, dict) or config.get("kind", "Config") != "Config":
        raise KubeconfigRefused(_("This is no kubeconfig."))
    return config


def _check_plain(text: str) -> None:
    """Refuses by its events, before anything is built, what grows beyond its text: references, and deep nesting."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise KubeconfigRefused(_("A kubeconfig needs no references (& and *) and no tags (!)."))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise KubeconfigRefused(_("This is no kubeconfig."))


def _entries(config: dict[Any, Any], plural: str, singular: str) -> dict[str, dict[Any, Any]]:
    """The entries of one list by name, each the mapping under `singular`."""
    listed = config.get(plural) or []
    if not isinstance(listed, list):
        raise KubeconfigRefused(_("%(name)s is not a list.") % {"name": plural})
    found: dict[str, dict[Any, Any]] = {}
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get(singular) or {}, dict):
            raise KubeconfigRefused(_("An entry of %(name)s is not written as it should be.") % {"name": plural})
        name = _text(entry, "name")
        if name in found:
            raise KubeconfigRefused(_("Two entries of %(name)s have the same name.") % {"name": plural})
        found[name] = entry.get(singular) or {}
    return found


def _named(config: dict[Any, Any], plural: str, singular: str, name: str) -> dict[Any, Any]:
    entries = _entries(config, plural, singular)
    if name not in entries:
        raise KubeconfigRefused(_("The context names an entry of %(name)s that is not there.") % {"name": plural})
    entry = entries[name]
    for refused in _REFUSED[singular]:
        # What is written out as not in use does no harm.
        if entry.get(refused) not in (None, "", False):
            sentence = _("It holds %(name)s, which the portal does not take: it takes data that are written out in it.")
            raise KubeconfigRefused(sentence % {"name": refused})
    return entry


def _text(entry: dict[Any, Any], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise KubeconfigRefused(_("%(name)s is not a text.") % {"name": name})
    return value


def _decoded(entry: dict[Any, Any], name: str) -> str:
    """The PEM text behind base64."""
    try:
        return base64.b64decode("".join(_text(entry, name).split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise KubeconfigRefused(_("%(name)s is not base64 of PEM text.") % {"name": name}) from None
