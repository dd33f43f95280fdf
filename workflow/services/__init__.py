"""Use cases of requests, one file each: submit, decide, withdraw; and the policies the portal starts with."""

from workflow.services.decide import PlanChanged, decide
from workflow.services.policies import seed_policies
from workflow.services.submit import submit
from workflow.services.withdraw import withdraw

__all__ = ["PlanChanged", "decide", "seed_policies", "submit", "withdraw"]
