"""Calls to one cluster's API server: one client per cluster and process, and a time limit on everything."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.dynamic import DynamicClient, LazyDiscoverer, Resource

from clusters import secrets
from clusters.drivers.base import FIELD_MANAGER, Connection, DriverError, Manifest, ObjectRef
from clusters.drivers.kubernetes.errors import Absent, out_of_time, translated
from clusters.drivers.kubernetes.network import pool_manager
from web.sentences import Sentence

# Objects in one answer to a list.
_PAGE = "500"
# For a connection and its handshake: whoever takes longer to say hello is not there, and holds a worker for nothing.
_CONNECT_SECONDS = 5.0
# No object ever has it: etcd counts from 1, and its first write is 2. An apply under it creates, or it conflicts.
_OF_NOTHING = "1"
_JSON = "application/json"
# What a server sends of an object whose content is none of the caller's business.
_METADATA = {
    kind: f"{_JSON};as={kind};g=meta.k8s.io;v=v1" for kind in ("PartialObjectMetadata", "PartialObjectMetadataList")
}
_ends: ContextVar[float] = ContextVar("_ends")
_clients: dict[str, "Client"] = {}
_clients_lock = threading.Lock()


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """All calls of this thread within the block together take at most `seconds`."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def _left() -> float:
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise out_of_time()
    return left


class _InMemory(LazyDiscoverer):
    """Discovery without the library's cache file, which others on the machine could read and write."""

    def _write_cache(self) -> None:
        return


class _Bounded(DynamicClient):
    """Gives every request, those of discovery too, what is left of the time."""

    def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        left = _left()
        params["_request_timeout"] = (min(_CONNECT_SECONDS, left), left)
        return super().request(method, path, body, **params)


