"""Registers the room with Django."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    """Things to be driven to an end: claimed, leased, tried again."""

    name = "work"
