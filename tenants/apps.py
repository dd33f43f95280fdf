"""Registers the room with Django."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Tenants, their members and their projects."""

    name = "tenants"
