"""From a registered cluster to a driver that can speak to it."""

from clusters import sealing
from clusters.drivers.base import Connection, Driver
from clusters.drivers.registry import open_driver
from clusters.models import Cluster

# Bounds of one call in seconds: a person waits for a plan, a worker can wait longer.
PLAN_TIMEOUT = 3.0
PASS_TIMEOUT = 10.0


def token_place(cluster: Cluster) -> str:
    """What the cluster's sealed token is bound to."""
    return f"clusters.Cluster:token:{cluster.uid}"


def driver_for(cluster: Cluster, timeout: float) -> Driver:
    """The cluster's driver with its credentials decrypted; `timeout` seconds bound each call."""
    connection = Connection(
        name=cluster.name,
        address=cluster.address,
        ca=cluster.ca,
        token=sealing.unseal(cluster.token_sealed, token_place(cluster)),
        version=str(cluster.version),
    )
    return open_driver(cluster.driver, connection, timeout)
