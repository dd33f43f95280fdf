"""Named places at which a fault test stops a worker, to kill it there or to let it wake up too late."""

import signal
import threading
from pathlib import Path

from django.conf import settings


def reach(name: str) -> None:
    """Stops this process (SIGSTOP) once if the file `name` lies in FAILPOINT_FOLDER, after renaming it to
    `<name>.reached`; does nothing at all where that setting is empty, as it is outside of tests."""
    if not settings.FAILPOINT_FOLDER:
        return
    order = Path(settings.FAILPOINT_FOLDER, name)
    try:
        order.rename(order.with_name(f"{name}.reached"))
    except FileNotFoundError:
        return
    # To this thread: told to the process, another thread may be the one that stops it, and this one runs on meanwhile.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
