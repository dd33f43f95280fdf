"""REST addresses of what people are told, below /api/v1/."""

from django.urls import path

from notify.api import messages, preferences, webhooks

urlpatterns = [
    path("notifications", messages.MessagesView.as_view(), name="api-notifications"),
    path("notifications/read", messages.ReadAllView.as_view(), name="api-notifications-read"),
    path("notifications/<int:pk>/read", messages.ReadView.as_view(), name="api-notification-read"),
    path("notifications/preferences", preferences.PreferencesView.as_view(), name="api-notification-preferences"),
    path("webhooks", webhooks.WebhooksView.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:uid>", webhooks.WebhookView.as_view(), name="api-webhook"),
    path("webhooks/<uuid:uid>/state", webhooks.StateView.as_view(), name="api-webhook-state"),
    path("webhooks/<uuid:uid>/secret", webhooks.SecretView.as_view(), name="api-webhook-secret"),
    path("webhooks/<uuid:uid>/test", webhooks.TestView.as_view(), name="api-webhook-test"),
    path("webhooks/<uuid:uid>/deliveries", webhooks.DeliveriesView.as_view(), name="api-webhook-deliveries"),
    path("webhooks/<uuid:uid>/deliveries/<int:pk>/replay", webhooks.ReplayView.as_view(), name="api-webhook-replay"),
]
