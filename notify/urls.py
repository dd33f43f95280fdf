"""Addresses of the pages of what people are told."""

from django.urls import path

from notify.views import messages, preferences, webhooks

urlpatterns = [
    path("notifications", messages.everything, name="notifications"),
    path("notifications/count", messages.count, name="notification-count"),
    path("notifications/newest", messages.newest, name="notifications-newest"),
    path("notifications/read", messages.read_all, name="notifications-read"),
    path("notifications/<int:pk>/read", messages.read, name="notification-read"),
    path("notifications/preferences", preferences.preferences, name="notification-preferences"),
    path("webhooks", webhooks.everything, name="webhooks"),
    path("webhooks/<uuid:uid>", webhooks.detail, name="webhook"),
    path("webhooks/<uuid:uid>/act", webhooks.act, name="webhook-act"),
    path("webhooks/<uuid:uid>/deliveries/<int:pk>/replay", webhooks.replay, name="webhook-replay"),
]
