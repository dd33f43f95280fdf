"""From which IP address a request came, seen through the proxies in front of the portal."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address; each of PROXY_COUNT trusted proxies has added one entry to X-Forwarded-For.

    What stands further left was sent by the caller and is believed by nobody: else every try would come from a new
    address and none would ever be locked out.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    if not settings.PROXY_COUNT:
        return direct
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    if len(hops) < settings.PROXY_COUNT:
        return direct
    try:
        return str(ipaddress.ip_address(hops[-settings.PROXY_COUNT]))
    except ValueError:
        return direct
