"""Addresses of the pages of accounts."""

from django.urls import path

from accounts import people_views, token_views, views

urlpatterns = [
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("session", views.alive, name="session"),
    path("people", people_views.people, name="people"),
    path("preferences", views.preferences, name="preferences"),
    path("account/tokens", token_views.tokens, name="tokens"),
    path("account/tokens/<slug:prefix>/revoke", token_views.token_revoke, name="token-revoke"),
]
