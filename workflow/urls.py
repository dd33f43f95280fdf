"""Addresses of the pages of requests."""

from django.urls import path

from workflow.views import asking, delegations, detail, inbox, lists, policies, policy_list

urlpatterns = [
    path("requests", lists.everyone, name="requests"),
    path("requests/mine", lists.mine, name="requests-mine"),
    path("requests/new", asking.offered, name="requests-new"),
    path("requests/new/<slug:kind>", asking.new, name="request-new"),
    path("requests/new/<slug:kind>/check", asking.check, name="request-check"),
    path("requests/<int:number>", detail.detail, name="request-detail"),
    path("requests/<int:number>/edit", asking.edit, name="request-edit"),
    path("requests/<int:number>/timeline", detail.timeline, name="request-timeline"),
    path("requests/<int:number>/objects", detail.objects, name="request-objects"),
    path("requests/<int:number>/decision", detail.decide, name="request-decide"),
    path("requests/<int:number>/comments", detail.comment, name="request-comment"),
    path("requests/<int:number>/withdrawal", detail.withdraw, name="request-withdraw"),
    path("inbox", inbox.inbox, name="inbox"),
    path("inbox/decisions", inbox.decide, name="inbox-decide"),
    path("delegations", delegations.delegations, name="delegations"),
    path("delegations/<int:pk>/revocation", delegations.revoke, name="delegation-revoke"),
    path("policies", policy_list.everything, name="policies"),
    path("policies/new", policies.new, name="policy-new"),
    path("policies/trial", policies.trial, name="policy-trial"),
    path("policies/<slug:slug>/edit", policies.edit, name="policy-edit"),
]
