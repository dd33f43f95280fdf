"""Addresses of the pages of requests."""

from django.urls import path

from workflow import views

urlpatterns = [
    path("requests", views.everyone, name="requests"),
    path("requests/mine", views.mine, name="requests-mine"),
    path("requests/new/<slug:kind>", views.new, name="request-new"),
    path("requests/new/<slug:kind>/approval", views.approval, name="request-approval"),
    path("requests/new/<slug:kind>/namespace", views.namespace, name="request-namespace"),
    path("requests/<int:number>", views.detail, name="request-detail"),
    path("requests/<int:number>/timeline", views.timeline, name="request-timeline"),
    path("requests/<int:number>/objects", views.objects, name="request-objects"),
    path("requests/<int:number>/decision", views.decide, name="request-decide"),
    path("requests/<int:number>/withdrawal", views.withdraw, name="request-withdraw"),
    path("inbox", views.inbox, name="inbox"),
]
