"""The driver that speaks to a Kubernetes API server."""

from clusters.drivers.kubernetes.driver import KubernetesDriver

__all__ = ["KubernetesDriver"]
