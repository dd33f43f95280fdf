"""Tenants and projects as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from clusters.serializers import PoolsSerializer
from tenants.models import Deletion, Project, SizePlan, Tenant
from web.sentences import shown


class TenantSerializer(serializers.Serializer[Tenant]):
    """A tenant."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()


class TenantPageSerializer(serializers.Serializer[Any]):
    """A page of tenants; `next` is the `after` of the following page, "" on the last."""

    items = TenantSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class MemberSerializer(serializers.Serializer[Any]):
    """Somebody's place: `subject` is user:<name> or group:<dn>."""

    subject = serializers.CharField()
    role = serializers.CharField()


class TenantDetailSerializer(TenantSerializer):
    """A tenant with its budget, on all clusters together, and who belongs to it."""

    budget = PoolsSerializer()
    members = MemberSerializer(many=True)


class SizePlanSerializer(serializers.Serializer[SizePlan]):
    """A quota with a name: CPU in millicores, memory and storage in bytes."""

    slug = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    cpu_millicores = serializers.IntegerField(source="cpu")
    memory_bytes = serializers.IntegerField(source="memory")
    storage_bytes = serializers.IntegerField(source="storage")
    pods = serializers.IntegerField()


class SizePlansSerializer(serializers.Serializer[Any]):
    """All sizes that may be chosen, smallest first."""

    items = SizePlanSerializer(many=True)


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


class PlannedDeletionSerializer(serializers.Serializer[Deletion]):
    """The removal of a project that is planned or under way."""

    request = serializers.IntegerField(source="request_id")
    due_from = serializers.DateTimeField(help_text="until then it can be called off")
    started_at = serializers.DateTimeField(allow_null=True)
    message = serializers.SerializerMethodField()

    def get_message(self, deletion: Deletion) -> str:
        """What blocks it, in the caller's language; else empty."""
        return shown(deletion.message)


class ProjectDetailSerializer(ProjectSerializer):
    """A project with who works in it, what is in use, and where it is kept."""

    bundle = serializers.UUIDField(source="bundle.uid")
    members = MemberSerializer(many=True, source="members.all")
    used = serializers.DictField(
        child=serializers.IntegerField(), help_text="of the quota by resource, as last observed; absent: not known"
    )
    deletion = PlannedDeletionSerializer(allow_null=True)


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
