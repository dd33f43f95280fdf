"""From a registered cluster to a driver that can speak to it."""

from clusters.drivers.base import Connection, Driver
from clusters.drivers.registry import open_driver
from clusters.models import Cluster
from web import sealing

# Bounds of one call in seconds: a person waits for a plan, a worker can wait longer.
PLAN_TIMEOUT = 3.0
PASS_TIMEOUT = 10.0
# The credentials of a cluster that are kept encrypted, each in a column of its own (<name>_sealed).
SEALED = ("token", "client_key", "signing_key", "observer_token")


def place_of(cluster: Cluster, name: str) -> str:
    """What the cluster's sealed credential `name` (one of SEALED) is bound to."""
    return f"clusters.Cluster:{name}:{cluster.uid}"


def connection_of(cluster: Cluster) -> Connection:
    """How to reach the cluster, decrypted; raises sealing.Unreadable."""
    version = str(cluster.version)
    secrets = {name: sealing.unseal(getattr(cluster, f"{name}_sealed"), place_of(cluster, name)) for name in SEALED}
    observer = None
    if cluster.observer_address:
        observer = Connection(
            name=f"{cluster.name} (observer)",
            address=cluster.observer_address,
            ca=cluster.observer_ca,
            token=secrets["observer_token"],
            version=version,
        )
    return Connection(
        name=cluster.name,
        address=cluster.address,
        ca=cluster.ca,
        token=secrets["token"],
        version=version,
        client_certificate=cluster.client_certificate,
        client_key=secrets["client_key"],
        branch=cluster.git_branch,
        folder=cluster.git_folder,
        username=cluster.git_username,
        known_hosts=cluster.git_known_hosts,
        signing_key=secrets["signing_key"],
        observer=observer,
    )


def driver_for(cluster: Cluster, timeout: float) -> Driver:
    """The cluster's driver with its credentials decrypted; `timeout` seconds bound each call."""
    return open_driver(cluster.driver, connection_of(cluster), timeout)
