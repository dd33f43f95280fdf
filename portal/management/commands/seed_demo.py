"""`manage.py seed_demo`: tenants and clusters of the demo."""

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clusters.models import Cluster
from clusters.services import register_cluster, state_capacity, taken_from_kubeconfig
from tenants.ledger import set_budget
from tenants.models import Tenant
from tenants.services import create_tenant
from web.errors import Invalid

TENANTS = {
    "claims": ("理赔", "Claims", [("user:owner", "owner"), ("user:dev", "developer")]),
    "motor": ("车险", "Motor insurance", [("user:stranger", "developer")]),
}
GI = 1024**3
BUDGET = {"cpu": 64_000, "memory": 128 * GI, "storage": 2048 * GI, "pods": 800}
CAPACITY: dict[str, Any] = {
    "cpu_millicores": 96_000,
    "memory_bytes": 384 * GI,
    "storage_bytes": 8192 * GI,
    "pods": 2000,
    "cpu_overcommit": Decimal(2),
}
# What the user's own cluster is called (script/demo --kubeconfig).
OWN = "own"
INGRESS = {"network.openshift.io/policy-group": "ingress"}
MONITORING = {"kubernetes.io/metadata.name": "monitoring"}


class Command(BaseCommand):
    """Two tenants, a GitOps cluster for all environments, and the test control plane where there is one.

    Reads DEMO_GIT_REPOSITORY, and DEMO_CLUSTER_SERVER, DEMO_CLUSTER_CA_FILE, DEMO_CLUSTER_TOKEN_FILE, and
    DEMO_KUBECONFIG with DEMO_KUBECONFIG_CONTEXT.
    """

    help = "Fills the demo. Refused outside of it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Harmless to repeat; it goes through the same services as everything else."""
        if not settings.DEMO:
            raise CommandError("This fills a demo; PORTAL_DEMO is not set.")
        call_command("setup", stdout=self.stdout)
        now = timezone.now()
        known = set(Tenant.objects.values_list("code", flat=True))
        for code, (name_zh, name_en, members) in TENANTS.items():
            # What people have changed since stays.
            if code not in known:
                create_tenant(code=code, name_zh=name_zh, name_en=name_en, members=members, by=None, at=now)
                with transaction.atomic():
                    set_budget(tenant=Tenant.objects.get(code=code), amounts=BUDGET, by=None, at=now)
        common = {"flavour": "kubernetes", "ingress_labels": INGRESS, "monitoring_labels": MONITORING}
        register_cluster(
            name="gitops",
            driver="gitops",
            address=os.environ["DEMO_GIT_REPOSITORY"],
            token="",  # nosec B106  # none
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
        if path := os.environ.get("DEMO_KUBECONFIG"):
            self._register_own(Path(path), os.environ.get("DEMO_KUBECONFIG_CONTEXT", ""), now)
        self._state_capacities(now)
        self.stdout.write("The demo is filled.")

    def _register_own(self, path: Path, context: str, now: datetime) -> None:
        """The user's own cluster, by the parser and the use case that the pages have; nothing is applied to it."""
        try:
            values, credentials = taken_from_kubeconfig(path.read_text(), context)
            register_cluster(
                name=OWN,
                driver="kubernetes",
                flavour="kubernetes",
                environments=["dev", "test", "prod"],
                description="Your own cluster",
                by=None,
                at=now,
                **values,
                **credentials,
            )
        except Invalid as error:
            # Most kubeconfigs that name files can be had with their data written out.
            hint = "kubectl config view --raw --flatten --minify writes one with its data in it."
            raise CommandError(f"{path}: {' '.join(error.fields.values())} {hint}") from None

    def _state_capacities(self, now: datetime) -> None:
        """No cluster of the demo's own has nodes, so what they have to give is stated, as an administrator would."""
        for name in Cluster.objects.exclude(Q(capacity__source="stated") | Q(name=OWN)).values_list("name", flat=True):
            state_capacity(name=name, source="stated", by=None, at=now, **CAPACITY)
