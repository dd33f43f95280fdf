"""REST addresses of what people are told, below /api/v1/."""

from django.urls import path

from notify.api import messages

urlpatterns = [
    path("notifications", messages.MessagesView.as_view(), name="api-notifications"),
    path("notifications/read", messages.ReadAllView.as_view(), name="api-notifications-read"),
    path("notifications/<int:pk>/read", messages.ReadView.as_view(), name="api-notification-read"),
]
