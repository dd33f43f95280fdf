"""A Celery app whose workers have no fence: every object is written over whatever is there. For the control runs, which
have to show that the campaign would notice (celery -A tests.chaos.unfenced worker)."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from clusters.drivers.base import Desired, Manifest, ObjectRef  # noqa: E402
from clusters.drivers.kubernetes import driver  # noqa: E402
from clusters.drivers.kubernetes.client import Client  # noqa: E402
from portal.celery import app as app  # noqa: E402


def judge_nothing(live: Manifest | None, desired: Desired) -> str:
    """Whatever is there may be written over."""
    return "create" if live is None else "apply"


_apply = Client.apply


def apply_to_anything(client: Client, manifest: Manifest, ref: ObjectRef, **options: Any) -> Manifest:
    """An apply that does not say what it read."""
    meta = {name: value for name, value in manifest["metadata"].items() if name not in ("resourceVersion", "uid")}
    return _apply(client, {**manifest, "metadata": meta}, ref, **options)


driver.judge = judge_nothing
Client.apply = apply_to_anything
