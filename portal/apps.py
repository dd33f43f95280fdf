"""Registers the composition root with Django."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The composition root."""

    name = "portal"
