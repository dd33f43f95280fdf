"""REST addresses of accounts, below /api/v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("me", api.MeView.as_view(), name="api-me"),
    path("people", api.PeopleView.as_view(), name="api-people"),
    path("tokens", api.TokensView.as_view(), name="api-tokens"),
    path("tokens/<slug:prefix>", api.TokenView.as_view(), name="api-token"),
]
