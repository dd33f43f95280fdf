"""Registers the room with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """What happened: events that only ever grow."""

    name = "audit"
