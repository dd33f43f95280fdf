"""Clusters as the API speaks of them: never their addresses or credentials."""

import re
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from clusters.access import SEALED
from clusters.models import Capacity, Cluster, Health
from clusters.services import MOST, taken_from_kubeconfig
from web.sentences import shown
from web.strict import StrictSerializer


class _Whole(serializers.IntegerField):
    """A whole number as JSON writes it: int() would also take "1_000" and digits of other scripts."""

    def to_internal_value(self, data: object) -> int:
        """The number; raises ValidationError for anything else."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class _Factor(serializers.DecimalField):
    """A factor with at most two decimals, as a number or as text."""

    def to_internal_value(self, data: object) -> Decimal:
        """The number; raises ValidationError for anything else."""
        if isinstance(data, bool) or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", str(data)):
            self.fail("invalid")
        return Decimal(super().to_internal_value(str(data)))


class PoolSerializer(serializers.Serializer[Any]):
    """One resource that is promised, in millicores, bytes or pieces; limit and left are null where there is none."""

    limit = serializers.IntegerField(allow_null=True, help_text="what may be promised")
    settled = serializers.IntegerField(help_text="promised, and in the cluster")
    held = serializers.IntegerField(help_text="promised to open requests and changes under way")
    left = serializers.IntegerField(allow_null=True, help_text="below 0 where the limit was lowered since")


class PoolsSerializer(serializers.Serializer[Any]):
    """What is promised of each resource."""

    cpu = PoolSerializer()
    memory = PoolSerializer()
    storage = PoolSerializer()
    pods = PoolSerializer()


class StateCapacitySerializer(StrictSerializer):
    """How much a cluster has to give; null is not known. CPU, memory and pods only where they are stated by hand."""

    source = serializers.ChoiceField(choices=["nodes", "stated"])  # type: ignore[assignment]
    cpu_millicores = _Whole(allow_null=True, default=None, min_value=0, max_value=MOST["cpu_millicores"])
    memory_bytes = _Whole(allow_null=True, default=None, min_value=0, max_value=MOST["memory_bytes"])
    storage_bytes = _Whole(allow_null=True, default=None, min_value=0, max_value=MOST["storage_bytes"])
    pods = _Whole(allow_null=True, default=None, min_value=0, max_value=MOST["pods"])
    cpu_overcommit = _Factor(max_digits=4, decimal_places=2)
    memory_overcommit = _Factor(max_digits=4, decimal_places=2)


class CapacitySerializer(serializers.Serializer[Capacity]):
    """How much a cluster has to give, before overcommit, and where that is known from."""

    source = serializers.CharField(help_text="nodes or stated")  # type: ignore[assignment]
    cpu_millicores = serializers.IntegerField(allow_null=True)
    memory_bytes = serializers.IntegerField(allow_null=True)
    storage_bytes = serializers.IntegerField(allow_null=True)
    pods = serializers.IntegerField(allow_null=True)
    nodes = serializers.IntegerField(allow_null=True, help_text="compute nodes that were ready")
    cpu_overcommit = serializers.DecimalField(max_digits=4, decimal_places=2)
    memory_overcommit = serializers.DecimalField(max_digits=4, decimal_places=2)
    problem = serializers.SerializerMethodField()
    observed_at = serializers.DateTimeField(allow_null=True)

    def get_problem(self, capacity: Capacity) -> str:
        """Why the nodes could not be read, in the caller's language; "" if they were."""
        return shown(capacity.problem)


class HealthSerializer(serializers.Serializer[Health]):
    """What a cluster said of itself when it was last probed, and its circuit: while that is open, nothing is sent
    there."""

    version = serializers.CharField()
    problems = serializers.SerializerMethodField()
    checked_at = serializers.DateTimeField(allow_null=True)
    open_since = serializers.DateTimeField(allow_null=True, help_text="null while the circuit is closed")
    reason = serializers.SerializerMethodField()
    next_probe = serializers.DateTimeField(source="due_at", allow_null=True)

    def get_problems(self, health: Health) -> list[str]:
        """In the caller's language."""
        return [shown(problem) for problem in health.problems]

    def get_reason(self, health: Health) -> str:
        """Why the circuit is open, in the caller's language; "" while it is closed."""
        return shown(health.reason)


class TallySerializer(serializers.Serializer[Any]):
    """How many bundles there are that I may see: all, by state, and those that differ from what was approved."""

    total = serializers.IntegerField()
    ready = serializers.IntegerField()
    committed = serializers.IntegerField()
    queued = serializers.IntegerField()
    applying = serializers.IntegerField()
    retrying = serializers.IntegerField()
    blocked = serializers.IntegerField()
    drifted = serializers.IntegerField()
    tenants = serializers.IntegerField()


class ClusterSerializer(serializers.Serializer[Cluster]):
    """A cluster, how it is, how much it has to give, and what is promised of that."""

    name = serializers.CharField()
    description = serializers.CharField()
    flavour = serializers.CharField()
    driver = serializers.CharField()
    environments = serializers.ListField(child=serializers.CharField())
    dedicated_to = serializers.CharField(source="dedicated_to.code", allow_null=True, default=None)
    capacity = CapacitySerializer(allow_null=True, default=None)
    promised = PoolsSerializer()
    health = HealthSerializer(allow_null=True, default=None)
    held_since = serializers.DateTimeField(allow_null=True, help_text="while it waits for a person after a restore")
    bundles = TallySerializer(source="tally")


