"""Registers the room with Django."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """Telling people and machines."""

    name = "notify"
