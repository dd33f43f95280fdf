"""REST addresses of requests, below /api/v1/."""

from django.urls import path

from workflow.api import bulk, delegations, inbox, policies, wishes
from workflow.api import requests as api

urlpatterns = [
    path("requests", api.RequestsView.as_view(), name="api-requests"),
    path("requests/<int:number>", api.RequestView.as_view(), name="api-request"),
    path("requests/<int:number>/plan", api.PlanView.as_view(), name="api-request-plan"),
    path("requests/<int:number>/decision", api.DecisionView.as_view(), name="api-request-decision"),
    path("requests/<int:number>/withdrawal", api.WithdrawalView.as_view(), name="api-request-withdrawal"),
    path("requests/<int:number>/comments", api.CommentsView.as_view(), name="api-request-comments"),
    path("requests/<int:number>/record", api.RecordView.as_view(), name="api-request-record"),
    path("requests/bulk", bulk.BulkView.as_view(), name="api-requests-bulk"),
    path("requests/rehearse", wishes.RehearseView.as_view(), name="api-rehearse"),
    path("requests/foresee", wishes.ForeseeView.as_view(), name="api-foresee"),
    path("kinds", wishes.KindsView.as_view(), name="api-kinds"),
    path("inbox", inbox.InboxView.as_view(), name="api-inbox"),
    path("inbox/decisions", inbox.DecisionsView.as_view(), name="api-inbox-decisions"),
    path("delegations", delegations.DelegationsView.as_view(), name="api-delegations"),
    path("delegations/<int:pk>", delegations.DelegationView.as_view(), name="api-delegation"),
    path("policies", policies.PoliciesView.as_view(), name="api-policies"),
    path("policies/facts", policies.FactsView.as_view(), name="api-policy-facts"),
    path("policies/trial", policies.TrialView.as_view(), name="api-policy-trial"),
    path("policies/<slug:slug>", policies.PolicyView.as_view(), name="api-policy"),
]