class ClusterPageSerializer(serializers.Serializer[Any]):
    """A page of clusters; `next` is the `after` of the following page, "" on the last."""

    items = ClusterSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class ClusterDetailSerializer(ClusterSerializer):
    """A cluster with what it said of itself."""

    facts = serializers.SerializerMethodField()

    def get_facts(self, cluster: Cluster) -> dict[str, Any]:
        """Versions served, node pools, storage classes, network; whatever is not known is left out."""
        health = getattr(cluster, "health", None)
        return dict(health.facts) if health else {}


class BeyondSerializer(serializers.Serializer[Any]):
    """One owner of whom a held cluster and the restored database tell differently."""

    sort = serializers.ChoiceField(choices=["newer", "unknown", "gone", "pending"])
    bundle = serializers.CharField()
    owner = serializers.CharField(help_text="empty where the database does not know it")
    namespace = serializers.CharField()
    known = serializers.IntegerField(help_text="the newest revision in the database")
    live = serializers.IntegerField(help_text="the newest revision in the cluster, 0 without any")
    objects = serializers.IntegerField(help_text="how many there are in the cluster")


class HeldSerializer(serializers.Serializer[Cluster]):
    """A cluster that waits for a person after a restore."""

    name = serializers.CharField()
    held_since = serializers.DateTimeField()
    checked_at = serializers.DateTimeField(
        source="health.checked_at", allow_null=True, help_text="what is told is from then; before held_since: not yet"
    )
    beyond = BeyondSerializer(many=True, source="health.beyond")


class ConfirmRestoreSerializer(StrictSerializer):
    """Which bundles are written again as the database says; all others stay as they are in the cluster."""

    overwrite = serializers.ListField(child=serializers.UUIDField(), max_length=20_000)


class _Text(serializers.CharField):
    """A text as JSON writes it: a number or true is none."""

    def to_internal_value(self, data: object) -> str:
        """The text; raises ValidationError for anything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


def _text(most: int = 500, **more: Any) -> _Text:
    return _Text(required=False, allow_blank=True, max_length=most, **more)


def _secret(most: int = 32 * 1024) -> _Text:
    return _text(most, write_only=True, trim_whitespace=True, help_text="never answered; empty or absent keeps it")


def _mapping() -> serializers.DictField:
    return serializers.DictField(child=_Text(allow_blank=True, max_length=500), required=False)


class EditClusterSerializer(StrictSerializer):
    """What is said of a cluster; what is absent stays. Only these are taken of a kubeconfig: server, authority, and
    token or client certificate; they come before those beside it."""

    kubeconfig = _secret(64 * 1024)
    # Not "context": serializers have an attribute of that name.
    kubeconfig_context = _text(200, write_only=True)
    description = _text(200)
    flavour = _text(12)
    address = _text()
    ca = _text(32 * 1024)
    environments = serializers.ListField(child=_Text(max_length=12), required=False, max_length=3)
    user_format = _text(80)
    group_format = _text(80)
    ingress_labels = _mapping()
    monitoring_labels = _mapping()
    network = _text(30)
    node_selectors = _mapping()
    security_constraints = _text(63)
    on_drift = _text(8)
    dedicated_to = _text(12, allow_null=True)
    is_active = serializers.BooleanField(required=False)
    git_branch = _text(100)
    git_folder = _text(200)
    git_username = _text(100)
    git_known_hosts = _text(32 * 1024)
    observer_address = _text()
    observer_ca = _text(32 * 1024)
    token = _secret()
    client_certificate = _secret()
    client_key = _secret()
    signing_key = _secret()
    observer_token = _secret()

    def given(self) -> dict[str, Any]:
        """{values, credentials} for clusters.services; raises KubeconfigRefused, at the field."""
        said = dict(self.validated_data)
        text, context = said.pop("kubeconfig", ""), said.pop("kubeconfig_context", "")
        credentials = {name: said.pop(name) for name in SEALED if name in said}
        if not said.get("client_certificate"):
            said.pop("client_certificate", None)
        if text:
            taken = taken_from_kubeconfig(text, context)
            said, credentials = said | taken[0], credentials | taken[1]
        return {"values": said, "credentials": credentials}


class AddClusterSerializer(EditClusterSerializer):
    """A new cluster: its name and driver are said once."""

    name = _Text(max_length=40)
    driver = _Text(max_length=12, help_text="kubernetes or gitops")


class ManagedClusterSerializer(serializers.Serializer[Cluster]):
    """A cluster as administrators see it: all that is said of it, and which credentials are kept, never what they
    are."""

    name = serializers.CharField()
    driver = serializers.CharField()
    description = serializers.CharField()
    flavour = serializers.CharField()
    address = serializers.CharField()
    ca = serializers.CharField()
    environments = serializers.ListField(child=serializers.CharField())
    user_format = serializers.CharField()
    group_format = serializers.CharField()
    ingress_labels = serializers.DictField(child=serializers.CharField())
    monitoring_labels = serializers.DictField(child=serializers.CharField())
    network = serializers.CharField()
    node_selectors = serializers.DictField(child=serializers.CharField())
    security_constraints = serializers.CharField()
    on_drift = serializers.CharField()
    dedicated_to = serializers.CharField(source="dedicated_to.code", allow_null=True, default=None)
    is_active = serializers.BooleanField()
    git_branch = serializers.CharField()
    git_folder = serializers.CharField()
    git_username = serializers.CharField()
    git_known_hosts = serializers.CharField()
    observer_address = serializers.CharField()
    observer_ca = serializers.CharField()
    credentials = serializers.SerializerMethodField()

    def get_credentials(self, cluster: Cluster) -> list[str]:
        """The names of those that are kept."""
        return [name for name in SEALED if getattr(cluster, f"{name}_sealed")]
