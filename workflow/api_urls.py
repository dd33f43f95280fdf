"""REST addresses of requests, below /api/v1/."""

from django.urls import path

from workflow import api

urlpatterns = [
    path("requests", api.RequestsView.as_view(), name="api-requests"),
    path("requests/<int:number>", api.RequestView.as_view(), name="api-request"),
    path("requests/<int:number>/plan", api.PlanView.as_view(), name="api-request-plan"),
    path("requests/<int:number>/decision", api.DecisionView.as_view(), name="api-request-decision"),
    path("requests/<int:number>/withdrawal", api.WithdrawalView.as_view(), name="api-request-withdrawal"),
]
