"""From what a cluster or the network answers to one sentence, and whether another attempt is worth it.

Measured with Kubernetes 1.36 and its Python client 37.
"""

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext_noop
from kubernetes.dynamic.exceptions import DynamicApiError, ResourceNotFoundError, ResourceNotUniqueError
from urllib3 import exceptions as network

from clusters.addresses import AddressRefused, NameUnknown
from clusters.drivers.base import DriverError, Unreachable
from web.sentences import Sentence

# Some refusals list every right that is missing; nobody reads more than this.
_LONGEST_MESSAGE = 500
# An apply with an unknown field or a malformed value answers 500 without a reason, and so do etcd's own troubles: only
# the message tells the body's fault from the server's.
_BODY_FAULT = re.compile(r"failed to (create typed|convert) |field not declared in schema|quantities must match")
# OpenSSL's words for what is wrong with a certificate, and what an operator makes of them.
_CERTIFICATE = {
    "certificate has expired": gettext_noop("it has expired"),
    "certificate is not yet valid": gettext_noop("it is not valid yet: is a clock wrong?"),
    "Hostname mismatch": gettext_noop("it is for another host name"),
    "IP address mismatch": gettext_noop("it is for another IP address"),
    "self-signed certificate": gettext_noop("its authority is not the one that is registered"),
    "unable to get local issuer certificate": gettext_noop("its authority is not the one that is registered"),
    "certificate signature failure": gettext_noop("its authority is not the one that is registered"),
    "CA signature digest algorithm too weak": gettext_noop("it is signed with an algorithm that is too weak"),
    "alert certificate required": gettext_noop("the server asks for a client certificate"),
    "alert unknown ca": gettext_noop("the server does not know the authority of the client certificate"),
    "cadata does not contain a certificate": gettext_noop("the registered authority is no PEM certificate"),
}
# Quota admission right after a quota was made: its controller has not counted yet.
_UNCOUNTED = "status unknown for quota"


class Conflict(DriverError):
    """The object changed, appeared or was replaced between reading and writing: read it again."""


class Unknown(DriverError):
    """The cluster serves no such kind of object."""


class Absent(DriverError):
    """The object, or the namespace it should be in, does not exist."""


@contextmanager
def translated() -> Iterator[None]:
    """Turns every failure of a call into a DriverError."""
    try:
        yield
    except DynamicApiError as error:
        raise _from_answer(error) from error
    except (ResourceNotFoundError, ResourceNotUniqueError) as error:
        # The library's own text lists its search parameters.
        sentence = Sentence(gettext_noop("The cluster does not know this kind of object."))
        raise Unknown(sentence, transient=False) from error
    except NameUnknown as error:
        raise Unreachable(_unreachable(error.sentence), transient=True) from error
    except AddressRefused as error:
        raise DriverError(error.sentence, transient=False, operator=True) from error
    except ssl.SSLError as error:
        # While connecting it is urllib3's; this one is about the authority that is configured.
        raise _untrusted(str(error)) from error
    except (network.HTTPError, OSError) as error:
        # Where nobody listens the library speaks of a timeout too.
        waited = isinstance(error, network.TimeoutError | TimeoutError)
        if waited and not isinstance(error, network.NewConnectionError):
            raise out_of_time() from error
        raise Unreachable(_unreachable(_cause(error)), transient=True) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        sentence = Sentence(gettext_noop("The cluster's address answers, but not like Kubernetes."))
        raise DriverError(sentence, transient=True) from error


def out_of_time() -> Unreachable:
    """The error of a call that took longer than it may."""
    return Unreachable(Sentence(gettext_noop("The cluster did not answer in time.")), transient=True)


def _unreachable(reason: str | Sentence) -> Sentence:
    return Sentence(gettext_noop("The cluster cannot be reached (%(reason)s)."), {"reason": reason})


def _untrusted(message: str) -> DriverError:
    """What is wrong with the certificate, in words where OpenSSL's are known."""
    known = next((sentence for part, sentence in _CERTIFICATE.items() if part in message), None)
    # Around OpenSSL's own words the library repeats the address and itself.
    said = re.search(r"certificate verify failed: (.{1,200}?) \(_ssl\.c", message)
    reason: str | Sentence = Sentence(known) if known else said[1] if said else message[:200]
    text = gettext_noop("The cluster's certificate is not trusted (%(reason)s).")
    return DriverError(Sentence(text, {"reason": reason}), transient=False, operator=True)


def _from_answer(error: DynamicApiError) -> DriverError:
    status = _status_of(error)
    code, reason = error.status, str(status.get("reason", ""))
    message = str(status.get("message") or error.reason or code)[:_LONGEST_MESSAGE]
    said = Sentence(gettext_noop("The cluster says: %(message)s"), {"message": message})
    if code == 0:
        return _untrusted(message)
    if code == 401:
        text = gettext_noop(
            "The cluster does not accept the portal's token or certificate; its operator must provide a new one."
        )
        return DriverError(Sentence(text), transient=False, operator=True)
    if code == 404:
        return Absent(said, transient=True)
    if code == 409 or (code == 422 and _is_other_object(status)):
        return Conflict(said, transient=True)
    if code == 403:
        waits = _UNCOUNTED in message or "NamespaceTerminating" in _causes(status, "reason")
        return DriverError(said, transient=waits)
    if code == 500 and not reason and _BODY_FAULT.search(message):
        return DriverError(said, transient=False)
    # 410: the list changed too much while it was read page by page.
    return DriverError(said, transient=code in (408, 410, 429) or code >= 500, retry_after=_retry_after(error))


def _status_of(error: DynamicApiError) -> dict[str, Any]:
    """The Status object that Kubernetes answers with; empty where something in between answered."""
    try:
        status = json.loads(error.body or "{}")
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _is_other_object(status: dict[str, Any]) -> bool:
    return "metadata.uid" in _causes(status, "field")


def _causes(status: dict[str, Any], key: str) -> set[str]:
    return {str(cause.get(key)) for cause in (status.get("details") or {}).get("causes") or []}


def _retry_after(error: DynamicApiError) -> float | None:
    text = str((error.headers or {}).get("Retry-After", ""))
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _cause(error: BaseException) -> str:
    """The operating system's word for it, without addresses of Python objects."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return type(error).__name__
