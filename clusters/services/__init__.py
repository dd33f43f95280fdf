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
from clusters.services.repairing import check_repair, may_repair, repair, repairable

__all__ = [
    "MOST",
    "Aim",
    "can_read_nodes",
    "check_repair",
    "check_state",
    "create_bundle",
    "create_bundles",
    "may_repair",
    "may_state",
    "register_cluster",
    "remember_adopted",
    "repair",
    "repairable",
    "set_desired",
    "set_desired_many",
    "state_capacity",
]
