"""Requests, the steps people decide, the plans they decide on, and the policies that say who decides."""

from workflow.models.deadline import Deadline
from workflow.models.decision import Comment, Decision, Step
from workflow.models.delegation import Delegation
from workflow.models.earlier import EarlierValues
from workflow.models.plan import Outcome, Plan
from workflow.models.policy import Policy
from workflow.models.request import OpenTarget, Request

__all__ = [
    "Comment",
    "Deadline",
    "Decision",
    "Delegation",
    "EarlierValues",
    "OpenTarget",
    "Outcome",
    "Plan",
    "Policy",
    "Request",
    "Step",
]
