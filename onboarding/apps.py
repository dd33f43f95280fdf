"""Registers the room with Django."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    """The way of an application onto the container cloud."""

    name = "onboarding"
