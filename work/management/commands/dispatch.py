"""`manage.py dispatch`: the process that wakes workers."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from work import dispatcher


class Command(BaseCommand):
    """Runs the dispatcher until it is told to stop."""

    help = "Wakes workers when something is due. Run one of these; a second one does no harm."

    def handle(self, *args: Any, **options: Any) -> None:
        """Stops at SIGTERM and SIGINT after the current round."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        dispatcher.run(stop)
