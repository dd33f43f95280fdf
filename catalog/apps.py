"""Registers the room with Django."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """The service catalog: offerings, plans, instances."""

    name = "catalog"
