"""Addresses of the pages of what people are told."""

from django.urls import path

from notify.views import messages

urlpatterns = [
    path("notifications", messages.everything, name="notifications"),
    path("notifications/count", messages.count, name="notification-count"),
    path("notifications/newest", messages.newest, name="notifications-newest"),
    path("notifications/read", messages.read_all, name="notifications-read"),
    path("notifications/<int:pk>/read", messages.read, name="notification-read"),
]
