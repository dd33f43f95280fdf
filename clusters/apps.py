"""Registers the room with Django."""

from django.apps import AppConfig


class ClustersConfig(AppConfig):
    """Where things run: the registry, bundles and their revisions, drivers."""

    name = "clusters"