class Client:
    """The calls of the driver to one cluster. Safe to share between threads; every method raises DriverError."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()
        self._dynamic: _Bounded | None = None
        self._resources: dict[tuple[str, str], Resource] = {}

    def get(self, ref: ObjectRef) -> Manifest | None:
        """The live object; None if it, its namespace or its kind's path does not exist."""
        try:
            return self._ask("get", ref)
        except Absent:
            return None

    def create_by_apply(self, manifest: Manifest, ref: ObjectRef) -> Manifest:
        """Creates the object by a server-side apply; raises Conflict if there is one of that name."""
        meta = {**manifest["metadata"], "resourceVersion": _OF_NOTHING}
        return self.apply({**manifest, "metadata": meta}, ref)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Creates the object (POST, unknown fields refused); raises Conflict if there is one of that name."""
        meta = manifest["metadata"]
        ref = ObjectRef(manifest["apiVersion"], manifest["kind"], meta.get("namespace", ""), "")
        return self._ask("post", ref, manifest, **_writing(dry_run))

    def apply(self, manifest: Manifest, ref: ObjectRef, *, dry_run: bool = False) -> Manifest:
        """Server-side apply of the fields in `manifest`; takes them over from other managers."""
        options = {**_writing(dry_run), "force": "true"}
        return self._ask("patch", ref, manifest, "application/apply-patch+yaml", **options)

    def patch(self, ref: ObjectRef, operations: list[dict[str, Any]], resource_version: str) -> Manifest:
        """A JSON patch of the object as it was read; raises Conflict if it changed since."""
        fence = {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version}
        return self._ask("patch", ref, [*operations, fence], "application/json-patch+json", **_writing(False))

    def delete(self, ref: ObjectRef, uid: str, propagation: str) -> None:
        """Asks for the removal of the object with this uid; raises Conflict if another has its name."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": propagation,
        }
        self._ask("delete", ref, options)

    def list(
        self, api_version: str, kind: str, namespace: str = "", selector: str = "", fields: str = ""
    ) -> list[Manifest]:
        """The objects of one kind, in all namespaces for "", that match a label and a field selector; page by page."""
        ref = ObjectRef(api_version, kind, namespace, "")
        query = {"limit": _PAGE, "labelSelector": selector, "fieldSelector": fields}
        query = {name: value for name, value in query.items() if value}
        items: list[Manifest] = []
        while True:
            page = self._ask("get", ref, **query)
            items += page["items"] or []
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return items

    def _ask(self, method: str, ref: ObjectRef, body: Any = None, content_type: str = _JSON, **query: str) -> Manifest:
        """One request about an object, or without a name about a kind. Of Secrets the server sends metadata alone, so
        that no value ever reaches the portal."""
        if not secrets.is_secret({"apiVersion": ref.api_version, "kind": ref.kind}):
            return self.call(method, self._path(ref), body, content_type, **query)
        listed = method == "get" and not ref.name
        accept = _METADATA["PartialObjectMetadataList" if listed else "PartialObjectMetadata"]
        answer = self.call(method, self._path(ref), body, content_type, accept, **query)
        named = {"apiVersion": ref.api_version, "kind": ref.kind}
        return {**answer, "items": [item | named for item in answer["items"]]} if listed else answer | named

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        **query: str,
    ) -> Manifest:
        """One request; answers the decoded JSON."""
        dynamic = self._connected()
        with translated():
            answer = dynamic.request(
                method,
                path,
                body,
                content_type=content_type,
                header_params={"Accept": accept},
                query_params=list(query.items()),
                serialize=False,
            )
            value: Manifest = json.loads(answer.data)
            return value

    def clock(self) -> tuple[datetime, str]:
        """(our time halfway between asking and hearing, the Date that the server's answer names, "" for none)."""
        dynamic = self._connected()
        started = datetime.now(UTC)
        with translated():
            answer = dynamic.request("get", "/version", serialize=False)
            said = str(answer.headers.get("Date", ""))
        return started + (datetime.now(UTC) - started) / 2, said

    def _path(self, ref: ObjectRef) -> str:
        path: str = self._resource(ref.api_version, ref.kind).path(
            name=ref.name or None, namespace=ref.namespace or None
        )
        return path

    def _resource(self, api_version: str, kind: str) -> Resource:
        known = self._resources.get((api_version, kind))
        if known is not None:
            return known
        dynamic = self._connected()
        group, _slash, version = api_version.rpartition("/")
        # The library's discovery is not made for several threads.
        with self._exclusive(), translated():
            found = dynamic.resources.get(
                prefix="apis" if group else "api", group=group, api_version=version, kind=kind
            )
        self._resources[api_version, kind] = found
        return found

    def _connected(self) -> _Bounded:
        if self._dynamic is not None:
            return self._dynamic
        with self._exclusive(), translated():
            if self._dynamic is None:
                # A file under a device never exists, so nothing is ever read from the cache either.
                self._dynamic = _Bounded(_api_client(self.connection), os.devnull + "/none", _InMemory)
            return self._dynamic

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_left()):
            raise out_of_time()
        try:
            yield
        finally:
            self._lock.release()


def client_for(connection: Connection) -> Client:
    """The process's client for this cluster; a new one when anything of the connection changed.

    A new client costs 10-12 ms of processor time and an apply 0.6 ms, so they are kept.
    """
    if not connection.address.startswith("https://"):
        text = gettext_noop("The cluster's address must start with https://.")
        raise DriverError(Sentence(text), transient=False, operator=True)
    with _clients_lock:
        client = _clients.get(connection.name)
        if client is None or client.connection != connection:
            client = _clients[connection.name] = Client(connection)
        return client


def _api_client(connection: Connection) -> ApiClient:
    configuration = Configuration(host=connection.address.rstrip("/"))
    if connection.token:
        configuration.api_key = {"authorization": f"Bearer {connection.token}"}
    # The work item is tried again as a whole; retries in here would multiply every time limit.
    configuration.retries = False
    client = ApiClient(configuration)
    client.rest_client.pool_manager = pool_manager(connection)
    client.user_agent = FIELD_MANAGER
    return client


def _writing(dry_run: bool) -> dict[str, str]:
    options = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
    return {**options, "dryRun": "All"} if dry_run else options


def _forget() -> None:
    """In a forked worker: connections and locks of the parent must not be used."""
    global _clients_lock
    _clients_lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_forget)
