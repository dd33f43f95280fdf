"""The driver that commits manifests to a Git repository, from which Argo CD or Flux takes them to a cluster."""

from clusters.drivers.gitops.driver import GitOpsDriver

__all__ = ["GitOpsDriver"]
