"""`manage.py seed_demo`: tenants and clusters of the demo."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clusters.services import register_cluster
from tenants.services import create_tenant

TENANTS = {
    "claims": ("理赔", "Claims", [("user:owner", "owner"), ("user:dev", "developer")]),
    "motor": ("车险", "Motor insurance", [("user:stranger", "developer")]),
}
INGRESS = {"network.openshift.io/policy-group": "ingress"}
MONITORING = {"kubernetes.io/metadata.name": "monitoring"}


class Command(BaseCommand):
    """Two tenants, a GitOps cluster for all environments, and the test control plane where there is one.

    Reads DEMO_GIT_REPOSITORY, and DEMO_CLUSTER_SERVER, DEMO_CLUSTER_CA_FILE, DEMO_CLUSTER_TOKEN_FILE.
    """

    help = "Fills the demo. Refused outside of it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Harmless to repeat; it goes through the same services as everything else."""
        if not settings.DEMO:
            raise CommandError("This fills a demo; PORTAL_DEMO is not set.")
        call_command("setup", stdout=self.stdout)
        now = timezone.now()
        for code, (name_zh, name_en, members) in TENANTS.items():
            create_tenant(code=code, name_zh=name_zh, name_en=name_en, members=members, by=None, at=now)
        common = {"flavour": "kubernetes", "ingress_labels": INGRESS, "monitoring_labels": MONITORING}
        register_cluster(
            name="gitops",
            driver="gitops",
            address=os.environ["DEMO_GIT_REPOSITORY"],
            token="",
            environments=["dev", "test", "prod"],
            description="A Git repository that Argo CD or Flux would follow",
            by=None,
            at=now,
            **common,
        )
        if server := os.environ.get("DEMO_CLUSTER_SERVER"):
            register_cluster(
                name="demo",
                driver="kubernetes",
                address=server,
                ca=Path(os.environ["DEMO_CLUSTER_CA_FILE"]).read_text(),
                token=Path(os.environ["DEMO_CLUSTER_TOKEN_FILE"]).read_text().strip(),
                environments=["dev", "test", "prod"],
                description="A real API server beside the demo",
                by=None,
                at=now,
                **common,
            )
        self.stdout.write("The demo is filled.")
