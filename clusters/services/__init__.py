"""Use cases of the fleet: registering a cluster, saying what it has to give and what a bundle should be."""

from clusters.services.capacity import (
    MOST,
    can_read_nodes,
    check_state,
    may_state,
    state_capacity,
    tag_of_capacity,
    unstated,
)
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
    edit_cluster,
    register_cluster,
    tag_of_cluster,
    taken_from_kubeconfig,
)
from clusters.services.repairing import repair, repairable
from clusters.services.retrying import NothingToRetry, probe_now, retry
from clusters.services.rotating import Rotation, Unread, keys_in_use, rotate_keys

__all__ = [
    "MOST",
    "Aim",
    "NothingToRetry",
    "Rotation",
    "Unread",
    "add_cluster",
    "can_read_nodes",
    "check_state",
    "create_bundle",
    "create_bundles",
    "edit_cluster",
    "keys_in_use",
    "may_state",
    "probe_now",
    "register_cluster",
    "remember_adopted",
    "repair",
    "repairable",
    "retry",
    "rotate_keys",
    "set_desired",
    "set_desired_many",
    "state_capacity",
    "tag_of_capacity",
    "tag_of_cluster",
    "taken_from_kubeconfig",
    "unstated",
]
