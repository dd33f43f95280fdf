"""The Celery application: a pool of processes and a wake-up, nothing more."""

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_init, worker_process_init, worker_process_shutdown
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Both are needed for a killed child's task to come back; nothing depends on it, the row's lease does.
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    task_time_limit=50,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 3, "visibility_timeout": 300},
)
# Else Celery opens a new connection to the database for every task, which takes longer than claiming an item.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
app.autodiscover_tasks(["work"])


@task_prerun.connect
def let_go_of_old_connections(**_sent: Any) -> None:
    """As Django does before every request: one that is dead or too old is closed, and the next query opens another."""
    close_old_connections()


@worker_process_init.connect
def measure_in_children(**_sent: Any) -> None:
    """Each process of the pool carries along what it measures."""
    _measuring().start()


@worker_init.connect
def measure_here(**_sent: Any) -> None:
    """A pool without processes of its own works in this one."""
    _measuring().start()


@worker_process_shutdown.connect
def keep_what_was_measured(**_sent: Any) -> None:
    """Children end without running what is registered for the end of a process."""
    _measuring().flush()


def _measuring() -> ModuleType:
    # This module is imported before Django is ready.
    return import_module("portal.measuring")
