"""The registry of clusters: where each is, how it is reached, and how things are called there."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Cluster(models.Model):
    """One cluster the portal writes to, and how people and groups are called there."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.SlugField(max_length=40, unique=True)
    description = models.CharField(max_length=200, blank=True)
    flavour = models.CharField(max_length=12, choices=[("kubernetes", "Kubernetes"), ("openshift", "OpenShift")])
    driver = models.CharField(max_length=12, choices=[("kubernetes", "Kubernetes API"), ("gitops", "GitOps")])
    address = models.CharField(max_length=500, help_text="API server URL, or the Git repository")
    ca = models.TextField(blank=True, help_text="PEM")
    # A token, or a client certificate with its key; whichever is there is used.
    token_sealed = models.TextField(blank=True)
    client_certificate = models.TextField(blank=True, help_text="PEM")
    client_key_sealed = models.TextField(blank=True)
    # Of a Git repository: the branch, the folder within it, whom the portal signs in as, and what signs its commits.
    git_branch = models.CharField(max_length=100, default="main")
    git_folder = models.CharField(max_length=200, blank=True)
    git_username = models.CharField(max_length=100, blank=True)
    git_known_hosts = models.TextField(blank=True, help_text="of an SSH remote, as ssh-keyscan writes them")
    signing_key_sealed = models.TextField(blank=True)
    # A second, read-only way to the API server behind a Git repository, so that "ready" can be said there too.
    observer_address = models.CharField(max_length=500, blank=True)
    observer_ca = models.TextField(blank=True, help_text="PEM")
    observer_token_sealed = models.TextField(blank=True)
    # Changes with every change of address or credentials, so that clients are not kept beyond it.
    version = models.UUIDField(default=uuid.uuid4)
    environments = ArrayField(models.CharField(max_length=12))
    # "{username}" or "oidc:{username}"; "{cn}" or "{dn}": how a portal user and an LDAP group are called there.
    user_format = models.CharField(max_length=80, default="{username}")
    group_format = models.CharField(max_length=80, default="{cn}")
    # Labels of the namespaces that hold ingress controllers and monitoring: who may reach every project.
    ingress_labels = models.JSONField(default=dict, blank=True)
    monitoring_labels = models.JSONField(default=dict, blank=True)
    # How projects are kept apart from one another.
    network = models.CharField(
        max_length=30,
        default="networkpolicy",
        choices=[("networkpolicy", "NetworkPolicy"), ("openshift-sdn-multitenant", "OpenShift SDN, multitenant")],
    )
    # Label selectors of the nodes for projects, by environment ("node-role.kubernetes.io/app=,zone=a"); {} for any.
    node_selectors = models.JSONField(default=dict, blank=True)
    # SecurityContextConstraints that projects' service accounts are bound to, on OpenShift; "" for its default.
    security_constraints = models.CharField(max_length=63, blank=True)
    # What happens when somebody else changed what the portal keeps.
    on_drift = models.CharField(max_length=8, default="report", choices=[("report", "report"), ("repair", "repair")])
    # Since when nothing is written there until a person confirms: an older database was restored.
    held_since = models.DateTimeField(null=True, blank=True)
    # A dedicated cluster takes projects of one tenant only.
    dedicated_to = models.ForeignKey(
        "tenants.Tenant", null=True, blank=True, on_delete=models.PROTECT, related_name="dedicated_clusters"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_observed(self) -> bool:
        """Whether somebody looks into it: through Git alone nobody knows more than what was committed."""
        return self.driver != "gitops" or bool(self.observer_address)


def workable_clusters() -> models.QuerySet[Cluster]:
    """Clusters on which work may be offered: neither held after a restore nor behind an open circuit."""
    return Cluster.objects.filter(held_since__isnull=True).exclude(health__open_since__isnull=False)
