"""Registers the room with Django."""

from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    """How things get decided: requests, kinds, policies, steps, plans."""

    name = "workflow"
