"""Ends with 0 if the web process in this container answers and has its database; for HEALTHCHECK and probes.

It asks under a name that the portal answers to: any other one is refused, the container's address too.
"""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

_PORT = "8000"


def main() -> None:
    """Asks /readyz on this machine; the optional argument is the port."""
    port = sys.argv[1] if len(sys.argv) > 1 else _PORT
    named = os.environ.get("PORTAL_ALLOWED_HOSTS") or urlsplit(os.environ["PORTAL_EXTERNAL_URL"]).hostname or ""
    host = named.split(",")[0].strip()
    question = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": host})
    try:
        with urllib.request.urlopen(question, timeout=5):  # nosec B310  # http:// to this machine
            return
    except (urllib.error.URLError, OSError) as error:
        sys.exit(f"{host}: {error}")


if __name__ == "__main__":
    main()
