"""Registers the room with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who you are: login, roles, API tokens."""

    name = "accounts"

    def ready(self) -> None:
        """Makes the API's token scheme known to drf-spectacular, which finds it by being imported."""
        from accounts import openapi  # noqa: F401
