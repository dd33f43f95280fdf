"""The portal's three processes as arguments of Python, for the demo; docker-compose.yml is held to the same."""

WORKER = ("-m", "celery", "--quiet", "-A", "portal", "worker", "--concurrency", "4")
DISPATCH = ("manage.py", "dispatch")


def web(host: str, port: int) -> tuple[str, ...]:
    """The web process on `port` of the address `host`."""
    listen = ("--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws")
    return ("-m", "granian", *listen, "--workers", "1", "--blocking-threads", "8", "portal.wsgi:application")
