"""Use cases of requests, one file each: submit, edit, decide, withdraw, comment, delegate; and those of policies."""

from workflow.services.bulk import Result, Wish, decide_many, submit_many
from workflow.services.comment import comment
from workflow.services.decide import PlanChanged, decide
from workflow.services.delegate import delegate, revoke_delegation
from workflow.services.edit import edit
from workflow.services.policies import seed_policies
from workflow.services.submit import rehearse, submit
from workflow.services.withdraw import withdraw

__all__ = [
    "PlanChanged",
    "Result",
    "Wish",
    "comment",
    "decide",
    "decide_many",
    "delegate",
    "edit",
    "rehearse",
    "revoke_delegation",
    "seed_policies",
    "submit",
    "submit_many",
    "withdraw",
]
