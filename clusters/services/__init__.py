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
from clusters.services.registering import (
    add_cluster,
    check_register,
    edit_cluster,
    may_register,
    register_cluster,
    taken_from_kubeconfig,
)

__all__ = [
    "MOST",
    "Aim",
    "add_cluster",
    "can_read_nodes",
    "check_register",
    "check_state",
    "create_bundle",
    "create_bundles",
    "edit_cluster",
    "may_register",
    "may_state",
    "register_cluster",
    "remember_adopted",
    "set_desired",
    "set_desired_many",
    "state_capacity",
    "taken_from_kubeconfig",
]
