"""Calls a WSGI application in this process as often as it is told to, and says what each call cost.

    DJANGO_SETTINGS_MODULE=portal.settings python -m bench.in_process

Orders are JSON lines: {"path", "headers": {name: value}, "times"}. The answer to each is a line: {"status", "bytes",
"queries", "cpu": [milliseconds of this process per call], "wall": [milliseconds]}. The first call is not counted among
the times; it is the one whose queries are.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from typing import Any
from urllib.parse import urlsplit

from django.core.wsgi import get_wsgi_application
from django.db import connection

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def main() -> None:
    """Answers orders until there are no more."""
    application = get_wsgi_application()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(measured(application, **json.loads(line))), flush=True)


def measured(application: Application, path: str, headers: dict[str, str], times: int) -> dict[str, Any]:
    """What the module says."""
    counted: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        counted.append(sql)
        return execute(sql, *rest)

    # What is kept for the life of the process is there before anything is counted.
    call(application, path, headers)
    connection.ensure_connection()
    with connection.execute_wrapper(count):
        status, body = call(application, path, headers)
    cpu, wall = [], []
    for _turn in range(times):
        began, worked = time.perf_counter(), time.process_time()
        call(application, path, headers)
        cpu.append(1000 * (time.process_time() - worked))
        wall.append(1000 * (time.perf_counter() - began))
    told = {"status": status, "bytes": len(body), "queries": len(counted), "cpu": cpu, "wall": wall}
    return told | {"body": body.decode() if times == 0 else ""}


def call(application: Application, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """(status, body) of a GET."""
    said: list[str] = []
    address = urlsplit(path)
    environment: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": address.path,
        "QUERY_STRING": address.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environment |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    answer = application(environment, lambda status, _headers, *_rest: said.append(status))
    with closing(answer) if hasattr(answer, "close") else nullcontext():  # type: ignore[type-var]
        body = b"".join(answer)
    return int(said[0].split()[0]), body


if __name__ == "__main__":
    main()
