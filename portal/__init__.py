"""The composition root: settings, addresses, home and the explicit lists that tie the rooms together."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
