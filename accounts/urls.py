"""Addresses of the pages of accounts."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("session", views.alive, name="session"),
    path("preferences", views.preferences, name="preferences"),
    path("account/tokens", views.tokens, name="tokens"),
    path("account/tokens/<slug:prefix>/revoke", views.token_revoke, name="token-revoke"),
]
