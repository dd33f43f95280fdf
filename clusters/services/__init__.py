"""Use cases of the fleet: registering a cluster, saying what it has to give and what a bundle should be."""

from clusters.services.capacity import MOST, can_read_nodes, check_state, may_state, state_capacity
from clusters.services.desired import (
    Aim,
    create_bundle,
    create_bundles,
    remember_adopted,
    set_desired,
    set_desired_many,
)
from clusters.services.registering import register_cluster
from clusters.services.retrying import NothingToRetry, probe_now, retry

__all__ = [
    "MOST",
    "Aim",
    "NothingToRetry",
    "can_read_nodes",
    "check_state",
    "create_bundle",
    "create_bundles",
    "may_state",
    "probe_now",
    "register_cluster",
    "remember_adopted",
    "retry",
    "set_desired",
    "set_desired_many",
    "state_capacity",
]
