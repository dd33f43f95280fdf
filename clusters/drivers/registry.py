"""Which drivers there are, by the name a cluster is registered with."""

from collections.abc import Callable

from clusters.drivers.base import Connection, Driver
from clusters.drivers.gitops import GitOpsDriver
from clusters.drivers.kubernetes import KubernetesDriver

_DRIVERS: dict[str, Callable[[Connection, float], Driver]] = {
    "kubernetes": KubernetesDriver,
    "gitops": GitOpsDriver,
}


def open_driver(driver_name: str, connection: Connection, timeout: float) -> Driver:
    """A driver for one cluster; `timeout` seconds bound each of its calls. Raises KeyError for an unknown name.

    Speaks to nobody yet; cheap enough to be called for every pass and page.
    """
    return _DRIVERS[driver_name](connection, timeout)
