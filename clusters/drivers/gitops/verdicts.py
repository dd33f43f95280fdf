"""What git printed when it failed, as an error with a sentence for people; pure reading of its words."""

import re

from django.utils.translation import gettext_noop

from clusters.drivers.base import DriverError, Unreachable
from clusters.drivers.gitops.address import Address
from clusters.drivers.gitops.program import Said
from web.sentences import Sentence

_CREDENTIALS = gettext_noop("The Git server %(host)s does not accept the portal's credentials.")
_FORBIDDEN = gettext_noop("The Git server %(host)s does not let the portal do this. It says: %(message)s")
_CERTIFICATE = gettext_noop("The certificate of the Git server %(host)s is not trusted: %(message)s")
_HOST_KEY = gettext_noop("The host key of the Git server %(host)s is not among the known ones of this cluster.")
_KEY = gettext_noop("The private key for the Git server %(host)s cannot be read; it must have no passphrase.")
_ABSENT = gettext_noop("There is no Git repository at %(address)s.")
_REDIRECT = gettext_noop("The Git server %(host)s sends the portal elsewhere, which it does not follow: %(message)s")
_SILENT = gettext_noop("The Git server %(host)s cannot be reached: %(message)s")
_BUSY = gettext_noop("The Git server %(host)s cannot answer at the moment: %(message)s")
_LARGE = gettext_noop("The Git repository is larger than the portal fetches.")

# The first that fits: (in git's or ssh's words, sentence, kind of error). Matched without regard to case.
_SIGNS = (
    (r"host key verification failed|no .* host key is known", _HOST_KEY, "operator"),
    (r"load key .*|error in libcrypto|invalid format", _KEY, "operator"),
    (r"permission denied \(|authentication failed|could not read (user|pass)|error: 401", _CREDENTIALS, "operator"),
    (r"(ssl|tls|certificate).*(problem|verif|trust|expired|subject|match)|self.signed", _CERTIFICATE, "operator"),
    (r"redirect|error: 3\d\d", _REDIRECT, "operator"),
    (r"error: 403|access denied|write access .* not granted|not allowed", _FORBIDDEN, "operator"),
    (r"error: 404|repository .*not found|not appear to be a git repository", _ABSENT, "operator"),
    (r"file size limit|signal 25", _LARGE, "operator"),
    (r"error: (429|5\d\d)", _BUSY, "transient"),
    (r"could not resolve|refused|timed out|no route|unreachable|failed to connect|couldn't connect", _SILENT, "silent"),
    (r"hung up|reset by peer|closed by|early eof|rpc failed|broken pipe", _SILENT, "silent"),
)
_PORCELAIN = re.compile(r"^!\t[^\t]*\t\[(remote )?rejected\] \((.*)\)$", re.MULTILINE)


def refusal(said: Said) -> str | None:
    """Why the branch was not moved by a push that reached the repository; None if it did not get that far."""
    found = _PORCELAIN.search(said.out)
    return found[2] if found else None


def failed(said: Said, address: Address) -> DriverError:
    """The error of a command that failed: its sentence, and whether it is worth another attempt."""
    reason = refusal(said)
    if reason is not None:
        # What the server's hooks print, a protected branch, a size limit: for whoever approved to read.
        words = {"message": " ".join([*_remote(said.err), f"({reason})"])}
        text = gettext_noop("The Git server refused the commit. It says: %(message)s")
        return DriverError(Sentence(text, words), transient=False)
    message = " ".join(said.err.split())
    words = {"host": address.host, "address": address.url, "message": message or f"git: {said.code}"}
    for sign, text, kind in _SIGNS:
        if re.search(sign, message, re.IGNORECASE):
            error = Unreachable if kind == "silent" else DriverError
            return error(Sentence(text, words), transient=kind != "operator", operator=kind == "operator")
    text = gettext_noop("The Git server %(host)s answered what the portal does not understand: %(message)s")
    return DriverError(Sentence(text, words), transient=True)


def _remote(text: str) -> list[str]:
    lines = (line.removeprefix("remote:").strip() for line in text.splitlines() if line.startswith("remote:"))
    return [line for line in lines if line]
