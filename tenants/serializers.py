"""Tenants and projects as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from clusters.serializers import PoolsSerializer
from tenants.models import Project, SizePlan, Tenant


class TenantSerializer(serializers.Serializer[Tenant]):
    """A tenant."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()


class TenantDetailSerializer(TenantSerializer):
    """A tenant with its budget, on all clusters together."""

    budget = PoolsSerializer()


class SizePlanSerializer(serializers.Serializer[SizePlan]):
    """A quota with a name: CPU in millicores, memory and storage in bytes."""

    slug = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    cpu_millicores = serializers.IntegerField(source="cpu")
    memory_bytes = serializers.IntegerField(source="memory")
    storage_bytes = serializers.IntegerField(source="storage")
    pods = serializers.IntegerField()


class ProjectSerializer(serializers.Serializer[Project]):
    """A project; CPU in millicores, memory and storage in bytes."""

    uid = serializers.UUIDField()
    namespace = serializers.CharField()
    display_name = serializers.CharField()
    tenant = serializers.CharField(source="tenant.code")
    environment = serializers.CharField()
    cluster = serializers.CharField(source="bundle.cluster.name")
    owner = serializers.CharField(source="owner.username")
    cost_centre = serializers.CharField()
    size = serializers.CharField(help_text="the size plan it was made by, empty for own figures")
    isolation = serializers.CharField()
    adopted = serializers.BooleanField()
    cpu_millicores = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    storage_bytes = serializers.IntegerField()
    pods = serializers.IntegerField()
    state = serializers.CharField(help_text="queued, applying, retrying, blocked, committed or ready")
    created_at = serializers.DateTimeField()


class ProjectPageSerializer(serializers.Serializer[Any]):
    """A page of projects, newest first; `next` is the `after` of the following page, "" on the last."""

    items = ProjectSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class SeriesSerializer(serializers.Serializer[Any]):
    """One resource over time; as many values as there are moments, null where nothing is known."""

    resource = serializers.CharField()
    unit = serializers.CharField(help_text="millicores, bytes or pieces")
    used = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="the highest that was seen within the step"
    )
    limit = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="the last that was seen within the step"
    )


class HistorySerializer(serializers.Serializer[Any]):
    """What was used of a quota over time; `at` are the beginnings of steps in which something was seen, and of the
    first one of each gap."""

    since = serializers.DateTimeField(help_text="`from`, but two years ago at most")
    until = serializers.DateTimeField(help_text="`to`")
    step_seconds = serializers.IntegerField()
    at = serializers.ListField(child=serializers.DateTimeField())
    series = SeriesSerializer(many=True)
